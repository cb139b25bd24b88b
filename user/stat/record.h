/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Records: what a message of the family "ramload" tells
 */
#ifndef RAMLOAD_STAT_RECORD_H
#define RAMLOAD_STAT_RECORD_H

#include <ramload_stat.h>

#include "message.h"

enum record_kind {
	RECORD_UNKNOWN,
	RECORD_CONTEXT,
	RECORD_WORKER,
	RECORD_JOB,
	RECORD_TOTALS,
};

/**
 * struct record - one thing that was told of
 * @kind: which of the union it is; RECORD_UNKNOWN: none
 * @cmd: the command of the message
 * @counters: of a job or totals, which point here
 */
struct record {
	enum record_kind kind;
	uint8_t cmd;
	union {
		struct ramload_stat_context context;
		struct ramload_stat_worker worker;
		struct ramload_stat_job job;
		struct ramload_stat_totals totals;
	};
	struct ramload_stat_counters counters;
};

/**
 * record_parse() - read a message
 *
 * Attributes and commands that are not known, and values of a size that is not,
 * are left out.
 *
 * Return: 0, or -EPROTO with @record of no kind
 */
int record_parse(const struct message *message, struct record *record);

/** record_link() - have pointers of a record that was moved point into it */
void record_link(struct record *record);

#endif /* RAMLOAD_STAT_RECORD_H */
