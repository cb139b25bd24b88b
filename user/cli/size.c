// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "size.h"

static const char units[] = "KMGTPE";

/* Number of bits that a unit stands for, -1 if it is none. */
static int unit_shift(const char *text)
{
	const char *unit;

	if (!*text)
		return 0;
	unit = strchr(units, toupper((unsigned char)*text));
	if (!unit || (text[1] && strcasecmp(text + 1, "iB")))
		return -1;
	return (unit - units + 1) * 10;
}

bool size_parse(const char *text, uint64_t *size)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long value;
	char *end;
	int shift;

	/* strtoull() takes signs and spaces, too. */
	if (!isdigit((unsigned char)*text) ||
	    (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	value = strtoull(text, &end, hex ? 16 : 10);
	shift = unit_shift(end);
	if (errno || shift < 0 || value > UINT64_MAX >> shift)
		return false;
	*size = value << shift;
	return true;
}

struct size_text size_text(uint64_t size)
{
	struct size_text out;
	double value = size;
	int unit = -1;

	/* 1023.95 would be rounded up to 1024.0. */
	for (; value >= 1023.95 && unit < (int)strlen(units) - 1; unit++)
		value /= 1024;
	if (unit < 0)
		snprintf(out.text, sizeof(out.text), "%u B",
			 (unsigned int)size);
	else
		snprintf(out.text, sizeof(out.text), "%.1f %ciB", value,
			 units[unit]);
	return out;
}
