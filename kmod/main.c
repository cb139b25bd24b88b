// SPDX-License-Identifier: GPL-2.0-only
/*
 * ramload: load ranges of files into the memory of the calling process
 */

#include <linux/module.h>

#include "chardev.h"
#include "fault_point.h"
#include "memory_file.h"
#include "netlink.h"
#include "worker_pool.h"

static int __init ramload_init(void)
{
	int err;

	err = worker_pool_init();
	if (err)
		return err;
	err = memory_file_init();
	if (err)
		goto err_pool;
	fault_point_init();
	err = netlink_init();
	if (err)
		goto err_fault;
	err = chardev_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	netlink_exit();
err_fault:
	fault_point_exit();
	memory_file_exit();
err_pool:
	worker_pool_exit();
	return err;
}

static void __exit ramload_exit(void)
{
	chardev_exit();
	netlink_exit();
	worker_pool_exit();
	fault_point_exit();
	memory_file_exit();
}

module_init(ramload_init);
module_exit(ramload_exit);
MODULE_DESCRIPTION("Loads the RAM of virtual machines from snapshot files");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
