/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RAMLOAD_NETLINK_H
#define RAMLOAD_NETLINK_H

struct load_job;

/*
 * Tell listeners, if there are any. The caller has a reference to the job, which
 * was submitted. Process context; waits for nothing.
 */
void netlink_job_started(struct load_job *job);
void netlink_job_progress(struct load_job *job);
void netlink_job_done(struct load_job *job);

int netlink_init(void);
void netlink_exit(void);

#endif /* RAMLOAD_NETLINK_H */
