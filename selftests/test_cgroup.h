/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A control group (version 2) that belongs to the test.
 */
#ifndef TEST_CGROUP_H
#define TEST_CGROUP_H

#include <stdint.h>

struct reason;

struct cgroup {
	char path[64];
};

/* With the controllers memory, pids and cpu. Returns 0, or -1 and why. */
int cgroup_make(struct cgroup *cg, struct reason *why);

/* Its processes have to be gone. */
void cgroup_remove(struct cgroup *cg);

/* The calling process moves there. */
int cgroup_enter(const struct cgroup *cg);

/*
 * And out again, for which it needs an fd of cgroup_way_out() from before: where
 * no memory is left, to look at the group's files may call the OOM killer.
 */
int cgroup_way_out(void);
int cgroup_leave(int way_out);

int cgroup_set(const struct cgroup *cg, const char *file, const char *value);

/*
 * What follows @key in a file of lines "key value"; with @key NULL, the value
 * the file has. UINT64_MAX if there is none.
 */
uint64_t cgroup_get(const struct cgroup *cg, const char *file,
		    const char *key);

#endif /* TEST_CGROUP_H */
