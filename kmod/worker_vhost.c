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

/*
 * Who has retired is asked to end, and waited for. Task work, which may wait
 * for what the owner of a file decides, comes before that. Returns false if
 * there is some.
 */
static bool retire_if_dead(struct worker *w)
{
	if (has_signals()) {
		__set_current_state(TASK_RUNNING);
		return false;
	}
	worker_retire_if_dead(w);
	return true;
}

static bool run(void *data)
{
	struct worker *w = data;

	WRITE_ONCE(w->task, current);
	worker_begin(w);
	worker_unpark(w);
	if (!worker_has_work(w))
		return !retire_if_dead(w);
	__set_current_state(TASK_RUNNING);
	/* At the end of a job or pool, somebody waits: be stopped after that. */
	do {
		worker_step(w);
		cond_resched();
	} while (worker_has_work(w) && (!has_signals() || !worker_park(w)));
	retire_if_dead(w);
	return true;
}

static void killed(void *data)
{
	worker_died(data);
}

int worker_thread_create(struct worker *w)
{
	w->vtsk = vhost_task_create(run, killed, w, "ramload");
	if (IS_ERR(w->vtsk))
		return PTR_ERR(w->vtsk);
	/* Before 6.14 that was the answer to all errors, a signal's, too. */
	if (!w->vtsk)
		return signal_pending(current) ? -ERESTARTNOINTR : -EAGAIN;
	vhost_task_start(w->vtsk);
	return 0;
}

static bool is_stopped(const struct worker *w)
{
	struct task_struct *task = READ_ONCE(w->task);

	return task &&
	       (task_sigpending(task) ||
		READ_ONCE(task->__state) & TASK_FROZEN ||
		READ_ONCE(task->jobctl) &
		(JOBCTL_PENDING_MASK | JOBCTL_TRAP_FREEZE |
		 JOBCTL_STOPPED | JOBCTL_TRACED));
}

/* Before 6.18 (6.12.50), vhost_task has no reference to its task. */
bool worker_thread_wake(struct worker *w)
{
	if (READ_ONCE(w->killed))
		return false;
	vhost_task_wake(w->vtsk);
	return !is_stopped(w);
}

/* Another signal than the process's own SIGKILL would kill the process. */
void worker_thread_interrupt(struct worker *w)
{
}

/*
 * The core looks at signals before it looks whether to stop. What may come in
 * between is a matter of microseconds, if the owner lets the thread run.
 */
bool worker_thread_may_stop(const struct worker *w)
{
	return READ_ONCE(w->killed) || !is_stopped(w);
}

void worker_thread_stop(struct worker *w)
{
	vhost_task_stop(w->vtsk);
}

#endif /* RAMLOAD_HAVE_VHOST_TASK */
