// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: chardev
 *
 * /dev/ramload and the fds of jobs: the only file that touches user memory of
 * a request. Arguments are copied in and checked here, or by load_request, and
 * handed on as kernel structs.
 *
 * An open file is a context: an mm, a user, and a worker pool once
 * RAMLOAD_SETUP made one. The mm's struct is held so that its address cannot be
 * reused for another while it is compared. The pool is set once, under
 * context.lock, and lives until release; readers need no lock.
 *
 * A job's file holds a reference to the job. It is installed last, when the
 * job is submitted and its number has been written to the caller; not at all
 * if the caller has waited for the end of the job. Release
 * cancels the job; the process whose memory it is waits until no worker touches
 * the destination any more, so that it may reuse the memory after close; a
 * fatal signal ends the wait. Nobody else waits (worker_pool_may_wait()).
 *
 * A caller can have as many refusals as it likes, so nothing is logged of them
 * but by pr_debug(), which is off unless somebody looks for the reason.
 */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/ramload.h>

#include "chardev.h"
#include "limits.h"
#include "load_job.h"
#include "load_request.h"
#include "memory_file.h"
#include "source_file.h"
#include "worker_pool.h"

/**
 * struct context - an open of the device
 * @mm: of the task that opened it; its struct is held
 * @user: who opened it
 * @lock: serializes RAMLOAD_SETUP
 * @pool: the workers, NULL before RAMLOAD_SETUP
 */
struct context {
	struct mm_struct *mm;
	struct limit_user *user;
	struct mutex lock;	/* RAMLOAD_SETUP */
	struct worker_pool *pool;
};

union ioctl_arg {
	struct ramload_info info;
	struct ramload_setup setup;
	struct ramload_load load;
	struct ramload_create_memory create_memory;
	struct ramload_job_result result;
	struct ramload_job_cancel cancel;
};

/**
 * struct ioctl_op - an ioctl
 * @cmd: its number
 * @size: size of its argument
 * @min_size: size of the first version of the argument
 * @fn: handles it: what the file is about, the argument, and where it is from
 */
struct ioctl_op {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	long (*fn)(void *object, union ioctl_arg *arg, void __user *uarg);
};

#define IOCTL_OP(_cmd, _struct, _last, _fn) {				\
	.cmd = _cmd,							\
	.size = sizeof(struct _struct),					\
	.min_size = offsetofend(struct _struct, _last),			\
	.fn = _fn,							\
}

/* Copy a struct that starts with its size, as its caller knows it. */
static int copy_in(void *arg, u32 size, u32 min_size, const void __user *uarg)
{
	u32 usize;

	if (get_user(usize, (const u32 __user *)uarg))
		return -EFAULT;
	if (usize < min_size)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(arg, size, uarg, usize);
}

/* Copy back as much as the caller knows; the rest was checked to be zero. */
static int copy_out(void __user *uarg, const void *arg, u32 usize, u32 size)
{
	return copy_to_user(uarg, arg, min(usize, size)) ? -EFAULT : 0;
}

static const struct ioctl_op *find_op(const struct ioctl_op *ops, size_t nr,
				      unsigned int cmd)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (ops[i].cmd == cmd)
			return &ops[i];
	return NULL;
}

static long run_op(const struct ioctl_op *op, void *object, void __user *uarg)
{
	union ioctl_arg arg = {};
	int err;

	err = copy_in(&arg, op->size, op->min_size, uarg);
	if (err)
		return err;
	return op->fn(object, &arg, uarg);
}

/* Jobs */

static int job_release(struct inode *inode, struct file *file)
{
	struct load_job *job = file->private_data;

	if (job->pool) {
		load_job_cancel(job);
		if (worker_pool_may_wait(job->pool))
			load_job_wait_killable(job);
		load_job_close_source(job);
	}
	load_job_put(job);
	return 0;
}

static __poll_t job_poll(struct file *file, poll_table *wait)
{
	struct load_job *job = file->private_data;

	poll_wait(file, &job->wait, wait);
	return load_job_done(job) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long job_result(void *object, union ioctl_arg *arg, void __user *uarg)
{
	struct ramload_job_result *res = &arg->result;
	struct load_job *job = object;

	if (res->flags & ~RAMLOAD_JOB_RESULT_WAIT || res->__reserved)
		return -EOPNOTSUPP;
	if (res->flags & RAMLOAD_JOB_RESULT_WAIT &&
	    load_job_wait_interruptible(job))
		return -EINTR;
	load_job_result(job, res);
	return copy_out(uarg, res, res->size, sizeof(*res));
}

static long job_cancel(void *object, union ioctl_arg *arg, void __user *uarg)
{
	if (arg->cancel.flags)
		return -EOPNOTSUPP;
	load_job_cancel(object);
	return 0;
}

static const struct ioctl_op job_ops[] = {
	IOCTL_OP(RAMLOAD_JOB_RESULT, ramload_job_result, __reserved,
		 job_result),
	IOCTL_OP(RAMLOAD_JOB_CANCEL, ramload_job_cancel, flags, job_cancel),
};

static long job_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_op *op = find_op(job_ops, ARRAY_SIZE(job_ops), cmd);

	if (!op)
		return -ENOTTY;
	return run_op(op, file->private_data, (void __user *)arg);
}

