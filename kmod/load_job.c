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
 * Locking. @lock protects the error; it is a leaf, under worker_pool.lock or
 * alone. @node and @running belong to worker_pool.lock. @cancelled and @failed
 * are only ever set, and read without a lock: seeing them late costs a batch
 * or a chunk of work, nothing else. @request does not change until
 * load_job_finish(), which nobody calls while a worker has the job; @source
 * not until @done, and is then closed by who takes it out with xchg().
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "load_job.h"
#include "worker_pool.h"

/**
 * load_job_create() - make a job
 * @request: what to load; the job's on success
 * @source: where from; moved into the job on success
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
	job->request = request;
	job->cred = get_current_cred();
	job->source = *source;
	job->bytes_total = request->bytes_total;
	source->file = NULL;
	return job;
}

static void load_job_release(struct kref *ref)
{
	struct load_job *job = container_of(ref, struct load_job, ref);

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
	if (!load_job_cancelled(job))
		return true;
	keep_cancelled_chunk(job, *chunk);
	return false;
}

void load_job_add_done(struct load_job *job, u64 bytes)
{
	atomic64_add(bytes, &job->bytes_done);
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

	if (load_job_cancelled(job) && chunk < job->request->nr_chunks)
		keep_cancelled_chunk(job, chunk);
	load_request_free(job->request);
	job->request = NULL;
	/* Pairs with the acquire in load_job_done(). */
	smp_store_release(&job->done, true);
	wake_up_all(&job->wait);
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

	res->out_state = RAMLOAD_JOB_RUNNING;
	res->out_error = 0;
	res->out_error_range = 0;
	res->out_error_offset = 0;
	res->out_bytes_total = job->bytes_total;
	res->out_bytes_done = atomic64_read(&job->bytes_done);
	if (!done)
		return;
	load_job_close_source(job);
	spin_lock(&job->lock);
	res->out_state = state_of(job->error);
	res->out_error = job->error;
	res->out_error_range = job->error_range;
	res->out_error_offset = job->error_offset;
	spin_unlock(&job->lock);
}
