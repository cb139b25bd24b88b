/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_VIEWER_H
#define RAMLOAD_VIEWER_H

#include <linux/pid.h>
#include <linux/types.h>

struct mm_struct;
struct pid_namespace;

/**
 * struct viewer - who looks at contexts and jobs
 * @all: sees all of them
 * @mm: else, those of this mm
 * @context: wants to see what belongs to this one only; 0: to any
 * @pid_ns: where pids are to be of
 */
struct viewer {
	bool all;
	const struct mm_struct *mm;
	u32 context;
	struct pid_namespace *pid_ns;
};

/* What belongs to a context of that mm? */
static inline bool viewer_sees(const struct viewer *v,
			       const struct mm_struct *mm, u32 context)
{
	return (v->all || v->mm == mm) &&
	       (!v->context || v->context == context);
}

static inline u32 viewer_pid(const struct viewer *v, struct pid *pid)
{
	return pid_nr_ns(pid, v->pid_ns);
}

#endif /* RAMLOAD_VIEWER_H */
