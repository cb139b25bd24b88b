/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Names: of blocks, machines and files, which may hold any byte but NUL
 */
#ifndef CLI_NAME_H
#define CLI_NAME_H

#include <stddef.h>

/* Room for any block name of an image in either form. */
#define NAME_SHOWN 1024

/**
 * name_show() - a name as it is printed
 *
 * Backslashes and bytes that are not printable ASCII become \xNN, so that a
 * name is always one line, does nothing to a terminal, is valid in JSON, and
 * can be told from any other.
 *
 * Return: @out
 */
const char *name_show(char *out, size_t size, const char *name);

/**
 * name_file() - a name as that of a file in some directory
 * @index: of the block
 *
 * Letters, digits and ".,:@+=_-" stay, but for a leading dot; any other byte
 * becomes %NN. Of a name too long for a file, the end is replaced by "%~" and
 * @index. Different blocks always get different files.
 *
 * Return: @out
 */
const char *name_file(char *out, size_t size, const char *name, size_t index);

#endif /* CLI_NAME_H */
