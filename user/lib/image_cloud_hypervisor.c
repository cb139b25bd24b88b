// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * DOC: Images: snapshots of Cloud Hypervisor
 *
 * A directory: state.json says, among much else, which ranges of guest memory
 * are in memory-ranges, where they follow upon each other in the order of that
 * table. Memory that a file of the user's backs is not among them, as it is in
 * that file. The state of the memory manager is a JSON document inside a string
 * of the other.
 *
 * This is what vmm/src/memory_manager.rs and vm-migration/src of Cloud
 * Hypervisor 39 and newer do. Before that, the state was a binary encoding that
 * differs from version to version.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "image.h"
#include "json.h"

#define STATE		"state.json"
#define RANGES		"memory-ranges"

/* That of a machine with hundreds of devices has a few MiB. */
#define MAX_STATE	(16ULL << 20)

#define ull(x) ((unsigned long long)(x))

/* Guest memory: @length bytes, more than 0, from @gpa on, up to 2^63. */
struct range {
	uint64_t gpa;
	uint64_t length;
};

/**
 * struct snapshot - a snapshot while it is read
 * @state: state.json
 * @ranges: in the order of the file
 * @total: their lengths
 */
struct snapshot {
	struct image_file *dir;
	struct image_file state;
	struct ramload_image *image;
	struct json *json;
	struct range *ranges;
	size_t nr_ranges;
	uint64_t total;
};

static int fail_state(struct snapshot *s, int err, const char *what)
{
	return image_fail_file(&s->state, err, "%s", what);
}

static int no_memory(struct snapshot *s)
{
	return fail_state(s, -ENOMEM, "out of memory");
}

static int read_state(struct snapshot *s, char **text)
{
	struct image_file *state = &s->state;
	int err = 0;

	*text = NULL;
	if (state->size > MAX_STATE)
		return image_fail(state, -ENOTSUP, 0,
				  "%llu bytes of state, more than %llu",
				  ull(state->size), MAX_STATE);
	*text = malloc(state->size + 1);
	if (!*text)
		return no_memory(s);
	err = image_read(state, 0, *text, state->size, "state");
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err;
}

static int parse_state(struct snapshot *s, struct json_object **root)
{
	char *text;
	int err;

	*root = NULL;
	err = read_state(s, &text);
	if (!err)
		err = json_parse(s->json, &s->state, "state", text,
				 s->state.size, root);
	free(text);
	return err;
}

