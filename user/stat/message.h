/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Messages: what came through netlink, taken apart
 *
 * Nothing of what is in a buffer is believed: a length that does not fit is
 * -EPROTO, nothing outside of it is read. Buffers need no alignment.
 */
#ifndef RAMLOAD_STAT_MESSAGE_H
#define RAMLOAD_STAT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct bytes - what is left of a buffer */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/** struct message - one of a buffer, without its header */
struct message {
	uint16_t type;
	uint16_t flags;
	uint32_t seq;
	struct bytes payload;
};

/** struct attribute - one of a message; the type without flags */
struct attribute {
	uint16_t type;
	struct bytes value;
};

/**
 * message_next() - take the next message off a buffer
 *
 * Return: 1, 0 at the end, or -EPROTO, with nothing left in the buffer
 */
int message_next(struct bytes *buffer, struct message *message);

/** attribute_next() - message_next(), for attributes */
int attribute_next(struct bytes *buffer, struct attribute *attribute);

/**
 * attribute_number() - a number of 4 or 8 bytes
 *
 * Return: false if it has another size
 */
bool attribute_number(const struct attribute *attribute, uint64_t *value);

/**
 * attribute_string() - a text, with or without a NUL, cut off where @size ends
 *
 * The rest of @text is cleared.
 */
void attribute_string(const struct attribute *attribute, char *text,
		      size_t size);

/**
 * message_genl() - the header of a generic netlink message
 * @attributes: what follows it
 *
 * Return: its command, or -EPROTO
 */
int message_genl(const struct message *message, struct bytes *attributes);

/**
 * message_outcome() - what NLMSG_ERROR and NLMSG_DONE say
 * @text: the kernel's, "" if it gave none
 *
 * Return: 0, or the negative errno that it says; -EPROTO
 */
int message_outcome(const struct message *message, char *text, size_t size);

/**
 * struct family - what the controller of generic netlink tells of a family
 * @id: 0 if it does not tell
 * @version: 0 if it does not tell
 * @group: id of the group that was asked for; 0 if there is none
 */
struct family {
	uint16_t id;
	uint32_t version;
	uint32_t group;
};

/** message_family() - an answer of the controller; 0 or -EPROTO */
int message_family(const struct message *message, const char *group,
		   struct family *family);

#endif /* RAMLOAD_STAT_MESSAGE_H */
