/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_MEMORY_H
#define PRELOAD_MEMORY_H

int preload_memory_create(const char *name, unsigned int flags);

#endif /* PRELOAD_MEMORY_H */
