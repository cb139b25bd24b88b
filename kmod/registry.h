/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_REGISTRY_H
#define RAMLOAD_REGISTRY_H

#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/ramload.h>
#include <uapi/linux/ramload_netlink.h>

#include "stats.h"

struct load_job;
struct viewer;
struct worker_pool;

/**
 * struct pool_status - how a context stands
 * @id: its id
 * @pid: the process that made it
 * @comm: its name
 * @nr_workers: how many workers it has
 * @unfinished: jobs submitted and not done
 * @start_ns: when it was made, of CLOCK_BOOTTIME
 */
struct pool_status {
	u32 id;
	u32 pid;
	char comm[TASK_COMM_LEN];
	u32 nr_workers;
	u32 unfinished;
	u64 start_ns;
};

/**
 * struct worker_status - how a worker stands
 * @context: id of its context
 * @index: which one it is of that
 * @tid: its thread
 * @state: what it is doing
 * @job: id of the job it has, or 0
 * @chunks: how many it has loaded
 * @bytes: how many it has loaded
 * @busy_ns: how long that took
 */
struct worker_status {
	u32 context;
	u32 index;
	u32 tid;
	enum ramload_worker_state state;
	u32 job;
	u64 chunks;
	u64 bytes;
	u64 busy_ns;
};

/**
 * struct job_status - how a job stands
 * @id: its id
 * @context: id of its context
 * @pid: the process that made the context
 * @comm: its name
 * @result: its outcome, or how far it is
 * @nr_ranges: what was submitted
 * @nr_chunks: what that was cut into
 * @chunks_taken: how many of those workers have taken
 * @submit_ns: when it was submitted, of CLOCK_BOOTTIME
 * @queue_ns: how long it waited for a worker
 * @service_ns: how long it took after that
 * @stats: what was counted
 */
struct job_status {
	u32 id;
	u32 context;
	u32 pid;
	char comm[TASK_COMM_LEN];
	struct ramload_job_result result;
	u32 nr_ranges;
	u32 nr_chunks;
	u32 chunks_taken;
	u64 submit_ns;
	u64 queue_ns;
	u64 service_ns;
	struct stats stats;
};

int registry_add_pool(struct worker_pool *pool);
void registry_del_pool(struct worker_pool *pool);
int registry_add_job(struct load_job *job);
void registry_del_job(struct load_job *job);

/*
 * Called when something has come or gone that is seen, under a lock that those
 * who see it take: a dump that has missed it says so. Never 0.
 */
void registry_changed(void);
u32 registry_generation(void);

/*
 * The first that @v sees from an id on, which is set to its own. Return false,
 * and leave it, if there is none. They may sleep.
 */
bool registry_pool(const struct viewer *v, u32 *id, struct pool_status *status);
bool registry_worker(const struct viewer *v, u32 *context, u32 *index,
		     struct worker_status *status);
bool registry_job(const struct viewer *v, u32 *id, struct job_status *status);

/* That one. Return false if there is none, or @v does not see it. */
bool registry_pool_by_id(const struct viewer *v, u32 id,
			 struct pool_status *status);
bool registry_job_by_id(const struct viewer *v, u32 id,
			struct job_status *status);

/* How a job stands that the caller has a reference to. */
void registry_job_status(const struct viewer *v, struct load_job *job,
			 struct job_status *status);

void registry_count(u32 *contexts, u32 *workers);

#endif /* RAMLOAD_REGISTRY_H */
