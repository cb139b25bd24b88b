/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Figures: rates and times, as people read them
 */
#ifndef CLI_FIGURE_H
#define CLI_FIGURE_H

#include <stdint.h>

#define NS_PER_S	UINT64_C(1000000000)

struct figure {
	char text[24];
};

/** figure_rate() - of bytes in a second: "1.25 GB/s", "312.4 MB/s" */
struct figure figure_rate(double rate);

/** figure_clock() - whole seconds: "0:07", "1:02:03", "12d 03h" */
struct figure figure_clock(uint64_t seconds);

/** figure_seconds() - of nanoseconds: "0.012 s" */
struct figure figure_seconds(uint64_t ns);

/**
 * figure_percent() - how much of it is done
 *
 * 100 only if all is. Of nothing, all is.
 */
unsigned int figure_percent(uint64_t done, uint64_t total);

#endif /* CLI_FIGURE_H */