static int get_range(struct snapshot *s, struct json_object *value, size_t i)
{
	struct range *range = &s->ranges[i];

	if (!json_number(s->json, json_member(s->json, value, "gpa"),
			 &range->gpa) ||
	    !json_number(s->json, json_member(s->json, value, "length"),
			 &range->length))
		return image_fail_file(&s->state, -EINVAL,
				       "memory range %zu: gpa and length are not both there, as numbers",
				       i);
	if (!range->length || range->length > INT64_MAX ||
	    range->gpa > INT64_MAX - range->length)
		return image_fail_file(&s->state, -EINVAL,
				       "memory range %zu: no place for %llu bytes at %#llx",
				       i, ull(range->length), ull(range->gpa));
	if (range->length > INT64_MAX - s->total)
		return image_fail_file(&s->state, -EINVAL,
				       "memory range %zu: %llu bytes are too many after %llu",
				       i, ull(range->length), ull(s->total));
	s->total += range->length;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* No byte of guest memory is in two ranges. */
static int check_apart(struct snapshot *s)
{
	size_t size = s->nr_ranges * sizeof(*s->ranges);
	struct range *sorted = malloc(size + 1);
	size_t i;
	int err = 0;

	if (!sorted)
		return no_memory(s);
	if (size)
		memcpy(sorted, s->ranges, size);
	qsort(sorted, s->nr_ranges, sizeof(*sorted), compare_ranges);
	for (i = 1; i < s->nr_ranges && !err; i++) {
		struct range *last = &sorted[i - 1];

		if (sorted[i].gpa - last->gpa < last->length)
			err = image_fail_file(&s->state, -EINVAL,
					      "memory ranges at %#llx and %#llx overlap",
					      ull(last->gpa),
					      ull(sorted[i].gpa));
	}
	free(sorted);
	return err;
}

static int get_ranges(struct snapshot *s, struct json_object *manager)
{
	struct json_object *table, *data;
	size_t nr = 0, i;
	int err = 0;

	table = json_member(s->json, manager, "memory_ranges");
	data = json_member(s->json, table, "data");
	if (!json_is_array(s->json, data))
		return fail_state(s, -EINVAL,
				  "no memory_ranges in the state of the memory manager");
	nr = json_length(s->json, data);
	s->ranges = calloc(nr + 1, sizeof(*s->ranges));
	if (!s->ranges)
		return no_memory(s);
	for (i = 0; i < nr && !err; i++)
		err = get_range(s, json_element(s->json, data, i), i);
	s->nr_ranges = nr;
	return err ? err : check_apart(s);
}

/* It is the text of a document, but an object would be no less clear. */
static int get_manager(struct snapshot *s, struct json_object *state)
{
	struct json_object *manager = NULL;
	const char *text;
	size_t length;
	int err;

	text = json_string(s->json, state, &length);
	if (!text)
		return get_ranges(s, state);
	err = json_parse(s->json, &s->state, "state of the memory manager",
			 text, length, &manager);
	if (!err)
		err = get_ranges(s, manager);
	json_free(s->json, manager);
	return err;
}

static int get_data(struct snapshot *s, struct json_object *root)
{
	struct json_object *snapshots, *manager, *data, *state;

	snapshots = json_member(s->json, root, "snapshots");
	manager = json_member(s->json, snapshots, "memory-manager");
	if (!manager)
		return fail_state(s, -EINVAL,
				  "not of Cloud Hypervisor: no memory manager in it");
	data = json_member(s->json, manager, "snapshot_data");
	state = json_member(s->json, data, "state");
	if (state)
		return get_manager(s, state);
	if (json_is_array(s->json, data) ||
	    json_member(s->json, data, "memory-manager-section"))
		return fail_state(s, -ENOTSUP,
				  "written by a Cloud Hypervisor before 39.0");
	return fail_state(s, -EINVAL, "no state of the memory manager");
}

static int get_state(struct snapshot *s)
{
	struct json_object *root = NULL;
	int err;

	err = directory_open(s->dir->fd, STATE, &s->state);
	if (err)
		return err;
	err = json_open(&s->state, &s->json);
	if (!err)
		err = parse_state(s, &root);
	if (!err)
		err = get_data(s, root);
	if (s->json)
		json_free(s->json, root);
	json_close(s->json);
	close(s->state.fd);
	return err;
}

static int add_block(struct snapshot *s, const struct range *range,
		     uint64_t file_offset)
{
	struct ramload_image_part part = {
		.file = s->image->nr_files - 1,
		.length = range->length,
		.file_offset = file_offset,
	};
	char name[32];

	snprintf(name, sizeof(name), "0x%" PRIx64, range->gpa);
	if (image_add_block(s->image, name, range->gpa, range->length) ||
	    image_add_part(s->image, &part))
		return no_memory(s);
	return 0;
}

/*
 * The file is as long as the ranges together, as it is made so: else it is of
 * another snapshot, or not complete.
 */
static int check_memory(struct snapshot *s, struct image_file *memory)
{
	if (memory->size < s->total)
		return image_fail(memory, -ENODATA, memory->size,
				  "the file ends, before %llu bytes of memory",
				  ull(s->total));
	if (memory->size > s->total)
		return image_fail(memory, -EINVAL, s->total,
				  "more than the %llu bytes of memory that are in "
				  STATE, ull(s->total));
	return 0;
}

static int add_blocks(struct snapshot *s)
{
	struct image_file memory = { .name = RANGES, .error = s->dir->error };
	uint64_t file_offset = 0;
	size_t i;
	int err;

	/* All memory is that of backing files: Cloud Hypervisor makes no file. */
	if (!s->nr_ranges)
		return 0;
	err = directory_open(s->dir->fd, RANGES, &memory);
	if (err)
		return err;
	err = check_memory(s, &memory);
	if (!err)
		err = image_add_file(s->image, &memory);
	close(memory.fd);
	for (i = 0; i < s->nr_ranges && !err; i++) {
		err = add_block(s, &s->ranges[i], file_offset);
		file_offset += s->ranges[i].length;
	}
	return err;
}

static int cloud_hypervisor_open(struct image_file *file,
				 struct ramload_image *image)
{
	struct snapshot s = {
		.dir = file,
		.state = { .name = STATE, .error = file->error },
		.image = image,
	};
	int err;

	err = get_state(&s);
	if (!err)
		err = add_blocks(&s);
	free(s.ranges);
	return err;
}

/* Without one of them it is a damaged snapshot, but a snapshot. */
static int cloud_hypervisor_probe(struct image_file *file)
{
	return directory_has(file->fd, STATE) ||
	       directory_has(file->fd, RANGES);
}

const struct image_format image_cloud_hypervisor = {
	.name = "cloud-hypervisor",
	.marks = STATE ", " RANGES,
	.probe = cloud_hypervisor_probe,
	.open = cloud_hypervisor_open,
};
