// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Part of arch/um/os-Linux/skas/process.c of the kernel that selftests/vm/uml
 * builds.
 *
 * A process of UML has its mappings from the host, which are brought up to date
 * before it goes on in user mode. One that is there already, on another CPU,
 * goes on with what it had: it stores to pages that were written back, or that
 * are somebody else's by now. So who flushes a TLB has it leave user mode, and
 * waits until it has.
 *
 * user_runs of a struct mm_id is odd while its process may be in user mode, on
 * one CPU at most. It is made odd before the last look at what is to be brought
 * up to date, and looked at after that was noted: one of the two sees the other.
 * Who waits may hold spin locks, but none that an interrupt handler takes, as
 * with the IPIs of other architectures; in between, a process does without locks.
 */

static void set_user_runs(struct mm_id *mm_id, unsigned int runs)
{
	__atomic_store_n(&mm_id->user_runs, runs, __ATOMIC_SEQ_CST);
}

/* Also of one that is killed since its stub is not what it should be, wherever. */
void os_leave_user(struct mm_id *mm_id)
{
	set_user_runs(mm_id, (mm_id->user_runs | 1) + 1);
}

/* Instead of current_mm_sync(). Only with seccomp can there be a second CPU. */
static void enter_user(struct mm_id *mm_id)
{
	for (;;) {
		current_mm_sync();
		if (!using_seccomp)
			return;
		set_user_runs(mm_id, (mm_id->user_runs + 1) | 1);
		if (!um_tlb_is_marked())
			return;
		os_leave_user(mm_id);
	}
}

/* The signal stays pending until the process is out of its stub. */
void os_stop_user(struct mm_id *mm_id)
{
	unsigned int runs;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	runs = __atomic_load_n(&mm_id->user_runs, __ATOMIC_SEQ_CST);
	if (runs % 2 == 0)
		return;
	os_alarm_process(mm_id->pid);
	while (__atomic_load_n(&mm_id->user_runs, __ATOMIC_SEQ_CST) == runs &&
	       __atomic_load_n(&mm_id->pid, __ATOMIC_RELAXED) > 0)
		sched_yield();
}
