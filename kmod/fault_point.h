/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_FAULT_POINT_H
#define RAMLOAD_FAULT_POINT_H

#include <linux/types.h>

/**
 * enum fault_point - where a failure can be asked for
 * @FAULT_WORKER: RAMLOAD_SETUP cannot make a worker: ENOMEM
 * @FAULT_FOLIO: the shmem fill gets no folio: ENOMEM
 * @FAULT_PIN: the pinned fill cannot pin: ENOMEM
 * @FAULT_READ: a read of the source fails: EIO
 * @FAULT_SHORT_READ: a read of the source returns half of what it has read
 * @FAULT_DIRECT: a direct read is refused, so that a buffered one is done
 * @FAULT_INTERFERE: somebody makes a folio visible, cleared, while the shmem
 *	fill is between its read and its commit
 * @FAULT_PAUSE: a worker has a signal to handle, in the middle of a chunk
 *
 * Bits of the file "points". Tests know the numbers.
 */
enum fault_point {
	FAULT_WORKER,
	FAULT_FOLIO,
	FAULT_PIN,
	FAULT_READ,
	FAULT_SHORT_READ,
	FAULT_DIRECT,
	FAULT_INTERFERE,
	FAULT_PAUSE,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS

bool fault_point(enum fault_point point);
void fault_point_init(void);
void fault_point_exit(void);

#else

static inline bool fault_point(enum fault_point point)
{
	return false;
}

static inline void fault_point_init(void)
{
}

static inline void fault_point_exit(void)
{
}

#endif /* CONFIG_FAULT_INJECTION_DEBUG_FS */

#endif /* RAMLOAD_FAULT_POINT_H */
