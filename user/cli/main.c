// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload: load the RAM of virtual machines from files
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "command.h"
#include "message.h"
#include "output.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "info", cmd_info, "show what an image holds" },
	{ "load", cmd_load, "load an image into memory and say how long it took" },
	{ "convert", cmd_convert, "write an image anew, as mapped-ram" },
	{ "bench", cmd_bench, "compare ways to load" },
	{ "stat", cmd_stat, "show what the module has done and is doing" },
	{ "watch", cmd_watch, "watch loads by the module" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	size_t i;

	fputs("Usage: ramload COMMAND [OPTION]...\n"
	      "Load the RAM of a virtual machine from a file.\n"
	      "\n"
	      "Commands:\n", out);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n"
	      "'ramload COMMAND --help' tells more; 'ramload --version' the version.\n"
	      "Exit status: 0 if all went well, 1 if not, 2 if the command line is wrong.\n",
	      out);
}

static int run(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("ramload " RAMLOAD_VERSION);
		return EXIT_OK;
	}
	message("unknown %s '%s'", *argv[1] == '-' ? "option" : "command",
		argv[1]);
	fputs("Try 'ramload --help'.\n", stderr);
	return EXIT_USAGE;
}

/* Files of an image take an fd each, and so do blocks. */
static void allow_fds(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	int status;

	/* A reader of our output that has gone is an error like others. */
	signal(SIGPIPE, SIG_IGN);
	allow_fds();
	status = run(argc, argv);
	if (status == EXIT_OK && output_flush())
		status = EXIT_FAILED;
	return status;
}
