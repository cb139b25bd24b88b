/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Options of all commands that load: the image, and by what it is read
 */
#ifndef CLI_LOAD_OPTIONS_H
#define CLI_LOAD_OPTIONS_H

#include "load.h"

/* For struct option: values that load_option() takes. */
enum {
	LOAD_ENGINE = 0x200,
	LOAD_WORKERS,
	LOAD_DIRECT,
	LOAD_DONTCACHE,
};

/* Elements of an array of struct option. */
#define LOAD_OPTIONS \
	INPUT_OPTIONS, \
	{ "engine", required_argument, NULL, LOAD_ENGINE }, \
	{ "workers", required_argument, NULL, LOAD_WORKERS }, \
	{ "direct", required_argument, NULL, LOAD_DIRECT }, \
	{ "dontcache", no_argument, NULL, LOAD_DONTCACHE }

#define LOAD_HELP \
	INPUT_HELP \
	"  --engine NAME    kernel (the module), user (threads of this program), or auto:\n" \
	"                   kernel where it can be used, else user; the default\n" \
	"  --workers N      number of workers instead of one for each CPU, 8 at most\n" \
	"  --direct WHEN    read past the page cache: on, off, or auto: what is not in it;\n" \
	"                   the default\n" \
	"  --dontcache      leave nothing in the page cache that was not there before\n"

/** load_io_names - of enum ramload_io, as --direct takes them */
extern const char *const load_io_names[];

/**
 * load_option() - take an option
 * @command: for the message
 * @option: its value in struct option
 * @argument: its argument
 *
 * Return: true; false after a message, or if it is none of LOAD_OPTIONS
 */
bool load_option(struct load *load, const char *command, int option,
		 const char *argument);

#endif /* CLI_LOAD_OPTIONS_H */
