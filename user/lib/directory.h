/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Directories: the files of an image that is one
 */
#ifndef RAMLOAD_DIRECTORY_H
#define RAMLOAD_DIRECTORY_H

#include "image.h"

/**
 * directory_open() - open a regular file of a directory
 * @dir: fd of the directory
 * @name: of the file; a name, not a path, wherever it comes from
 * @file: with the name and the error it is to have; fd and size are filled in
 *
 * Links are not followed, and opening never waits.
 *
 * Return: 0; or, with file->error filled in: -ENOENT; -EINVAL: no regular file,
 * or not a name; or an error of openat()
 */
int directory_open(int dir, const char *name, struct image_file *file);

/** directory_has() - is there anything of this name? */
bool directory_has(int dir, const char *name);

/**
 * directory_each() - call @visit with each name, until it returns other than 0
 * @dir: the directory; its file position is neither used nor changed
 *
 * Return: what @visit returned last, or a negative errno with dir->error
 * filled in
 */
int directory_each(struct image_file *dir,
		   int (*visit)(const char *name, void *data), void *data);

#endif /* RAMLOAD_DIRECTORY_H */
