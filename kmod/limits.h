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

struct limit_user;

u32 limit_workers(void);
u32 limit_jobs(void);
u32 limit_ranges(void);
u64 limit_bitmap_bytes(void);

struct limit_user *limit_user_find(void);
struct limit_user *limit_user_get(struct limit_user *user);
void limit_user_put(struct limit_user *user);

int limit_workers_take(struct limit_user *user, u32 nr);
void limit_workers_give(struct limit_user *user, u32 nr);
int limit_bytes_take(struct limit_user *user, u64 bytes);
void limit_bytes_give(struct limit_user *user, u64 bytes);

#endif /* RAMLOAD_LIMITS_H */
