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
 * Waking. A submission wakes as many workers without a job as it has chunks.
 * Two submissions may wake the same one; so a worker that takes a job and
 * sees another that nobody has, wakes one more. Hence no job waits behind a
 * worker that is stuck in another as long as there is an idle one.
 *
 * Life. RAMLOAD_SETUP creates the pool and its threads. A pool dies, once and
 * for all, when its context is closed or when a thread is killed with its
 * process: queued jobs end at once as cancelled, running ones when their
 * workers notice, one that is in no list yet by who submits it. Each worker
 * retires when the pool is dead and it has no job; the last one has reap()
 * called from a workqueue, which ends the threads and frees the workers. It
 * waits for each, and a thread whose owner keeps it from running, in the one
 * moment when that is not looked for, keeps it waiting: uninterruptibly, so that
 * the kernel may report a hung task ("ramload_reap"). So the pools of a user take
 * turns, and nobody has more than one kworker.
 *
 * Parking. A worker that is stopped with its process, or by a debugger, may
 * have a job. It is between two batches then, and says so: it is *parked*. Who
 * cancels the job takes it off a parked worker, which finds that out when it
 * runs again. So the end of a job waits for batches, never for a SIGCONT.
 *
 * Waiting. Nobody sleeps for a worker's sake but the process that it belongs
 * to, and that killably (worker_pool_shutdown()): a worker may be stuck in a
 * FUSE read for ever. If that process has signals to handle, which may be those
 * that stop it, it waits for the jobs alone.
 *
 * References: the context, the threads (until they are reaped) and each job.
 * So a job may outlive its context and the threads. The pool holds the module
 * until its threads are reaped: they run its code.
 *
 * Locking. @lock protects the list, load_job.running, the count of jobs and
 * the way from @dead to @reaped; load_job.lock is below it, and what waking
 * and signalling a thread takes. A thread may be touched under @lock until it
 * is @killed: it takes the lock after that, before it ends. turns_lock protects
 * the list of pools that reap() is to stop; no lock is taken below it but that
 * of the workqueue. @dead is written under @lock and read
 * anywhere. The array of workers does not change from the end of
 * RAMLOAD_SETUP until reap(); it may be used under @lock unless @reaped.
 * worker.fill and worker.in_chunk belong to the worker's thread, and so does
 * worker.job, which others may look at to see whether it is idle; while it is
 * parked, they belong to who has @lock.
 *
 * The pool holds the mm's struct (mmgrab), not its users: it does not keep a
 * dead process's memory. Whoever fills pages has users: a thread of the
 * process by being one, a kthread by mmget_not_zero().
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "fault_point.h"
#include "limits.h"
#include "load_job.h"
#include "netlink.h"
#include "registry.h"
#include "trace.h"
#include "worker_pool.h"

#define REAP_RETRY	(HZ / 10)

static struct workqueue_struct *reap_wq;
static DEFINE_SPINLOCK(turns_lock);	/* the list of turns */
static LIST_HEAD(turns);

static void worker_pool_release(struct kref *ref)
{
	struct worker_pool *pool = container_of(ref, struct worker_pool, ref);

	registry_del_pool(pool);
	put_pid(pool->pid);
	limit_user_put(pool->user);
	mmdrop(pool->mm);
	kfree(pool);
}

void worker_pool_put(struct worker_pool *pool)
{
	kref_put(&pool->ref, worker_pool_release);
}

static struct worker_pool *first_of(const struct limit_user *user)
{
	struct worker_pool *pool;

	lockdep_assert_held(&turns_lock);
	list_for_each_entry(pool, &turns, turn)
		if (pool->user == user)
			return pool;
	return NULL;
}

/* If it is not this pool's turn, end_turn() has reap() called again. */
static bool take_turn(struct worker_pool *pool)
{
	bool mine;

	spin_lock(&turns_lock);
	if (list_empty(&pool->turn))
		list_add_tail(&pool->turn, &turns);
	mine = first_of(pool->user) == pool;
	spin_unlock(&turns_lock);
	return mine;
}

static void end_turn(struct worker_pool *pool)
{
	struct worker_pool *next;

	spin_lock(&turns_lock);
	list_del_init(&pool->turn);
	next = first_of(pool->user);
	if (next)
		queue_delayed_work(reap_wq, &next->reap, 0);
	spin_unlock(&turns_lock);
}

