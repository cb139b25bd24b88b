// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bar.h"
#include "progress.h"
#include "size.h"
#include "terminal.h"

#define INTERVAL 0.1
#define MIN_BAR 8

double progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void progress_init(struct progress *progress)
{
	memset(progress, 0, sizeof(*progress));
	progress->on = terminal_is_on(STDERR_FILENO);
	progress->colour = progress->on && terminal_wants_colour();
}

void progress_begin(struct progress *progress)
{
	progress->start = progress_now();
	progress->next = progress->start + INTERVAL;
}

int progress_interval(const struct progress *progress)
{
	return progress->on ? INTERVAL * 1000 : -1;
}

/*
 * A line as long as the terminal is wide would wrap: one column stays free.
 * Where there is no room, the bar goes first, then the figures.
 */
static void draw(const struct progress *progress, const char *what,
		 double fraction, const char *figures)
{
	int percent = fraction * 100;
	char text[BAR_TEXT];
	int columns, rows, room, bar;

	terminal_size(STDERR_FILENO, &columns, &rows);
	room = columns - 1 - (int)strlen(what) - 5;
	if (room < 0) {
		fprintf(stderr, "\r%3d%%\033[K", percent);
		return;
	}
	fprintf(stderr, "\r%s %3d%%", what, percent);
	bar = room - (int)strlen(figures) - 4;
	if (bar >= MIN_BAR)
		fprintf(stderr, " %s",
			bar_text(text, bar, fraction, progress->colour));
	if (room > (int)strlen(figures))
		fprintf(stderr, " %s", figures);
	fputs("\033[K", stderr);
}

void progress_show(struct progress *progress, const char *what, uint64_t done,
		   uint64_t total)
{
	double now = progress_now();
	char figures[80];
	double rate;

	if (!progress->on || !total || now < progress->next)
		return;
	rate = done / (now - progress->start);
	snprintf(figures, sizeof(figures), "%s of %s, %.2f GB/s",
		 size_text(done).text, size_text(total).text, rate / 1e9);
	flockfile(stderr);
	draw(progress, what, (double)done / total, figures);
	funlockfile(stderr);
	fflush(stderr);
	progress->drawn = true;
	progress->next = now + INTERVAL;
}

void progress_clear(struct progress *progress)
{
	if (!progress->drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress->drawn = false;
}
