/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Sockets: generic netlink, by libnl
 *
 * All that is peculiar to libnl is in socket.c. Messages are built and sent by
 * it. They are received here: its errors are not those of recv(2), of which
 * ENOBUFS means that events were lost.
 */
#ifndef RAMLOAD_STAT_SOCKET_H
#define RAMLOAD_STAT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

/* The kernel's dumps come in pieces of up to 32 KiB. */
#define SOCKET_BUFFER	(64 << 10)

struct nl_sock;

/**
 * struct socket - a socket
 * @nl: NULL if it is not open
 * @seq: of the last request
 * @buffer: what was received last
 */
struct socket {
	struct nl_sock *nl;
	uint32_t seq;
	uint8_t *buffer;
};

/** struct request - a message to send; without an attribute, @length is 0 */
struct request {
	uint16_t family;
	uint16_t flags;
	uint8_t cmd;
	uint8_t version;
	uint16_t attribute;
	uint16_t length;
	const void *value;
};

/** socket_open() - open one; 0 or a negative errno */
int socket_open(struct socket *s);

/** socket_close() - close it, if it is open */
void socket_close(struct socket *s);

/** socket_fd() - its fd, -1 if it is not open */
int socket_fd(const struct socket *s);

/** socket_send() - send a request; 0 or a negative errno */
int socket_send(struct socket *s, const struct request *request);

/**
 * socket_receive() - receive what the kernel sent
 * @wait: until there is something
 * @bytes: where it is returned, until the next call
 *
 * Return: 1; 0: there is nothing; or a negative errno: -ENOBUFS: something was
 * lost; -EPROTO: it has no room
 */
int socket_receive(struct socket *s, bool wait, struct bytes *bytes);

/**
 * socket_join() - receive what is sent to a group
 *
 * As much as the caller may have is kept for who is late.
 *
 * Return: 0 or a negative errno
 */
int socket_join(struct socket *s, uint32_t group);

#endif /* RAMLOAD_STAT_SOCKET_H */
