/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_CHARDEV_H
#define RAMLOAD_CHARDEV_H

int chardev_init(void);
void chardev_exit(void);

#endif /* RAMLOAD_CHARDEV_H */
