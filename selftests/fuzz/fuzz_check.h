/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/* What does not hold is told, and ends the fuzzer: a finding. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,	\
			#condition);					\
		abort();						\
	}								\
} while (0)

#endif /* FUZZ_CHECK_H */
