/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * libramload-stat: see what the ramload module does
 */
#ifndef RAMLOAD_STAT_H
#define RAMLOAD_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/ramload.h>
#include <linux/ramload_netlink.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAMLOAD_STAT_API __attribute__((visibility("default")))

/**
 * DOC: libramload-stat
 *
 * A *stat* is a connection to the module's netlink family "ramload". It gets
 * totals, contexts, workers and jobs, and hears of events of jobs. Who may see
 * what is said in <linux/ramload_netlink.h>; who may not see all gets his own,
 * without an error.
 *
 * Functions return 0 (or what is said there) or a negative errno. Besides those
 * that are named, all that ask the module may return
 *
 * * -ENOMEM, -ENOBUFS: out of memory, here or in the kernel
 * * -EPROTO: the answer is not understood
 * * -ENOENT, -EOPNOTSUPP: the module is gone, or too old for it
 *
 * The library prints nothing, has no global state, and handles no signals.
 *
 * Structs belong to the library, which returns pointers to them. New versions
 * of it add members at their ends only. Of what the module did not tell, since
 * it is older than the library, members are 0; RAMLOAD_STAT_HAS() tells that
 * from a 0 that was told. What a module tells that is newer is left out.
 *
 * **Threads.** There is no thread that something must be called from, and no
 * function may be called from a signal handler. "Context:" says of a function
 * what may run beside it; calls about different objects always may.
 *
 * * "Any thread": any other, about the same object too, but those of "Last"
 * * "One at a time": those of "Any thread", but no other that says this
 * * "Last": no other about the same object, and none comes after
 *
 * What does not say that it waits may be called from an event loop. So a
 *
 * * stat: is used by one thread at a time, while others may wait for events
 * * list: is read by any number of threads
 *
 * After fork() the child must not use what the parent opened.
 */

struct ramload_stat;
struct ramload_stat_list;

/**
 * RAMLOAD_STAT_HAS() - whether the module told a value
 * @object: a pointer to one of the structs below that have a member "has"
 * @attribute: its attribute, of <linux/ramload_netlink.h>: for job->ranges,
 *	RAMLOAD_A_JOB_RANGES
 */
#define RAMLOAD_STAT_HAS(object, attribute) \
	(((object)->has >> (attribute) & 1) != 0)

/* Folios of so many orders are counted. */
#define RAMLOAD_STAT_ORDERS	32

/* Room for a name, with its NUL. */
#define RAMLOAD_STAT_COMM	32

/**
 * struct ramload_stat_counters - enum ramload_a_counters
 * @has: see RAMLOAD_STAT_HAS()
 * @shmem: bytes loaded by the shmem fill
 * @user: bytes loaded by the user fill
 * @pinned: bytes loaded by the pinned fill
 * @cached: bytes read through the page cache of the source
 * @direct: bytes read past it
 * @gaps: bytes between ranges that were read with them
 * @reads: reads of the source
 * @not_direct: direct reads that were done through the page cache instead
 * @again: batches of the shmem fill of which some was read again
 * @folios: of the shmem fill, by their order
 */
struct ramload_stat_counters {
	uint64_t has;
	uint64_t shmem;
	uint64_t user;
	uint64_t pinned;
	uint64_t cached;
	uint64_t direct;
	uint64_t gaps;
	uint64_t reads;
	uint64_t not_direct;
	uint64_t again;
	uint64_t folios[RAMLOAD_STAT_ORDERS];
};

/**
 * struct ramload_stat_context - enum ramload_a_context
 * @has: see RAMLOAD_STAT_HAS()
 * @start_time: nanoseconds of CLOCK_BOOTTIME at which it was made
 * @id: its id, from 1 up
 * @pid: the process that made it; 0 if it is of another PID namespace
 * @workers: how many it has
 * @jobs: how many were submitted and are not done
 * @comm: name of the task that made it, any bytes but NUL
 */
struct ramload_stat_context {
	uint64_t has;
	uint64_t start_time;
	uint32_t id;
	uint32_t pid;
	uint32_t workers;
	uint32_t jobs;
	char comm[RAMLOAD_STAT_COMM];
};

