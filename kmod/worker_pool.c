// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: worker_pool
 *
 * The workers of a context. Each takes the oldest job that may have chunks
 * left, then chunk after chunk of it, and goes to sleep when there is no job.
 * There is no dispatcher, and no lock for a chunk.
 *
 * A job is in the list from its submission until the first worker finds no
 * chunk to take, or until it is dropped. A worker *has* a job from taking it
 * off the list's head (the job stays in the list for others) until it leaves
 * it. Whoever makes "not in the list, and no worker has it" true, finishes the
 * job.
 *
 * Life. RAMLOAD_SETUP creates the pool and its threads. A pool dies, once and
 * for all, when its context is closed or when a thread is killed with its
 * process: queued jobs end at once as cancelled, running ones when their
 * workers notice. The threads are stopped after that, by close if it may wait
 * for them, else from a workqueue: an exiting task, or a kthread that drops
 * the last reference to a file, must not wait for a worker that waits for
 * something that only they can bring about, a FUSE request whose daemon has
 * not been closed yet, say. The memory goes with the last reference; jobs
 * hold one, so a job may outlive its context and its threads.
 *
 * Locking. @lock protects the list, load_job.running and the counts. It is
 * taken for submitting, taking, leaving and dropping a job, with nothing but
 * load_job.lock below it. @dead is written under @lock and read anywhere. The
 * array of workers does not change; worker.job and worker.fill belong to the
 * worker's thread.
 *
 * The pool holds the mm's struct (mmgrab), not its users: it does not keep a
 * dead process's memory. Whoever fills pages has users: a thread of the
 * process by being one, a kthread by mmget_not_zero().
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "limits.h"
#include "load_job.h"
#include "worker_pool.h"

static struct workqueue_struct *reap_wq;

static void worker_pool_release(struct kref *ref)
{
	struct worker_pool *pool = container_of(ref, struct worker_pool, ref);
	unsigned int i;

	for (i = 0; i < pool->nr_workers; i++)
		kvfree(pool->workers[i]);
	limit_workers_give(pool->nr_workers);
	put_cred(pool->cred);
	mmdrop(pool->mm);
	kfree(pool);
}

void worker_pool_put(struct worker_pool *pool)
{
	kref_put(&pool->ref, worker_pool_release);
}

static void stop_threads(struct worker_pool *pool, unsigned int nr)
{
	while (nr--)
		worker_thread_stop(pool->workers[nr]);
}

static bool is_idle(struct worker_pool *pool)
{
	bool idle;

	spin_lock(&pool->lock);
	idle = !pool->unfinished;
	spin_unlock(&pool->lock);
	return idle;
}

/* A thread must not be stopped while it has a job: it would not leave it. */
static void reap(struct work_struct *work)
{
	struct worker_pool *pool = container_of(work, struct worker_pool, reap);

	wait_event_idle(pool->idle, is_idle(pool));
	stop_threads(pool, pool->nr_workers);
	worker_pool_put(pool);
}

static struct worker_pool *alloc_pool(struct mm_struct *mm,
				      unsigned int nr_workers)
{
	struct worker_pool *pool;

	if (limit_workers_take(nr_workers))
		return ERR_PTR(-EAGAIN);
	pool = kzalloc(struct_size(pool, workers, nr_workers),
		       GFP_KERNEL_ACCOUNT);
	if (!pool) {
		limit_workers_give(nr_workers);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&pool->ref);
	mmgrab(mm);
	pool->mm = mm;
	pool->cred = get_current_cred();
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->jobs);
	init_waitqueue_head(&pool->idle);
	INIT_WORK(&pool->reap, reap);
	pool->nr_workers = nr_workers;
	return pool;
}

static int create_worker(struct worker_pool *pool, unsigned int i)
{
	struct worker *w = kvzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return -ENOMEM;
	w->pool = pool;
	w->fill.mm = pool->mm;
	pool->workers[i] = w;
	return worker_thread_create(w);
}

/**
 * worker_pool_create() - make a pool and its threads
 * @mm: the caller's mm
 * @nr_workers: 1 to limit_workers()
 *
 * Return: the pool, to be given to worker_pool_shutdown(), or ERR_PTR() of
 * -EAGAIN, -ENOMEM, or what making a thread returns.
 */
struct worker_pool *worker_pool_create(struct mm_struct *mm,
				       unsigned int nr_workers)
{
	struct worker_pool *pool = alloc_pool(mm, nr_workers);
	unsigned int i;
	int err;

	if (IS_ERR(pool))
		return pool;
	for (i = 0; i < nr_workers; i++) {
		err = create_worker(pool, i);
		if (err)
			goto err_stop;
	}
	return pool;

err_stop:
	stop_threads(pool, i);
	worker_pool_put(pool);
	return ERR_PTR(err);
}

/* No worker has the job, and none can take it. */
static void finish(struct worker_pool *pool, struct load_job *job)
{
	load_job_finish(job);
	spin_lock(&pool->lock);
	if (!--pool->unfinished)
		wake_up_all(&pool->idle);
	spin_unlock(&pool->lock);
}

