/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Trace events of the module, in a buffer of tracefs that nobody else uses.
 */
#ifndef TRACE_INSTANCE_H
#define TRACE_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

struct reason;

struct trace_event {
	char name[32];
	char text[256];		/* as it is printed, behind the name */
	int tid;		/* of the thread it is of */
};

struct trace_instance {
	char path[96];
	unsigned int nr;
	struct trace_event *events;
};

/* Returns 0, or -1 and why this machine cannot have one. */
int trace_make(struct trace_instance *t, struct reason *why);
void trace_remove(struct trace_instance *t);

/* All events of the module on or off; what was there is forgotten. */
int trace_set(struct trace_instance *t, bool on);

/* Fill in @nr and @events, in order. Returns 0 or -1. */
int trace_read(struct trace_instance *t);

/* The number behind "@key=", or INT64_MIN. */
int64_t trace_field(const struct trace_event *e, const char *key);

/* Whether "@key=@value" is in it. */
bool trace_has(const struct trace_event *e, const char *key, const char *value);

/* The first event of that name from index @from on, or NULL. */
const struct trace_event *trace_find(const struct trace_instance *t,
				     unsigned int from, const char *name);

#endif /* TRACE_INSTANCE_H */
