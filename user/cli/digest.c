// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "digest.h"

static int update(EVP_MD_CTX *context, const char *memory, uint64_t length,
		  struct work *work)
{
	while (length) {
		uint64_t piece = length < WORK_PIECE ? length : WORK_PIECE;

		if (!EVP_DigestUpdate(context, memory, piece))
			return -ENOMEM;
		if (work_step(work, piece))
			return -EINTR;
		memory += piece;
		length -= piece;
	}
	return 0;
}

static int final(EVP_MD_CTX *context, struct digest *digest)
{
	unsigned char bytes[32];
	unsigned int i;

	if (!EVP_DigestFinal_ex(context, bytes, NULL))
		return -ENOMEM;
	for (i = 0; i < sizeof(bytes); i++)
		sprintf(digest->text + 2 * i, "%02x", bytes[i]);
	return 0;
}

int digest_memory(struct digest *digest, const void *memory, uint64_t length,
		  struct work *work)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int err = -ENOMEM;

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		err = update(context, memory, length, work);
	if (!err)
		err = final(context, digest);
	EVP_MD_CTX_free(context);
	return err;
}