static bool may_stop_threads(const struct worker_pool *pool)
{
	const struct worker *w;
	unsigned int i;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < pool->nr_workers; i++) {
		w = pool->workers[i];
		if (w && !worker_thread_may_stop(w))
			return false;
	}
	return true;
}

static bool begin_reaping(struct worker_pool *pool)
{
	spin_lock(&pool->lock);
	pool->reaping = may_stop_threads(pool);
	if (pool->reaping)
		registry_changed();
	spin_unlock(&pool->lock);
	return pool->reaping;
}

static void stop_threads(struct worker_pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->nr_workers; i++) {
		if (!pool->workers[i])
			continue;
		worker_thread_stop(pool->workers[i]);
		put_pid(pool->workers[i]->pid);
		kvfree(pool->workers[i]);
	}
}

/*
 * All workers have retired: their threads end when they are asked to, unless
 * they are stopped with their process. That may be for long; come again.
 */
static void reap(struct work_struct *work)
{
	struct worker_pool *pool = container_of(to_delayed_work(work),
						struct worker_pool, reap);

	if (!take_turn(pool))
		return;
	if (!begin_reaping(pool)) {
		end_turn(pool);
		queue_delayed_work(reap_wq, &pool->reap, REAP_RETRY);
		return;
	}
	stop_threads(pool);
	end_turn(pool);
	limit_workers_give(pool->user, pool->nr_workers);
	/* What is left of this function, worker_pool_exit() waits for. */
	module_put(THIS_MODULE);

	/* Under the lock: whoever sees it may drop the last reference. */
	spin_lock(&pool->lock);
	WRITE_ONCE(pool->reaped, true);
	registry_changed();
	wake_up_all(&pool->wait);
	spin_unlock(&pool->lock);
	worker_pool_put(pool);
}

/* One worker less, or the end of RAMLOAD_SETUP. */
static void retire(struct worker_pool *pool)
{
	if (atomic_dec_and_test(&pool->active))
		queue_delayed_work(reap_wq, &pool->reap, 0);
}

static struct worker_pool *alloc_pool(struct mm_struct *mm,
				      struct limit_user *user,
				      unsigned int nr_workers)
{
	struct worker_pool *pool;

	if (limit_workers_take(user, nr_workers))
		return ERR_PTR(-EAGAIN);
	pool = kzalloc(struct_size(pool, workers, nr_workers),
		       GFP_KERNEL_ACCOUNT);
	if (!pool)
		goto err_limit;
	kref_init(&pool->ref);
	pool->mm = mm;
	get_task_comm(pool->comm, current->group_leader);
	pool->start_ns = ktime_get_boottime_ns();
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->jobs);
	init_waitqueue_head(&pool->wait);
	INIT_LIST_HEAD(&pool->turn);
	INIT_DELAYED_WORK(&pool->reap, reap);
	atomic_set(&pool->active, 1);
	pool->nr_workers = nr_workers;
	pool->pid = get_pid(task_tgid(current));
	if (registry_add_pool(pool))
		goto err_pid;
	__module_get(THIS_MODULE);
	mmgrab(mm);
	pool->user = limit_user_get(user);
	return pool;

err_pid:
	put_pid(pool->pid);
	kfree(pool);
err_limit:
	limit_workers_give(user, nr_workers);
	return ERR_PTR(-ENOMEM);
}

static int create_worker(struct worker_pool *pool, unsigned int i)
{
	struct worker *w = kvzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	int err;

	if (!w)
		return -ENOMEM;
	w->pool = pool;
	w->fill.mm = pool->mm;
	w->fill.process = pool->pid;
	atomic_inc(&pool->active);
	err = fault_point(FAULT_WORKER) ? -ENOMEM : worker_thread_create(w);
	if (err) {
		atomic_dec(&pool->active);
		kvfree(w);
		return err;
	}
	spin_lock(&pool->lock);
	pool->workers[i] = w;
	registry_changed();
	spin_unlock(&pool->lock);
	return 0;
}

/* A thread that is stopped is woken, too, but does not count. */
static void wake_idle(struct worker_pool *pool, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < pool->nr_workers && nr; i++) {
		if (READ_ONCE(pool->workers[i]->job))
			continue;
		nr -= worker_thread_wake(pool->workers[i]);
	}
}

