// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdio.h>

#include "bar.h"

const char *bar_text(char *out, size_t length, double fraction, bool colour)
{
	static const char hashes[] = "########################################";
	size_t full;

	if (length > BAR_MAX)
		length = BAR_MAX;
	/* So, what is no number is none. */
	if (!(fraction > 0))
		fraction = 0;
	if (fraction > 1)
		fraction = 1;
	full = length * fraction;
	snprintf(out, BAR_TEXT, "[%s%.*s%s%*s]", colour ? "\033[32m" : "",
		 (int)full, hashes, colour ? "\033[0m" : "",
		 (int)(length - full), "");
	return out;
}
