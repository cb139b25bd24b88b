/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ramload: what the module does, told through generic netlink
 */
#ifndef _UAPI_LINUX_RAMLOAD_NETLINK_H
#define _UAPI_LINUX_RAMLOAD_NETLINK_H

/**
 * DOC: ramload netlink interface
 *
 * The generic netlink family "ramload" tells what the module does: contexts,
 * their workers and jobs, and totals. It is read-only, and never part of the
 * outcome of a load. Documentation/netlink/specs/ramload.yaml is the contract;
 * this header says the same for C.
 *
 * **Who sees what.** A caller with CAP_NET_ADMIN in the initial user namespace
 * sees all. Others see contexts of their own memory (mm), what belongs to
 * those, and no totals (EPERM). The family is there in all network namespaces;
 * the group "events" in the initial one only, for callers with CAP_NET_ADMIN.
 *
 * **Numbers.** Ids are of the module, from 1 up; when they are used up, small
 * ones that are free are used again. Counters are absolute and never go down
 * while the thing they belong to is there; a job's are brought up to date at
 * the end of each chunk, or when a worker pauses. Bytes are bytes, times are
 * nanoseconds; points in time are of CLOCK_BOOTTIME. Process ids are those of
 * the PID namespace of the reader, 0 if it has none for it; in events, of the
 * initial one.
 *
 * **Dumps** go by rising id. One during which a context, worker or job came or
 * went has NLM_F_DUMP_INTR set: what stayed is in it once, the rest perhaps.
 *
 * **Errors** of requests, with a text (NETLINK_EXT_ACK): EINVAL for an id that
 * is missing or malformed, and attributes that the command does not know, or
 * not for a dump, or for nothing else; ERANGE for an id of 0; ENOENT for an id
 * that is not there, or not the caller's; EPERM as above; EOPNOTSUPP for
 * unknown commands, and for a dump of what cannot be dumped.
 *
 * **Events.** "job-started" when a job is submitted, then "job-progress" at
 * most ten times in a second for a job, then "job-done" with its result. Each
 * has all attributes of the job. A reader that does not keep up loses some
 * (ENOBUFS from recv(2)) and slows nobody. Some may be lost without notice:
 * where memory is short, and those of the first hundredth of a second after the
 * first reader has come. Look at the fd of a job for the outcome.
 */

#define RAMLOAD_NL_FAMILY_NAME		"ramload"
#define RAMLOAD_NL_FAMILY_VERSION	1
#define RAMLOAD_NL_GROUP_EVENTS		"events"

/**
 * enum ramload_nl_cmd - commands
 * @RAMLOAD_NL_CMD_UNSPEC: none
 * @RAMLOAD_NL_CMD_CONTEXT_GET: by RAMLOAD_A_CONTEXT_ID; or dump
 * @RAMLOAD_NL_CMD_WORKER_GET: dump; of one context, by RAMLOAD_A_WORKER_CONTEXT
 * @RAMLOAD_NL_CMD_JOB_GET: by RAMLOAD_A_JOB_ID; or dump, of one context by
 *	RAMLOAD_A_JOB_CONTEXT
 * @RAMLOAD_NL_CMD_TOTALS_GET: what was done since the module was loaded, by
 *	contexts that are gone, too
 * @RAMLOAD_NL_CMD_JOB_STARTED: event
 * @RAMLOAD_NL_CMD_JOB_PROGRESS: event
 * @RAMLOAD_NL_CMD_JOB_DONE: event
 */
enum ramload_nl_cmd {
	RAMLOAD_NL_CMD_UNSPEC,
	RAMLOAD_NL_CMD_CONTEXT_GET,
	RAMLOAD_NL_CMD_WORKER_GET,
	RAMLOAD_NL_CMD_JOB_GET,
	RAMLOAD_NL_CMD_TOTALS_GET,
	RAMLOAD_NL_CMD_JOB_STARTED,
	RAMLOAD_NL_CMD_JOB_PROGRESS,
	RAMLOAD_NL_CMD_JOB_DONE,

	/* private: */
	__RAMLOAD_NL_CMD_MAX,
	RAMLOAD_NL_CMD_MAX = (__RAMLOAD_NL_CMD_MAX - 1)
};