/* No worker has the job, and none can take it. */
static void finish(struct worker_pool *pool, struct load_job *job)
{
	/* First: who sees the end of a job may submit another one. */
	spin_lock(&pool->lock);
	if (!--pool->unfinished && pool->dead)
		wake_up_all(&pool->wait);
	spin_unlock(&pool->lock);
	load_job_finish(job);
}

/* Take a cancelled job off a parked worker, if it is @job or that is NULL. */
static struct load_job *relieve(struct worker *w, const struct load_job *job)
{
	struct load_job *had = w->job;

	if (!w->parked || !had || (job && had != job))
		return NULL;
	if (w->in_chunk)
		fill_abandon(&w->fill, had);
	w->in_chunk = false;
	WRITE_ONCE(w->job, NULL);
	list_del_init(&had->node);
	had->running--;
	return had;
}

/*
 * Take cancelled jobs, @job or all, off parked workers. Returns one that is to
 * be finished: the last worker was relieved of it.
 */
static struct load_job *relieve_parked(struct worker_pool *pool,
				       const struct load_job *job)
{
	struct load_job *had;
	unsigned int i;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < pool->nr_workers && !pool->reaping; i++) {
		if (!pool->workers[i])
			continue;
		had = relieve(pool->workers[i], job);
		if (had && !had->running)
			return had;
	}
	return NULL;
}

/*
 * No more jobs. Those that no worker has end here; a job that was taken off the
 * list and has workers is theirs, and may be gone as soon as @lock is dropped.
 */
static void die(struct worker_pool *pool)
{
	struct load_job *job;
	unsigned int i;
	bool orphan;

	do {
		spin_lock(&pool->lock);
		WRITE_ONCE(pool->dead, true);
		job = relieve_parked(pool, NULL) ?:
		      list_first_entry_or_null(&pool->jobs, struct load_job,
					       node);
		orphan = job && !job->running;
		if (job)
			list_del_init(&job->node);
		spin_unlock(&pool->lock);
		if (orphan)
			finish(pool, job);
	} while (job);

	/* Workers that sleep are to retire. */
	spin_lock(&pool->lock);
	for (i = 0; i < pool->nr_workers && !pool->reaping; i++)
		if (pool->workers[i])
			worker_thread_wake(pool->workers[i]);
	spin_unlock(&pool->lock);
}

/*
 * Workers that could not be made are nobody's. But one counts until the pool is
 * reaped, so that there is a limit to pools that wait for that.
 */
static void give_up_workers(struct worker_pool *pool, unsigned int nr_made)
{
	unsigned int nr = max(nr_made, 1U), rest = pool->nr_workers - nr;

	spin_lock(&pool->lock);
	pool->nr_workers = nr;
	spin_unlock(&pool->lock);
	limit_workers_give(pool->user, rest);
}

/**
 * worker_pool_create() - make a pool and its threads
 * @mm: the caller's mm
 * @user: whose workers they are
 * @nr_workers: 1 to limit_workers()
 *
 * Return: the pool, to be given to worker_pool_shutdown(), or ERR_PTR() of
 * -EAGAIN, -ENOMEM, or what making a thread returns.
 */
struct worker_pool *worker_pool_create(struct mm_struct *mm,
				       struct limit_user *user,
				       unsigned int nr_workers)
{
	struct worker_pool *pool = alloc_pool(mm, user, nr_workers);
	unsigned int i;
	int err = 0;

	if (IS_ERR(pool))
		return pool;
	for (i = 0; i < nr_workers && !err; i++)
		err = create_worker(pool, i);
	if (err) {
		give_up_workers(pool, i - 1);
		die(pool);
	} else {
		kref_get(&pool->ref);
	}
	retire(pool);
	return err ? ERR_PTR(err) : pool;
}

