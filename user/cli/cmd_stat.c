// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload stat: show what the module has done and is doing
 */
#include <stdio.h>

#include "command.h"
#include "message.h"
#include "output.h"
#include "snapshot.h"
#include "stat_options.h"
#include "stat_report.h"

static const char help[] =
	"Usage: ramload stat [OPTION]...\n"
	"Show what the module has done since it was loaded, and what is there now:\n"
	"contexts, their workers, and jobs.\n"
	"\n"
	STAT_HELP
	"  --json           print one JSON object, in bytes and nanoseconds\n"
	"  --prometheus     print the text format of Prometheus; needs CAP_NET_ADMIN,\n"
	"                   takes no filter\n"
	"  --help           print this\n"
	"\n"
	"Rates are means since a job's first chunk. Without CAP_NET_ADMIN only what this\n"
	"process itself loads is seen, and no totals.\n";

static const struct option options[] = {
	STAT_OPTIONS,
	{ "json", no_argument, NULL, 'j' },
	{ "prometheus", no_argument, NULL, 'P' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

struct stat_command {
	struct stat_options common;
	bool json;
	bool prometheus;
	bool help;
};

static bool parse(struct stat_command *command, int argc, char **argv)
{
	int option;

	while ((option = options_next(argc, argv, options)) != -1) {
		if (option == 'h') {
			command->help = true;
			return true;
		}
		if (option == 'j')
			command->json = true;
		else if (option == 'P')
			command->prometheus = true;
		else if (option == '?' ||
			 !stat_option(&command->common, argv[0], option,
				      optarg))
			return false;
	}
	if (!options_operands(argc, argv, 0, NULL, NULL))
		return false;
	if (!command->prometheus)
		return true;
	if (command->json || command->common.filter.pid ||
	    command->common.filter.context) {
		message("%s: '--prometheus' goes with neither '--json' nor a filter",
			argv[0]);
		return false;
	}
	return true;
}

static int report(const struct stat_command *command, struct snapshot *s)
{
	job_rows_sort(s->jobs, s->nr_jobs, command->common.key);
	/* A file without counters would tell that they have ended. */
	if (command->prometheus && !s->totals) {
		message("totals are not to be had%s", s->own ?
			": that needs CAP_NET_ADMIN" : "");
		return EXIT_FAILED;
	}
	stat_warn(s->own, s->interrupted);
	if (command->prometheus)
		stat_report_prometheus(s, stdout);
	else if (command->json)
		output_json(stat_report_json(s));
	else
		stat_report_text(s, stdout);
	return EXIT_OK;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_command command = { 0 };
	struct snapshot snapshot = { 0 };
	struct ramload_stat *stat;
	int err, status = EXIT_FAILED;

	if (!parse(&command, argc, argv))
		return EXIT_USAGE;
	if (command.help) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	stat = snapshot_connect();
	if (!stat)
		return EXIT_FAILED;
	err = snapshot_take(&snapshot, stat, &command.common.filter);
	if (err)
		snapshot_problem(stat, err);
	else
		status = report(&command, &snapshot);
	snapshot_free(&snapshot);
	ramload_stat_close(stat);
	return status;
}
