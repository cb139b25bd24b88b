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
#include "runs.h"
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
	"adjoin the present ones come. What is absent is zeros in the guest. Of all\n"
	"blocks: how many runs there are of which length (those from it to its double),\n"
	"and how many reads it takes to read page by page; run by run, of 1 MiB at most;\n"
	"and the same with gaps of up to 16 KiB read through.\n"
	"Bytes of names that are not printable are shown as \\xNN.\n";

static const struct option options[] = {
	INPUT_OPTIONS,
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static const struct ramload_image_block *block_at(const struct input *input,
						  size_t i)
{
	return ramload_image_block(input->image, i);
}

/* In pages; the longest have no limit. */
static struct json_object *json_lengths(const struct runs *runs)
{
	struct json_object *lengths = json_object_new_array();
	size_t i;

	for (i = 0; i < RUNS_LENGTHS; i++) {
		struct json_object *length;

		if (!runs->by_length[i])
			continue;
		length = json_object_new_object();
		json_add_number(length, "from_bytes", RUNS_PAGE << i);
		json_add_number(length, "runs", runs->by_length[i]);
		json_object_array_add(lengths, length);
	}
	return lengths;
}

static struct json_object *json_reads(const struct runs *runs)
{
	struct json_object *reads = json_object_new_object();

	json_add_number(reads, "page", runs->reads_page);
	json_add_number(reads, "run", runs->reads_run);
	json_add_number(reads, "gap", runs->reads_gap);
	return reads;
}

static struct json_object *json_with_runs(const struct ramload_image_block *block)
{
	struct json_object *json = json_block(block);
	struct runs runs = { 0 };

	runs_count(&runs, block);
	json_add_number(json, "runs", runs.nr);
	json_object_object_add(json, "run_lengths", json_lengths(&runs));
	json_object_object_add(json, "reads", json_reads(&runs));
	return json;
}

static void print_json(const struct input *input)
{
	struct json_object *object = json_input(input);
	struct json_object *blocks = json_object_new_array();
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(input->image); i++)
		json_object_array_add(blocks, json_with_runs(block_at(input, i)));
	json_object_object_add(object, "blocks", blocks);
	output_json(object);
}

static void print_sizes(const char *name, uint64_t length, uint64_t present)
{
	printf("%-28s %10s %10s", name, size_text(length).text,
	       size_text(present).text);
}

/* Where it is, of a block that lies in one place. */
static void print_place(const struct ramload_image_block *block)
{
	const struct ramload_image_part *part = block->parts;

	if (part && part->page_size)
		printf(" %6" PRIu32, part->page_size);
	else
		printf(" %6s", "-");
	if (block->nr_parts == 1)
		printf(" %14" PRIu64, part->file_offset);
	else
		printf(" %8zu parts", block->nr_parts);
}

static void print_block(const struct ramload_image_block *block)
{
	struct runs runs = { 0 };
	char name[NAME_SHOWN];

	runs_count(&runs, block);
	print_sizes(name_show(name, sizeof(name), block->name), block->length,
		    block->present);
	print_place(block);
	printf(" %8" PRIu64 "\n", runs.nr);
}

static void print_lengths(const struct runs *runs)
{
	size_t i;

	for (i = 0; i < RUNS_LENGTHS; i++) {
		if (!runs->by_length[i])
			continue;
		printf("%-28s %10" PRIu64 "\n",
		       size_text(RUNS_PAGE << i).text, runs->by_length[i]);
	}
}

static void print_runs(const struct input *input)
{
	struct runs runs = runs_of(input->image);

	printf("\n%-28s %10s\n", "length of runs from", "runs");
	print_lengths(&runs);
	printf("\n%-28s %10s\n", "read by", "reads");
	printf("%-28s %10" PRIu64 "\n", "page", runs.reads_page);
	printf("%-28s %10" PRIu64 "\n", "run, of up to 1M", runs.reads_run);
	printf("%-28s %10" PRIu64 "\n", "run, with gaps of up to 16K",
	       runs.reads_gap);
}

static void print_file(const char *path)
{
	char name[NAME_SHOWN];

	if (path)
		printf("file     %s\n", name_show(name, sizeof(name), path));
}

static void print_text(const struct input *input)
{
	const char *machine = ramload_image_machine(input->image);
	char name[NAME_SHOWN];
	size_t i;

	printf("format   %s\n", ramload_image_format(input->image));
	if (machine)
		printf("machine  %s\n", name_show(name, sizeof(name), machine));
	for (i = 1; i < ramload_image_nr_files(input->image); i++)
		print_file(ramload_image_file_name(input->image, i));
	printf("\n%-28s %10s %10s %6s %14s %8s\n", "block", "length", "present",
	       "page", "offset", "runs");
	for (i = 0; i < ramload_image_nr_blocks(input->image); i++)
		print_block(block_at(input, i));
	print_sizes("total", input_length(input), input_present(input));
	putchar('\n');
	print_runs(input);
}

int cmd_info(int argc, char **argv)
{
	struct input input = { 0 };
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
	if (!options_operands(argc, argv, 1, (const char *const[]){ "IMAGE" },
			      &input.path))
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
