/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Options of commands that show what the module tells
 */
#ifndef CLI_STAT_OPTIONS_H
#define CLI_STAT_OPTIONS_H

#include "job_row.h"
#include "options.h"

/* For struct option: values that stat_option() takes. */
enum {
	STAT_PID = 0x200,
	STAT_CONTEXT,
	STAT_SORT,
};

/* Elements of an array of struct option. */
#define STAT_OPTIONS \
	{ "pid", required_argument, NULL, STAT_PID }, \
	{ "context", required_argument, NULL, STAT_CONTEXT }, \
	{ "sort", required_argument, NULL, STAT_SORT }

#define STAT_HELP \
	"  --pid PID        of this process only\n" \
	"  --context ID     of this context only\n" \
	"  --sort KEY       order of jobs: id (the default), pid, bytes loaded, rate,\n" \
	"                   time since they were submitted\n"

struct stat_options {
	struct stat_filter filter;
	enum job_key key;
};

/**
 * stat_option() - take an option
 * @command: for the message
 * @option: its value in struct option
 * @argument: its argument
 *
 * Return: true; false after a message
 */
bool stat_option(struct stat_options *options, const char *command, int option,
		 const char *argument);

/** stat_warn() - say what is not seen, if anything is not */
void stat_warn(bool own, bool interrupted);

#endif /* CLI_STAT_OPTIONS_H */