/**
 * struct ramload_stat_worker - enum ramload_a_worker
 * @has: see RAMLOAD_STAT_HAS()
 * @chunks: how many it has loaded, or failed to
 * @bytes: how many it has loaded
 * @busy_time: nanoseconds that it took
 * @context: id of its context
 * @index: which one of it, from 0
 * @tid: id of its thread
 * @state: enum ramload_worker_state, or what newer modules have
 * @job: id of the job it has, 0 if it has none
 */
struct ramload_stat_worker {
	uint64_t has;
	uint64_t chunks;
	uint64_t bytes;
	uint64_t busy_time;
	uint32_t context;
	uint32_t index;
	uint32_t tid;
	uint32_t state;
	uint32_t job;
};

/**
 * struct ramload_stat_job - enum ramload_a_job
 * @has: see RAMLOAD_STAT_HAS()
 * @counters: what was done for it; never NULL
 * @bytes_total: how many bytes are to be loaded
 * @bytes_done: how many are
 * @error_offset: with an error: where in the source
 * @start_time: nanoseconds of CLOCK_BOOTTIME at which it was submitted
 * @queue_time: nanoseconds from then until a worker took its first chunk, or up
 *	to now
 * @service_time: nanoseconds from then until it was done, or up to now
 * @id: its id, from 1 up
 * @context: id of its context, which may be gone
 * @pid: the process that made the context; 0 if it is of another PID namespace
 * @state: enum ramload_job_state, or what newer modules have
 * @error: 0 or a negative errno
 * @error_range: with an error: the range it is in
 * @ranges: how many it has
 * @chunks: how many they were cut into
 * @chunks_taken: how many of those workers have taken
 * @comm: name of the task that made the context, any bytes but NUL
 */
struct ramload_stat_job {
	uint64_t has;
	const struct ramload_stat_counters *counters;
	uint64_t bytes_total;
	uint64_t bytes_done;
	uint64_t error_offset;
	uint64_t start_time;
	uint64_t queue_time;
	uint64_t service_time;
	uint32_t id;
	uint32_t context;
	uint32_t pid;
	uint32_t state;
	int32_t error;
	uint32_t error_range;
	uint32_t ranges;
	uint32_t chunks;
	uint32_t chunks_taken;
	char comm[RAMLOAD_STAT_COMM];
};

/**
 * struct ramload_stat_totals - enum ramload_a_totals
 * @has: see RAMLOAD_STAT_HAS()
 * @counters: what was done in all; never NULL
 * @running: jobs that were submitted and are not done
 * @submitted: jobs that were submitted
 * @done: jobs that are done without an error
 * @failed: jobs that are done with one
 * @cancelled: jobs that were cancelled
 * @queue_time: sum of that of jobs that are done, in nanoseconds
 * @service_time: sum of that of jobs that are done, in nanoseconds
 * @bytes_done: bytes loaded
 * @contexts: contexts with workers that are there
 * @workers: their workers
 *
 * All but @running, @contexts and @workers only grow while the module is
 * loaded.
 */
struct ramload_stat_totals {
	uint64_t has;
	const struct ramload_stat_counters *counters;
	uint64_t running;
	uint64_t submitted;
	uint64_t done;
	uint64_t failed;
	uint64_t cancelled;
	uint64_t queue_time;
	uint64_t service_time;
	uint64_t bytes_done;
	uint32_t contexts;
	uint32_t workers;
};

/**
 * ramload_stat_open() - connect to the module
 * @stat: where the connection is returned, to be closed by
 *	ramload_stat_close(); NULL on error
 * @version: NULL, or where the version of the module's family is returned; 0
 *	if there is no family
 * Context: Any thread. Waits for the kernel.
 * Return: 0 or
 *
 * * -ENOENT: no module is loaded, or one without statistics
 * * -EPROTO: @version is not RAMLOAD_NL_FAMILY_VERSION
 * * -EPERM, -EACCES: no right to open a netlink socket
 * * -EAFNOSUPPORT, -EPROTONOSUPPORT: the kernel has no generic netlink
 * * -EMFILE, -ENFILE: out of fds
 */
