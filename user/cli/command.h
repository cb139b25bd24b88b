/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Commands: each gets its own name as argv[0] and returns an exit status
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* 128 and the number of the signal, as shells have it. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_SIGNAL = 128,
};

int cmd_info(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_watch(int argc, char **argv);

#endif /* CLI_COMMAND_H */
