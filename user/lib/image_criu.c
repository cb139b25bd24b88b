// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * DOC: Images: directories that CRIU dumps processes into
 *
 * Of each process (and each shared memory segment) there is a pagemap, which
 * says what pages there are, and a file of pages. Where a dump was made after
 * others of the same processes, "parent" is a link to the directory of the
 * last of them, and pages that have not changed since are in there, or in its
 * parent, and so on. Here a dump with its parents is a chain of layers, the
 * dump itself being layer 0.
 *
 * A block is a run of pages whose addresses adjoin; the chain is resolved to
 * the parts of it. Addresses are looked up in rising order, so each pagemap is
 * gone through once, and there are never more parts than entries of pagemaps.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bits.h"
#include "directory.h"
#include "image.h"
#include "pagemap.h"

/* Each keeps an fd, and is asked for each page that is in none before it. */
#define MAX_LAYERS	256

/* More parents than that are not spelled out in names of files. */
#define MAX_SPELLED	6

#define PARENT		"parent"

/* Of files below the directory of the image. */
struct file_name {
	char text[128];
};

/**
 * struct layer - a directory of the chain
 * @fd: the directory; of layer 0, the caller's
 */
struct layer {
	int fd;
	dev_t dev;
	ino_t ino;
};

/**
 * struct memory - whose memory a pagemap is
 * @shmem: that of a shared memory segment, not of a process
 * @id: number of the segment, or of the process
 */
struct memory {
	bool shmem;
	uint64_t id;
};

/**
 * struct dump - a dump while it is read
 * @layers: the chain
 * @memories: what there is a pagemap of
 */
struct dump {
	struct image_file *file;
	struct ramload_image *image;
	struct layer *layers;
	size_t nr_layers;
	struct memory *memories;
	size_t nr_memories;
};

/**
 * struct level - what a layer has of a memory
 * @map: the pagemap
 * @file: index of the pages file in the image; 0: it is not needed so far
 */
struct level {
	struct pagemap map;
	size_t file;
};

/**
 * struct search - where the pages of a memory are
 * @levels: of as many layers as were needed so far
 * @part: found last, to be added once it is known not to go on; of length 0 if
 *	there is none
 */
struct search {
	struct dump *dump;
	const struct memory *memory;
	struct level *levels;
	size_t nr_levels;
	struct ramload_image_part part;
};

#define ull(x) ((unsigned long long)(x))

static struct file_name in_layer(size_t layer, const char *name)
{
	struct file_name path = { "" };
	size_t i, n = 0;

	if (layer > MAX_SPELLED)
		n = snprintf(path.text, sizeof(path.text), "%zu x " PARENT "/",
			     layer);
	for (i = 0; layer <= MAX_SPELLED && i < layer; i++)
		n += snprintf(path.text + n, sizeof(path.text) - n, PARENT "/");
	snprintf(path.text + n, sizeof(path.text) - n, "%s", name);
	return path;
}

static struct file_name pagemap_name(const struct memory *memory)
{
	struct file_name name;

	snprintf(name.text, sizeof(name.text), "pagemap-%s%" PRIu64 ".img",
		 memory->shmem ? "shmem-" : "", memory->id);
	return name;
}

/* No other spelling of the same number will do. */
static bool parse_name(const char *name, struct memory *memory)
{
	unsigned long long id;
	char *end;

	memory->shmem = !strncmp(name, "pagemap-shmem-", 14);
	name += memory->shmem ? 14 : 8;
	if (*name < '0' || *name > '9' || (name[0] == '0' && name[1] != '.'))
		return false;
	errno = 0;
	id = strtoull(name, &end, 10);
	memory->id = id;
	return !errno && !strcmp(end, ".img");
}

static bool is_pagemap(const char *name, struct memory *memory)
{
	return !strncmp(name, "pagemap-", 8) && parse_name(name, memory);
}

/* There is room for as many as the next power of two says. */
static int add_memory(const char *name, void *data)
{
	struct dump *dump = data;
	size_t nr = dump->nr_memories;
	struct memory *memories, memory;

	if (!is_pagemap(name, &memory))
		return 0;
	if (!(nr & (nr - 1))) {
		memories = reallocarray(dump->memories, nr ? nr * 2 : 1,
					sizeof(*memories));
		if (!memories)
			return image_fail_file(dump->file, -ENOMEM,
					       "out of memory");
		dump->memories = memories;
	}
	dump->memories[nr] = memory;
	dump->nr_memories = nr + 1;
	return 0;
}

