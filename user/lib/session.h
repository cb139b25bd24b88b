/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_SESSION_H
#define RAMLOAD_SESSION_H

#include <stdatomic.h>

#include "engine.h"

#define RAMLOAD_DEVICE	"/dev/ramload"

/**
 * struct ramload_session - an engine and whether it was stopped
 * @engine: the engine; set when the session is made
 * @stopped: ramload_session_stop() was called. Only the engine's own lock
 *	decides whether a load is refused; this saves others the attempt.
 */
struct ramload_session {
	struct engine *engine;
	atomic_bool stopped;
};

static inline bool session_stopped(struct ramload_session *session)
{
	return atomic_load_explicit(&session->stopped, memory_order_acquire);
}

unsigned int default_workers(void);
int options_copy(void *to, size_t size, const void *from);

#endif /* RAMLOAD_SESSION_H */
