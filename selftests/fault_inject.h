/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The kernel's fault injection, where it is compiled in
 * (Documentation/fault-injection/fault-injection.rst).
 */
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

#include <stdbool.h>
#include <sys/types.h>

struct reason;

/* enum fault_point of kmod/fault_point.h */
enum fault_point {
	FAULT_WORKER,
	FAULT_FOLIO,
	FAULT_PIN,
	FAULT_READ,
	FAULT_SHORT_READ,
	FAULT_DIRECT,
	FAULT_INTERFERE,
	FAULT_PAUSE,
	FAULT_POINTS,
};

#define BIT(n)	(1U << (n))

/*
 * Let allocations that may sleep fail, and no message be printed for it.
 * Returns 0, or -1 and why this kernel cannot.
 */
int fault_inject_start(struct reason *why);
void fault_inject_stop(void);

/* The fail-nth of a thread of this process, or -1. */
int fault_nth_open(pid_t tid);

/* Let the @nth failure point that the thread meets from now on fail; 0: none */
void fault_nth_set(int nth_fd, unsigned int nth);

/* Did it? Ends it in any case. */
bool fault_nth_fired(int nth_fd);

/* -1 if the module has no failure points. */
int fault_points_available(struct reason *why);

/*
 * Let failure points of the module, a mask, fail: from the @nth one on, of
 * each hundred @percent, as many @times; -1: always.
 */
void fault_points_set(unsigned int mask, unsigned int nth,
		      unsigned int percent, int times);

/* How many times are left? Ends it. */
int fault_points_end(void);

/* The next to try after @nth: all of the first ones, then ever fewer. */
unsigned int fault_next(unsigned int nth);

#endif /* FAULT_INJECT_H */
