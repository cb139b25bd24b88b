/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/* NFS over loopback: the kernel's server and client, without any daemon. */
#ifndef NFS_MOUNT_H
#define NFS_MOUNT_H

struct reason;

/*
 * Export the directory @below and mount it by NFSv4. Returns the root of the
 * mount, or -1 and why: no such modules, or the machine has a server already.
 * The server ends with this process; one at a time.
 */
int nfs_mount(int below, struct reason *why);

#endif /* NFS_MOUNT_H */
