// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "name.h"

/* Names of files may have 255 bytes; this leaves room for "%~" and a number. */
#define FILE_NAME_LENGTH 220

const char *name_show(char *out, size_t size, const char *name)
{
	size_t n = 0;

	for (; *name && n + 5 <= size; name++) {
		unsigned char c = *name;

		if (c < ' ' || c > '~' || c == '\\')
			n += sprintf(out + n, "\\x%02x", c);
		else
			out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

static bool plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c && strchr(".,:@+=_-", c));
}

const char *name_file(char *out, size_t size, const char *name, size_t index)
{
	size_t i, n = 0;

	for (i = 0; name[i] && n + 4 <= size; i++) {
		unsigned char c = name[i];

		if (plain(c) && (i || c != '.'))
			out[n++] = c;
		else
			n += sprintf(out + n, "%%%02X", c);
	}
	out[n] = '\0';
	if (n > FILE_NAME_LENGTH)
		snprintf(out + FILE_NAME_LENGTH, size - FILE_NAME_LENGTH,
			 "%%~%zu", index);
	return out;
}
