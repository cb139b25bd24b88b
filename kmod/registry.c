// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: registry
 *
 * All contexts that have workers, and all jobs, for those who look at them
 * from outside. Each has an id, from the moment it is made until it is freed.
 *
 * Who looks, copies what there is to see, and takes no reference: a reference
 * to a job would keep its source open, one to a context its mm. So it looks
 * under the lock of the array, which whoever frees a job or a pool takes first,
 * to have it removed. Anybody may look as often as he likes, and others may
 * have any number of jobs: so the lock is held for a few of them at a time.
 *
 * Locking. The arrays have a lock each: pools.xa_lock, then worker_pool.lock;
 * jobs.xa_lock, then load_job.lock. No caller of registry_add_*() and
 * registry_del_*() holds a lock. What a job has counted is under load_job.lock;
 * times and the counts of workers are written by one task each and read
 * without a lock; worker.pid is set once, under worker_pool.lock.
 */

#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "load_job.h"
#include "registry.h"
#include "viewer.h"
#include "worker_pool.h"

/* So many are looked at without a pause. */
#define LOOKS	16

static DEFINE_XARRAY_FLAGS(pools, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static DEFINE_XARRAY_FLAGS(jobs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
static u32 next_pool;
static u32 next_job;
static atomic_t generation = ATOMIC_INIT(1);

void registry_changed(void)
{
	if (!atomic_inc_return(&generation))
		atomic_inc(&generation);
}

u32 registry_generation(void)
{
	return atomic_read(&generation) ?: 1;
}

static int add(struct xarray *xa, u32 *id, void *entry, u32 *next)
{
	int err = xa_alloc_cyclic(xa, id, entry, xa_limit_31b, next,
				  GFP_KERNEL);

	if (err < 0)
		return err == -EBUSY ? -ENOMEM : err;
	return 0;
}

static void del(struct xarray *xa, u32 id)
{
	xa_lock(xa);
	__xa_erase(xa, id);
	registry_changed();
	xa_unlock(xa);
}

/**
 * registry_add_pool() - give a pool an id
 * @pool: a new pool; it is seen from now on
 *
 * Return: 0 or -ENOMEM.
 */
int registry_add_pool(struct worker_pool *pool)
{
	return add(&pools, &pool->id, pool, &next_pool);
}

/**
 * registry_del_pool() - before a pool is freed
 * @pool: the pool, nobody has a reference to
 */
void registry_del_pool(struct worker_pool *pool)
{
	del(&pools, pool->id);
}

/**
 * registry_add_job() - give a job an id
 * @job: a new job; it is seen when it is submitted
 *
 * Return: 0 or -ENOMEM.
 */
int registry_add_job(struct load_job *job)
{
	return add(&jobs, &job->id, job, &next_job);
}

/**
 * registry_del_job() - before a job is freed
 * @job: the job, nobody has a reference to
 */
void registry_del_job(struct load_job *job)
{
	del(&jobs, job->id);
}

/*
 * The first entry from an id on that is seen. The lock is given up now and
 * then, for those who begin or end something.
 */
static void *find(struct xarray *xa, unsigned long *id, const struct viewer *v,
		  bool (*sees)(const struct viewer *v, const void *entry))
{
	unsigned int looks = 0;
	void *entry;

	lockdep_assert_held(&xa->xa_lock);
	for (;; ++*id) {
		entry = xa_find(xa, id, ULONG_MAX, XA_PRESENT);
		if (!entry || sees(v, entry))
			return entry;
		if (++looks % LOOKS)
			continue;
		xa_unlock(xa);
		cond_resched();
		xa_lock(xa);
	}
}

/* One whose threads have ended is there for the sake of its jobs alone. */
static bool sees_pool(const struct viewer *v, const void *entry)
{
	const struct worker_pool *pool = entry;

	return viewer_sees(v, pool->mm, pool->id) && !READ_ONCE(pool->reaped);
}

static void see_pool(const struct viewer *v, struct worker_pool *pool,
		     struct pool_status *status)
{
	*status = (struct pool_status){
		.id = pool->id,
		.pid = viewer_pid(v, pool->pid),
		.nr_workers = pool->nr_workers,
		.start_ns = pool->start_ns,
	};
	memcpy(status->comm, pool->comm, sizeof(status->comm));
	spin_lock(&pool->lock);
	status->unfinished = pool->unfinished;
	spin_unlock(&pool->lock);
}

bool registry_pool(const struct viewer *v, u32 *id, struct pool_status *status)
{
	struct worker_pool *pool;
	unsigned long at = *id;

	xa_lock(&pools);
	pool = find(&pools, &at, v, sees_pool);
	if (pool)
		see_pool(v, pool, status);
	xa_unlock(&pools);
	if (!pool)
		return false;
	*id = at;
	return true;
}

bool registry_pool_by_id(const struct viewer *v, u32 id,
			 struct pool_status *status)
{
	struct worker_pool *pool;

	xa_lock(&pools);
	pool = xa_load(&pools, id);
	if (pool && !sees_pool(v, pool))
		pool = NULL;
	if (pool)
		see_pool(v, pool, status);
	xa_unlock(&pools);
	return pool;
}

static enum ramload_worker_state worker_state(const struct worker *w)
{
	if (READ_ONCE(w->retired) || READ_ONCE(w->killed))
		return RAMLOAD_WORKER_ENDED;
	if (!w->job)
		return RAMLOAD_WORKER_IDLE;
	return w->parked ? RAMLOAD_WORKER_STOPPED : RAMLOAD_WORKER_BUSY;
}

static void see_worker(const struct viewer *v, const struct worker *w,
		       struct worker_status *status)
{
	lockdep_assert_held(&w->pool->lock);
	status->tid = viewer_pid(v, w->pid);
	status->state = worker_state(w);
	status->job = w->job ? w->job->id : 0;
	status->chunks = READ_ONCE(w->chunks);
	status->bytes = READ_ONCE(w->bytes);
	status->busy_ns = READ_ONCE(w->busy_ns);
}

/* The first worker from an index on. False if there is none. */
static bool see_workers(const struct viewer *v, struct worker_pool *pool,
			u32 *index, struct worker_status *status)
{
	bool found = false;

	spin_lock(&pool->lock);
	for (; *index < pool->nr_workers && !pool->reaping; ++*index) {
		found = pool->workers[*index];
		if (!found)
			continue;
		see_worker(v, pool->workers[*index], status);
		break;
	}
	spin_unlock(&pool->lock);
	return found;
}

bool registry_worker(const struct viewer *v, u32 *context, u32 *index,
		     struct worker_status *status)
{
	struct worker_pool *pool;
	unsigned long id = *context;
	u32 i = *index;
	bool found = false;

	xa_lock(&pools);
	while (!found && (pool = find(&pools, &id, v, sees_pool))) {
		if (id != *context)
			i = 0;
		found = see_workers(v, pool, &i, status);
		if (!found)
			id++;
	}
	xa_unlock(&pools);
	if (!found)
		return false;
	status->context = id;
	status->index = i;
	*context = id;
	*index = i;
	return true;
}

void registry_job_status(const struct viewer *v, struct load_job *job,
			 struct job_status *status)
{
	const struct worker_pool *pool = job->pool;

	*status = (struct job_status){
		.id = job->id,
		.context = pool->id,
		.pid = viewer_pid(v, pool->pid),
	};
	memcpy(status->comm, pool->comm, sizeof(status->comm));
	load_job_status(job, status);
}

static bool sees_job(const struct viewer *v, const void *entry)
{
	const struct load_job *job = entry;
	/* Pairs with the release in worker_pool_submit(). */
	const struct worker_pool *pool = smp_load_acquire(&job->pool);

	return pool && viewer_sees(v, pool->mm, pool->id);
}

bool registry_job(const struct viewer *v, u32 *id, struct job_status *status)
{
	unsigned long at = *id;
	struct load_job *job;

	xa_lock(&jobs);
	job = find(&jobs, &at, v, sees_job);
	if (job)
		registry_job_status(v, job, status);
	xa_unlock(&jobs);
	if (!job)
		return false;
	*id = at;
	return true;
}

bool registry_job_by_id(const struct viewer *v, u32 id,
			struct job_status *status)
{
	struct load_job *job;

	xa_lock(&jobs);
	job = xa_load(&jobs, id);
	if (job && !sees_job(v, job))
		job = NULL;
	if (job)
		registry_job_status(v, job, status);
	xa_unlock(&jobs);
	return job;
}

/**
 * registry_count() - contexts that have workers
 * @contexts: how many there are
 * @workers: how many those have
 */
void registry_count(u32 *contexts, u32 *workers)
{
	struct viewer v = { .all = true, .pid_ns = &init_pid_ns };
	struct pool_status status;
	u32 id = 0;

	*contexts = 0;
	*workers = 0;
	for (; registry_pool(&v, &id, &status); id++) {
		++*contexts;
		*workers += status.nr_workers;
	}
}