/**
 * enum ramload_a_context - a context that has workers
 * @RAMLOAD_A_CONTEXT_UNSPEC: none
 * @RAMLOAD_A_CONTEXT_PAD: for alignment
 * @RAMLOAD_A_CONTEXT_ID: u32
 * @RAMLOAD_A_CONTEXT_PID: u32, the process that made it
 * @RAMLOAD_A_CONTEXT_COMM: string, name of the task that did
 * @RAMLOAD_A_CONTEXT_WORKERS: u32, how many it has
 * @RAMLOAD_A_CONTEXT_JOBS: u32, jobs submitted and not done
 * @RAMLOAD_A_CONTEXT_START_TIME: u64, when it was made
 */
enum ramload_a_context {
	RAMLOAD_A_CONTEXT_UNSPEC,
	RAMLOAD_A_CONTEXT_PAD,
	RAMLOAD_A_CONTEXT_ID,
	RAMLOAD_A_CONTEXT_PID,
	RAMLOAD_A_CONTEXT_COMM,
	RAMLOAD_A_CONTEXT_WORKERS,
	RAMLOAD_A_CONTEXT_JOBS,
	RAMLOAD_A_CONTEXT_START_TIME,

	/* private: */
	__RAMLOAD_A_CONTEXT_MAX,
	RAMLOAD_A_CONTEXT_MAX = (__RAMLOAD_A_CONTEXT_MAX - 1)
};

/**
 * enum ramload_worker_state - values of RAMLOAD_A_WORKER_STATE
 * @RAMLOAD_WORKER_IDLE: it has no job
 * @RAMLOAD_WORKER_BUSY: it has one
 * @RAMLOAD_WORKER_STOPPED: it has one, and is stopped by a signal
 * @RAMLOAD_WORKER_ENDED: its context is closed, or its process is dying
 */
enum ramload_worker_state {
	RAMLOAD_WORKER_IDLE,
	RAMLOAD_WORKER_BUSY,
	RAMLOAD_WORKER_STOPPED,
	RAMLOAD_WORKER_ENDED,
};

/**
 * enum ramload_a_worker - a worker
 * @RAMLOAD_A_WORKER_UNSPEC: none
 * @RAMLOAD_A_WORKER_PAD: for alignment
 * @RAMLOAD_A_WORKER_CONTEXT: u32, id of its context
 * @RAMLOAD_A_WORKER_INDEX: u32, which one of it, from 0
 * @RAMLOAD_A_WORKER_TID: u32, id of its thread
 * @RAMLOAD_A_WORKER_STATE: u32, enum ramload_worker_state
 * @RAMLOAD_A_WORKER_JOB: u32, id of the job it has; left out if it has none
 * @RAMLOAD_A_WORKER_CHUNKS: u64, how many it has loaded, or failed to
 * @RAMLOAD_A_WORKER_BYTES: u64, how many it has loaded
 * @RAMLOAD_A_WORKER_BUSY_TIME: u64, how long it took it to
 */
enum ramload_a_worker {
	RAMLOAD_A_WORKER_UNSPEC,
	RAMLOAD_A_WORKER_PAD,
	RAMLOAD_A_WORKER_CONTEXT,
	RAMLOAD_A_WORKER_INDEX,
	RAMLOAD_A_WORKER_TID,
	RAMLOAD_A_WORKER_STATE,
	RAMLOAD_A_WORKER_JOB,
	RAMLOAD_A_WORKER_CHUNKS,
	RAMLOAD_A_WORKER_BYTES,
	RAMLOAD_A_WORKER_BUSY_TIME,

	/* private: */
	__RAMLOAD_A_WORKER_MAX,
	RAMLOAD_A_WORKER_MAX = (__RAMLOAD_A_WORKER_MAX - 1)
};

