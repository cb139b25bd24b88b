/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_LOADER_H
#define PRELOAD_LOADER_H

#include <stdint.h>

int preload_loader_init(void);
void preload_loader_notice(int fd, uint64_t start);
void preload_loader_wake(void);
void preload_loader_end(void);

#endif /* PRELOAD_LOADER_H */
