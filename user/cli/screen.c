// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "screen.h"

#define DEFAULT_COLUMNS	80
#define DEFAULT_ROWS	24

static void find_size(struct screen *screen)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		memset(&size, 0, sizeof(size));
	screen->columns = size.ws_col ? size.ws_col : DEFAULT_COLUMNS;
	screen->rows = size.ws_row ? size.ws_row : DEFAULT_ROWS;
}

void screen_open(struct screen *screen)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	sigset_t set;

	memset(screen, 0, sizeof(*screen));
	screen->fd = -1;
	screen->columns = DEFAULT_COLUMNS;
	screen->on = isatty(STDOUT_FILENO) && term && *term &&
		     strcmp(term, "dumb");
	if (!screen->on)
		return;
	screen->colour = !(no_color && *no_color);
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
