/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Output: what goes to standard output
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "input.h"

/**
 * output_flush() - write what was printed so far
 *
 * Return: 0, or a negative errno after a message
 */
int output_flush(void);

/** output_json() - print an object and release it */
void output_json(struct json_object *object);

/* Members of an object; text is shown as name_show() does, NULL is null. */
void json_add_string(struct json_object *object, const char *key,
		     const char *text);
void json_add_number(struct json_object *object, const char *key,
		     uint64_t number);
void json_add_seconds(struct json_object *object, const char *key,
		      double seconds);
void json_add_bool(struct json_object *object, const char *key, bool value);

/** json_input() - an object with the members that describe an image */
struct json_object *json_input(const struct input *input);

/** json_block() - one that describes a block */
struct json_object *json_block(const struct ramload_image_block *block);

#endif /* CLI_OUTPUT_H */
