/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Waiting for a word to change. It is no cancellation point, takes no lock, and
 * may be done in a signal handler.
 */
#ifndef PRELOAD_FUTEX_H
#define PRELOAD_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Until the word is not @seen, for @ms milliseconds at most, or less */
static inline void futex_wait(atomic_uint *word, unsigned int seen, long ms)
{
	struct timespec limit = { ms / 1000, ms % 1000 * 1000000 };
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &limit, NULL, 0);
	errno = saved;
}

/* Signals end a wait early, so patience is measured, not counted. */
static inline uint64_t futex_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

static inline void futex_wake(atomic_uint *word)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	errno = saved;
}

static inline void futex_set(atomic_uint *word, unsigned int value)
{
	atomic_store(word, value);
	futex_wake(word);
}

static inline bool futex_change(atomic_uint *word, unsigned int from,
				unsigned int to)
{
	if (!atomic_compare_exchange_strong(word, &from, to))
		return false;
	futex_wake(word);
	return true;
}

#endif /* PRELOAD_FUTEX_H */
