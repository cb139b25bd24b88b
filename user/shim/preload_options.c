// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_options
 *
 * The environment variables, read once, by the constructor. A value that is
 * not understood makes one line on standard error, and the library does
 * nothing.
 *
 * LD_PRELOAD goes on to all programs that a program starts. So nothing is done,
 * and nothing said, but in those whose file has "qemu" in its name, unless
 * RAMLOAD_PRELOAD=on.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload_options.h"

#define MAX_WORKERS	256

struct preload_options preload_options = { .summary_fd = -1 };

/* Index of the value among @words, -1: none of them. */
static int find_word(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

static bool parse_number(const char *value, unsigned long max,
			 unsigned long *number)
{
	char *end;

	if (*value < '0' || *value > '9' || strlen(value) > 9)
		return false;
	*number = strtoul(value, &end, 10);
	return !*end && *number <= max;
}

static bool runs_qemu(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *name;

	if (length < 0)
		return false;
	path[length] = '\0';
	name = strrchr(path, '/');
	return strstr(name ? name : path, "qemu");
}

static bool set_on(const char *value)
{
	static const char *const words[] = { "off", "on", "auto", NULL };
	int word = find_word(value, words);

	preload_options.on = word == 1 || (word == 2 && runs_qemu());
	return word >= 0;
}

static bool set_engine(const char *value)
{
	static const char *const words[] = { "auto", "kernel", "user", NULL };
	int word = find_word(value, words);

	preload_options.engine = word;
	return word >= 0;
}

static bool set_workers(const char *value)
{
	unsigned long number;

	if (!parse_number(value, MAX_WORKERS, &number))
		return false;
	preload_options.workers = number;
	return true;
}

static bool set_memory(const char *value)
{
	static const char *const words[] = { "off", "on", NULL };
	int word = find_word(value, words);

	preload_options.memory = word == 1;
	return word >= 0;
}

static bool set_summary(const char *value)
{
	static const char *const words[] = { "off", "on", NULL };
	unsigned long number;

	if (parse_number(value, INT_MAX, &number))
		preload_options.summary_fd = number;
	else if (strchr(value, '/'))
		preload_options.summary_path = strdup(value);
	else if (find_word(value, words) == 1)
		preload_options.summary_fd = STDERR_FILENO;
	else
		return !strcmp(value, "off");
	return true;
}

static const struct {
	const char *name;
	bool (*set)(const char *value);
	const char *values;
} variables[] = {
	{ "RAMLOAD_PRELOAD_ENGINE", set_engine, "auto, kernel, user" },
	{ "RAMLOAD_PRELOAD_WORKERS", set_workers, "a number from 0 to 256" },
	{ "RAMLOAD_PRELOAD_MEMORY", set_memory, "on, off" },
	{ "RAMLOAD_PRELOAD_SUMMARY", set_summary,
	  "on, off, the number of an fd, a path with a slash" },
};

#define NR_VARIABLES (sizeof(variables) / sizeof(variables[0]))

static void refuse(const char *name, const char *value, const char *values)
{
	dprintf(STDERR_FILENO, "ramload: %s=%.40s: must be %s; doing nothing\n",
		name, value, values);
	preload_options.on = false;
}

void preload_options_read(void)
{
	const char *value = getenv("RAMLOAD_PRELOAD");

	if (!set_on(value ? value : "auto"))
		refuse("RAMLOAD_PRELOAD", value, "auto, on, off");
	for (size_t i = 0; i < NR_VARIABLES && preload_options.on; i++) {
		value = getenv(variables[i].name);
		if (value && *value && !variables[i].set(value))
			refuse(variables[i].name, value, variables[i].values);
	}
}
