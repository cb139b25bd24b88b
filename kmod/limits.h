/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_LIMITS_H
#define RAMLOAD_LIMITS_H

#include <linux/sizes.h>
#include <linux/types.h>

/* Bounds of ramload_load.chunk_size. */
#define LIMIT_CHUNK_MIN		SZ_64K
#define LIMIT_CHUNK_MAX		SZ_1G
#define LIMIT_CHUNK_DEFAULT	SZ_4M

/* Entries of a job's chunk table: 64 MiB of kernel memory. */
#define LIMIT_CHUNKS		SZ_4M

u32 limit_workers(void);
u32 limit_jobs(void);
u32 limit_ranges(void);
u64 limit_bitmap_bytes(void);

int limit_workers_take(u32 nr);
void limit_workers_give(u32 nr);

#endif /* RAMLOAD_LIMITS_H */
