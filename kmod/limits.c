// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: limits
 *
 * What a context, a user, and all of them together may have. The limits are
 * module parameters, clamped to what the code can bear, so that no value of a
 * parameter makes an allocation that warns. They can be changed at any time: a
 * limit is looked at when something is to be taken, and what was taken stays.
 * Hence a check reads a limit once, and nothing but the check depends on it.
 *
 * Memory is charged to the caller's cgroup wherever the caller decides how
 * much it is; workers that are threads of the caller count against its
 * RLIMIT_NPROC and in its pids cgroup. Where nobody has set such limits, or
 * workers are kernel threads, the limits of a context would be none: a process
 * may have as many contexts as it has fds. So workers and the memory of
 * unfinished jobs are counted for each user, too: nobody can take what others
 * need, nor all of the machine.
 *
 * The user is the one who opened the device. In a user namespace it is the
 * owner of the outermost one: whoever makes a namespace has no more for all
 * the uids in it than without.
 *
 * Locking. users_lock protects the list of users, their counts and references,
 * and the count of all workers. It is a leaf. A user lives as long as somebody
 * refers to it: contexts, pools and requests do.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/kstrtox.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "limits.h"

/**
 * struct limit - a parameter of the module
 * @value: what holds now; read and written without a lock
 * @min: least it can be
 * @max: most it can be
 */
struct limit {
	unsigned int value;
	unsigned int min;
	unsigned int max;
};

/* What is too low or too high becomes the nearest that is not, and is seen so. */
static int set_limit(const char *text, const struct kernel_param *param)
{
	struct limit *limit = param->arg;
	unsigned int value;
	int err;

	err = kstrtouint(text, 0, &value);
	if (err)
		return err;
	WRITE_ONCE(limit->value, clamp(value, limit->min, limit->max));
	return 0;
}

static unsigned int get(const struct limit *limit)
{
	return READ_ONCE(limit->value);
}

static int show_limit(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%u\n", get(param->arg));
}

static const struct kernel_param_ops limit_ops = {
	.set = set_limit,
	.get = show_limit,
};

static struct limit max_workers = { 64, 1, 1024 };
module_param_cb(max_workers, &limit_ops, &max_workers, 0644);
__MODULE_PARM_TYPE(max_workers, "uint");
MODULE_PARM_DESC(max_workers, "Most workers of a context (64, up to 1024)");

static struct limit max_user_workers = { 1024, 0, UINT_MAX };
module_param_cb(max_user_workers, &limit_ops, &max_user_workers, 0644);
__MODULE_PARM_TYPE(max_user_workers, "uint");
MODULE_PARM_DESC(max_user_workers, "Most workers of a user (1024)");

static struct limit max_workers_total = { 4096, 0, UINT_MAX };
module_param_cb(max_workers_total, &limit_ops, &max_workers_total, 0644);
__MODULE_PARM_TYPE(max_workers_total, "uint");
MODULE_PARM_DESC(max_workers_total, "Most workers of all users (4096)");

static struct limit max_jobs = { 256, 1, 65536 };
module_param_cb(max_jobs, &limit_ops, &max_jobs, 0644);
__MODULE_PARM_TYPE(max_jobs, "uint");
MODULE_PARM_DESC(max_jobs, "Most unfinished jobs of a context (256, up to 65536)");

static struct limit max_ranges = { SZ_1M, 1, 16 * SZ_1M };
module_param_cb(max_ranges, &limit_ops, &max_ranges, 0644);
__MODULE_PARM_TYPE(max_ranges, "uint");
MODULE_PARM_DESC(max_ranges, "Most ranges of a load (1048576, up to 16 Mi)");

static struct limit max_bitmap_mib = { 64, 1, 1024 };
module_param_cb(max_bitmap_mib, &limit_ops, &max_bitmap_mib, 0644);
__MODULE_PARM_TYPE(max_bitmap_mib, "uint");
MODULE_PARM_DESC(max_bitmap_mib, "Most MiB of bitmaps of a load (64, up to 1024)");