static int compare_memories(const void *a, const void *b)
{
	const struct memory *x = a, *y = b;

	if (x->shmem != y->shmem)
		return x->shmem - y->shmem;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int find_memories(struct dump *dump)
{
	int err = directory_each(dump->file, add_memory, dump);

	if (!err && !dump->nr_memories)
		err = image_fail_file(dump->file, -EINVAL,
				      "no pagemap-PID.img in the directory");
	if (!err)
		qsort(dump->memories, dump->nr_memories,
		      sizeof(*dump->memories), compare_memories);
	return err;
}

/* What is wrong with the parent of the last layer. */
static int fail_parent(struct dump *dump, int err, const char *text)
{
	struct layer *last = &dump->layers[dump->nr_layers - 1];
	struct file_name name = in_layer(dump->nr_layers - 1, PARENT);
	struct image_file file = *dump->file;
	char target[64];
	ssize_t n;

	file.name = name.text;
	n = readlinkat(last->fd, PARENT, target, sizeof(target));
	return image_fail_file(&file, err, "%s%s%s", text, n > 0 ? ": " : "",
			       n > 0 ? image_shown(target, n).text : "");
}

static int add_layer(struct dump *dump, int fd)
{
	struct layer *layers, layer = { .fd = fd };
	struct stat st;
	size_t i;

	if (fstat(fd, &st) < 0)
		return image_fail_file(dump->file, -errno, "%s",
				       strerrordesc_np(errno));
	layer.dev = st.st_dev;
	layer.ino = st.st_ino;
	for (i = 0; i < dump->nr_layers; i++) {
		if (layer.dev == dump->layers[i].dev &&
		    layer.ino == dump->layers[i].ino)
			return fail_parent(dump, -EINVAL,
					   "a dump that has itself as a parent");
	}
	if (dump->nr_layers == MAX_LAYERS)
		return fail_parent(dump, -ENOTSUP,
				   "more parents than are looked at");
	layers = reallocarray(dump->layers, dump->nr_layers + 1,
			      sizeof(*layers));
	if (!layers)
		return image_fail_file(dump->file, -ENOMEM, "out of memory");
	dump->layers = layers;
	dump->layers[dump->nr_layers++] = layer;
	return 0;
}

/* Links are followed here: this is how one dump refers to another. */
static int add_parent(struct dump *dump)
{
	int last = dump->layers[dump->nr_layers - 1].fd;
	int fd, err;

	fd = openat(last, PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_parent(dump, -errno, strerrordesc_np(errno));
	err = add_layer(dump, fd);
	if (err)
		close(fd);
	return err;
}

static int find_layers(struct dump *dump)
{
	int err = add_layer(dump, dump->file->fd);

	while (!err && directory_has(dump->layers[dump->nr_layers - 1].fd,
				     PARENT))
		err = add_parent(dump);
	return err;
}

static int read_level(struct search *search, size_t layer, struct level *level)
{
	struct dump *dump = search->dump;
	struct file_name name = pagemap_name(search->memory);
	struct file_name path = in_layer(layer, name.text);
	struct image_file file = {
		.name = path.text,
		.error = dump->file->error,
	};
	int err;

	err = directory_open(dump->layers[layer].fd, name.text, &file);
	if (err)
		return err;
	err = pagemap_read(&file, &level->map);
	close(file.fd);
	return err;
}

/*
 * The pages file holds what its pagemap says and nothing else. CRIU does not
 * insist on it, but a pagemap that was cut short between two entries looks
 * like a whole one otherwise.
 */
static int check_pages(struct image_file *file, const struct level *level)
{
	uint64_t length = level->map.pages_length;

	if (file->size < length)
		return image_fail(file, -ENODATA, file->size,
				  "the file ends, before %llu bytes of pages",
				  ull(length));
	if (file->size > length)
		return image_fail(file, -EINVAL, length,
				  "more pages than the %llu bytes in the pagemap",
				  ull(length));
	return 0;
}

/* Add the pages file of a layer to the image, unless it is there already. */
static int open_pages(struct search *search, size_t layer)
{
	struct dump *dump = search->dump;
	struct level *level = &search->levels[layer];
	struct file_name name, path;
	struct image_file file;
	int err;

	if (level->file)
		return 0;
	snprintf(name.text, sizeof(name.text), "pages-%" PRIu32 ".img",
		 level->map.pages_id);
	path = in_layer(layer, name.text);
	file = (struct image_file){
		.name = path.text,
		.error = dump->file->error,
	};
	err = directory_open(dump->layers[layer].fd, name.text, &file);
	if (err)
		return err;
	err = check_pages(&file, level);
	if (!err)
		err = image_add_file(dump->image, &file);
	close(file.fd);
	if (!err)
		level->file = dump->image->nr_files - 1;
	return err;
}

static int fail_entry(struct search *search, size_t layer,
		      const struct pagemap_entry *entry, const char *text)
{
	struct file_name name = pagemap_name(search->memory);
	struct file_name path = in_layer(layer, name.text);
	struct image_file file = *search->dump->file;

	file.name = path.text;
	return image_fail(&file, -EINVAL, entry->pos,
			  "pages at %#llx are said to be in the parent, %s",
			  ull(entry->start), text);
}

static int read_levels(struct search *search, size_t layer)
{
	int err = 0;

	while (!err && search->nr_levels <= layer) {
		err = read_level(search, search->nr_levels,
				 &search->levels[search->nr_levels]);
		search->nr_levels++;
	}
	return err;
}

/*
 * Where the byte at @address is: the first layer that has the page, each one
 * before it saying that its parent does. As far as all of them say so, bytes
 * are found together: up to @part->length, which is made less if need be.
 */
static int find_pages(struct search *search, uint64_t address,
		      struct ramload_image_part *part)
{
	const struct pagemap_entry *entry = NULL, *above;
	size_t layer;
	int err;

	for (layer = 0;; layer++) {
		above = entry;
		if (layer == search->dump->nr_layers)
			return fail_entry(search, layer - 1, above,
					  "but there is none");
		err = read_levels(search, layer);
		if (err)
			return err;
		entry = pagemap_seek(&search->levels[layer].map, address);
		if (!entry)
			return fail_entry(search, layer - 1, above,
					  "but are not all there");
		part->length = min_u64(part->length, entry->end - address);
		if (entry->pages != PAGEMAP_IN_PARENT)
			break;
	}
	err = open_pages(search, layer);
	part->file = search->levels[layer].file;
	part->file_offset = entry->pages + (address - entry->start);
	return err;
}

static int no_memory(struct search *search)
{
	return image_fail_file(search->dump->file, -ENOMEM, "out of memory");
}

static int flush_part(struct search *search)
{
	struct ramload_image_part *part = &search->part;

	if (part->length && image_add_part(search->dump->image, part))
		return no_memory(search);
	part->length = 0;
	return 0;
}

static int add_part(struct search *search,
		    const struct ramload_image_part *part)
{
	struct ramload_image_part *last = &search->part;
	int err;

	if (last->length && last->file == part->file &&
	    last->file_offset + last->length == part->file_offset) {
		last->length += part->length;
		return 0;
	}
	err = flush_part(search);
	*last = *part;
	return err;
}

static int add_parts(struct search *search, uint64_t start, uint64_t end)
{
	struct ramload_image_part part;
	uint64_t at;
	int err = 0;

	for (at = start; !err && at < end; at += part.length) {
		part = (struct ramload_image_part){
			.offset = at - start,
			.length = end - at,
		};
		err = find_pages(search, at, &part);
		if (!err)
			err = add_part(search, &part);
	}
	return err ? err : flush_part(search);
}

static int add_block(struct search *search, uint64_t start, uint64_t end)
{
	const struct memory *memory = search->memory;
	struct file_name name;

	snprintf(name.text, sizeof(name.text), "%s%" PRIu64 "/0x%" PRIx64,
		 memory->shmem ? "shmem-" : "", memory->id, start);
	if (image_add_block(search->dump->image, name.text, start,
			    end - start))
		return no_memory(search);
	return add_parts(search, start, end);
}

/* A block for each run of entries that adjoin. */
static int add_blocks(struct search *search)
{
	const struct pagemap *map = &search->levels[0].map;
	size_t i, first = 0;
	int err = 0;

	for (i = 1; !err && i <= map->nr_entries; i++) {
		if (i < map->nr_entries &&
		    map->entries[i].start == map->entries[i - 1].end)
			continue;
		err = add_block(search, map->entries[first].start,
				map->entries[i - 1].end);
		first = i;
	}
	return err;
}

static int add_memory_blocks(struct search *search)
{
	int err;
	size_t i;

	err = read_levels(search, 0);
	if (!err)
		err = open_pages(search, 0);
	if (!err)
		err = add_blocks(search);
	for (i = 0; i < search->nr_levels; i++) {
		pagemap_free(&search->levels[i].map);
		search->levels[i].file = 0;
	}
	search->nr_levels = 0;
	return err;
}

static int search_dump(struct dump *dump)
{
	struct search search = { .dump = dump };
	size_t i;
	int err = 0;

	search.levels = calloc(dump->nr_layers, sizeof(*search.levels));
	if (!search.levels)
		return no_memory(&search);
	for (i = 0; i < dump->nr_memories && !err; i++) {
		search.memory = &dump->memories[i];
		err = add_memory_blocks(&search);
	}
	free(search.levels);
	return err;
}

static int criu_open(struct image_file *file, struct ramload_image *image)
{
	struct dump dump = { .file = file, .image = image };
	size_t i;
	int err;

	err = find_memories(&dump);
	if (!err)
		err = find_layers(&dump);
	if (!err)
		err = search_dump(&dump);
	for (i = 1; i < dump.nr_layers; i++)
		close(dump.layers[i].fd);
	free(dump.layers);
	free(dump.memories);
	return err;
}

static int is_mark(const char *name, void *data)
{
	return is_pagemap(name, data);
}

static int criu_probe(struct image_file *file)
{
	struct memory memory;

	return directory_each(file, is_mark, &memory);
}

const struct image_format image_criu = {
	.name = "criu",
	.marks = "pagemap-PID.img",
	.probe = criu_probe,
	.open = criu_open,
};
