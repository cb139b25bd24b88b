// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "screen.h"
#include "terminal.h"

static void find_size(struct screen *screen)
{
	terminal_size(STDOUT_FILENO, &screen->columns, &screen->rows);
}

void screen_open(struct screen *screen)
{
	sigset_t set;

	memset(screen, 0, sizeof(*screen));
	screen->fd = -1;
	screen->columns = TERMINAL_COLUMNS;
	screen->on = terminal_is_on(STDOUT_FILENO);
	if (!screen->on)
		return;
	screen->colour = terminal_wants_colour();
	find_size(screen);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	screen->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	/* The other screen, which leaves what is on this one. */
	fputs("\033[?1049h", stdout);
}

void screen_close(struct screen *screen)
{
	if (!screen->on)
		return;
	fputs("\033[?1049l", stdout);
	fflush(stdout);
	if (screen->fd >= 0)
		close(screen->fd);
	screen->fd = -1;
	screen->on = false;
}

bool screen_resize(struct screen *screen)
{
	int columns = screen->columns, rows = screen->rows;
	struct signalfd_siginfo info;

	if (!screen->on)
		return false;
	while (read(screen->fd, &info, sizeof(info)) > 0)
		;
	find_size(screen);
	return columns != screen->columns || rows != screen->rows;
}

void screen_begin(struct screen *screen)
{
	fputs("\033[H", stdout);
	screen->row = 0;
}

/* No line ends the last row: that would scroll. */
void screen_line(struct screen *screen, const char *text)
{
	if (screen->row >= screen->rows)
		return;
	printf("%s%s\033[K", screen->row ? "\r\n" : "", text);
	screen->row++;
}

void screen_end(struct screen *screen)
{
	if (screen->row)
		fputs("\033[J", stdout);
}