static struct limit max_user_mib = { 1024, 0, UINT_MAX };
module_param_cb(max_user_mib, &limit_ops, &max_user_mib, 0644);
__MODULE_PARM_TYPE(max_user_mib, "uint");
MODULE_PARM_DESC(max_user_mib, "Most MiB that unfinished jobs of a user hold (1024)");

/**
 * struct limit_user - what a user has
 * @node: in the list of users
 * @uid: who it is
 * @refs: references
 * @workers: workers of all its contexts
 * @bytes: memory of all its unfinished jobs
 */
struct limit_user {
	struct list_head node;
	kuid_t uid;
	unsigned int refs;
	u32 workers;
	u64 bytes;
};

static DEFINE_SPINLOCK(users_lock);
static LIST_HEAD(users);
static u32 workers_total;

u32 limit_workers(void)
{
	return get(&max_workers);
}

u32 limit_jobs(void)
{
	return get(&max_jobs);
}

u32 limit_ranges(void)
{
	return get(&max_ranges);
}

u64 limit_bitmap_bytes(void)
{
	return (u64)get(&max_bitmap_mib) * SZ_1M;
}

/* Who is to have what the current task takes. */
static kuid_t paying_uid(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static struct limit_user *find(kuid_t uid)
{
	struct limit_user *user;

	lockdep_assert_held(&users_lock);
	list_for_each_entry(user, &users, node)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * limit_user_find() - the user that the current task is of
 *
 * Return: the user, with a reference, or ERR_PTR(-ENOMEM).
 */
struct limit_user *limit_user_find(void)
{
	struct limit_user *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	struct limit_user *user;

	if (!new)
		return ERR_PTR(-ENOMEM);
	new->uid = paying_uid();
	spin_lock(&users_lock);
	user = find(new->uid);
	if (!user) {
		list_add(&new->node, &users);
		user = new;
	}
	user->refs++;
	spin_unlock(&users_lock);
	if (user != new)
		kfree(new);
	return user;
}

struct limit_user *limit_user_get(struct limit_user *user)
{
	spin_lock(&users_lock);
	user->refs++;
	spin_unlock(&users_lock);
	return user;
}

void limit_user_put(struct limit_user *user)
{
	bool last;

	spin_lock(&users_lock);
	last = !--user->refs;
	if (last)
		list_del(&user->node);
	spin_unlock(&users_lock);
	if (last)
		kfree(user);
}

/**
 * limit_workers_take() - count workers that are about to be made
 * @user: whose they are
 * @nr: how many
 *
 * Return: 0, or -EAGAIN if there would be too many.
 */
int limit_workers_take(struct limit_user *user, u32 nr)
{
	int err = -EAGAIN;

	spin_lock(&users_lock);
	if ((u64)user->workers + nr <= get(&max_user_workers) &&
	    (u64)workers_total + nr <= get(&max_workers_total)) {
		user->workers += nr;
		workers_total += nr;
		err = 0;
	}
	spin_unlock(&users_lock);
	if (err)
		pr_debug("%u more workers are too many for their user, or of all\n",
			 nr);
	return err;
}

void limit_workers_give(struct limit_user *user, u32 nr)
{
	spin_lock(&users_lock);
	user->workers -= nr;
	workers_total -= nr;
	spin_unlock(&users_lock);
}

/**
 * limit_bytes_take() - count memory of a job that is about to be allocated
 * @user: whose job it is
 * @bytes: how much
 *
 * Return: 0, or -ENOMEM if it would be too much.
 */
int limit_bytes_take(struct limit_user *user, u64 bytes)
{
	int err = -ENOMEM;

	spin_lock(&users_lock);
	if (user->bytes + bytes <= (u64)get(&max_user_mib) * SZ_1M) {
		user->bytes += bytes;
		err = 0;
	}
	spin_unlock(&users_lock);
	if (err)
		pr_debug("%llu more bytes are too many for their user\n",
			 bytes);
	return err;
}

void limit_bytes_give(struct limit_user *user, u64 bytes)
{
	spin_lock(&users_lock);
	user->bytes -= bytes;
	spin_unlock(&users_lock);
}
