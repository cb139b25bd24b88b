// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "bar.h"
#include "figure.h"
#include "name.h"
#include "size.h"
#include "watch_line.h"

#define CELL		256
#define COMM_SHOWN	(RAMLOAD_STAT_COMM * 4)
#define MIN_BAR		8

/* Over so much, time that is left is not worth telling: a hundred days. */
#define MAX_LEFT	8640000

enum column {
	COLUMN_JOB,
	COLUMN_PROCESS,
	COLUMN_BAR,
	COLUMN_PERCENT,
	COLUMN_TOTAL,
	COLUMN_RATE,
	COLUMN_LEFT,
	NR_COLUMNS,
};

static const struct {
	const char *title;
	int width;
	bool right;
} columns[NR_COLUMNS] = {
	[COLUMN_JOB] = { "JOB", 5, true },
	[COLUMN_PROCESS] = { "PROCESS", 22, false },
	[COLUMN_BAR] = { "LOADED", MIN_BAR + 2, false },
	[COLUMN_PERCENT] = { "%", 3, true },
	[COLUMN_TOTAL] = { "OF", 10, true },
	[COLUMN_RATE] = { "RATE", 10, true },
	[COLUMN_LEFT] = { "LEFT", 9, false },
};

struct watch_layout watch_layout(int width)
{
	static const enum column by_weight[] = {
		COLUMN_JOB, COLUMN_PERCENT, COLUMN_LEFT, COLUMN_PROCESS,
		COLUMN_RATE, COLUMN_BAR, COLUMN_TOTAL,
	};
	struct watch_layout layout = { .width = width, .bar = MIN_BAR };
	int i, left = width + 1;

	for (i = 0; i < NR_COLUMNS; i++) {
		left -= columns[by_weight[i]].width + 1;
		if (left < 0)
			break;
		layout.columns |= 1U << by_weight[i];
	}
	if (i == NR_COLUMNS)
		layout.bar += left;
	if (layout.bar > BAR_MAX)
		layout.bar = BAR_MAX;
	/* The first is there always, as much of it as there can be. */
	layout.columns |= 1U << COLUMN_JOB;
	return layout;
}

static void left_text(const struct watch_job *w, char *out)
{
	double left = watch_job_left(w);

	if (w->gone)
		strcpy(out, "gone");
	else if (w->ended && w->job.error &&
		 w->job.state == RAMLOAD_JOB_FAILED)
		snprintf(out, CELL, "failed: %s", strerror(-w->job.error));
	else if (w->ended)
		strcpy(out, job_state_name(w->job.state));
	else if (!w->job.service_time)
		strcpy(out, "waiting");
	else if (left < 0 || left > MAX_LEFT)
		strcpy(out, "-");
	else
		strcpy(out, figure_clock(left + 0.5).text);
}

static void process_text(const struct watch_job *w, char *out)
{
	char comm[COMM_SHOWN];

	snprintf(out, CELL, "%u %s", w->job.pid,
		 name_show(comm, sizeof(comm), w->job.comm));
}

static double fraction(const struct ramload_stat_job *job)
{
	if (!job->bytes_total)
		return 1;
	return (double)job->bytes_done / job->bytes_total;
}

static void cell_text(const struct watch_layout *layout,
		      const struct watch_job *w, enum column column, char *out)
{
	const struct ramload_stat_job *job = &w->job;

	switch (column) {
	case COLUMN_JOB:
		snprintf(out, CELL, "%u", job->id);
		break;
	case COLUMN_PROCESS:
		process_text(w, out);
		break;
	case COLUMN_BAR:
		bar_text(out, layout->bar, fraction(job), layout->colour);
		break;
	case COLUMN_PERCENT:
		snprintf(out, CELL, "%u", figure_percent(job->bytes_done,
							 job->bytes_total));
		break;
	case COLUMN_TOTAL:
		strcpy(out, size_text(job->bytes_total).text);
		break;
	case COLUMN_RATE:
		strcpy(out, figure_rate(w->rate).text);
		break;
	default:
		left_text(w, out);
	}
}

/* What has no room is cut off. */
static int put_cell(const struct watch_layout *layout, enum column column,
		    int left, const char *text, char *out)
{
	int width = columns[column].width;
	int sign = columns[column].right ? 1 : -1;

	if (column == COLUMN_LEFT)
		return sprintf(out, "%.*s", layout->open ? CELL : left, text);
	if (width > left)
		width = left;
	return sprintf(out, "%*.*s ", sign * width, width, text);
}

/* @job of NULL: the titles. */
static const char *put_line(const struct watch_layout *layout,
			    const struct watch_job *job, char *out)
{
	int column, at = 0, left = layout->width;
	char text[CELL];

	for (column = 0; column < NR_COLUMNS; column++) {
		int bar = column == COLUMN_BAR ? layout->bar + 2 : 0;

		if (!(layout->columns >> column & 1))
			continue;
		if (job)
			cell_text(layout, job, column, text);
		else
			strcpy(text, columns[column].title);
		/* In a bar, there may be more characters than are seen. */
		if (bar)
			at += sprintf(out + at, "%-*s ", bar, text);
		else
			at += put_cell(layout, column, left, text, out + at);
		left -= (bar ? bar : columns[column].width) + 1;
	}
	while (at && out[at - 1] == ' ')
		at--;
	out[at] = '\0';
	return out;
}

const char *watch_title(const struct watch_layout *layout, char *out)
{
	return put_line(layout, NULL, out);
}

const char *watch_line(const struct watch_layout *layout,
		       const struct watch_job *job, char *out)
{
	return put_line(layout, job, out);
}
