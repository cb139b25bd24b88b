/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * JSON: documents, read by json-c
 *
 * json-c is looked for when the first document is to be read: programs that
 * read none need not have it, and the library does not depend on it.
 */
#ifndef RAMLOAD_JSON_H
#define RAMLOAD_JSON_H

#include "image.h"

struct json_object;
struct json;

/** json_open() - find json-c; 0, -ENOTSUP or -ENOMEM with file->error set */
int json_open(struct image_file *file, struct json **json);

/** json_close() - let go of json-c; no value may be left */
void json_close(struct json *json);

/**
 * json_parse() - parse a document
 * @file: where it is from, for the error
 * @what: what it is, for the error's text
 * @text: the document; may be freed afterwards
 * @value: its value, to be freed by json_free()
 *
 * Return: 0, -EINVAL (no JSON, something after it, or nested too deep),
 * -ENODATA (it ends too early) or -ENOMEM, with file->error filled in; its
 * offset is one in @text
 */
int json_parse(struct json *json, struct image_file *file, const char *what,
	       const char *text, size_t length, struct json_object **value);

/** json_free() - free a document; @value may be NULL */
void json_free(struct json *json, struct json_object *value);

/** json_member() - a member of an object; NULL if there is none, or no object */
struct json_object *json_member(struct json *json, struct json_object *object,
				const char *key);

/** json_element() - the i-th element of an array; NULL as for json_member() */
struct json_object *json_element(struct json *json, struct json_object *array,
				 size_t i);

/** json_is_array() - is it one, maybe an empty one? */
bool json_is_array(struct json *json, struct json_object *value);

/** json_length() - number of elements of an array */
size_t json_length(struct json *json, struct json_object *array);

/** json_is_object() - is it one? */
bool json_is_object(struct json *json, struct json_object *value);

/** json_string() - the text of a string, NULL if it is none */
const char *json_string(struct json *json, struct json_object *value,
			size_t *length);

/** json_number() - an integer from 0 on; false if it is none */
bool json_number(struct json *json, struct json_object *value,
		 uint64_t *number);

#endif /* RAMLOAD_JSON_H */