RAMLOAD_STAT_API int ramload_stat_open(struct ramload_stat **stat,
				       unsigned int *version);

/**
 * ramload_stat_close() - disconnect and free
 * @stat: the connection, or NULL. What its functions returned pointers to is
 *	gone with it, except for lists.
 * Context: Last.
 */
RAMLOAD_STAT_API void ramload_stat_close(struct ramload_stat *stat);

/**
 * ramload_stat_text() - what the kernel said of the last error
 * @stat: the connection
 * Context: One at a time.
 * Return: a text, "" if there is none, until the next call with @stat
 */
RAMLOAD_STAT_API const char *ramload_stat_text(const struct ramload_stat *stat);

/**
 * ramload_stat_get_totals() - what the module has done, and has
 * @stat: the connection
 * @totals: where they are returned, until the next call with @stat; NULL on
 *	error
 * Context: One at a time. Waits for the kernel.
 * Return: 0, or -EPERM: the caller may not see all
 */
RAMLOAD_STAT_API int
ramload_stat_get_totals(struct ramload_stat *stat,
			const struct ramload_stat_totals **totals);

/**
 * ramload_stat_get_context() - one context
 * @stat: the connection
 * @id: its id; 0 is none
 * @context: where it is returned, until the next call with @stat; NULL on error
 * Context: One at a time. Waits for the kernel.
 * Return: 0, or -ENOENT: there is none with this id, or it is not the caller's
 */
RAMLOAD_STAT_API int
ramload_stat_get_context(struct ramload_stat *stat, uint32_t id,
			 const struct ramload_stat_context **context);

/**
 * ramload_stat_get_job() - one job
 * @stat: the connection
 * @id: its id; 0 is none
 * @job: where it is returned, until the next call with @stat; NULL on error
 * Context: One at a time. Waits for the kernel.
 * Return: 0, or -ENOENT: there is none with this id, or it is not the caller's
 */
RAMLOAD_STAT_API int
ramload_stat_get_job(struct ramload_stat *stat, uint32_t id,
		     const struct ramload_stat_job **job);

/**
 * ramload_stat_dump_contexts() - all contexts that the caller may see
 * @stat: the connection
 * @list: where they are returned, by rising id, to be freed by
 *	ramload_stat_list_free(); NULL on error
 *
 * A dump during which a context, worker or job came or went is repeated, a few
 * times at most; see ramload_stat_list_interrupted().
 *
 * Context: One at a time. Waits for the kernel.
 * Return: 0 or an error that all functions may return
 */
RAMLOAD_STAT_API int
ramload_stat_dump_contexts(struct ramload_stat *stat,
			   struct ramload_stat_list **list);

/**
 * ramload_stat_dump_workers() - workers, by context and index
 * @stat: the connection
 * @context: id of their context; 0: all that the caller may see. One that is
 *	not there has none.
 * @list: as for ramload_stat_dump_contexts()
 * Context: One at a time. Waits for the kernel.
 * Return: 0 or an error that all functions may return
 */
RAMLOAD_STAT_API int
ramload_stat_dump_workers(struct ramload_stat *stat, uint32_t context,
			  struct ramload_stat_list **list);

/**
 * ramload_stat_dump_jobs() - jobs, by id
 * @stat: the connection
 * @context: id of their context; 0: all that the caller may see. One that is
 *	not there has none.
 * @list: as for ramload_stat_dump_contexts()
 * Context: One at a time. Waits for the kernel.
 * Return: 0 or an error that all functions may return
 */
RAMLOAD_STAT_API int
ramload_stat_dump_jobs(struct ramload_stat *stat, uint32_t context,
		       struct ramload_stat_list **list);

/**
 * ramload_stat_list_length() - how many there are
 * @list: a list
 * Context: Any thread.
 * Return: their number
 */
RAMLOAD_STAT_API size_t
ramload_stat_list_length(const struct ramload_stat_list *list);

/**
 * ramload_stat_list_interrupted() - whether some may be missing
 * @list: a list
 *
 * So much came and went that each dump was interrupted. What was there all the
 * time is in the list once; of the rest, some are.
 *
 * Context: Any thread.
 * Return: true if so
 */
