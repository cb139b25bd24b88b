/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Several processes load with several threads each, while something is done
 * to them at random moments. stress_loader.c is such a process;
 * stress_kinds.c and stress_system.c are what is done; stress.c runs it all.
 */
#ifndef STRESS_H
#define STRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ramload_util.h"
#include "test_memory.h"
#include "test_run.h"

#define STRESS_LENGTH		MIB(2)
#define STRESS_SHIFT		MIB(1)
#define STRESS_SOURCE		(STRESS_LENGTH + STRESS_SHIFT)
#define STRESS_PROCESSES	2
#define STRESS_THREADS		2
#define STRESS_RANGES		3
#define STRESS_WORKERS		2
#define STRESS_ERRORS		6
/* Whoever does not end so long after it should has hung. */
#define STRESS_HANG		100

enum stress_source { SOURCE_MEMFD, SOURCE_EXT4, STRESS_SOURCES };

/* The fds of a slot have numbers of their own, which nothing else takes. */
enum stress_fd { FD_CONTEXT, FD_SOURCE, FD_JOB, STRESS_FDS };

struct loader;
struct slot;
struct stress;

enum stress_flags {
	DISCARDS = 1 << 0,	/* what is loaded may read as zeros */
	MORTAL = 1 << 1,	/* loaders may end, and are started again */
	OWN_CONTEXT = 1 << 2,	/* a context for each load */
	NEVER_WAIT = 1 << 3,	/* jobs are closed by others, so hold them not */
	FILES_ONLY = 1 << 4,	/* of destinations */
	IDLES = 1 << 5,		/* now and then nothing is open */
};

/**
 * struct stress_kind - something that is done to loaders
 * @flags: bits of enum stress_flags
 * @errors: errnos that loads may end with
 * @inside: done in a loader, to a slot of it; its lock is held
 * @outside: done by the process that has started the loaders
 * @begin: before there are loaders; returns 0, or -1 and why not
 * @enter: first thing in a loader
 * @calm: undoes what was done from outside, so that loads succeed
 * @end: after everything, if there was a beginning
 */
struct stress_kind {
	int flags;
	int errors[STRESS_ERRORS];
	void (*inside)(struct slot *s, struct rnd *rnd);
	void (*outside)(struct stress *st, struct rnd *rnd);
	int (*begin)(struct stress *st, struct reason *why);
	int (*enter)(struct stress *st);
	void (*calm)(struct stress *st);
	void (*end)(struct stress *st);
};

/**
 * struct slot - what one thread loads into
 * @lock: held but while a load runs: by the thread that loads, to prepare and
 *	to check, and by who disturbs it
 * @memory: of all kinds; .map is NULL of those that this machine lacks
 * @kind: the one that is loaded into
 * @shift: what is loaded to offset i is at i + shift in the source
 * @old: it holds SEED_OLD before the load, else zeros
 * @loading: the members above and the ranges are those of a load
 */
struct slot {
	struct loader *loader;
	unsigned int nr;
	pthread_t thread;
	pthread_mutex_t lock;
	struct rnd rnd;
	struct memory memory[MEMORY_KINDS];
	enum memory_kind kind;
	enum stress_source source;
	uint32_t direct;
	uint32_t flags;
	size_t shift;
	bool old;
	bool loading;
	unsigned int nr_ranges;
	struct ramload_range ranges[STRESS_RANGES];
};

struct loader {
	struct stress *st;
	unsigned int nr;
	unsigned int generation;
	pid_t pid;
	bool share_context;
	bool ended;
	struct slot slots[STRESS_THREADS];
};

/* Shared by all processes. */
struct stress {
	const struct stress_kind *kind;
	uint64_t seed;
	struct ramload_info info;
	const char *source_bytes;
	const char *old_bytes;
	int sources[STRESS_SOURCES];
	int dir;		/* where files are; -1: the usual place */
	int cgroup;
	atomic_bool stop;
	atomic_bool over;	/* the time that disturbances have */
	atomic_ulong rounds;
	atomic_ulong loads;
	atomic_ulong good;	/* did not end early */
	atomic_bool failed;
	char failure[400];
	struct loader loaders[STRESS_PROCESSES];
};

static inline bool stress_has(const struct stress *st, int flag)
{
	return st->kind->flags & flag;
}

/* When the time is over: those that idle do so until something was done to them, */
static inline bool stress_rests(const struct stress *st)
{
	return st->over && !st->rounds;
}

/* and nothing is done to loaders then. */
static inline bool stress_is_calm(const struct stress *st)
{
	return st->over && st->rounds;
}

/* The first failure is kept. */
void stress_fail(struct stress *st, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline struct memory *slot_memory(struct slot *s)
{
	return &s->memory[s->kind];
}

static inline int slot_fd(const struct slot *s, enum stress_fd which)
{
	return 300 + s->nr * STRESS_FDS + which;
}

static inline unsigned int rnd_slot(struct rnd *rnd)
{
	return rnd_below(rnd, STRESS_THREADS);
}

/* Child of the test: loads until it is stopped. Does not return. */
void stress_loader_main(struct loader *l) __attribute__((noreturn));

/*
 * Of a slot that nobody is loading into: is there nothing but what may be?
 * Of what is said to be loaded, @result, nothing may be missing; NULL:
 * nothing is said.
 */
void stress_check(struct slot *s, const struct ramload_job_result *result);

extern const struct stress_kind
	stress_munmap, stress_mremap, stress_mprotect, stress_dontneed,
	stress_fork, stress_exec, stress_exit, stress_sigkill, stress_sigstop,
	stress_sigstop_close,
	stress_close_context, stress_close_job, stress_close_source,
	stress_truncate_source, stress_truncate_dest, stress_punch,
	stress_direct_flag, stress_cancel, stress_rmmod, stress_cgroup_oom,
	stress_swap, stress_fsfreeze;

#endif /* STRESS_H */
