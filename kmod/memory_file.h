/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_MEMORY_FILE_H
#define RAMLOAD_MEMORY_FILE_H

#include <linux/types.h>

struct file;

int memory_file_init(void);
void memory_file_exit(void);

u64 memory_file_folio_size(void);
struct file *memory_file_create(u64 length, bool sealing);

#endif /* RAMLOAD_MEMORY_FILE_H */
