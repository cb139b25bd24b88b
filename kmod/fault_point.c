// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fault_point
 *
 * Failures on demand, for tests. Where the kernel has
 * CONFIG_FAULT_INJECTION_DEBUG_FS, there is a folder fail_ramload in debugfs
 * with the usual files (Documentation/fault-injection/fault-injection.rst) and
 * one more, "points": a mask of enum fault_point, 0 at first, that says which
 * of them may fail. Elsewhere nothing of this is compiled in.
 *
 * The kernel's own failslab and fail_page_alloc reach what allocates. The
 * points are for what a worker meets that is no allocation, or that no test
 * could hit for certain: a source that fails in mid-file, a fault in the very
 * moment between a read and its commit. With /proc/PID/task/TID/fail-nth the
 * points count beside the allocations of that thread, if the mask has them.
 *
 * A point makes happen what could happen by itself; it never breaks what the
 * code around it relies on.
 *
 * Life and locking. The attribute is static. Its files are made before there
 * is a device to open, and removed when no thread of the module is left. The
 * mask is one word, read without a lock.
 */

#include <linux/bits.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fault-inject.h>

#include "fault_point.h"

static DECLARE_FAULT_ATTR(attr);
static u32 points;
static struct dentry *dir;

/**
 * fault_point() - is this to fail now
 * @point: what it is
 *
 * Return: true if it is.
 */
bool fault_point(enum fault_point point)
{
	return READ_ONCE(points) & BIT(point) && should_fail(&attr, 1);
}

/* Without debugfs, or where it is locked down, nothing ever fails. */
void fault_point_init(void)
{
	dir = fault_create_debugfs_attr("fail_ramload", NULL, &attr);
	if (!IS_ERR(dir))
		debugfs_create_u32("points", 0600, dir, &points);
}

void fault_point_exit(void)
{
	debugfs_remove(dir);
}
