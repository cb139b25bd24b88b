// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: files, and directories, that hold the RAM of a virtual machine
 *
 * Nothing in the file is trusted. What the readers allocate is bounded by the
 * size of the file before it is allocated, and whatever they hand out lies
 * inside the file and below 2^63.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bitmap.h"
#include "bits.h"
#include "file_error.h"
#include "image.h"

/* In the order of probing: raw comes last, it takes nearly everything. */
static const struct image_format *const formats[] = {
	&image_mapped_ram,
	&image_libvirt,
	&image_elf,
	&image_criu,
	&image_cloud_hypervisor,
	&image_raw,
};

/* Of the name of a file in an error. */
#define NAME_END 60

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

struct image_shown image_shown(const char *name, size_t length)
{
	struct image_shown shown = { "" };
	char *out = shown.text;
	size_t i;

	for (i = 0; i < length; i++) {
		unsigned char c = name[i];

		/* Keep room for "\xNN", "..." and the end. */
		if (out - shown.text > (ptrdiff_t)sizeof(shown.text) - 8) {
			memcpy(out, "...", 4);
			break;
		}
		if (c < ' ' || c > '~' || c == '\\')
			out += sprintf(out, "\\x%02x", c);
		else
			*out++ = c;
	}
	return shown;
}

/*
 * Starts the text with the name, if there is one, or the end of a long one;
 * returns its length.
 */
static int start_text(struct image_file *file, uint64_t offset)
{
	struct ramload_image_error *error = file->error;

	size_t length = file->name ? strlen(file->name) : 0;
	size_t skip = length > NAME_END ? length - NAME_END : 0;

	error->offset = offset;
	if (!length)
		return 0;
	return snprintf(error->text, sizeof(error->text), "%s: ",
			image_shown(file->name + skip, length - skip).text);
}

int image_fail(struct image_file *file, int err, uint64_t offset,
	       const char *format, ...)
{
	struct ramload_image_error *error = file->error;
	int n = start_text(file, offset);
	va_list args;

	n += snprintf(error->text + n, sizeof(error->text) - n,
		      "offset %llu: ", (unsigned long long)offset);
	va_start(args, format);
	vsnprintf(error->text + n, sizeof(error->text) - n, format, args);
	va_end(args);
	return err;
}

int image_fail_file(struct image_file *file, int err, const char *format, ...)
{
	struct ramload_image_error *error = file->error;
	int n = start_text(file, 0);
	va_list args;

	va_start(args, format);
	vsnprintf(error->text + n, sizeof(error->text) - n, format, args);
	va_end(args);
	return err;
}

int image_read(struct image_file *file, uint64_t offset, void *buf,
	       size_t length, const char *what)
{
	char *out = buf;

	if (offset > file->size || length > file->size - offset)
		return image_fail(file, -ENODATA, offset,
				  "%s: the file ends at %llu", what,
				  (unsigned long long)file->size);
	while (length) {
		ssize_t n = pread(file->fd, out, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = file_error();

			return image_fail(file, err, offset, "%s: %s", what,
					  strerrordesc_np(-err));
		}
		if (!n)
			return image_fail(file, -ENODATA, offset,
					  "%s: the file became shorter", what);
		out += n;
		offset += n;
		length -= n;
	}
	return 0;
}

