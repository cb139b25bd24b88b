// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload convert: write an image anew, as mapped-ram
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bits.h"
#include "command.h"
#include "copy.h"
#include "load_options.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "piece.h"
#include "runs.h"
#include "size.h"

/* What QEMU, and the reader of mapped-ram, take. */
#define MAX_BLOCKS 4096

/* Where the image has none. */
#define GUEST_PAGE 4096

static const char help[] =
	"Usage: ramload convert IMAGE OUT [OPTION]...\n"
	"Write an image of guest RAM anew, as a mapped-ram file: pages at their places,\n"
	"blocks at multiples of 2 MiB, nothing for pages that are zero. A file OUT is\n"
	"replaced when the new one is complete and on the disk; it may be IMAGE.\n"
	"\n"
	LOAD_HELP
	"  --ram-only       leave out what a file of QEMU has besides RAM\n"
	"  --direct-write   write past the page cache\n"
	"  --json           print one JSON object, with all sizes in bytes\n"
	"  --help           print this\n"
	"\n"
	"Of a file of QEMU, the machine's configuration and the state of its devices\n"
	"are carried over: QEMU can restore OUT like IMAGE. Other formats, and\n"
	"--ram-only, make a file that has RAM and nothing else, which ramload loads. A\n"
	"last page that is not whole is filled up with zeros.\n";

/**
 * struct convert - the command line, and what is done
 * @load: the image
 * @copy: what copies it
 * @stream: what else is in the file; all zero if nothing is carried over
 * @out: the new file
 */
struct convert {
	struct load load;
	struct copy copy;
	struct ramload_image_stream stream;
	const char *out;
	bool ram_only;
	bool direct_write;
	bool json;
	bool help;
};

enum {
	OPTION_RAM_ONLY = 1,
	OPTION_DIRECT_WRITE,
	OPTION_JSON,
	OPTION_HELP = 'h',
};

