// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdio.h>

#include "load_options.h"
#include "load_report.h"
#include "name.h"
#include "output.h"
#include "size.h"

static const char *engine_name(const struct load *load)
{
	return ramload_engine_name(ramload_session_engine(load->session));
}

void load_report_text(const struct load *load)
{
	const struct ramload_image *image = load->input.image;
	const char *machine = ramload_image_machine(image);
	uint64_t bytes = load->bytes;
	char name[NAME_SHOWN];

	printf("format   %s\n", ramload_image_format(image));
	if (machine)
		printf("machine  %s\n", name_show(name, sizeof(name), machine));
	printf("blocks   %zu, %s\n", ramload_image_nr_blocks(image),
	       size_text(input_length(&load->input)).text);
	printf("engine   %s\n", engine_name(load));
	printf("workers  %u\n", ramload_session_workers(load->session));
	printf("dest     %s\n", ramload_memory_kind_name(load->kind));
	printf("direct   %s%s\n", load_io_names[load->io],
	       load->dontcache ? ", dontcache" : "");
	printf("loaded   %s\n", size_text(bytes).text);
	printf("seconds  %.3f\n", load->seconds);
	if (load->seconds > 0)
		printf("rate     %.2f GB/s\n", bytes / load->seconds / 1e9);
	printf("CPU      %.3f seconds%s\n", load->cpu_seconds,
	       load->threads ? "" : ", without the module's workers");
}

void load_report_digests(const struct load *load)
{
	char name[NAME_SHOWN];
	size_t i;

	if (!load->digests)
		return;
	for (i = 0; i < ramload_image_nr_blocks(load->input.image); i++) {
		const struct ramload_image_block *block;

		block = ramload_image_block(load->input.image, i);
		printf("SHA256 (%s) = %s\n",
		       name_show(name, sizeof(name), block->name),
		       load->digests[i].text);
	}
}

static struct json_object *blocks_json(const struct load *load)
{
	struct json_object *blocks = json_object_new_array();
	size_t i;

	for (i = 0; i < ramload_image_nr_blocks(load->input.image); i++) {
		struct json_object *block;

		block = json_block(ramload_image_block(load->input.image, i));
		if (load->digests)
			json_add_string(block, "sha256", load->digests[i].text);
		json_object_array_add(blocks, block);
	}
	return blocks;
}

void load_report_json(const struct load *load)
{
	struct json_object *object = json_input(&load->input);

	json_add_string(object, "engine", engine_name(load));
	json_add_string(object, "dest", ramload_memory_kind_name(load->kind));
	json_add_number(object, "workers",
			ramload_session_workers(load->session));
	json_add_string(object, "direct", load_io_names[load->io]);
	json_add_bool(object, "dontcache", load->dontcache);
	json_add_number(object, "bytes_loaded", load->bytes);
	json_add_seconds(object, "seconds", load->seconds);
	json_add_seconds(object, "cpu_seconds", load->cpu_seconds);
	json_add_bool(object, "cpu_seconds_excludes_workers", !load->threads);
	json_object_object_add(object, "blocks", blocks_json(load));
	output_json(object);
}