static int image_make_room(struct ramload_image *image)
{
	size_t room = image->room ? image->room * 2 : 16;
	struct ramload_image_block *blocks;

	if (image->nr_blocks < image->room)
		return 0;
	blocks = reallocarray(image->blocks, room, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	image->blocks = blocks;
	image->room = room;
	return 0;
}

int image_add_block(struct ramload_image *image, const char *name,
		    uint64_t address, uint64_t length)
{
	struct ramload_image_block block = {
		.address = address,
		.length = length,
	};
	int err;

	err = image_make_room(image);
	if (err)
		return err;
	block.name = strdup(name);
	if (!block.name)
		return -ENOMEM;
	image->blocks[image->nr_blocks++] = block;
	return 0;
}

/* There is room for as many as the next power of two says. */
int image_add_part(struct ramload_image *image,
		   const struct ramload_image_part *part)
{
	struct ramload_image_block *block;
	struct ramload_image_part *parts;
	struct image_source *file;
	size_t nr;

	block = &image->blocks[image->nr_blocks - 1];
	parts = (struct ramload_image_part *)block->parts;
	nr = block->nr_parts;
	if (!(nr & (nr - 1))) {
		parts = reallocarray(parts, nr ? nr * 2 : 1, sizeof(*parts));
		if (!parts)
			return -ENOMEM;
		block->parts = parts;
	}
	parts[nr] = *part;
	block->nr_parts = nr + 1;
	file = &image->files[part->file];
	file->first = min_u64(file->first, image->nr_blocks - 1);
	file->end = image->nr_blocks;
	return 0;
}

int image_add_file(struct ramload_image *image, struct image_file *file)
{
	struct image_source *files, source = { .fd = -1, .first = SIZE_MAX };
	int err;

	files = reallocarray(image->files, image->nr_files + 1, sizeof(*files));
	if (!files)
		return image_fail(file, -ENOMEM, 0, "out of memory");
	image->files = files;
	if (file->name) {
		source.name = strdup(file->name);
		if (!source.name)
			return image_fail(file, -ENOMEM, 0, "out of memory");
	}
	source.fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	if (source.fd < 0) {
		err = errno;
		free(source.name);
		return image_fail(file, -err, 0, "%s", strerrordesc_np(err));
	}
	image->files[image->nr_files++] = source;
	return 0;
}

static int file_errno(struct image_file *file)
{
	int err = errno;

	return image_fail_file(file, -err, "%s", strerrordesc_np(err));
}

void image_drop_file(struct ramload_image *image)
{
	struct image_source *last = &image->files[--image->nr_files];

	close(last->fd);
	free(last->name);
}

int image_file_size(struct image_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return file_errno(file);
	file->directory = S_ISDIR(st.st_mode);
	if (file->directory)
		return 0;
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(file->fd, BLKGETSIZE64, &file->size) < 0)
			return file_errno(file);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return image_fail_file(file, -EINVAL,
				       "neither a regular file nor a block device");
	file->size = st.st_size;
	return 0;
}

int image_check_size(struct image_file *file)
{
	uint64_t size = file->size;
	int err = image_file_size(file);

	if (err || file->size >= size)
		return err;
	return image_fail(file, -ENODATA, file->size,
			  "the file became shorter");
}

static int check_start(struct image_file *file)
{
	if (file->directory && file->start)
		return image_fail(file, -EINVAL, file->start,
				  "is a directory, where nothing has an offset");
	if (!file->directory && file->start >= file->size)
		return image_fail(file, -ENODATA, file->start,
				  "no image: the file ends at %llu",
				  (unsigned long long)file->size);
	return 0;
}

static int format_by_name(struct image_file *file, const char *name,
			  const struct image_format **format)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		*format = formats[i];
		if (strcmp(name, formats[i]->name))
			continue;
		if (file->directory && !formats[i]->marks)
			return image_fail_file(file, -EISDIR,
					       "is a directory: %s is a format of files",
					       name);
		if (!file->directory && formats[i]->marks)
			return image_fail_file(file, -ENOTDIR,
					       "is not a directory, as images of the format %s are",
					       name);
		return 0;
	}
	return image_fail(file, -EINVAL, file->start,
			  "no format is named \"%s\"",
			  image_shown(name, strlen(name)).text);
}

static int no_format(struct image_file *file)
{
	char marks[sizeof(file->error->text)] = "";
	size_t i, n = 0;

	if (!file->directory)
		return image_fail(file, -EINVAL, file->start,
				  "not an image of a known format");
	for (i = 0; i < NR_FORMATS; i++) {
		if (formats[i]->marks && n < sizeof(marks))
			n += snprintf(marks + n, sizeof(marks) - n, "%s%s (%s)",
				      n ? ", " : "", formats[i]->marks,
				      formats[i]->name);
	}
	return image_fail_file(file, -EISDIR,
			       "is a directory, without anything known in it: %s",
			       marks);
}

