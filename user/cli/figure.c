// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <inttypes.h>
#include <stdio.h>

#include "figure.h"

#define MINUTE	60
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)

struct figure figure_rate(double rate)
{
	struct figure f;

	/* 999.96 MB/s would be rounded up to 1000.0. */
	if (rate >= 999.95e6)
		snprintf(f.text, sizeof(f.text), "%.2f GB/s", rate / 1e9);
	else
		snprintf(f.text, sizeof(f.text), "%.1f MB/s", rate / 1e6);
	return f;
}

struct figure figure_clock(uint64_t seconds)
{
	unsigned int minute = seconds / MINUTE % 60, second = seconds % MINUTE;
	struct figure f;

	if (seconds >= DAY)
		snprintf(f.text, sizeof(f.text), "%" PRIu64 "d %02uh",
			 seconds / DAY, (unsigned int)(seconds / HOUR % 24));
	else if (seconds >= HOUR)
		snprintf(f.text, sizeof(f.text), "%u:%02u:%02u",
			 (unsigned int)(seconds / HOUR), minute, second);
	else
		snprintf(f.text, sizeof(f.text), "%u:%02u", minute, second);
	return f;
}

struct figure figure_seconds(uint64_t ns)
{
	struct figure f;

	snprintf(f.text, sizeof(f.text), "%" PRIu64 ".%03u s", ns / NS_PER_S,
		 (unsigned int)(ns % NS_PER_S / 1000000));
	return f;
}

unsigned int figure_percent(uint64_t done, uint64_t total)
{
	if (done >= total)
		return 100;
	return done * 100.0L / total;
}
