// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: limits
 *
 * What one caller, and all of them together, may have. The limits of a
 * context are module parameters, set when the module is loaded and clamped
 * to what the code can bear, so that no value of a parameter makes an
 * allocation that warns.
 *
 * Memory is charged to the caller's cgroup wherever the caller decides how
 * much it is. What no cgroup sees is the number of kernel threads where
 * workers are no threads of the caller: max_workers_total bounds those of all
 * contexts. It is counted in one atomic and needs no lock.
 */

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>

#include "limits.h"

static unsigned int max_workers = 64;
module_param(max_workers, uint, 0444);
MODULE_PARM_DESC(max_workers, "Most workers of a context (64, up to 1024)");

static unsigned int max_workers_total = 1024;
module_param(max_workers_total, uint, 0444);
MODULE_PARM_DESC(max_workers_total, "Most workers of all contexts (1024)");

static unsigned int max_jobs = 256;
module_param(max_jobs, uint, 0444);
MODULE_PARM_DESC(max_jobs, "Most unfinished jobs of a context (256, up to 65536)");

static unsigned int max_ranges = SZ_1M;
module_param(max_ranges, uint, 0444);
MODULE_PARM_DESC(max_ranges, "Most ranges of a load (1048576, up to 16 Mi)");

static unsigned int max_bitmap_mib = 64;
module_param(max_bitmap_mib, uint, 0444);
MODULE_PARM_DESC(max_bitmap_mib, "Most MiB of bitmaps of a load (64, up to 1024)");

static atomic_t workers_total = ATOMIC_INIT(0);

u32 limit_workers(void)
{
	return clamp(max_workers, 1U, 1024U);
}

u32 limit_jobs(void)
{
	return clamp(max_jobs, 1U, 65536U);
}

u32 limit_ranges(void)
{
	return clamp(max_ranges, 1U, 16U * SZ_1M);
}

u64 limit_bitmap_bytes(void)
{
	return (u64)clamp(max_bitmap_mib, 1U, 1024U) * SZ_1M;
}

/**
 * limit_workers_take() - count workers that are about to be made
 * @nr: how many
 *
 * Return: 0, or -EAGAIN if there would be too many.
 */
int limit_workers_take(u32 nr)
{
	int most = min_t(u32, max_workers_total, SZ_1M);

	if (atomic_add_return(nr, &workers_total) <= most)
		return 0;
	limit_workers_give(nr);
	return -EAGAIN;
}

void limit_workers_give(u32 nr)
{
	atomic_sub(nr, &workers_total);
}
