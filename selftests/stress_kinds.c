// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What is done to loaders that anybody could do: to memory, files, processes. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disturb.h"
#include "stress.h"
#include "test_process.h"

/*
 * Memory
 */

#define MEMORY_TURN(name)						\
	static void name##_turn(struct slot *s, struct rnd *rnd)	\
	{								\
		disturb_##name(slot_memory(s), rnd_below(rnd, 1024));	\
	}

MEMORY_TURN(remap)
MEMORY_TURN(move)
MEMORY_TURN(protect)
MEMORY_TURN(drop)
MEMORY_TURN(truncate)
MEMORY_TURN(punch)

const struct stress_kind stress_munmap = {
	.flags = DISCARDS,
	.errors = { EFAULT },
	.inside = remap_turn,
};

const struct stress_kind stress_mremap = {
	.errors = { EFAULT },
	.inside = move_turn,
};

const struct stress_kind stress_mprotect = {
	.errors = { EFAULT },
	.inside = protect_turn,
};

const struct stress_kind stress_dontneed = {
	.flags = DISCARDS,
	.inside = drop_turn,
};

const struct stress_kind stress_truncate_dest = {
	.flags = DISCARDS | FILES_ONLY,
	.errors = { EFAULT },
	.inside = truncate_turn,
};

const struct stress_kind stress_punch = {
	.flags = DISCARDS | FILES_ONLY,
	.inside = punch_turn,
};

/*
 * Fds
 */

static void close_context_turn(struct slot *s, struct rnd *rnd)
{
	close(slot_fd(s, FD_CONTEXT));
}

const struct stress_kind stress_close_context = {
	.flags = OWN_CONTEXT,
	.errors = { EBADF, ECANCELED },
	.inside = close_context_turn,
};

static void close_job_turn(struct slot *s, struct rnd *rnd)
{
	close(slot_fd(s, FD_JOB));
}

const struct stress_kind stress_close_job = {
	.flags = NEVER_WAIT,
	.errors = { EBADF },
	.inside = close_job_turn,
};

static void close_source_turn(struct slot *s, struct rnd *rnd)
{
	close(slot_fd(s, FD_SOURCE));
}

const struct stress_kind stress_close_source = {
	.errors = { EBADF },
	.inside = close_source_turn,
};

static void cancel_turn(struct slot *s, struct rnd *rnd)
{
	raw_cancel(slot_fd(s, FD_JOB));
}

const struct stress_kind stress_cancel = {
	.errors = { ECANCELED },
	.inside = cancel_turn,
};

/*
 * The source
 */

/* What is cut off is written again, so zeros are seen at most. */
static void truncate_source_turn(struct slot *s, struct rnd *rnd)
{
	const struct stress *st = s->loader->st;
	int fd = st->sources[rnd_below(rnd, STRESS_SOURCES)];
	size_t at = rnd_below(rnd, STRESS_SOURCE);

	if (!ftruncate(fd, at) &&
	    pwrite(fd, st->source_bytes + at, STRESS_SOURCE - at, at) < 0)
		return;
}

const struct stress_kind stress_truncate_source = {
	.flags = DISCARDS,
	.errors = { ENODATA },
	.inside = truncate_source_turn,
};

static void direct_flag_turn(struct slot *s, struct rnd *rnd)
{
	int fd = s->loader->st->sources[rnd_below(rnd, STRESS_SOURCES)];

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) ^ O_DIRECT);
}

const struct stress_kind stress_direct_flag = {
	.inside = direct_flag_turn,
};

/*
 * Processes
 */

/*
 * What a child sees of private memory is a picture of some moment of the load,
 * and stays so. The slot is shared, and may tell of the next load soon.
 */
static void fork_turn(struct slot *s, struct rnd *rnd)
{
	unsigned int delay = rnd_below(rnd, 3000);
	struct slot copy = *s;
	pid_t pid = fork();

	if (!pid) {
		usleep(delay);
		if (copy.loading && slot_memory(&copy)->fd < 0)
			stress_check(&copy, NULL);
		_exit(0);
	}
	if (rnd_chance(rnd, 2))
		waitpid(pid, NULL, 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

const struct stress_kind stress_fork = {
	.inside = fork_turn,
};

static void exec_turn(struct slot *s, struct rnd *rnd)
{
	if (!rnd_chance(rnd, 5))
		return;
	s->loader->st->rounds++;
	execute_helper();
}

const struct stress_kind stress_exec = {
	.flags = MORTAL,
	.inside = exec_turn,
};

static void exit_turn(struct slot *s, struct rnd *rnd)
{
	if (!rnd_chance(rnd, 5))
		return;
	s->loader->st->rounds++;
	_exit(0);
}

const struct stress_kind stress_exit = {
	.flags = MORTAL,
	.inside = exit_turn,
};

static struct loader *some_loader(struct stress *st, struct rnd *rnd)
{
	return &st->loaders[rnd_below(rnd, STRESS_PROCESSES)];
}

static void sigkill_outside(struct stress *st, struct rnd *rnd)
{
	usleep(rnd_below(rnd, 20000));
	kill(some_loader(st, rnd)->pid, SIGKILL);
}

const struct stress_kind stress_sigkill = {
	.flags = MORTAL,
	.outside = sigkill_outside,
};

/* All that we can see of a loader; NULL where nothing is being loaded. */
static char *copy_memory(struct slot *s)
{
	char *copy;

	if (!s->loading || slot_memory(s)->fd < 0)
		return NULL;
	copy = malloc(STRESS_LENGTH);
	memcpy(copy, slot_memory(s)->map, STRESS_LENGTH);
	return copy;
}

static void compare_memory(struct slot *s, char *copy)
{
	if (copy && memcmp(copy, slot_memory(s)->map, STRESS_LENGTH))
		stress_fail(s->loader->st, "a stopped process loads into %s",
			    memory_name(s->kind));
	free(copy);
}

/* Workers that are threads of the process are stopped with it. */
static void sigstop_outside(struct stress *st, struct rnd *rnd)
{
	struct loader *l = some_loader(st, rnd);
	char *copies[STRESS_THREADS];
	int status, i;

	kill(l->pid, SIGSTOP);
	if (!process_wait(l->pid, &status, WUNTRACED, STRESS_HANG) ||
	    !WIFSTOPPED(status)) {
		stress_fail(st, "a process does not stop");
		process_show(l->pid);
	}
	for (i = 0; i < STRESS_THREADS; i++)
		copies[i] = copy_memory(&l->slots[i]);
	usleep(rnd_below(rnd, 10000));
	for (i = 0; i < STRESS_THREADS; i++) {
		if (st->info.out_features & RAMLOAD_FEATURE_THREADS)
			compare_memory(&l->slots[i], copies[i]);
		else
			free(copies[i]);
	}
	kill(l->pid, SIGCONT);
	st->rounds++;
}

const struct stress_kind stress_sigstop = {
	.outside = sigstop_outside,
};

/* Whoever closes is not to keep the process from being stopped. */
static void close_turn(struct slot *s, struct rnd *rnd)
{
	close(slot_fd(s, rnd_chance(rnd, 2) ? FD_JOB : FD_CONTEXT));
}

const struct stress_kind stress_sigstop_close = {
	.flags = OWN_CONTEXT | NEVER_WAIT,
	.errors = { EBADF, ECANCELED },
	.inside = close_turn,
	.outside = sigstop_outside,
};