/**
 * enum ramload_a_job - a job, until its fd is closed
 * @RAMLOAD_A_JOB_UNSPEC: none
 * @RAMLOAD_A_JOB_PAD: for alignment
 * @RAMLOAD_A_JOB_ID: u32
 * @RAMLOAD_A_JOB_CONTEXT: u32, id of its context, which may be gone
 * @RAMLOAD_A_JOB_PID: u32, the process that made the context
 * @RAMLOAD_A_JOB_COMM: string, name of the task that did
 * @RAMLOAD_A_JOB_STATE: u32, enum ramload_job_state of <linux/ramload.h>
 * @RAMLOAD_A_JOB_ERROR: s32, 0 or a negative errno: ramload_job_result.out_error
 * @RAMLOAD_A_JOB_ERROR_RANGE: u32, with an error: the range it is in
 * @RAMLOAD_A_JOB_ERROR_OFFSET: u64, with an error: where in the source
 * @RAMLOAD_A_JOB_RANGES: u32, how many it has
 * @RAMLOAD_A_JOB_CHUNKS: u32, how many they were cut into
 * @RAMLOAD_A_JOB_CHUNKS_TAKEN: u32, how many of those workers have taken
 * @RAMLOAD_A_JOB_BYTES_TOTAL: u64, how many are to be loaded
 * @RAMLOAD_A_JOB_BYTES_DONE: u64, how many are
 * @RAMLOAD_A_JOB_START_TIME: u64, when it was submitted
 * @RAMLOAD_A_JOB_QUEUE_TIME: u64, from then until a worker took its first
 *	chunk, or up to now
 * @RAMLOAD_A_JOB_SERVICE_TIME: u64, from then until it was done, or up to now
 * @RAMLOAD_A_JOB_COUNTERS: nest of enum ramload_a_counters
 */
enum ramload_a_job {
	RAMLOAD_A_JOB_UNSPEC,
	RAMLOAD_A_JOB_PAD,
	RAMLOAD_A_JOB_ID,
	RAMLOAD_A_JOB_CONTEXT,
	RAMLOAD_A_JOB_PID,
	RAMLOAD_A_JOB_COMM,
	RAMLOAD_A_JOB_STATE,
	RAMLOAD_A_JOB_ERROR,
	RAMLOAD_A_JOB_ERROR_RANGE,
	RAMLOAD_A_JOB_ERROR_OFFSET,
	RAMLOAD_A_JOB_RANGES,
	RAMLOAD_A_JOB_CHUNKS,
	RAMLOAD_A_JOB_CHUNKS_TAKEN,
	RAMLOAD_A_JOB_BYTES_TOTAL,
	RAMLOAD_A_JOB_BYTES_DONE,
	RAMLOAD_A_JOB_START_TIME,
	RAMLOAD_A_JOB_QUEUE_TIME,
	RAMLOAD_A_JOB_SERVICE_TIME,
	RAMLOAD_A_JOB_COUNTERS,

	/* private: */
	__RAMLOAD_A_JOB_MAX,
	RAMLOAD_A_JOB_MAX = (__RAMLOAD_A_JOB_MAX - 1)
};

/**
 * enum ramload_a_counters - what was done, for a job or in all
 * @RAMLOAD_A_COUNTERS_UNSPEC: none
 * @RAMLOAD_A_COUNTERS_PAD: for alignment
 * @RAMLOAD_A_COUNTERS_SHMEM: u64, bytes loaded by the shmem fill: into folios of
 *	memfd or tmpfs files
 * @RAMLOAD_A_COUNTERS_USER: u64, bytes loaded by the user fill: to addresses, as
 *	read(2) does
 * @RAMLOAD_A_COUNTERS_PINNED: u64, bytes loaded by the pinned fill: into pages
 *	pinned for it
 * @RAMLOAD_A_COUNTERS_CACHED: u64, bytes read through the page cache of the
 *	source
 * @RAMLOAD_A_COUNTERS_DIRECT: u64, bytes read past it, without gaps
 * @RAMLOAD_A_COUNTERS_GAPS: u64, bytes between ranges that were read with them
 * @RAMLOAD_A_COUNTERS_READS: u64, reads of the source; what is copied out of the
 *	page cache without one does not count
 * @RAMLOAD_A_COUNTERS_NOT_DIRECT: u64, direct reads that the file system or the
 *	device failed or refused, and which were done through the page cache
 * @RAMLOAD_A_COUNTERS_AGAIN: u64, batches of the shmem fill of which some was
 *	read again, as somebody had looked at, changed or removed a folio
 * @RAMLOAD_A_COUNTERS_FOLIOS: nest of enum ramload_a_folios, repeated: folios of
 *	the shmem fill, by order; one that several batches load counts for each
 *
 * What has been read is more than what was loaded when a job fails, and when
 * something is read again.
 */
