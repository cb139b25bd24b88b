// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stddef.h>

#include "protobuf.h"

#define MAX_NUMBER ((1U << 29) - 1)

/* Seven bits a byte, the lowest first; what does not fit 64 bits is damaged. */
static int get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	unsigned int shift;

	*value = 0;
	for (shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;
		uint64_t bits = byte & 0x7f;

		if (bits << shift >> shift != bits)
			return -EINVAL;
		*value |= bits << shift;
		if (!(byte & 0x80))
			return 0;
	}
	return -EINVAL;
}

static int skip(const uint8_t **at, const uint8_t *end, uint64_t length)
{
	if (length > (uint64_t)(end - *at))
		return -EINVAL;
	*at += length;
	return 0;
}

static int get_value(const uint8_t **at, const uint8_t *end,
		     struct protobuf_field *field)
{
	uint64_t length;
	int err;

	switch (field->type) {
	case PROTOBUF_VARINT:
		return get_varint(at, end, &field->value);
	case PROTOBUF_64_BITS:
		return skip(at, end, 8);
	case PROTOBUF_32_BITS:
		return skip(at, end, 4);
	case PROTOBUF_BYTES:
		err = get_varint(at, end, &length);
		return err ? err : skip(at, end, length);
	}
	return -EINVAL;
}

int protobuf_next(const uint8_t **at, const uint8_t *end,
		  struct protobuf_field *field)
{
	uint64_t key;
	int err;

	if (*at == end)
		return 0;
	if (get_varint(at, end, &key))
		return -EINVAL;
	field->number = key >> 3;
	field->type = key & 7;
	field->value = 0;
	if (!field->number || key >> 3 > MAX_NUMBER)
		return -EINVAL;
	err = get_value(at, end, field);
	return err ? err : 1;
}
