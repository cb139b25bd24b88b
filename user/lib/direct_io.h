/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_DIRECT_IO_H
#define RAMLOAD_DIRECT_IO_H

#include <stdbool.h>
#include <stdint.h>

int direct_io_reopen(int fd, int flags);
bool direct_io_alignment(int fd, uint32_t *offset, uint32_t *memory);

#endif /* RAMLOAD_DIRECT_IO_H */