enum ramload_a_counters {
	RAMLOAD_A_COUNTERS_UNSPEC,
	RAMLOAD_A_COUNTERS_PAD,
	RAMLOAD_A_COUNTERS_SHMEM,
	RAMLOAD_A_COUNTERS_USER,
	RAMLOAD_A_COUNTERS_PINNED,
	RAMLOAD_A_COUNTERS_CACHED,
	RAMLOAD_A_COUNTERS_DIRECT,
	RAMLOAD_A_COUNTERS_GAPS,
	RAMLOAD_A_COUNTERS_READS,
	RAMLOAD_A_COUNTERS_NOT_DIRECT,
	RAMLOAD_A_COUNTERS_AGAIN,
	RAMLOAD_A_COUNTERS_FOLIOS,

	/* private: */
	__RAMLOAD_A_COUNTERS_MAX,
	RAMLOAD_A_COUNTERS_MAX = (__RAMLOAD_A_COUNTERS_MAX - 1)
};

/**
 * enum ramload_a_folios - how many folios there were of an order
 * @RAMLOAD_A_FOLIOS_UNSPEC: none
 * @RAMLOAD_A_FOLIOS_PAD: for alignment
 * @RAMLOAD_A_FOLIOS_ORDER: u32, log2 of their pages
 * @RAMLOAD_A_FOLIOS_COUNT: u64, how many; orders that had none are left out
 */
enum ramload_a_folios {
	RAMLOAD_A_FOLIOS_UNSPEC,
	RAMLOAD_A_FOLIOS_PAD,
	RAMLOAD_A_FOLIOS_ORDER,
	RAMLOAD_A_FOLIOS_COUNT,

	/* private: */
	__RAMLOAD_A_FOLIOS_MAX,
	RAMLOAD_A_FOLIOS_MAX = (__RAMLOAD_A_FOLIOS_MAX - 1)
};

/**
 * enum ramload_a_totals - what the module has done and has
 * @RAMLOAD_A_TOTALS_UNSPEC: none
 * @RAMLOAD_A_TOTALS_PAD: for alignment
 * @RAMLOAD_A_TOTALS_CONTEXTS: u32, contexts with workers that are there
 * @RAMLOAD_A_TOTALS_WORKERS: u32, their workers
 * @RAMLOAD_A_TOTALS_RUNNING: u64, jobs submitted and not done
 * @RAMLOAD_A_TOTALS_SUBMITTED: u64, jobs that were submitted
 * @RAMLOAD_A_TOTALS_DONE: u64, jobs that are done without an error
 * @RAMLOAD_A_TOTALS_FAILED: u64, jobs that are done with one
 * @RAMLOAD_A_TOTALS_CANCELLED: u64, jobs that were cancelled
 * @RAMLOAD_A_TOTALS_QUEUE_TIME: u64, sum of that of jobs that are done
 * @RAMLOAD_A_TOTALS_SERVICE_TIME: u64, sum of that of jobs that are done
 * @RAMLOAD_A_TOTALS_BYTES_DONE: u64, bytes loaded
 * @RAMLOAD_A_TOTALS_COUNTERS: nest of enum ramload_a_counters
 */
enum ramload_a_totals {
	RAMLOAD_A_TOTALS_UNSPEC,
	RAMLOAD_A_TOTALS_PAD,
	RAMLOAD_A_TOTALS_CONTEXTS,
	RAMLOAD_A_TOTALS_WORKERS,
	RAMLOAD_A_TOTALS_RUNNING,
	RAMLOAD_A_TOTALS_SUBMITTED,
	RAMLOAD_A_TOTALS_DONE,
	RAMLOAD_A_TOTALS_FAILED,
	RAMLOAD_A_TOTALS_CANCELLED,
	RAMLOAD_A_TOTALS_QUEUE_TIME,
	RAMLOAD_A_TOTALS_SERVICE_TIME,
	RAMLOAD_A_TOTALS_BYTES_DONE,
	RAMLOAD_A_TOTALS_COUNTERS,

	/* private: */
	__RAMLOAD_A_TOTALS_MAX,
	RAMLOAD_A_TOTALS_MAX = (__RAMLOAD_A_TOTALS_MAX - 1)
};

#endif /* _UAPI_LINUX_RAMLOAD_NETLINK_H */
