/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Protocol buffers: as much of their encoding as messages of numbers take
 */
#ifndef RAMLOAD_PROTOBUF_H
#define RAMLOAD_PROTOBUF_H

#include <stdint.h>

enum protobuf_type {
	PROTOBUF_VARINT = 0,
	PROTOBUF_64_BITS = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_32_BITS = 5,
};

/**
 * struct protobuf_field - a field of a message
 * @number: what field it is, never 0
 * @type: what follows its number
 * @value: its value if that is a varint, else 0
 */
struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;
};

/**
 * protobuf_next() - read the next field of a message
 * @at: where it starts; moved behind it
 * @end: end of the message
 *
 * Return: 1; 0 at the end of the message; -EINVAL if it is damaged
 */
int protobuf_next(const uint8_t **at, const uint8_t *end,
		  struct protobuf_field *field);

#endif /* RAMLOAD_PROTOBUF_H */
