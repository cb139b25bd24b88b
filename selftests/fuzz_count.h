/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What calls were made and what came of them, counted by all threads and
 * children; and the errors that each ioctl may return.
 */
#ifndef FUZZ_COUNT_H
#define FUZZ_COUNT_H

#include <stdbool.h>
#include <stdint.h>

enum fuzz_op {
	OP_OPEN,
	OP_CLOSE,
	OP_DUP,
	OP_INFO,
	OP_SETUP,
	OP_LOAD,
	OP_RESULT,
	OP_CANCEL,
	OP_UNKNOWN,
	OP_GOOD_LOAD,
	OP_POLL,
	OP_MEMORY,
	OP_FILE,
	OP_SOURCE,
	OP_SIGNAL,
	OP_CHILD,
	OP_FLOOD,
	NR_OPS,
};

/* Shared with children; before anything is counted. */
int count_init(void);

/* A call that returned @ret: 0 or more, or an errno, negative. */
void count_call(enum fuzz_op op, int ret);

/* What a job ended with. */
void count_job(int error);

/* May the ioctl return that? */
bool count_documented(enum fuzz_op op, int error);
bool count_job_documented(int error);

void count_print(void);
uint64_t count_calls(void);
uint64_t count_loads(void);

#endif /* FUZZ_COUNT_H */
