// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "options.h"
#include "size.h"

static void hint(const char *command)
{
	fprintf(stderr, "Try 'ramload %s --help'.\n", command);
}

static const char *long_name(const struct option *options, int value)
{
	for (; options->name; options++) {
		if (options->val == value)
			return options->name;
	}
	return NULL;
}

/*
 * getopt_long() leaves optopt 0 for an unknown long option, the character for
 * an unknown short one, and the value for a long one with an argument too
 * many. An argument that is missing gives ':'.
 */
static void complain(int argc, char **argv, const struct option *options,
		     int value)
{
	const char *name = long_name(options, optopt);
	const char *last = argv[optind > 1 && optind <= argc ? optind - 1 : 0];

	if (value == ':')
		message("%s: option '%s' needs an argument", argv[0], last);
	else if (!optopt)
		message("%s: unknown option '%s'", argv[0], last);
	else if (name && !strncmp(last, "--", 2))
		message("%s: option '--%s' takes no argument", argv[0], name);
	else
		message("%s: unknown option '-%c'", argv[0], optopt);
	hint(argv[0]);
}

int options_next(int argc, char **argv, const struct option *options)
{
	int value;

	opterr = 0;
	value = getopt_long(argc, argv, ":h", options, NULL);
	if (value != '?' && value != ':')
		return value;
	complain(argc, argv, options, value);
	return '?';
}

bool options_operands(int argc, char **argv, int nr, const char *const *what,
		      const char **operands)
{
	int i, given = argc - optind;

	if (given < nr)
		message("%s: %s is missing", argv[0], what[given]);
	if (given > nr)
		message("%s: unexpected argument '%s'", argv[0],
			argv[optind + nr]);
	if (given != nr) {
		hint(argv[0]);
		return false;
	}
	for (i = 0; i < nr; i++)
		operands[i] = argv[optind + i];
	return true;
}

void options_bad_value(const char *command, const char *option,
		       const char *value)
{
	message("%s: bad value '%s' of option '--%s'", command, value, option);
	hint(command);
}

int options_choice(const char *value, const char *const *choices)
{
	int i;

	for (i = 0; choices[i]; i++) {
		if (!strcmp(value, choices[i]))
			return i;
	}
	return -1;
}

bool options_number(const char *value, uint64_t max, unsigned int *number)
{
	uint64_t parsed;

	if (value[strspn(value, "0123456789")] || !size_parse(value, &parsed) ||
	    !parsed || parsed > max)
		return false;
	*number = parsed;
	return true;
}

bool options_memory_kind(const char *value, enum ramload_memory_kind *kind)
{
	enum ramload_memory_kind i;
	const char *name;

	for (i = 0; (name = ramload_memory_kind_name(i)); i++) {
		if (!strcmp(name, value)) {
			*kind = i;
			return true;
		}
	}
	return false;
}