static const struct option options[] = {
	LOAD_OPTIONS,
	{ "ram-only", no_argument, NULL, OPTION_RAM_ONLY },
	{ "direct-write", no_argument, NULL, OPTION_DIRECT_WRITE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{}
};

static bool parse_option(struct convert *convert, int option)
{
	switch (option) {
	case OPTION_RAM_ONLY:
		return convert->ram_only = true;
	case OPTION_DIRECT_WRITE:
		return convert->direct_write = true;
	case OPTION_JSON:
		return convert->json = true;
	case OPTION_HELP:
		return convert->help = true;
	case '?':
		return false;
	}
	return load_option(&convert->load, "convert", option, optarg);
}

static bool parse(struct convert *convert, int argc, char **argv)
{
	const char *operands[2];
	int option;

	while ((option = options_next(argc, argv, options)) != -1) {
		if (!parse_option(convert, option))
			return false;
		if (convert->help)
			return true;
	}
	if (!options_operands(argc, argv, 2,
			      (const char *const[]){ "IMAGE", "OUT" },
			      operands))
		return false;
	convert->load.input.path = operands[0];
	convert->out = operands[1];
	return true;
}

static int start(struct load *load)
{
	int err;

	err = input_open(&load->input);
	if (err)
		return err;
	if (!ramload_image_nr_blocks(load->input.image)) {
		message("%s: there is no RAM in it", load->input.path);
		return -ENODATA;
	}
	return load_start(load);
}

/* The largest of all, so that none is cut in two. */
static uint32_t page_size(const struct ramload_image *image)
{
	uint32_t size = 0;
	size_t i, j;

	for (i = 0; i < ramload_image_nr_blocks(image); i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(image, i);
		for (j = 0; j < block->nr_parts; j++)
			if (block->parts[j].page_size > size)
				size = block->parts[j].page_size;
	}
	return size;
}

static int cannot_write(const struct convert *convert, const char *what)
{
	message("%s: cannot be converted: %s", convert->load.input.path, what);
	return -ENOTSUP;
}

/* What no mapped-ram file can hold, or ramload does not write. */
static int check_image(struct convert *convert)
{
	const struct ramload_image *image = convert->load.input.image;
	uint32_t size = page_size(image);

	convert->copy.page_size = size ? size : GUEST_PAGE;
	if (!convert->ram_only)
		ramload_image_stream(image, &convert->stream);
	if (ramload_image_nr_blocks(image) > MAX_BLOCKS)
		return cannot_write(convert, "there are more than 4096 blocks");
	if (size > PIECE_PAGE)
		return cannot_write(convert, "pages are larger than 2 MiB");
	if (convert->stream.config_length && !convert->stream.section)
		return cannot_write(convert,
				    "the RAM section has the id 0 (--ram-only helps)");
	return 0;
}

/* What precedes RAM, which is small: the reader of the format sees to that. */
static void *read_config(const struct convert *convert)
{
	const struct ramload_image_stream *stream = &convert->stream;
	int fd = ramload_image_file(convert->load.input.image, 0);
	void *config = malloc(stream->config_length);

	if (config && pread(fd, config, stream->config_length,
			    stream->config_offset) ==
		      (ssize_t)stream->config_length)
		return config;
	message("%s: cannot read its configuration", convert->load.input.path);
	free(config);
	return NULL;
}

static int open_failed(const struct convert *convert, int err)
{
	message("%s: %s%s", convert->out, strerror(-err),
		err == -EINVAL && convert->stream.config_length ?
			" (does --ram-only help?)" : "");
	return err;
}

static int open_blocks(struct convert *convert,
		       const struct ramload_save_options *save_options)
{
	const struct ramload_image *image = convert->load.input.image;
	size_t i, nr = ramload_image_nr_blocks(image);
	struct ramload_save_block *blocks = calloc(nr, sizeof(*blocks));
	int err = -ENOMEM;

	for (i = 0; blocks && i < nr; i++) {
		blocks[i].name = ramload_image_block(image, i)->name;
		blocks[i].length = round_up(ramload_image_block(image, i)->length,
					    convert->copy.page_size);
	}
	if (blocks)
		err = ramload_save_open(convert->out, blocks, nr, save_options,
					&convert->copy.save);
	free(blocks);
	return err ? open_failed(convert, err) : 0;
}

static int open_save(struct convert *convert)
{
	struct ramload_save_options save_options = {
		.size = sizeof(save_options),
		.page_size = convert->copy.page_size,
		.direct = convert->direct_write,
		.machine = ramload_image_machine(convert->load.input.image),
	};
	void *config = NULL;
	int err;

	if (convert->stream.config_length) {
		config = read_config(convert);
		if (!config)
			return -EIO;
		save_options.machine = NULL;
		save_options.section = convert->stream.section;
		save_options.config = config;
		save_options.config_length = convert->stream.config_length;
	}
	err = open_blocks(convert, &save_options);
	free(config);
	return err;
}

static int copy_rest(struct convert *convert)
{
	const struct ramload_image_stream *stream = &convert->stream;
	int err;

	if (stream->state_length)
		return copy_bytes(&convert->copy, stream->state_offset,
				  stream->state_length);
	err = ramload_save_end(convert->copy.save, NULL);
	return err ? copy_failed(&convert->copy, err) : 0;
}

static int convert_image(struct convert *convert)
{
	struct copy *copy = &convert->copy;
	double start_time = progress_now();
	int err;

	copy->load = &convert->load;
	copy->path = convert->out;
	err = open_save(convert);
	if (!err)
		err = copy_blocks(copy);
	if (!err)
		err = copy_rest(convert);
	if (!err && work_step(&convert->load.work, 0))
		err = -EINTR;
	if (!err) {
		err = ramload_save_commit(copy->save);
		if (err)
			copy_failed(copy, err);

		/* A signal that came meanwhile has come too late. */
		work_step(&convert->load.work, 0);
	}
	ramload_save_close(copy->save);
	convert->load.seconds = progress_now() - start_time;
	return err;
}

static void report_text(const struct convert *convert,
			const struct input *output)
{
	const struct input *input = &convert->load.input;

	printf("format   %s\n", ramload_image_format(input->image));
	printf("blocks   %zu, %s\n", ramload_image_nr_blocks(input->image),
	       size_text(input_length(input)).text);
	printf("present  %s", size_text(input_present(input)).text);
	printf(", now %s\n", size_text(input_present(output)).text);
	printf("runs     %" PRIu64 ", now %" PRIu64 "\n",
	       runs_of(input->image).nr, runs_of(output->image).nr);
	printf("devices  %s\n", convert->stream.state_length ? "yes" : "no");
	printf("seconds  %.3f\n", convert->load.seconds);
}

static void report_json(const struct convert *convert,
			const struct input *output)
{
	struct json_object *object = json_input(&convert->load.input);

	json_add_number(object, "runs",
			runs_of(convert->load.input.image).nr);
	json_add_string(object, "out", convert->out);
	json_add_number(object, "out_bytes_total", input_present(output));
	json_add_number(object, "out_runs", runs_of(output->image).nr);
	json_add_bool(object, "devices", convert->stream.state_length);
	json_add_seconds(object, "seconds", convert->load.seconds);
	output_json(object);
}

/* Whoever reads it next shall not be the first to do so. */
static int report(const struct convert *convert)
{
	struct input output = { .path = convert->out, .format = "mapped-ram" };
	int err = input_open(&output);

	if (!err && convert->json)
		report_json(convert, &output);
	else if (!err)
		report_text(convert, &output);
	input_close(&output);
	return err;
}

int cmd_convert(int argc, char **argv)
{
	struct convert convert = { .load = LOAD_INIT };
	int err;

	if (!parse(&convert, argc, argv))
		return EXIT_USAGE;
	if (convert.help) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	err = start(&convert.load);
	if (!err)
		err = check_image(&convert);
	if (!err)
		err = convert_image(&convert);
	if (!err)
		err = report(&convert);
	return load_end(&convert.load, err);
}
