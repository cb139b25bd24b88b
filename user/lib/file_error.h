/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_FILE_ERROR_H
#define RAMLOAD_FILE_ERROR_H

#include <errno.h>

/*
 * errno of a read or write that failed, as a negative errno. What a file system
 * answers (that of FUSE, anything) is not to look like a cancel or the file's end.
 */
static inline int file_error(void)
{
	return errno == ECANCELED || errno == ENODATA ? -EIO : -errno;
}

#endif /* RAMLOAD_FILE_ERROR_H */
