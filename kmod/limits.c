// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: limits
 *
 * What a context, a user, and all of them together may have. The limits are
 * module parameters, set when the module is loaded and clamped to what the
 * code can bear, so that no value of a parameter makes an allocation that
 * warns.
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
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "limits.h"

static unsigned int max_workers = 64;
module_param(max_workers, uint, 0444);
MODULE_PARM_DESC(max_workers, "Most workers of a context (64, up to 1024)");

static unsigned int max_user_workers = 1024;
module_param(max_user_workers, uint, 0444);
MODULE_PARM_DESC(max_user_workers, "Most workers of a user (1024)");

static unsigned int max_workers_total = 4096;
module_param(max_workers_total, uint, 0444);
MODULE_PARM_DESC(max_workers_total, "Most workers of all users (4096)");

static unsigned int max_jobs = 256;
module_param(max_jobs, uint, 0444);
MODULE_PARM_DESC(max_jobs, "Most unfinished jobs of a context (256, up to 65536)");

static unsigned int max_ranges = SZ_1M;
module_param(max_ranges, uint, 0444);
MODULE_PARM_DESC(max_ranges, "Most ranges of a load (1048576, up to 16 Mi)");

static unsigned int max_bitmap_mib = 64;
module_param(max_bitmap_mib, uint, 0444);
MODULE_PARM_DESC(max_bitmap_mib, "Most MiB of bitmaps of a load (64, up to 1024)");

static unsigned int max_user_mib = 1024;
module_param(max_user_mib, uint, 0444);
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
	return clamp(max_workers, 1U, 1024U);
}

u32 limit_jobs(void)
{
	return clamp(max_jobs, 1U, 65536U);
}

u32 limit_ranges(void)
{
	return clamp(max_ranges, 1U, 16U * SZ_1M);
}

u64 limit_bitmap_bytes(void)
{
	return (u64)clamp(max_bitmap_mib, 1U, 1024U) * SZ_1M;
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
	if ((u64)user->workers + nr <= max_user_workers &&
	    (u64)workers_total + nr <= max_workers_total) {
		user->workers += nr;
		workers_total += nr;
		err = 0;
	}
	spin_unlock(&users_lock);
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
	if (user->bytes + bytes <= (u64)max_user_mib * SZ_1M) {
		user->bytes += bytes;
		err = 0;
	}
	spin_unlock(&users_lock);
	return err;
}

void limit_bytes_give(struct limit_user *user, u64 bytes)
{
	spin_lock(&users_lock);
	user->bytes -= bytes;
	spin_unlock(&users_lock);
}
