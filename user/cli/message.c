// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

void message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	flockfile(stderr);
	fputs("ramload: ", stderr);
	vfprintf(stderr, format, args);
	putc('\n', stderr);
	funlockfile(stderr);
	va_end(args);
}