/* The job is the pool's then, and seen from outside, but in no list yet. */
static int admit(struct worker_pool *pool, struct load_job *job)
{
	int err = 0;

	spin_lock(&pool->lock);
	if (pool->dead) {
		err = -ESHUTDOWN;
	} else if (pool->unfinished >= limit_jobs()) {
		err = -EBUSY;
	} else {
		pool->unfinished++;
		kref_get(&pool->ref);
		load_job_get(job);
		job->told = jiffies;
		job->submit_ns = ktime_get_boottime_ns();
		/* Pairs with the acquire in sees_job(). */
		smp_store_release(&job->pool, pool);
		registry_changed();
	}
	spin_unlock(&pool->lock);
	return err;
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
	bool dead;
	int err;

	err = admit(pool, job);
	if (err)
		return err;
	totals_add_submitted();
	/* Before a worker can tell of its end. */
	netlink_job_started(job);
	trace_job_submit(job);
	spin_lock(&pool->lock);
	dead = pool->dead;
	if (!dead) {
		list_add_tail(&job->node, &pool->jobs);
		wake_idle(pool, job->nr_chunks);
	}
	spin_unlock(&pool->lock);
	if (dead)
		finish(pool, job);
	return 0;
}

/**
 * worker_pool_drop() - end a cancelled job that no worker is at work on
 * @pool: the job's pool
 * @job: a cancelled job
 *
 * If workers have it that are not parked, the last of them will end it.
 */
void worker_pool_drop(struct worker_pool *pool, struct load_job *job)
{
	bool mine = false;

	spin_lock(&pool->lock);
	if (relieve_parked(pool, job)) {
		mine = true;
	} else if (!list_empty(&job->node) && !job->running) {
		list_del_init(&job->node);
		mine = true;
	}
	spin_unlock(&pool->lock);
	if (mine)
		finish(pool, job);
}

/*
 * A process that ends, or a thread that does because another calls execve(2). It may
 * close files before it is PF_EXITING, as that of an io_uring does
 * (IORING_SETUP_SQPOLL), but has had its SIGKILL and may get no other.
 */
static bool is_ending(void)
{
	const struct signal_struct *sig = current->signal;

	return current->flags & PF_EXITING ||
	       READ_ONCE(sig->flags) & SIGNAL_GROUP_EXIT ||
	       READ_ONCE(sig->group_exec_task);
}

/**
 * worker_pool_may_wait() - may the task that closes a file wait for workers
 * @pool: the pool
 *
 * Only the process whose memory it is needs to, and it can be killed out of
 * it. Others (the fd was passed on) must not be held up by it; an ending task
 * or a kthread that drops the last reference might wait for itself.
 *
 * Return: true if it may.
 */
bool worker_pool_may_wait(const struct worker_pool *pool)
{
	return current->mm == pool->mm && !(current->flags & PF_KTHREAD) &&
	       !is_ending();
}

static bool is_reaped(struct worker_pool *pool)
{
	bool reaped;

	spin_lock(&pool->lock);
	reaped = pool->reaped;
	spin_unlock(&pool->lock);
	return reaped;
}

static bool is_idle(struct worker_pool *pool)
{
	bool idle;

	spin_lock(&pool->lock);
	idle = !pool->unfinished;
	spin_unlock(&pool->lock);
	return idle;
}

/* Returns an errno if the task got a fatal signal before. */
static int wait_for_end(struct worker_pool *pool)
{
	if (!wait_event_state(pool->wait, is_reaped(pool),
			      (TASK_INTERRUPTIBLE | TASK_FREEZABLE)))
		return 0;
	return wait_event_state(pool->wait, is_idle(pool),
				(TASK_KILLABLE | TASK_FREEZABLE));
}

/* Where no signal to the process does it, end killable sleeps. */
static void interrupt(struct worker_pool *pool)
{
	unsigned int i;

	spin_lock(&pool->lock);
	for (i = 0; i < pool->nr_workers && !pool->reaping; i++)
		worker_thread_interrupt(pool->workers[i]);
	spin_unlock(&pool->lock);
}

/**
 * worker_pool_shutdown() - end a pool
 * @pool: the pool; not the caller's any more
 *
 * Cancels all jobs. The process that the workers belong to waits until they
 * have ended, or, if it has signals to handle, until the jobs have, unless it
 * gets a fatal signal.
 */
void worker_pool_shutdown(struct worker_pool *pool)
{
	die(pool);
	if (!worker_pool_may_wait(pool) || wait_for_end(pool))
		interrupt(pool);
	worker_pool_put(pool);
}

bool worker_has_work(const struct worker *w)
{
	return w->job || !list_empty_careful(&w->pool->jobs);
}

