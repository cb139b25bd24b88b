// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload info: show what an image holds
 */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "input.h"
#include "name.h"
#include "options.h"
#include "output.h"
#include "size.h"

static const char help[] =
	"Usage: ramload info IMAGE [OPTION]...\n"
	"Show what an image of guest RAM holds.\n"
	"\n"
	INPUT_HELP
	"  --json           print one JSON object, with all sizes in bytes\n"
	"  --help           print this\n"
	"\n"
	"Of each block: its length, how much of it is present in the file, the page\n"
	"size, where its first page is in the file, and in how many runs of pages that\n"
	"adjoin the present ones come. What is absent is zeros in the guest.\n"
	"Bytes of names that are not printable are shown as \\xNN.\n";

static const struct option options[] = {
	INPUT_OPTIONS,
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

/* Runs of present pages: each begins with a bit after a clear one. */
static uint64_t count_runs(const struct ramload_image_block *block)
{
	uint64_t i, runs = 0;
	uint64_t bytes;
	unsigned int before = 0;

	if (!block->bitmap)
		return 1;
	bytes = (block->length / block->page_size + 7) / 8;
	for (i = 0; i < bytes; i++) {
		unsigned int bits = block->bitmap[i];

		runs += __builtin_popcount(bits & ~(bits << 1 | before));
		before = bits >> 7;
	}
	return runs;
}

static void print_json(const struct input *input)
{
	struct json_object *object = json_input(input);
	struct json_object *blocks = json_object_new_array();
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(input->image); i++) {
		const struct ramload_image_block *block;
		struct json_object *json;

		block = ramload_image_block(input->image, i);
		json = json_block(block);
		json_add_number(json, "runs", count_runs(block));
		json_object_array_add(blocks, json);
	}
	json_object_object_add(object, "blocks", blocks);
	output_json(object);
}

static void print_row(const char *name, uint64_t length, uint64_t present)
{
	printf("%-28s %10s %10s", name, size_text(length).text,
	       size_text(present).text);
}

static void print_text(const struct input *input)
{
	const char *machine = ramload_image_machine(input->image);
	char name[NAME_SHOWN];
	size_t i;

	printf("format   %s\n", ramload_image_format(input->image));
	if (machine)
		printf("machine  %s\n", name_show(name, sizeof(name), machine));
	printf("\n%-28s %10s %10s %6s %14s %8s\n", "block", "length", "present",
	       "page", "offset", "runs");
	for (i = 0; i < ramload_image_nr_blocks(input->image); i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(input->image, i);
		print_row(name_show(name, sizeof(name), block->name),
			  block->length, block->present);
		if (block->page_size)
			printf(" %6" PRIu32, block->page_size);
		else
			printf(" %6s", "-");
		printf(" %14" PRIu64 " %8" PRIu64 "\n", block->file_offset,
		       count_runs(block));
	}
	print_row("total", input_length(input), input_present(input));
	putchar('\n');
}

int cmd_info(int argc, char **argv)
{
	struct input input = INPUT_INIT;
	bool json = false;
	int option;

	while ((option = options_next(argc, argv, options)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_OK;
		}
		if (option == 'j')
			json = true;
		else if (option == '?' ||
			 !input_option(&input, argv[0], option, optarg))
			return EXIT_USAGE;
	}
	input.path = options_operand(argc, argv, "IMAGE");
	if (!input.path)
		return EXIT_USAGE;
	if (input_open(&input)) {
		input_close(&input);
		return EXIT_FAILED;
	}
	if (json)
		print_json(&input);
	else
		print_text(&input);
	input_close(&input);
	return EXIT_OK;
}