RAMLOAD_STAT_API bool
ramload_stat_list_interrupted(const struct ramload_stat_list *list);

/**
 * ramload_stat_context_at() - an element of a list of contexts
 * @list: a list
 * @i: its index, from 0
 * Context: Any thread.
 * Return: the context, until the list is freed; NULL if there is none, or if it
 * is a list of something else
 */
RAMLOAD_STAT_API const struct ramload_stat_context *
ramload_stat_context_at(const struct ramload_stat_list *list, size_t i);

/**
 * ramload_stat_worker_at() - an element of a list of workers
 * @list: a list
 * @i: its index, from 0
 * Context: Any thread.
 * Return: as of ramload_stat_context_at()
 */
RAMLOAD_STAT_API const struct ramload_stat_worker *
ramload_stat_worker_at(const struct ramload_stat_list *list, size_t i);

/**
 * ramload_stat_job_at() - an element of a list of jobs
 * @list: a list
 * @i: its index, from 0
 * Context: Any thread.
 * Return: as of ramload_stat_context_at()
 */
RAMLOAD_STAT_API const struct ramload_stat_job *
ramload_stat_job_at(const struct ramload_stat_list *list, size_t i);

/**
 * ramload_stat_list_free() - free a list, and all that is in it
 * @list: a list, or NULL. It may have outlived its connection.
 * Context: Last.
 */
RAMLOAD_STAT_API void ramload_stat_list_free(struct ramload_stat_list *list);

/**
 * enum ramload_stat_event_kind - what happened
 * @RAMLOAD_STAT_JOB_STARTED: a job was submitted
 * @RAMLOAD_STAT_JOB_PROGRESS: some of it is loaded; at most ten times in a
 *	second
 * @RAMLOAD_STAT_JOB_DONE: it is done, failed or cancelled
 */
enum ramload_stat_event_kind {
	RAMLOAD_STAT_JOB_STARTED,
	RAMLOAD_STAT_JOB_PROGRESS,
	RAMLOAD_STAT_JOB_DONE,
};

/**
 * struct ramload_stat_event - an event
 * @kind: what happened
 * @job: the job as it was then
 */
struct ramload_stat_event {
	enum ramload_stat_event_kind kind;
	const struct ramload_stat_job *job;
};

/**
 * ramload_stat_listen() - hear of events from now on
 * @stat: the connection
 *
 * Events come to the initial network namespace only; in others, none ever
 * comes. Process ids in them are those of the initial PID namespace. Some may be
 * lost without notice; see <linux/ramload_netlink.h>.
 *
 * Context: One at a time.
 * Return: 0 or
 *
 * * -EPERM: the caller may not see all
 * * -EALREADY: @stat hears of them already
 * * -EMFILE, -ENFILE: out of fds
 */
RAMLOAD_STAT_API int ramload_stat_listen(struct ramload_stat *stat);

/**
 * ramload_stat_event_fd() - for poll(2): readable when an event has come
 * @stat: the connection, which owns the fd. Nothing else may be done with it.
 *
 * Context: Any thread. Not while ramload_stat_listen() runs.
 * Return: the fd, -1 before ramload_stat_listen()
 */
RAMLOAD_STAT_API int ramload_stat_event_fd(const struct ramload_stat *stat);

/**
 * ramload_stat_next_event() - take the next event, without waiting
 * @stat: the connection
 * @event: where it is returned, until the next call with @stat; NULL if none is
 *
 * Call it until it returns 0 whenever the fd is readable. After -ENOBUFS or
 * -EPROTO it goes on with what came later.
 *
 * Context: One at a time.
 * Return: 1: @event is one; 0: there is none now; or
 *
 * * -ENOBUFS: events were lost, as they were not taken in time; a dump tells
 *   how things stand
 * * -EPROTO: an event is not understood
 * * -EINVAL: ramload_stat_listen() was not called
 */
RAMLOAD_STAT_API int
ramload_stat_next_event(struct ramload_stat *stat,
			const struct ramload_stat_event **event);

#ifdef __cplusplus
}
#endif

#endif /* RAMLOAD_STAT_H */
