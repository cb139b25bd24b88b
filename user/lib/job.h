/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
#ifndef RAMLOAD_JOB_H
#define RAMLOAD_JOB_H

#include "engine.h"

/**
 * struct ramload_job - what all jobs have; first member of each kind's own
 * @ops: functions of its kind
 * @fd: readable when the job is done; the kind's
 * @user: see struct ramload_load_options
 * @cleanup: likewise
 */
struct ramload_job {
	const struct job_ops *ops;
	int fd;
	void *user;
	void (*cleanup)(void *user);
};

uint64_t blocks_bytes(const struct ramload_block *blocks, size_t nr_blocks);

#endif /* RAMLOAD_JOB_H */
