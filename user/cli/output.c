// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "name.h"
#include "output.h"

int output_flush(void)
{
	int err;

	/* Of what failed earlier, the reason is no longer known. */
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	err = errno ? -errno : -EIO;
	message("standard output: %s", strerror(-err));
	return err;
}

void output_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object,
					    JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static struct json_object *json_name(const char *text)
{
	struct json_object *string = NULL;
	size_t size = text ? strlen(text) * 4 + 1 : 0;
	char *shown = text ? malloc(size) : NULL;

	if (shown) {
		name_show(shown, size, text);
		string = json_object_new_string(shown);
	}
	free(shown);
	return string;
}

void json_add_string(struct json_object *object, const char *key,
		     const char *text)
{
	json_object_object_add(object, key, json_name(text));
}

void json_add_number(struct json_object *object, const char *key,
		     uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

void json_add_seconds(struct json_object *object, const char *key,
		      double seconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6f", seconds);
	json_object_object_add(object, key,
			       json_object_new_double_s(seconds, text));
}

void json_add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

/* Those that it consists of beside the one that was named. */
static struct json_object *json_files(const struct ramload_image *image)
{
	struct json_object *files = json_object_new_array();
	size_t i;

	for (i = 1; i < ramload_image_nr_files(image); i++)
		json_object_array_add(files,
				      json_name(ramload_image_file_name(image,
									i)));
	return files;
}

struct json_object *json_input(const struct input *input)
{
	struct json_object *object = json_object_new_object();

	json_add_string(object, "image", input->path);
	json_add_number(object, "offset", input->offset);
	json_object_object_add(object, "files", json_files(input->image));
	json_add_string(object, "format", ramload_image_format(input->image));
	json_add_string(object, "machine", ramload_image_machine(input->image));
	json_add_number(object, "bytes_memory", input_length(input));
	json_add_number(object, "bytes_total", input_present(input));
	return object;
}

struct json_object *json_block(const struct ramload_image_block *block)
{
	struct json_object *object = json_object_new_object();
	const struct ramload_image_part *part = block->parts;

	json_add_string(object, "name", block->name);
	json_add_number(object, "length", block->length);
	json_add_number(object, "present", block->present);
	if (block->address != RAMLOAD_NO_ADDRESS)
		json_add_number(object, "address", block->address);
	json_add_number(object, "parts", block->nr_parts);
	json_add_number(object, "page_size", part ? part->page_size : 0);
	if (part)
		json_add_number(object, "file_offset", part->file_offset);
	return object;
}
