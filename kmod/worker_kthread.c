// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: worker_kthread
 *
 * Workers as kernel threads, for kernels without vhost_task. A thread has the
 * mm of the task that made the pool for a chunk at a time: between chunks a
 * process that has ended can give up its memory. As another worker may be in a
 * chunk just then, and so on for ever, each also looks whether the process
 * still has that mm.
 *
 * Fatal signals do not reach a kthread. So that a worker that sleeps killably
 * (in a userfault, in a network file system) can be stopped,
 * worker_thread_interrupt() sends it the SIGKILL that a thread of a dying
 * process would get; by then its pool is dead, so it spoils no other job.
 */

#ifndef RAMLOAD_HAVE_VHOST_TASK

#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "target_vma.h"
#include "worker_pool.h"

static void step(struct worker *w)
{
	struct mm_struct *mm = w->pool->mm;

	if (target_is_gone(mm, w->pool->pid) || !mmget_not_zero(mm)) {
		worker_died(w);
		return;
	}
	kthread_use_mm(mm);
	worker_step(w);
	kthread_unuse_mm(mm);
	mmput(mm);
}

static int run(void *data)
{
	struct worker *w = data;

	worker_begin(w);
	allow_kernel_signal(SIGKILL);
	while (!kthread_should_stop()) {
		/* Idle: a pending SIGKILL must not keep the thread awake. */
		set_current_state(TASK_IDLE);
		if (worker_has_work(w)) {
			__set_current_state(TASK_RUNNING);
			step(w);
			cond_resched();
			continue;
		}
		worker_retire_if_dead(w);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

int worker_thread_create(struct worker *w)
{
	w->task = kthread_create(run, w, "ramload/%d", task_tgid_nr(current));
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	wake_up_process(w->task);
	return 0;
}

bool worker_thread_wake(struct worker *w)
{
	wake_up_process(w->task);
	return true;
}

void worker_thread_interrupt(struct worker *w)
{
	send_sig(SIGKILL, w->task, 1);
}

bool worker_thread_may_stop(const struct worker *w)
{
	return true;
}

void worker_thread_stop(struct worker *w)
{
	kthread_stop(w->task);
}

#endif /* RAMLOAD_HAVE_VHOST_TASK */
