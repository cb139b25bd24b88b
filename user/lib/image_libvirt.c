// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Images: save files of libvirt in its format "sparse" (libvirt 11.2 and newer)
 *
 * A header, the domain's XML and a cookie, padded so that the XML can be edited,
 * and after them a mapped-ram stream, whose offsets count from the start of the
 * file. The header is in the byte order of the host that wrote it, which shows
 * by its version. In the other formats the stream is not mapped-ram.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "image.h"

#define MAGIC		"LibvirtQemud"
#define MAGIC_WHOLE	MAGIC "Save"
#define MAGIC_PARTIAL	MAGIC "Part"
#define MAGIC_SIZE	(sizeof(MAGIC_WHOLE) - 1)

/* In version 1 there were no formats but raw. */
#define VERSION_OLDEST	1
#define VERSION		2

#define FORMAT_RAW	0
#define FORMAT_SPARSE	6

/**
 * struct header - as it is in the file
 * @magic: MAGIC_PARTIAL until the save is complete
 * @data_length: bytes of XML, cookie and padding that follow the header
 * @cookie: where in them the cookie starts, 0: there is none
 */
struct header {
	char magic[MAGIC_SIZE];
	uint32_t version;
	uint32_t data_length;
	uint32_t was_running;
	uint32_t format;
	uint32_t cookie;
	uint32_t unused[14];
};

#define offset_of(file, member) \
	((file)->start + offsetof(struct header, member))

static const char *const formats[] = {
	"raw", "gzip", "bzip2", "xz", "lzop", "zstd",
};

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

static void set_byte_order(struct header *h)
{
	uint32_t *const members[] = {
		&h->version, &h->data_length, &h->format, &h->cookie,
	};
	size_t i, nr = sizeof(members) / sizeof(members[0]);
	bool big = le32toh(h->version) > VERSION;

	for (i = 0; i < nr; i++)
		*members[i] = big ? be32toh(*members[i]) :
				    le32toh(*members[i]);
}

static int check_magic(struct image_file *file, const struct header *h)
{
	if (!memcmp(h->magic, MAGIC_WHOLE, MAGIC_SIZE))
		return 0;
	if (!memcmp(h->magic, MAGIC_PARTIAL, MAGIC_SIZE))
		return image_fail(file, -ENODATA, file->start,
				  "a libvirt save file that was not completed");
	return image_fail(file, -EINVAL, file->start,
			  "not a libvirt save file");
}

static int check_format(struct image_file *file, const struct header *h)
{
	uint32_t format = h->version == VERSION ? h->format : FORMAT_RAW;

	if (format == FORMAT_SPARSE)
		return 0;
	if (format < NR_FORMATS)
		return image_fail(file, -ENOTSUP, offset_of(file, format),
				  "a libvirt save file in format \"%s\", not \"sparse\"",
				  formats[format]);
	return image_fail(file, -ENOTSUP, offset_of(file, format),
			  "a libvirt save file in format %u, not %u (sparse)",
			  format, FORMAT_SPARSE);
}

static int check_header(struct image_file *file, const struct header *h)
{
	int err = check_magic(file, h);

	if (err)
		return err;
	if (h->version < VERSION_OLDEST || h->version > VERSION)
		return image_fail(file, -ENOTSUP, offset_of(file, version),
				  "a libvirt save file of version %u, not %u",
				  h->version, VERSION);
	err = check_format(file, h);
	if (err)
		return err;
	if (!h->data_length)
		return image_fail(file, -EINVAL, offset_of(file, data_length),
				  "no domain XML");
	if (h->cookie > h->data_length)
		return image_fail(file, -EINVAL, offset_of(file, cookie),
				  "a cookie at %u of %u bytes", h->cookie,
				  h->data_length);
	return 0;
}

static int libvirt_open(struct image_file *file, struct ramload_image *image)
{
	struct image_file stream = *file;
	struct header h;
	int err;

	err = image_read(file, file->start, &h, sizeof(h), "libvirt's header");
	if (err)
		return err;
	set_byte_order(&h);
	err = check_header(file, &h);
	if (err)
		return err;
	stream.start += sizeof(h) + h.data_length;
	return image_mapped_ram.open(&stream, image);
}

static int libvirt_probe(struct image_file *file)
{
	char magic[sizeof(MAGIC) - 1];
	int err;

	if (file->size - file->start < sizeof(magic))
		return 0;
	err = image_read(file, file->start, magic, sizeof(magic),
			 "magic number");
	return err ? err : !memcmp(magic, MAGIC, sizeof(magic));
}

const struct image_format image_libvirt = {
	.name = "libvirt",
	.probe = libvirt_probe,
	.open = libvirt_open,
};
