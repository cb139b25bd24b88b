// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "json.h"

#define LIBRARY	"libjson-c.so.5"

/* What is nested deeper is refused: freeing a document is recursive. */
#define MAX_DEPTH	64

/* Objects and arrays, and values: some 100 MiB and 300 MiB of memory. */
#define MAX_NESTS	(1U << 17)
#define MAX_VALUES	(1U << 22)

/* What is used of json-c; its header tells the types. */
#define FUNCTIONS(function) \
	function(json_tokener_new_ex) \
	function(json_tokener_set_flags) \
	function(json_tokener_parse_ex) \
	function(json_tokener_get_error) \
	function(json_tokener_error_desc) \
	function(json_tokener_get_parse_end) \
	function(json_tokener_free) \
	function(json_object_put) \
	function(json_object_get_type) \
	function(json_object_object_get_ex) \
	function(json_object_array_length) \
	function(json_object_array_get_idx) \
	function(json_object_get_string) \
	function(json_object_get_string_len) \
	function(json_object_get_int64) \
	function(json_object_get_uint64)

struct json {
	void *library;
#define MEMBER(name) __typeof__(name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

/* POSIX has it that what dlsym() returns can be made a function pointer. */
static bool find_functions(struct json *json)
{
	bool all = true;

#define FIND(name) \
	*(void **)&json->name = dlsym(json->library, #name); \
	all &= json->name != NULL;
	FUNCTIONS(FIND)
#undef FIND
	return all;
}

int json_open(struct image_file *file, struct json **json)
{
	struct json *new = calloc(1, sizeof(*new));

	if (!new)
		return image_fail_file(file, -ENOMEM, "out of memory");
	new->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!new->library || !find_functions(new)) {
		json_close(new);
		return image_fail_file(file, -ENOTSUP,
				       "to be read, it takes " LIBRARY
				       " (json-c), which is not installed");
	}
	*json = new;
	return 0;
}

void json_close(struct json *json)
{
	if (json && json->library)
		dlclose(json->library);
	free(json);
}

static bool is_blank(const char *text, size_t length)
{
	while (length && isspace((unsigned char)*text)) {
		text++;
		length--;
	}
	return !length;
}

static int parse(struct json *json, struct json_tokener *tokener,
		 struct image_file *file, const char *what, const char *text,
		 size_t length, struct json_object **value)
{
	enum json_tokener_error error;
	size_t end;

	*value = json->json_tokener_parse_ex(tokener, text, length);
	error = json->json_tokener_get_error(tokener);
	end = json->json_tokener_get_parse_end(tokener);
	if (error == json_tokener_continue)
		return image_fail(file, -ENODATA, length,
				  "%s: the JSON ends too early", what);
	if (error != json_tokener_success)
		return image_fail(file, -EINVAL, end, "%s: no JSON: %s", what,
				  json->json_tokener_error_desc(error));
	if (is_blank(text + end, length - end))
		return 0;
	return image_fail(file, -EINVAL, end,
			  "%s: something follows the JSON", what);
}

/* What one value takes in memory is many times what it takes in the text. */
static bool is_bounded(const char *text, size_t length)
{
	size_t i, nests = 0, values = 0;

	for (i = 0; i < length; i++) {
		nests += text[i] == '{' || text[i] == '[';
		values += text[i] == ',';
	}
	return nests <= MAX_NESTS && values <= MAX_VALUES;
}

int json_parse(struct json *json, struct image_file *file, const char *what,
	       const char *text, size_t length, struct json_object **value)
{
	struct json_tokener *tokener;
	int err;

	*value = NULL;
	if (!is_bounded(text, length))
		return image_fail(file, -ENOTSUP, 0,
				  "%s: more values than are looked at", what);
	tokener = json->json_tokener_new_ex(MAX_DEPTH);
	if (!tokener)
		return image_fail_file(file, -ENOMEM, "out of memory");
	json->json_tokener_set_flags(tokener,
				     JSON_TOKENER_STRICT |
				     JSON_TOKENER_ALLOW_TRAILING_CHARS);
	err = parse(json, tokener, file, what, text, length, value);
	json->json_tokener_free(tokener);
	if (err) {
		json_free(json, *value);
		*value = NULL;
	}
	return err;
}

void json_free(struct json *json, struct json_object *value)
{
	json->json_object_put(value);
}

struct json_object *json_member(struct json *json, struct json_object *object,
				const char *key)
{
	struct json_object *value;

	if (!json_is_object(json, object) ||
	    !json->json_object_object_get_ex(object, key, &value))
		return NULL;
	return value;
}

struct json_object *json_element(struct json *json, struct json_object *array,
				 size_t i)
{
	if (!json_is_array(json, array) || i >= json_length(json, array))
		return NULL;
	return json->json_object_array_get_idx(array, i);
}

bool json_is_array(struct json *json, struct json_object *value)
{
	return json->json_object_get_type(value) == json_type_array;
}

size_t json_length(struct json *json, struct json_object *array)
{
	return json->json_object_array_length(array);
}

bool json_is_object(struct json *json, struct json_object *value)
{
	return json->json_object_get_type(value) == json_type_object;
}

const char *json_string(struct json *json, struct json_object *value,
			size_t *length)
{
	if (json->json_object_get_type(value) != json_type_string)
		return NULL;
	*length = json->json_object_get_string_len(value);
	return json->json_object_get_string(value);
}

bool json_number(struct json *json, struct json_object *value,
		 uint64_t *number)
{
	if (json->json_object_get_type(value) != json_type_int ||
	    json->json_object_get_int64(value) < 0)
		return false;
	*number = json->json_object_get_uint64(value);
	return true;
}
