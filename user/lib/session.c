// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: session
 *
 * A session picks an engine and outlives its jobs. Stopping it ends the
 * workers, but the engine stays, so that jobs can be asked for their results.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

#define DEFAULT_MAX_WORKERS	8

/**
 * options_copy() - take a struct of options, of this or of another version
 * @to: filled in; zero where @from has nothing
 * @size: size of the struct as this library knows it
 * @from: NULL for all defaults, or a struct whose first member is a size_t with
 *	its size
 *
 * Nothing is taken from a struct that is too small. From one with too much the
 * known members are, so that a cleanup function in it can be called.
 *
 * Return: 0 or -EINVAL: the struct is smaller than its first version, or sets
 * members that this library does not know
 */
int options_copy(void *to, size_t size, const void *from)
{
	const unsigned char *bytes = from;
	size_t given;

	memset(to, 0, size);
	if (!from)
		return 0;
	memcpy(&given, from, sizeof(given));
	/* All versions so far have the same size. */
	if (given < size)
		return -EINVAL;
	memcpy(to, from, size);
	for (size_t i = size; i < given; i++)
		if (bytes[i])
			return -EINVAL;
	return 0;
}

/** default_workers() - one for each CPU the caller may run on, 8 at most */
unsigned int default_workers(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	/* Fails where the kernel has more CPUs than fit into a cpu_set_t. */
	if (!sched_getaffinity(0, sizeof(set), &set))
		cpus = CPU_COUNT(&set);
	if (cpus < 1)
		return 1;
	return cpus < DEFAULT_MAX_WORKERS ? cpus : DEFAULT_MAX_WORKERS;
}

static int engine_open(const struct ramload_session_options *options,
		       struct engine **engine)
{
	const char *device = options->device ?: RAMLOAD_DEVICE;
	int err = -EINVAL;

	if (options->engine != RAMLOAD_ENGINE_USER)
		err = engine_kernel.open(device, options->workers, engine);
	if (options->engine == RAMLOAD_ENGINE_KERNEL || !err)
		return err;
	return engine_user.open(device, options->workers, engine);
}

RAMLOAD_API int
ramload_session_open(const struct ramload_session_options *options,
		     struct ramload_session **session)
{
	struct ramload_session_options opts;
	struct ramload_session *new;
	int err;

	*session = NULL;
	err = options_copy(&opts, sizeof(opts), options);
	if (err)
		return err;
	if (opts.engine > RAMLOAD_ENGINE_USER)
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	err = engine_open(&opts, &new->engine);
	if (err) {
		free(new);
		return err;
	}
	*session = new;
	return 0;
}

RAMLOAD_API void ramload_session_stop(struct ramload_session *session)
{
	atomic_store_explicit(&session->stopped, true, memory_order_release);
	session->engine->ops->stop(session->engine);
}

RAMLOAD_API void ramload_session_close(struct ramload_session *session)
{
	if (!session)
		return;
	ramload_session_stop(session);
	session->engine->ops->close(session->engine);
	free(session);
}

RAMLOAD_API enum ramload_engine
ramload_session_engine(const struct ramload_session *session)
{
	return session->engine->ops->type;
}

RAMLOAD_API unsigned int
ramload_session_workers(const struct ramload_session *session)
{
	return session->engine->workers;
}

RAMLOAD_API bool
ramload_session_threads(const struct ramload_session *session)
{
	return session->engine->threads;
}

RAMLOAD_API const char *ramload_engine_name(enum ramload_engine engine)
{
	switch (engine) {
	case RAMLOAD_ENGINE_AUTO:
		return "auto";
	case RAMLOAD_ENGINE_KERNEL:
		return "kernel";
	case RAMLOAD_ENGINE_USER:
		return "user";
	}
	return NULL;
}
