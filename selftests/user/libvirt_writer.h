/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Writes save files of libvirt, good and bad ones: a mapped-ram stream, and
 * before it what libvirt 11.3 was seen to write.
 */
#ifndef LIBVIRT_WRITER_H
#define LIBVIRT_WRITER_H

#include "image_writer.h"

#define LIBVIRT_HEADER	92
#define LIBVIRT_DATA	1000

/* What to write; zero in a member is what libvirt would write. */
struct libvirt {
	const char *magic;
	bool big;
	bool no_data;
	uint32_t version;
	uint32_t data_length;
	uint32_t format;
	bool set_format;
	uint32_t cookie;
};

static inline void put_u32(const struct libvirt *l, uint8_t *to, uint32_t value)
{
	int i;

	for (i = 0; i < 4; i++)
		to[i] = value >> (l->big ? 3 - i : i) * 8;
}

/* The header, and in all that follows as far as the stream some XML. */
static inline void put_libvirt(const struct libvirt *l,
			       const struct block *blocks, size_t nr_blocks)
{
	static const struct stream stream = {
		.offset = LIBVIRT_HEADER + LIBVIRT_DATA,
	};
	static const char xml[] = "<domain type='qemu'>\n</domain>\n";
	uint8_t *header = file.data;

	put_stream(&stream, blocks, nr_blocks);
	memset(header, 0, stream.offset);
	memcpy(header, l->magic ? l->magic : "LibvirtQemudSave", 16);
	put_u32(l, header + 16, l->version ? l->version : 2);
	put_u32(l, header + 20, l->no_data ? 0 : l->data_length ?
			l->data_length : LIBVIRT_DATA);
	put_u32(l, header + 24, 1);
	put_u32(l, header + 28, l->set_format ? l->format : 6);
	put_u32(l, header + 32, l->cookie ? l->cookie : sizeof(xml));
	memcpy(header + LIBVIRT_HEADER, xml, sizeof(xml));
}

#endif /* LIBVIRT_WRITER_H */
