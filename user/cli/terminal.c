// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

bool terminal_is_on(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

bool terminal_wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !(no_color && *no_color);
}

void terminal_size(int fd, int *columns, int *rows)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size))
		memset(&size, 0, sizeof(size));
	*columns = size.ws_col ? size.ws_col : TERMINAL_COLUMNS;
	*rows = size.ws_row ? size.ws_row : TERMINAL_ROWS;
}
