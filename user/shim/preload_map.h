/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_MAP_H
#define PRELOAD_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "preload_stamp.h"

bool preload_map_find(FILE *smaps, uintptr_t start, uint64_t length,
		      const struct preload_stamp *image);
bool preload_map_is_block(uintptr_t start, uint64_t length,
			  const struct preload_stamp *image);

#endif /* PRELOAD_MAP_H */
