/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef EMULATOR_H
#define EMULATOR_H

/* EXIT_SKIPPED is that of the kernel's tests for what cannot be done here. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_SKIPPED = 4,
};

#endif /* EMULATOR_H */
