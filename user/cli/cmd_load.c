// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload load: load an image into memory
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "digest.h"
#include "dump.h"
#include "load.h"
#include "load_options.h"
#include "load_report.h"
#include "message.h"
#include "name.h"
#include "options.h"
#include "output.h"

static const char help[] =
	"Usage: ramload load IMAGE [OPTION]...\n"
	"Load an image of guest RAM into memory of this process, and say how long it\n"
	"took.\n"
	"\n"
	LOAD_HELP
	"  --dest KIND      memory to load into: ramload, memfd (the default), tmpfs-huge,\n"
	"                   anon, thp or hugetlb\n"
	"  --sha256         print the SHA-256 of each block as it is in memory afterwards\n"
	"  --dump DIR       write each block to a file in DIR, which is made if need be\n"
	"  --json           print one JSON object, with all sizes in bytes\n"
	"  --help           print this\n"
	"\n"
	"Seconds run from the submission of the load to its end; CPU seconds are those\n"
	"of the whole process in this time. Where the module's workers are no threads\n"
	"of the process (kernels before 6.10), they are not in it; \"CPU\" says so, and\n"
	"in JSON \"cpu_seconds_excludes_workers\".\n"
	"In names of blocks, bytes that are not printable are shown as \\xNN; in names\n"
	"of files of --dump, bytes other than letters, digits and .,:@+=_- are %NN.\n"
	"An interrupted load ends with exit status 130.\n";

/**
 * struct load_command - the command line
 * @load: what to load, and how
 * @sha256: --sha256
 * @dump: --dump, or NULL
 * @json: --json
 * @help: --help
 */
struct load_command {
	struct load load;
	bool sha256;
	const char *dump;
	bool json;
	bool help;
};

enum {
	OPTION_DEST = 1,
	OPTION_SHA256,
	OPTION_DUMP,
	OPTION_JSON,
	OPTION_HELP = 'h',
};

static const struct option options[] = {
	LOAD_OPTIONS,
	{ "dest", required_argument, NULL, OPTION_DEST },
	{ "sha256", no_argument, NULL, OPTION_SHA256 },
	{ "dump", required_argument, NULL, OPTION_DUMP },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{}
};

static bool parse_dest(struct load *load, const char *name)
{
	if (options_memory_kind(name, &load->kind))
		return true;
	options_bad_value("load", "dest", name);
	return false;
}

static bool parse_option(struct load_command *command, int option,
			 const char *argument)
{
	struct load *load = &command->load;

	switch (option) {
	case OPTION_DEST:
		return parse_dest(load, argument);
	case OPTION_SHA256:
		return command->sha256 = true;
	case OPTION_DUMP:
		command->dump = argument;
		return true;
	case OPTION_JSON:
		return command->json = true;
	case OPTION_HELP:
		return command->help = true;
	case '?':
		return false;
	}
	return load_option(load, "load", option, argument);
}

static bool parse(struct load_command *command, int argc, char **argv)
{
	int option;

	while ((option = options_next(argc, argv, options)) != -1) {
		if (!parse_option(command, option, optarg))
			return false;
		if (command->help)
			return true;
	}
	return options_operands(argc, argv, 1,
				(const char *const[]){ "IMAGE" },
				&command->load.input.path);
}

static int digest_blocks(struct load *load)
{
	size_t i, nr = ramload_image_nr_blocks(load->input.image);
	int err = 0;

	load->digests = calloc(nr + 1, sizeof(*load->digests));
	if (!load->digests)
		err = -ENOMEM;
	work_begin(&load->work, "SHA-256", input_length(&load->input));
	for (i = 0; i < nr && !err; i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(load->input.image, i);
		err = digest_memory(&load->digests[i], load_memory(load, i),
				    block->length, &load->work);
	}
	work_end(&load->work);
	if (err && err != -EINTR)
		message("SHA-256: %s", strerror(-err));
	return err;
}

static int dump_block(struct load *load, const struct dump *dump,
		      const char *path, size_t i)
{
	const struct ramload_image_block *block;
	char name[NAME_SHOWN];
	int err;

	block = ramload_image_block(load->input.image, i);
	name_file(name, sizeof(name), block->name, i);
	err = dump_memory(dump, name, load_memory(load, i), block->length,
			  &load->work);
	if (err && err != -EINTR) {
		work_end(&load->work);
		message("%s/%s: %s", path, name, strerror(-err));
	}
	return err;
}

static int dump_blocks(struct load *load, const char *path)
{
	size_t i, nr = ramload_image_nr_blocks(load->input.image);
	struct dump dump;
	int err;

	err = dump_open(&dump, path, load->input.image);
	work_begin(&load->work, "dumping", input_length(&load->input));
	for (i = 0; i < nr && !err; i++)
		err = dump_block(load, &dump, path, i);
	work_end(&load->work);
	dump_close(&dump);
	return err;
}

static int start(struct load *load)
{
	int err;

	err = input_open(&load->input);
	if (err)
		return err;
	err = load_start(load);
	return err ? err : load_allocate(load);
}

static int run(struct load_command *command)
{
	struct load *load = &command->load;
	int err;

	err = start(load);
	if (!err)
		err = load_run(load);
	if (!err && !command->json) {
		load_report_text(load);
		err = output_flush();
	}
	if (!err && command->sha256)
		err = digest_blocks(load);
	if (!err && !command->json)
		load_report_digests(load);
	if (!err && command->dump)
		err = dump_blocks(load, command->dump);
	if (!err && command->json)
		load_report_json(load);
	return err;
}

int cmd_load(int argc, char **argv)
{
	struct load_command command = { .load = LOAD_INIT };

	if (!parse(&command, argc, argv))
		return EXIT_USAGE;
	if (command.help) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	return load_end(&command.load, run(&command));
}