static int probe_format(struct image_file *file,
			const struct image_format **format)
{
	size_t i;

	for (i = 0; i < NR_FORMATS; i++) {
		int ret;

		*format = formats[i];
		if (file->directory != !!formats[i]->marks)
			continue;
		ret = formats[i]->probe(file);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return no_format(file);
}

void image_count_present(struct ramload_image_block *block)
{
	size_t i;

	block->present = 0;
	for (i = 0; i < block->nr_parts; i++) {
		const struct ramload_image_part *part = &block->parts[i];

		block->present += part->bitmap ?
			bitmap_count(part->bitmap,
				     part->length / part->page_size) *
				part->page_size :
			part->length;
	}
}

static int read_image(struct image_file *file, const char *format,
		      struct ramload_image *image)
{
	size_t i;
	int err;

	err = image_file_size(file);
	if (err)
		return err;
	err = check_start(file);
	if (err)
		return err;
	if (format)
		err = format_by_name(file, format, &image->format);
	else
		err = probe_format(file, &image->format);
	if (err)
		return err;
	err = image_add_file(image, file);
	if (err)
		return err;
	err = image->format->open(file, image);
	for (i = 0; i < image->nr_blocks; i++)
		image_count_present(&image->blocks[i]);
	return err;
}

int ramload_image_open(int fd, uint64_t offset, const char *format,
		       struct ramload_image **image,
		       struct ramload_image_error *error)
{
	struct ramload_image_error ignored;
	struct image_file file = {
		.fd = fd,
		.start = offset,
		.error = error ? error : &ignored,
	};
	struct ramload_image *new;
	int err;

	*image = NULL;
	new = calloc(1, sizeof(*new));
	if (new)
		err = read_image(&file, format, new);
	else
		err = image_fail(&file, -ENOMEM, offset, "out of memory");
	if (!err) {
		*image = new;
		return 0;
	}
	ramload_image_close(new);
	return err;
}

static void free_block(struct ramload_image_block *block)
{
	size_t i;

	for (i = 0; i < block->nr_parts; i++)
		free((void *)block->parts[i].bitmap);
	free((void *)block->parts);
	free((void *)block->name);
}

void ramload_image_close(struct ramload_image *image)
{
	size_t i;

	if (!image)
		return;
	for (i = 0; i < image->nr_blocks; i++)
		free_block(&image->blocks[i]);
	for (i = 0; i < image->nr_files; i++) {
		close(image->files[i].fd);
		free(image->files[i].name);
	}
	free(image->blocks);
	free(image->files);
	free(image->machine);
	free(image);
}

const char *ramload_image_format(const struct ramload_image *image)
{
	return image->format->name;
}

const char *ramload_image_format_name(size_t i)
{
	return i < NR_FORMATS ? formats[i]->name : NULL;
}

const char *ramload_image_machine(const struct ramload_image *image)
{
	return image->machine;
}

size_t ramload_image_nr_blocks(const struct ramload_image *image)
{
	return image->nr_blocks;
}

const struct ramload_image_block *
ramload_image_block(const struct ramload_image *image, size_t i)
{
	return i < image->nr_blocks ? &image->blocks[i] : NULL;
}

size_t ramload_image_nr_files(const struct ramload_image *image)
{
	return image->nr_files;
}

int ramload_image_file(const struct ramload_image *image, size_t i)
{
	return i < image->nr_files ? image->files[i].fd : -1;
}

const char *ramload_image_file_name(const struct ramload_image *image,
				    size_t i)
{
	return i < image->nr_files ? image->files[i].name : NULL;
}

int ramload_image_stream(const struct ramload_image *image,
			 struct ramload_image_stream *stream)
{
	*stream = image->stream;
	return stream->config_length ? 0 : -ENOENT;
}

size_t ramload_image_load(const struct ramload_image *image, size_t file,
			  void *const *dests, struct ramload_block *blocks)
{
	const struct image_source *source;
	size_t i, j, nr = 0;

	if (file >= image->nr_files)
		return 0;
	source = &image->files[file];
	for (i = source->first; i < source->end; i++) {
		const struct ramload_image_block *block = &image->blocks[i];

		for (j = 0; dests[i] && j < block->nr_parts; j++) {
			const struct ramload_image_part *part;

			part = &block->parts[j];
			if (part->file != file)
				continue;
			if (blocks)
				blocks[nr] = (struct ramload_block){
					.file_offset = part->file_offset,
					.length = part->length,
					.dest = (char *)dests[i] + part->offset,
					.bitmap = part->bitmap,
					.page_size = part->page_size,
				};
			nr++;
		}
	}
	return nr;
}
