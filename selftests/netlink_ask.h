/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/* The module's netlink family, for tests: through libnl. */
#ifndef NETLINK_ASK_H
#define NETLINK_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/ramload_netlink.h>

#define ASK_VALUES	(RAMLOAD_A_JOB_MAX + 1)
#define ASK_COUNTERS	(RAMLOAD_A_COUNTERS_MAX + 1)
#define ASK_ORDERS	16

/* Each set of attributes fits in. */
_Static_assert(RAMLOAD_A_TOTALS_MAX < (int)ASK_VALUES, "too many values");
_Static_assert(RAMLOAD_A_WORKER_MAX < (int)ASK_VALUES, "too many values");

/*
 * A message. @value is indexed by the attributes of what was asked for; @has
 * tells which of them there are.
 */
struct answer {
	uint8_t cmd;
	bool has[ASK_VALUES];
	uint64_t value[ASK_VALUES];
	char comm[32];
	uint64_t counters[ASK_COUNTERS];
	uint64_t folios[ASK_ORDERS];
};

#define VALUE(answer, set, name)					\
	((answer)->value[RAMLOAD_A_##set##_##name])
#define COUNTER(answer, name)						\
	((answer)->counters[RAMLOAD_A_COUNTERS_##name])

struct nl_sock;

struct ask {
	struct nl_sock *sock;
	int family;
	bool ended;		/* the dump */
	bool interrupted;	/* some message of the dump says so */
	char text[128];		/* what the kernel said of the last error */
};

/* Returns 0 or a negative errno; -ENOENT: there is no such family. */
int ask_open(struct ask *a);
void ask_close(struct ask *a);

/* Joins the group of events. Returns 0 or a negative errno. */
int ask_listen(struct ask *a);

/*
 * Asks for one; @attr of 0: without an attribute. Returns 0 or a negative
 * errno.
 */
int ask_one(struct ask *a, uint8_t cmd, int attr, uint32_t id,
	    struct answer *answer);

/*
 * Begins a dump; then ask_next() returns the number of messages that came with
 * the next read, 0 at the end, or a negative errno.
 */
int ask_dump(struct ask *a, uint8_t cmd, int attr, uint32_t id);
int ask_next(struct ask *a, struct answer *answers, unsigned int room);

/*
 * All of a dump. Returns how many there are, or a negative errno; -ELOOP: it
 * does not end.
 */
int ask_all(struct ask *a, uint8_t cmd, int attr, uint32_t id,
	    struct answer *answers, unsigned int room);

/* The first context of this process. Returns its id, or 0. */
uint32_t ask_context(struct ask *a, struct answer *answer);

/* The newest job of a context. Returns its id, or 0. */
uint32_t ask_last_job(struct ask *a, uint32_t context, struct answer *answer);

/* An event, if one comes within @ms. Returns 1, 0 or a negative errno. */
int ask_event(struct ask *a, struct answer *answer, int ms);

/*
 * A request of any bytes behind the header. ask_send() does not wait for the
 * answer. Return 0 or a negative errno.
 */
int ask_send(struct ask *a, uint8_t cmd, uint16_t flags, const void *payload,
	     uint32_t length);
int ask_raw(struct ask *a, uint8_t cmd, uint16_t flags, const void *payload,
	    uint32_t length);

#endif /* NETLINK_ASK_H */
