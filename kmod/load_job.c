// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: load_job
 *
 * A submission: a request, the source, how far it is, and how it ended.
 *
 * Life. load_job_create() makes it; worker_pool_submit() gives it to the
 * workers; each takes chunk after chunk with one atomic increment of the
 * cursor. The last worker to leave a job that has no more to take, or whoever
 * removes a job that no worker has, calls load_job_finish(): the request is
 * released, @done is set and waiters are woken. From then on the job is its
 * result, which lives as long as somebody holds a reference.
 *
 * A job carries the credentials of the task that submitted it; workers read the
 * source and allocate the destination with those. So who gives up rights, by
 * setuid(2) or by a change of its security label, has given them up for all
 * loads that it submits from then on, whenever the workers were made.
 *
 * The source is closed by the owner of the job, when it reads the result of a
 * job that is done, or closes the job's file. A worker would close it at some
 * later time, when the owner may already have found that it cannot unmount
 * the file system.
 *
 * Chunks are taken in order, and a chunk that was taken is run to its end or
 * to its first error. So if the error at the lowest position is kept, all
 * bytes before it are loaded: chunks below it were taken before and had none.
 * A cancelled job keeps the rule: whoever is stopped reports where.
 *
 * Locking. @lock protects the error and what was counted; it is a leaf, under
 * worker_pool.lock, the registry's, or alone. @node and @running belong to
 * worker_pool.lock. @cancelled and @failed are only ever set, and read without
 * a lock: seeing them late costs a batch or a chunk of work, nothing else.
 * @request does not change until load_job_finish(), which nobody calls while a
 * worker has the job; @source not until @done, and is then closed by who takes
 * it out with xchg().
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "load_job.h"
#include "netlink.h"
#include "registry.h"
#include "trace.h"
#include "worker_pool.h"

/**
 * load_job_create() - make a job
 * @request: what to load; the job's on success
 * @source: where from; moved into the job on success
 *
 * It is seen by those who look from outside when it is submitted.
 *
 * Return: the job with one reference, or ERR_PTR(-ENOMEM).
 */
struct load_job *load_job_create(struct load_request *request,
				 struct source_file *source)
{
	struct load_job *job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);

	if (!job)
		return ERR_PTR(-ENOMEM);
	kref_init(&job->ref);
	INIT_LIST_HEAD(&job->node);
	spin_lock_init(&job->lock);
	init_waitqueue_head(&job->wait);
	job->nr_ranges = request->nr_ranges;
	job->nr_chunks = request->nr_chunks;
	job->bytes_total = request->bytes_total;
	if (registry_add_job(job)) {
		kfree(job);
		return ERR_PTR(-ENOMEM);
	}
	job->request = request;
	job->cred = get_current_cred();
	job->source = *source;
	source->file = NULL;
	return job;
}

static void load_job_release(struct kref *ref)
{
	struct load_job *job = container_of(ref, struct load_job, ref);

	registry_del_job(job);
	source_file_close(&job->source, false);
	load_request_free(job->request);
	put_cred(job->cred);
	if (job->pool)
		worker_pool_put(job->pool);
	kfree(job);
}

struct load_job *load_job_get(struct load_job *job)
{
	kref_get(&job->ref);
	return job;
}

void load_job_put(struct load_job *job)
{
	kref_put(&job->ref, load_job_release);
}

/* Keep the error if it is the first, or lower than the one known. */
static void keep_error(struct load_job *job, u32 range, u64 file_offset,
		       int error)
{
	spin_lock(&job->lock);
	if (!job->error || range < job->error_range ||
	    (range == job->error_range && file_offset < job->error_offset)) {
		job->error = error;
		job->error_range = range;
		job->error_offset = file_offset;
	}
	spin_unlock(&job->lock);
}

static void keep_cancelled_chunk(struct load_job *job, u32 chunk)
{
	struct load_position pos = job->request->chunks[chunk];

	keep_error(job, pos.range, load_request_file_offset(job->request, pos),
		   -ECANCELED);
}

/**
 * load_job_cancelled() - are workers to stop at once
 * @job: a submitted job
 *
 * The end of the pool cancels all its jobs.
 *
 * Return: true if they are.
 */
bool load_job_cancelled(const struct load_job *job)
{
	return READ_ONCE(job->cancelled) || worker_pool_dead(job->pool);
}

/**
 * load_job_take_chunk() - take the next chunk
 * @job: the job
 * @chunk: its index
 *
 * Context: a worker that has the job.
 * Return: true if there is a chunk to load.
 */
bool load_job_take_chunk(struct load_job *job, u32 *chunk)
{
	if (READ_ONCE(job->failed))
		return false;
	*chunk = atomic_fetch_inc_relaxed(&job->cursor);
	if (*chunk >= job->request->nr_chunks)
		return false;
	if (!*chunk)
		WRITE_ONCE(job->first_ns, ktime_get_boottime_ns());
	if (!load_job_cancelled(job))
		return true;
	keep_cancelled_chunk(job, *chunk);
	return false;
}

/**
 * load_job_add_loaded() - a worker is through with a chunk, or pauses
 * @job: the job
 * @stats: what it has counted
 * @bytes: bytes it has loaded
 */