static void take_job(struct worker *w)
{
	struct worker_pool *pool = w->pool;
	struct load_job *job;

	spin_lock(&pool->lock);
	job = list_first_entry_or_null(&pool->jobs, struct load_job, node);
	if (job) {
		job->running++;
		WRITE_ONCE(w->job, job);
		if (!list_last_entry(&pool->jobs, struct load_job,
				     node)->running)
			wake_idle(pool, 1);
	}
	spin_unlock(&pool->lock);
}

static void leave_job(struct worker *w)
{
	struct worker_pool *pool = w->pool;
	struct load_job *job = w->job;
	bool last;

	spin_lock(&pool->lock);
	WRITE_ONCE(w->job, NULL);
	list_del_init(&job->node);
	last = !--job->running;
	spin_unlock(&pool->lock);
	if (last)
		finish(pool, job);
}

/* At the end of a chunk, or of a part of it: what others look at. */
static void account(struct worker *w, u64 start)
{
	WRITE_ONCE(w->chunks, w->chunks + !w->in_chunk);
	WRITE_ONCE(w->bytes, w->bytes + w->fill.done);
	WRITE_ONCE(w->busy_ns, w->busy_ns + ktime_get_ns() - start);
}

static void run_chunk(struct worker *w)
{
	const struct cred *old = override_creds(w->job->cred);
	u64 start = ktime_get_ns();

	w->in_chunk = !fill_run(&w->fill, w->job);
	account(w, start);
	revert_creds(old);
}

/**
 * worker_begin() - the first that a thread does
 * @w: the worker
 */
void worker_begin(struct worker *w)
{
	struct worker_pool *pool = w->pool;

	if (w->pid)
		return;
	spin_lock(&pool->lock);
	w->pid = get_pid(task_pid(current));
	spin_unlock(&pool->lock);
}

/**
 * worker_step() - load a chunk or the rest of one, or take or leave a job
 * @w: the worker
 *
 * Context: the worker's thread, which has users of the pool's mm.
 */
void worker_step(struct worker *w)
{
	u32 chunk;

	if (w->in_chunk) {
		run_chunk(w);
	} else if (!w->job) {
		take_job(w);
	} else if (load_job_take_chunk(w->job, &chunk)) {
		fill_start(&w->fill, w->job, chunk);
		run_chunk(w);
	} else {
		leave_job(w);
	}
}

/**
 * worker_park() - before a thread handles signals
 * @w: the worker
 *
 * Return: true if it may do so, and is to call worker_unpark() then; false if
 * its job has been cancelled: somebody may wait for its end, be it first.
 */
bool worker_park(struct worker *w)
{
	struct worker_pool *pool = w->pool;

	spin_lock(&pool->lock);
	w->parked = !w->job || !load_job_cancelled(w->job);
	spin_unlock(&pool->lock);
	return w->parked;
}

/**
 * worker_unpark() - when a thread has handled signals
 * @w: the worker, which may have lost its job
 */
void worker_unpark(struct worker *w)
{
	struct worker_pool *pool = w->pool;

	spin_lock(&pool->lock);
	w->parked = false;
	spin_unlock(&pool->lock);
}

/**
 * worker_retire_if_dead() - for a worker without a job
 * @w: the worker
 */
void worker_retire_if_dead(struct worker *w)
{
	if (w->retired || w->job || !worker_pool_dead(w->pool))
		return;
	w->retired = true;
	retire(w->pool);
}

/**
 * worker_died() - the end of a thread that was not stopped
 * @w: the worker
 *
 * Its process ends or calls execve(2), and takes the other threads with it.
 */
void worker_died(struct worker *w)
{
	WRITE_ONCE(w->killed, true);
	worker_unpark(w);
	die(w->pool);
	/* A dead pool has its jobs cancelled: nothing is loaded here. */
	if (w->in_chunk)
		run_chunk(w);
	if (w->job)
		leave_job(w);
	worker_retire_if_dead(w);
}

int worker_pool_init(void)
{
	reap_wq = alloc_workqueue("ramload_reap", WQ_UNBOUND, 0);
	return reap_wq ? 0 : -ENOMEM;
}

void worker_pool_exit(void)
{
	destroy_workqueue(reap_wq);
}