/**
 * worker_pool_submit() - give a job to the workers
 * @pool: the pool
 * @job: a job that was never submitted
 *
 * Return: 0, -ESHUTDOWN if the pool is dead, -EBUSY if it has too many
 * unfinished jobs.
 */
int worker_pool_submit(struct worker_pool *pool, struct load_job *job)
{
	unsigned int nr = min(pool->nr_workers, job->request->nr_chunks);
	int err = 0;

	spin_lock(&pool->lock);
	if (pool->dead) {
		err = -ESHUTDOWN;
	} else if (pool->unfinished >= limit_jobs()) {
		err = -EBUSY;
	} else {
		pool->unfinished++;
		kref_get(&pool->ref);
		job->pool = pool;
		load_job_get(job);
		list_add_tail(&job->node, &pool->jobs);
	}
	spin_unlock(&pool->lock);
	if (err)
		return err;
	/* The job may be done, and @job->request gone, from here on. */
	while (nr--)
		worker_thread_wake(pool->workers[nr]);
	return 0;
}

/**
 * worker_pool_drop() - end a cancelled job that no worker has
 * @pool: the job's pool
 * @job: a cancelled job
 *
 * If workers have it, the last of them will end it.
 */
void worker_pool_drop(struct worker_pool *pool, struct load_job *job)
{
	bool mine = false;

	spin_lock(&pool->lock);
	if (!list_empty(&job->node) && !job->running) {
		list_del_init(&job->node);
		mine = true;
	}
	spin_unlock(&pool->lock);
	if (mine)
		finish(pool, job);
}

/*
 * No more jobs. Those that no worker has end here; a job that was taken off the
 * list and has workers is theirs, and may be gone as soon as @lock is dropped.
 */
static void die(struct worker_pool *pool)
{
	struct load_job *job;
	bool orphan;

	do {
		orphan = false;
		spin_lock(&pool->lock);
		WRITE_ONCE(pool->dead, true);
		job = list_first_entry_or_null(&pool->jobs, struct load_job,
					       node);
		if (job) {
			list_del_init(&job->node);
			orphan = !job->running;
		}
		spin_unlock(&pool->lock);
		if (orphan)
			finish(pool, job);
	} while (job);
}

/**
 * worker_pool_may_wait() - may the task that closes a file wait for workers
 *
 * Not a task that is exiting, nor a kthread: see DOC: worker_pool.
 */
bool worker_pool_may_wait(void)
{
	return !(current->flags & (PF_EXITING | PF_KTHREAD));
}

/**
 * worker_pool_shutdown() - end a pool
 * @pool: the pool; not the caller's any more
 *
 * Cancels all jobs and waits until they are done, unless the task must not
 * wait or gets a fatal signal.
 */
void worker_pool_shutdown(struct worker_pool *pool)
{
	unsigned int i;

	die(pool);
	for (i = 0; i < pool->nr_workers; i++)
		worker_thread_interrupt(pool->workers[i]);
	if (worker_pool_may_wait() &&
	    !wait_event_killable(pool->idle, is_idle(pool)))
		reap(&pool->reap);
	else
		queue_work(reap_wq, &pool->reap);
}

bool worker_has_work(const struct worker *w)
{
	return w->job || !list_empty_careful(&w->pool->jobs);
}

static struct load_job *take_job(struct worker_pool *pool)
{
	struct load_job *job;

	spin_lock(&pool->lock);
	job = list_first_entry_or_null(&pool->jobs, struct load_job, node);
	if (job)
		job->running++;
	spin_unlock(&pool->lock);
	return job;
}

static void leave_job(struct worker *w)
{
	struct worker_pool *pool = w->pool;
	struct load_job *job = w->job;
	bool last;

	w->job = NULL;
	spin_lock(&pool->lock);
	list_del_init(&job->node);
	last = !--job->running;
	spin_unlock(&pool->lock);
	if (last)
		finish(pool, job);
}

/**
 * worker_step() - load a chunk, or take or leave a job
 * @w: the worker
 *
 * Context: the worker's thread, which has users of the pool's mm.
 */
void worker_step(struct worker *w)
{
	u32 chunk;

	if (!w->job)
		w->job = take_job(w->pool);
	if (!w->job)
		return;
	if (load_job_take_chunk(w->job, &chunk))
		fill_chunk(&w->fill, w->job, chunk);
	else
		leave_job(w);
}

/**
 * worker_died() - the end of a thread that was not stopped
 * @w: the worker
 *
 * Its process ends or calls execve(2), and takes the other threads with it.
 */
void worker_died(struct worker *w)
{
	die(w->pool);
	if (w->job)
		leave_job(w);
}

int worker_pool_init(void)
{
	reap_wq = alloc_workqueue("ramload_reap", WQ_UNBOUND, 0);
	return reap_wq ? 0 : -ENOMEM;
}

/* Waits for the threads of all pools: they run code of this module. */
void worker_pool_exit(void)
{
	destroy_workqueue(reap_wq);
}
