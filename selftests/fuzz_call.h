/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * The calls that the ioctl fuzzer makes, and what it checks of each.
 */
#ifndef FUZZ_CALL_H
#define FUZZ_CALL_H

#include "fuzz_count.h"
#include "fuzz_state.h"

/* One call, drawn from the numbers of @f->call. */
void fuzz_call(struct fuzzer *f);

/*
 * An ioctl with @arg as its struct, or with a copy of it in the arena. Counts
 * it and checks what it returned, 0 or a negative errno; copies back what the
 * kernel wrote to @arg.
 */
int fuzz_ioctl(struct fuzzer *f, enum fuzz_op op, int fd, unsigned long cmd,
	       void *arg, size_t size);

/* What is in a result must agree. */
void check_result(struct fuzzer *f, const struct ramload_job_result *res);

int fuzz_load(struct fuzzer *f);
int fuzz_good_load(struct fuzzer *f);
int fuzz_flood(struct fuzzer *f);

#endif /* FUZZ_CALL_H */