static const struct file_operations job_fops = {
	.owner = THIS_MODULE,
	.release = job_release,
	.poll = job_poll,
	.unlocked_ioctl = job_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* Contexts */

static long context_info(void *object, union ioctl_arg *arg,
			 void __user *uarg)
{
	struct ramload_info *info = &arg->info;

	if (info->flags)
		return -EOPNOTSUPP;
	info->out_features = RAMLOAD_FEATURE_BITMAP | RAMLOAD_FEATURE_DIRECT |
			     RAMLOAD_FEATURE_MEMORY | RAMLOAD_FEATURE_DONTCACHE;
#ifdef RAMLOAD_HAVE_SHMEM_FILL
	info->out_features |= RAMLOAD_FEATURE_SHMEM_FILL;
#endif
#ifdef RAMLOAD_HAVE_VHOST_TASK
	info->out_features |= RAMLOAD_FEATURE_THREADS;
#endif
	info->out_max_workers = limit_workers();
	info->out_max_jobs = limit_jobs();
	info->out_max_ranges = limit_ranges();
	info->out_default_chunk_size = LIMIT_CHUNK_DEFAULT;
	info->out_max_bitmap_bytes = limit_bitmap_bytes();
	return copy_out(uarg, info, info->size, sizeof(*info));
}

static long context_setup(void *object, union ioctl_arg *arg,
			  void __user *uarg)
{
	struct ramload_setup *setup = &arg->setup;
	struct context *ctx = object;
	struct worker_pool *pool;
	long err = 0;

	if (setup->flags || setup->__reserved)
		return -EOPNOTSUPP;
	if (!setup->workers || setup->workers > limit_workers())
		return -EINVAL;
	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	if (ctx->pool) {
		err = -EEXIST;
		goto out;
	}
	pool = worker_pool_create(ctx->mm, ctx->user, setup->workers);
	if (IS_ERR(pool))
		err = PTR_ERR(pool);
	else
		/* Pairs with the acquire in context_load(). */
		smp_store_release(&ctx->pool, pool);
out:
	mutex_unlock(&ctx->lock);
	return err;
}

static int check_load(const struct ramload_load *load)
{
	bool wait = load->flags & RAMLOAD_LOAD_WAIT;

	if (load->flags & ~(RAMLOAD_LOAD_WAIT | RAMLOAD_LOAD_DONTCACHE))
		return -EOPNOTSUPP;
	if (load->direct > RAMLOAD_DIRECT_OFF || !load->nr_ranges ||
	    load->range_size < RAMLOAD_RANGE_SIZE_VER0 ||
	    load->range_size % 8 || (load->result && !wait))
		return -EINVAL;
	if (load->chunk_size && (!is_power_of_2(load->chunk_size) ||
				 load->chunk_size < LIMIT_CHUNK_MIN ||
				 load->chunk_size > LIMIT_CHUNK_MAX))
		return -EINVAL;
	if (load->nr_ranges > limit_ranges() || load->range_size > PAGE_SIZE)
		return -E2BIG;
	return 0;
}

/* Ranges copied at a time. */
#define SOME_RANGES	16U

/* A caller that knows another struct than this has each of them checked. */
static int copy_some_ranges(struct ramload_range *ranges, u32 nr,
			    const void __user *at, size_t size)
{
	u32 i;
	int err;

	if (size == sizeof(*ranges))
		return copy_from_user(ranges, at, nr * size) ? -EFAULT : 0;
	for (i = 0; i < nr; i++, at += size) {
		err = copy_struct_from_user(&ranges[i], sizeof(*ranges), at,
					    size);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Copy the ranges. load_range.bitmap has no room for the user address of a
 * bitmap: copy_bitmaps() reads those again, and only those.
 */
static int copy_ranges(struct load_request *req,
		       const struct ramload_load *load, u64 *bitmap_bytes)
{
	const void __user *at = u64_to_user_ptr(load->ranges);
	struct ramload_range ranges[SOME_RANGES];
	u32 nr;
	int err;

	while (req->nr_ranges < load->nr_ranges) {
		nr = min(SOME_RANGES, load->nr_ranges - req->nr_ranges);
		err = copy_some_ranges(ranges, nr, at, load->range_size);
		if (!err)
			err = load_request_add(req, ranges, nr, bitmap_bytes);
		if (err) {
			pr_debug("range %u of %u is refused: %d\n",
				 req->nr_ranges, load->nr_ranges, err);
			return err;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		at += nr * load->range_size;
	}
	return 0;
}

static int copy_bitmaps(struct load_request *req,
			const struct ramload_load *load)
{
	const void __user *at = u64_to_user_ptr(load->ranges);
	u64 bitmap;
	u32 i;

	for (i = 0; i < load->nr_ranges; i++, at += load->range_size) {
		struct load_range *r = &req->ranges[i];

		if (!r->bitmap)
			continue;
		if (copy_from_user(&bitmap, at + offsetof(struct ramload_range,
							  bitmap), sizeof(bitmap)) ||
		    copy_from_user(r->bitmap, u64_to_user_ptr(bitmap),
				   load_range_bitmap_bytes(r)))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static struct load_request *make_request(struct limit_user *user,
					 const struct ramload_load *load)
{
	struct load_request *req = load_request_create(user, load->nr_ranges);
	u64 bitmap_bytes = 0;
	int err;

	if (IS_ERR(req))
		return req;
	err = copy_ranges(req, load, &bitmap_bytes);
	if (!err)
		err = load_request_alloc_bitmaps(req, bitmap_bytes);
	if (!err && bitmap_bytes)
		err = copy_bitmaps(req, load);
	if (!err)
		err = load_request_finish(req, load->chunk_size ?:
					  LIMIT_CHUNK_DEFAULT);
	if (err) {
		load_request_free(req);
		return ERR_PTR(err);
	}
	return req;
}

static int open_source(struct source_file *source,
		       const struct ramload_load *load,
		       const struct load_request *req)
{
	u64 start, end;
	int err;

	err = source_file_open(source, load->source_fd, load->direct);
	if (err || !(load->flags & RAMLOAD_LOAD_DONTCACHE))
		return err;
	load_request_extent(req, &start, &end);
	err = source_file_note_cache(source, start, end);
	if (err)
		source_file_close(source, false);
	return err;
}

static struct load_job *make_job(struct limit_user *user,
				 const struct ramload_load *load)
{
	struct load_request *req = make_request(user, load);
	struct source_file source;
	struct load_job *job;
	int err;

	if (IS_ERR(req))
		return ERR_CAST(req);
	err = open_source(&source, load, req);
	if (err) {
		load_request_free(req);
		return ERR_PTR(err);
	}
	job = load_job_create(req, &source);
	if (IS_ERR(job)) {
		source_file_close(&source, false);
		load_request_free(req);
	}
	return job;
}

static int put_job_fd(struct ramload_load __user *uload, int fd)
{
	return put_user(fd, &uload->out_job_fd);
}

/* Check where RAMLOAD_LOAD_WAIT is to put the result, before there is one. */
static int copy_result_in(const struct ramload_load *load,
			  struct ramload_job_result *res)
{
	int err;

	if (!load->result)
		return 0;
	err = copy_in(res, sizeof(*res),
		      offsetofend(struct ramload_job_result, __reserved),
		      u64_to_user_ptr(load->result));
	if (!err && (res->flags || res->__reserved))
		err = -EOPNOTSUPP;
	return err;
}

/*
 * Wait for the end of a job whose fd has been written to the caller. Returns 0
 * if a signal came before that: the fd is to be installed, if not for a task
 * that is dying; else 1, with @err what the ioctl is to return.
 */
static int wait_for_job(struct load_job *job, const struct ramload_load *load,
			struct ramload_job_result *res,
			struct ramload_load __user *uload, int *err)
{
	if (load_job_wait_interruptible(job)) {
		*err = -EINTR;
		return fatal_signal_pending(current);
	}
	load_job_result(job, res);
	*err = put_job_fd(uload, -1);
	if (load->result && !*err)
		*err = copy_out(u64_to_user_ptr(load->result), res, res->size,
				sizeof(*res));
	*err = res->out_error ?: *err;
	return 1;
}

/* Takes over the reference to @job. */
static long submit(struct worker_pool *pool, struct load_job *job,
		   const struct ramload_load *load,
		   struct ramload_load __user *uload)
{
	struct ramload_job_result res = {};
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		load_job_put(job);
		return fd;
	}
	file = anon_inode_getfile("[ramload-job]", &job_fops, job,
				  O_RDONLY | O_CLOEXEC);
	if (IS_ERR(file)) {
		load_job_put(job);
		err = PTR_ERR(file);
		goto err_fd;
	}
	err = copy_result_in(load, &res);
	if (!err)
		err = put_job_fd(uload, fd);
	if (!err)
		err = worker_pool_submit(pool, job);
	if (err)
		goto err_file;
	if (load->flags & RAMLOAD_LOAD_WAIT &&
	    wait_for_job(job, load, &res, uload, &err))
		goto err_file;
	fd_install(fd, file);
	return err;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return err;
}

static long context_load(void *object, union ioctl_arg *arg,
			 void __user *uarg)
{
	struct ramload_load *load = &arg->load;
	struct context *ctx = object;
	struct worker_pool *pool;
	struct load_job *job;
	int err;

	err = check_load(load);
	if (err) {
		pr_debug("load refused: flags %#x, direct %u, %u ranges of %u bytes, chunk size %u: %d\n",
			 load->flags, load->direct, load->nr_ranges,
			 load->range_size, load->chunk_size, err);
		return err;
	}
	/* Pairs with the release in context_setup(). */
	pool = smp_load_acquire(&ctx->pool);
	if (!pool) {
		pr_debug("load refused: no RAMLOAD_SETUP before it\n");
		return -ENXIO;
	}
	job = make_job(ctx->user, load);
	if (IS_ERR(job))
		return PTR_ERR(job);
	return submit(pool, job, load, uarg);
}

static long context_create_memory(void *object, union ioctl_arg *arg,
				  void __user *uarg)
{
	struct ramload_create_memory *mem = &arg->create_memory;
	bool sealing = mem->flags & RAMLOAD_CREATE_MEMORY_SEALING;
	struct file *file;
	int fd, err;

	if (mem->flags & ~RAMLOAD_CREATE_MEMORY_SEALING || mem->__reserved)
		return -EOPNOTSUPP;
	if (!mem->length)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = memory_file_create(mem->length, sealing);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto err_fd;
	}
	mem->out_fd = fd;
	mem->out_folio_size = memory_file_folio_size();
	err = copy_out(uarg, mem, mem->size, sizeof(*mem));
	if (err)
		goto err_file;
	fd_install(fd, file);
	return 0;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return err;
}

static const struct ioctl_op context_ops[] = {
	IOCTL_OP(RAMLOAD_INFO, ramload_info, out_max_bitmap_bytes,
		 context_info),
	IOCTL_OP(RAMLOAD_SETUP, ramload_setup, __reserved, context_setup),
	IOCTL_OP(RAMLOAD_LOAD, ramload_load, result, context_load),
	IOCTL_OP(RAMLOAD_CREATE_MEMORY, ramload_create_memory, out_folio_size,
		 context_create_memory),
};

static long context_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	const struct ioctl_op *op = find_op(context_ops,
					    ARRAY_SIZE(context_ops), cmd);
	struct context *ctx = file->private_data;

	if (!op)
		return -ENOTTY;
	if (cmd != RAMLOAD_INFO && ctx->mm != current->mm) {
		pr_debug("ioctl refused: another process has opened the device\n");
		return -EPERM;
	}
	return run_op(op, ctx, (void __user *)arg);
}

static int context_open(struct inode *inode, struct file *file)
{
	struct context *ctx;

	if (!current->mm)
		return -EINVAL;
	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ctx->user = limit_user_find();
	if (IS_ERR(ctx->user)) {
		kfree(ctx);
		return -ENOMEM;
	}
	mutex_init(&ctx->lock);
	ctx->mm = current->mm;
	mmgrab(ctx->mm);
	file->private_data = ctx;
	return nonseekable_open(inode, file);
}

static int context_release(struct inode *inode, struct file *file)
{
	struct context *ctx = file->private_data;

	if (ctx->pool)
		worker_pool_shutdown(ctx->pool);
	mmdrop(ctx->mm);
	limit_user_put(ctx->user);
	kfree(ctx);
	return 0;
}

static const struct file_operations context_fops = {
	.owner = THIS_MODULE,
	.open = context_open,
	.release = context_release,
	.unlocked_ioctl = context_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice ramload_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ramload",
	.fops = &context_fops,
	.mode = 0660,
};

int chardev_init(void)
{
	return misc_register(&ramload_dev);
}

void chardev_exit(void)
{
	misc_deregister(&ramload_dev);
}
