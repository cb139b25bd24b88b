/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/* The session by which a fuzzer loads what it has read, for all its runs. */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include <ramload.h>

#include "fuzz_check.h"

static struct ramload_session *session(void)
{
	static struct ramload_session *session;
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = RAMLOAD_ENGINE_USER,
		.workers = 2,
	};

	if (!session)
		CHECK(!ramload_session_open(&options, &session));
	return session;
}

#endif /* FUZZ_SESSION_H */
