/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef PRELOAD_JOB_H
#define PRELOAD_JOB_H

#include <ramload.h>

#include "preload_block.h"

#define NR_JOBS		16

/**
 * struct preload_jobs - the jobs under way, oldest first
 * @first: index of the oldest
 * @nr: how many
 * @job: a ring of them: the job, and which slice of which block it loads
 */
struct preload_jobs {
	unsigned int first;
	unsigned int nr;
	struct {
		struct ramload_job *job;
		struct preload_block *block;
		uint64_t slice;
	} job[NR_JOBS];
};

void preload_jobs_submit(struct preload_jobs *jobs,
			 struct ramload_session *session, int fd,
			 struct preload_block *block);
uint64_t preload_jobs_finish_oldest(struct preload_jobs *jobs);
bool preload_jobs_cancel(struct preload_jobs *jobs,
			 const struct preload_block *block);

#endif /* PRELOAD_JOB_H */