void load_job_add_loaded(struct load_job *job, const struct stats *stats,
			 u64 bytes)
{
	atomic64_add(bytes, &job->bytes_done);
	spin_lock(&job->lock);
	stats_add_all(&job->stats, stats);
	spin_unlock(&job->lock);
	totals_add_loaded(stats, bytes);
	netlink_job_progress(job);
}

/**
 * load_job_fail() - an error of a worker
 * @job: the job
 * @range: range of the first byte that the worker's chunk lacks
 * @file_offset: its offset in the source
 * @error: negative errno
 */
void load_job_fail(struct load_job *job, u32 range, u64 file_offset, int error)
{
	keep_error(job, range, file_offset, error);
	WRITE_ONCE(job->failed, true);
}

/* How long it waited for a worker, up to @now. */
static u64 queue_ns(const struct load_job *job, u64 now)
{
	u64 first = READ_ONCE(job->first_ns);

	return (first ?: now) - job->submit_ns;
}

/* How long it took after that. */
static u64 service_ns(const struct load_job *job, u64 now)
{
	u64 first = READ_ONCE(job->first_ns);

	/* It may have been taken after @now. */
	return first && first < now ? now - first : 0;
}

/**
 * load_job_finish() - the end of a job
 * @job: the job; no worker has it, and it is not in the pool's list
 *
 * A cancelled job that workers have left with chunks untaken gets its error
 * here. Takes over the pool's reference.
 */
void load_job_finish(struct load_job *job)
{
	u32 chunk = atomic_read(&job->cursor);
	u64 queue, service;

	if (load_job_cancelled(job) && chunk < job->request->nr_chunks)
		keep_cancelled_chunk(job, chunk);
	load_request_free(job->request);
	job->request = NULL;
	WRITE_ONCE(job->done_ns, ktime_get_boottime_ns());
	queue = queue_ns(job, job->done_ns);
	service = service_ns(job, job->done_ns);
	totals_add_ended(job->error, queue, service);
	trace_job_done(job, queue, service);
	/* Pairs with the acquire in load_job_done(). */
	smp_store_release(&job->done, true);
	wake_up_all(&job->wait);
	netlink_job_done(job);
	load_job_put(job);
}

/**
 * load_job_cancel() - ask for the end of a job
 * @job: the job
 *
 * Returns at once. A job that is done stays as it is.
 */
void load_job_cancel(struct load_job *job)
{
	WRITE_ONCE(job->cancelled, true);
	if (job->pool)
		worker_pool_drop(job->pool, job);
}

/**
 * load_job_close_source() - close the source if the job is done
 * @job: a job that was submitted
 *
 * To leave its page cache as it was may take a while: that is for the process
 * whose job it is. Others leave the source open then; who puts the job last
 * does not care about the cache.
 */
void load_job_close_source(struct load_job *job)
{
	bool owner = worker_pool_may_wait(job->pool);

	if (load_job_done(job) && (owner || !job->source.before))
		source_file_close(&job->source, owner);
}

int load_job_wait_killable(struct load_job *job)
{
	return wait_event_state(job->wait, load_job_done(job),
				(TASK_KILLABLE | TASK_FREEZABLE));
}

int load_job_wait_interruptible(struct load_job *job)
{
	return wait_event_state(job->wait, load_job_done(job),
				(TASK_INTERRUPTIBLE | TASK_FREEZABLE));
}

static u32 state_of(int error)
{
	if (!error)
		return RAMLOAD_JOB_DONE;
	return error == -ECANCELED ? RAMLOAD_JOB_CANCELLED : RAMLOAD_JOB_FAILED;
}

static void fill_in(struct load_job *job, struct ramload_job_result *res,
		    bool done)
{
	res->out_state = RAMLOAD_JOB_RUNNING;
	res->out_error = 0;
	res->out_error_range = 0;
	res->out_error_offset = 0;
	res->out_bytes_total = job->bytes_total;
	res->out_bytes_done = atomic64_read(&job->bytes_done);
	if (!done)
		return;
	spin_lock(&job->lock);
	res->out_state = state_of(job->error);
	res->out_error = job->error;
	res->out_error_range = job->error_range;
	res->out_error_offset = job->error_offset;
	spin_unlock(&job->lock);
}

/**
 * load_job_result() - how a job stands
 * @job: the job
 * @res: its out_* members are filled in
 *
 * For the owner: closes the source of a job that is done.
 */
void load_job_result(struct load_job *job, struct ramload_job_result *res)
{
	bool done = load_job_done(job);

	fill_in(job, res, done);
	if (done)
		load_job_close_source(job);
}

/**
 * load_job_status() - what of a job is to be seen from outside
 * @job: a job that was submitted
 * @status: what is the job's own is filled in
 *
 * Context: any; the job is not being freed.
 */
void load_job_status(struct load_job *job, struct job_status *status)
{
	bool done = load_job_done(job);
	u64 now = done ? job->done_ns : ktime_get_boottime_ns();

	fill_in(job, &status->result, done);
	status->nr_ranges = job->nr_ranges;
	status->nr_chunks = job->nr_chunks;
	status->chunks_taken = min_t(u32, atomic_read(&job->cursor),
				     job->nr_chunks);
	status->submit_ns = job->submit_ns;
	status->queue_ns = queue_ns(job, now);
	status->service_ns = service_ns(job, now);
	spin_lock(&job->lock);
	status->stats = job->stats;
	spin_unlock(&job->lock);
}
