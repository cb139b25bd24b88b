/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_WORKER_POOL_H
#define RAMLOAD_WORKER_POOL_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "fill.h"

struct limit_user;
struct load_job;
struct mm_struct;
struct pid;
struct task_struct;
struct vhost_task;
struct worker_pool;

/**
 * struct worker - a thread that takes chunks
 * @pool: the pool it belongs to
 * @job: the job it has, or NULL; written under worker_pool.lock
 * @in_chunk: it is in the middle of a chunk of @job
 * @retired: it will take no job any more
 * @killed: its thread ends by itself
 * @parked: its thread is off to handle signals, between two batches of @job;
 *	under worker_pool.lock
 * @vtsk: its thread, where workers are threads of the caller; else NULL
 * @task: its thread, once it has run; there until @killed
 * @pid: that of its thread, once it has run; a reference
 * @chunks: chunks it is through with; written by its thread, as @bytes and
 *	@busy_ns are
 * @bytes: bytes it has loaded
 * @busy_ns: how long it was in chunks
 * @fill: what it needs to fill pages
 */
struct worker {
	struct worker_pool *pool;
	struct load_job *job;
	bool in_chunk;
	bool retired;
	bool killed;
	bool parked;
	struct vhost_task *vtsk;
	struct task_struct *task;
	struct pid *pid;
	u64 chunks;
	u64 bytes;
	u64 busy_ns;
	struct fill fill;
};

/**
 * struct worker_pool - the workers of a context, and the jobs they work on
 * @id: its id, for those who look from outside
 * @ref: references: of the context, of the threads until they are reaped, of
 *	each job
 * @mm: the mm of the context; its struct is held, not its users
 * @user: whose workers they are
 * @pid: the process that made it; a reference
 * @comm: its name then
 * @start_ns: when it was made, of CLOCK_BOOTTIME
 * @lock: protects what is between it and @wait, worker.job, load_job.node and
 *	load_job.running
 * @jobs: jobs that may have chunks to take, oldest first
 * @unfinished: jobs submitted and not done
 * @dead: no job is taken any more, those there are end
 * @reaping: the workers are no longer to be touched
 * @reaped: the threads have ended
 * @wait: woken when @reaped is set, and when a dead pool has no more jobs
 * @active: workers that have not retired, and RAMLOAD_SETUP while it runs
 * @reap: ends the threads
 * @turn: in the list of pools whose threads are to be ended
 * @nr_workers: how many
 * @workers: the workers
 */
struct worker_pool {
	u32 id;
	struct kref ref;
	struct mm_struct *mm;
	struct limit_user *user;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	u64 start_ns;
	spinlock_t lock;	/* jobs and counts */
	struct list_head jobs;
	unsigned int unfinished;
	bool dead;
	bool reaping;
	bool reaped;
	wait_queue_head_t wait;
	atomic_t active;
	struct delayed_work reap;
	struct list_head turn;
	unsigned int nr_workers;
	struct worker *workers[];
};

struct worker_pool *worker_pool_create(struct mm_struct *mm,
				       struct limit_user *user,
				       unsigned int nr_workers);
void worker_pool_shutdown(struct worker_pool *pool);
void worker_pool_put(struct worker_pool *pool);
int worker_pool_submit(struct worker_pool *pool, struct load_job *job);
void worker_pool_drop(struct worker_pool *pool, struct load_job *job);
bool worker_pool_may_wait(const struct worker_pool *pool);

int worker_pool_init(void);
void worker_pool_exit(void);

static inline bool worker_pool_dead(const struct worker_pool *pool)
{
	return READ_ONCE(pool->dead);
}

/* For the threads. */
void worker_begin(struct worker *w);
bool worker_has_work(const struct worker *w);
void worker_step(struct worker *w);
bool worker_park(struct worker *w);
void worker_unpark(struct worker *w);
void worker_retire_if_dead(struct worker *w);
void worker_died(struct worker *w);

/*
 * The threads: threads of the caller where the kernel has vhost_task, else
 * kthreads. worker_thread_create() returns 0 or an errno; the thread runs
 * worker_step() whenever worker_has_work() until worker_thread_stop(), which
 * waits for its end. Unless worker_thread_may_stop(), that could take for ever:
 * it is stopped with its process. worker_thread_wake() returns false if the
 * thread will not run because of that, or has ended. worker_thread_interrupt()
 * ends a killable sleep of a thread whose pool is dead, where no signal to the
 * process does. All but creating and stopping it are for who has
 * worker_pool.lock.
 */
int worker_thread_create(struct worker *w);
bool worker_thread_wake(struct worker *w);
void worker_thread_interrupt(struct worker *w);
bool worker_thread_may_stop(const struct worker *w);
void worker_thread_stop(struct worker *w);

#endif /* RAMLOAD_WORKER_POOL_H */
