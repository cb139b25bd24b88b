// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: worker_vhost
 *
 * Workers as threads of the process that calls RAMLOAD_SETUP: they have its
 * mm and cgroup, are stopped by SIGSTOP and end with it.
 *
 * The core calls run() in a loop, with the task's state already
 * TASK_INTERRUPTIBLE, and sleeps if it returns false; so a wake-up between the
 * look at the list and the sleep is not lost. run() returns when there is no
 * more to do, and between two batches if a signal is pending: SIGSTOP and the
 * freezer stop a worker within a batch. It is parked whenever it returns with
 * a job, for wherever it is not in run(), it may be stopped.
 */

#ifdef RAMLOAD_HAVE_VHOST_TASK

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/vhost_task.h>
#include <linux/task_work.h>

#include "worker_pool.h"

/*
 * Is the core to look at signals? A file whose last reference was dropped is
 * closed by task work, which is for the return to user space, where this thread
 * never goes: the core does it along with signals.
 */
static bool has_signals(void)
{
	if (task_work_pending(current))
		set_thread_flag(TIF_NOTIFY_SIGNAL);
	return signal_pending(current);
}

static bool run(void *data)
{
	struct worker *w = data;

	w->task = current;
	worker_begin(w);
	worker_unpark(w);
	if (!worker_has_work(w)) {
		worker_retire_if_dead(w);
		return false;
	}
	__set_current_state(TASK_RUNNING);
	/* At the end of a job or pool, somebody waits: be stopped after that. */
	do {
		worker_step(w);
		cond_resched();
	} while (worker_has_work(w) && (!has_signals() || !worker_park(w)));
	worker_retire_if_dead(w);
	has_signals();
	return true;
}

static void killed(void *data)
{
	worker_died(data);
}

int worker_thread_create(struct worker *w)
{
	w->vtsk = vhost_task_create(run, killed, w, "ramload");
	/* NULL: before 6.14 that was the answer to all errors. */
	if (IS_ERR_OR_NULL(w->vtsk))
		return w->vtsk ? PTR_ERR(w->vtsk) : -EAGAIN;
	vhost_task_start(w->vtsk);
	return 0;
}

void worker_thread_wake(struct worker *w)
{
	vhost_task_wake(w->vtsk);
}

/* Another signal than the process's own SIGKILL would kill the process. */
void worker_thread_interrupt(struct worker *w)
{
}

/*
 * The core looks at signals before it looks whether to stop. What may come in
 * between is a matter of microseconds.
 */
bool worker_thread_may_stop(const struct worker *w)
{
	return READ_ONCE(w->killed) ||
	       (!task_sigpending(w->task) &&
		!(READ_ONCE(w->task->__state) & TASK_FROZEN) &&
		!(READ_ONCE(w->task->jobctl) &
		  (JOBCTL_PENDING_MASK | JOBCTL_TRAP_FREEZE |
		   JOBCTL_STOPPED | JOBCTL_TRACED)));
}

void worker_thread_stop(struct worker *w)
{
	vhost_task_stop(w->vtsk);
}

#endif /* RAMLOAD_HAVE_VHOST_TASK */
