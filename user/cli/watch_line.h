/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Lines of jobs that are watched: as much of a job as a line has room for
 */
#ifndef CLI_WATCH_LINE_H
#define CLI_WATCH_LINE_H

#include "watch_jobs.h"

/* Room for any line. */
#define WATCH_LINE	512

/**
 * struct watch_layout - what lines are made of
 * @width: characters that lines may have
 * @columns: bits of those that are shown
 * @bar: length of the bar, without brackets
 * @open: the last column may be longer than there is room
 * @colour: bars are in colour
 */
struct watch_layout {
	int width;
	unsigned int columns;
	int bar;
	bool open;
	bool colour;
};

/** watch_layout() - what fits into @width, what matters most first */
struct watch_layout watch_layout(int width);

/** watch_title() - the titles; @out of WATCH_LINE bytes is returned */
const char *watch_title(const struct watch_layout *layout, char *out);

/** watch_line() - a job; @out of WATCH_LINE bytes is returned */
const char *watch_line(const struct watch_layout *layout,
		       const struct watch_job *job, char *out);

#endif /* CLI_WATCH_LINE_H */
