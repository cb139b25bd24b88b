/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Digests: SHA-256 of memory
 */
#ifndef CLI_DIGEST_H
#define CLI_DIGEST_H

#include "work.h"

/** struct digest - in hexadecimal */
struct digest {
	char text[65];
};

/**
 * digest_memory() - the digest of @length bytes at @memory
 *
 * Return: 0, -EINTR, or -ENOMEM if OpenSSL does not do it
 */
int digest_memory(struct digest *digest, const void *memory, uint64_t length,
		  struct work *work);

#endif /* CLI_DIGEST_H */
