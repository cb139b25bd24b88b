/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Rows of jobs: which are shown, in which order
 */
#ifndef CLI_JOB_ROW_H
#define CLI_JOB_ROW_H

#include <ramload_stat.h>
#include <stdbool.h>
#include <stddef.h>

/** struct job_row - a job, and how many bytes a second it loads */
struct job_row {
	const struct ramload_stat_job *job;
	double rate;
};

/** enum job_key - what rows are sorted by; numbers that matter come first */
enum job_key {
	JOB_KEY_ID,
	JOB_KEY_PID,
	JOB_KEY_BYTES,
	JOB_KEY_RATE,
	JOB_KEY_TIME,
};

/** job_key_names - of enum job_key, as --sort takes them */
extern const char *const job_key_names[];

/** struct stat_filter - of whom something must be; 0: of any */
struct stat_filter {
	unsigned int pid;
	unsigned int context;
};

/** stat_filter_takes() - whether something of @pid and @context is shown */
bool stat_filter_takes(const struct stat_filter *filter, uint32_t pid,
		       uint32_t context);

/** job_rows_sort() - sort; among those that are equal, by id */
void job_rows_sort(struct job_row *rows, size_t nr, enum job_key key);

/** job_rate() - mean rate of a job since its first chunk */
double job_rate(const struct ramload_stat_job *job);

/** job_state_name() - "running" and the like, "unknown" */
const char *job_state_name(uint32_t state);

/** worker_state_name() - "idle" and the like, "unknown" */
const char *worker_state_name(uint32_t state);

#endif /* CLI_JOB_ROW_H */
