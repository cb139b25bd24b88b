/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Writes netlink messages, right and wrong ones, for tests of what reads them.
 */
#ifndef NETLINK_WRITER_H
#define NETLINK_WRITER_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

#include <linux/ramload.h>
#include <linux/ramload_netlink.h>

#define FAMILY	33
#define SEQ	77

/* What does not fit is left out. */
struct writer {
	uint8_t data[1 << 14];
	size_t size;
};

static inline void put(struct writer *w, const void *data, size_t size)
{
	if (!size || size > sizeof(w->data) - w->size)
		return;
	memcpy(w->data + w->size, data, size);
	w->size += size;
}

static inline void pad(struct writer *w)
{
	put(w, "\0\0\0", -w->size & 3);
}

/* Begins a message or an attribute that ends at put_end(). */
static inline size_t put_message(struct writer *w, uint16_t type,
				 uint16_t flags)
{
	struct nlmsghdr head = {
		.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = SEQ,
	};
	size_t start = w->size;

	put(w, &head, sizeof(head));
	return start;
}

static inline size_t put_genl(struct writer *w, uint8_t cmd)
{
	struct genlmsghdr head = { .cmd = cmd, .version = 1 };
	size_t start = put_message(w, FAMILY, 0);

	put(w, &head, sizeof(head));
	return start;
}

static inline void end_message(struct writer *w, size_t start)
{
	uint32_t length = w->size - start;

	memcpy(w->data + start, &length, sizeof(length));
	pad(w);
}

static inline size_t put_nest(struct writer *w, uint16_t type)
{
	struct nlattr head = { .nla_type = type };
	size_t start = w->size;

	put(w, &head, sizeof(head));
	return start;
}

static inline void end_nest(struct writer *w, size_t start)
{
	uint16_t length = w->size - start;

	memcpy(w->data + start, &length, sizeof(length));
	pad(w);
}

static inline void put_attribute(struct writer *w, uint16_t type,
				 const void *value, size_t size)
{
	size_t start = put_nest(w, type);

	put(w, value, size);
	end_nest(w, start);
}

static inline void put_u32(struct writer *w, uint16_t type, uint32_t value)
{
	put_attribute(w, type, &value, sizeof(value));
}

static inline void put_u64(struct writer *w, uint16_t type, uint64_t value)
{
	put_attribute(w, type, &value, sizeof(value));
}

static inline void put_text(struct writer *w, uint16_t type, const char *text)
{
	put_attribute(w, type, text, strlen(text) + 1);
}

static inline void put_folios(struct writer *w, uint32_t order, uint64_t count)
{
	size_t nest = put_nest(w, RAMLOAD_A_COUNTERS_FOLIOS | NLA_F_NESTED);

	put_u32(w, RAMLOAD_A_FOLIOS_ORDER, order);
	put_u64(w, RAMLOAD_A_FOLIOS_COUNT, count);
	end_nest(w, nest);
}

/* Each value is 100 and its attribute. */
static inline void put_counters(struct writer *w, uint16_t type)
{
	size_t nest = put_nest(w, type);
	int i;

	for (i = RAMLOAD_A_COUNTERS_SHMEM; i <= RAMLOAD_A_COUNTERS_AGAIN; i++)
		put_u64(w, i, 100 + i);
	put_folios(w, 0, 7);
	put_folios(w, 9, 8);
	end_nest(w, nest);
}

/* What the module tells of a job; each value is its attribute. */
static inline void put_job(struct writer *w, uint8_t cmd)
{
	size_t start = put_genl(w, cmd);
	int i;

	for (i = RAMLOAD_A_JOB_ID; i <= RAMLOAD_A_JOB_MAX; i++) {
		switch (i) {
		case RAMLOAD_A_JOB_COMM:
			put_text(w, i, "qemu");
			break;
		case RAMLOAD_A_JOB_ERROR:
			put_u32(w, i, -61);
			break;
		case RAMLOAD_A_JOB_ERROR_OFFSET:
		case RAMLOAD_A_JOB_BYTES_TOTAL ... RAMLOAD_A_JOB_SERVICE_TIME:
			put_u64(w, i, i);
			break;
		case RAMLOAD_A_JOB_COUNTERS:
			put_counters(w, i);
			break;
		default:
			put_u32(w, i, i);
		}
	}
	end_message(w, start);
}

static inline void put_context(struct writer *w)
{
	size_t start = put_genl(w, RAMLOAD_NL_CMD_CONTEXT_GET);

	put_u32(w, RAMLOAD_A_CONTEXT_ID, 1);
	put_u32(w, RAMLOAD_A_CONTEXT_PID, 2);
	put_text(w, RAMLOAD_A_CONTEXT_COMM, "qemu");
	put_u32(w, RAMLOAD_A_CONTEXT_WORKERS, 3);
	put_u32(w, RAMLOAD_A_CONTEXT_JOBS, 4);
	put_u64(w, RAMLOAD_A_CONTEXT_START_TIME, 5);
	end_message(w, start);
}

static inline void put_worker(struct writer *w)
{
	size_t start = put_genl(w, RAMLOAD_NL_CMD_WORKER_GET);
	int i;

	for (i = RAMLOAD_A_WORKER_CONTEXT; i <= RAMLOAD_A_WORKER_JOB; i++)
		put_u32(w, i, i);
	for (; i <= RAMLOAD_A_WORKER_BUSY_TIME; i++)
		put_u64(w, i, i);
	end_message(w, start);
}

static inline void put_totals(struct writer *w)
{
	size_t start = put_genl(w, RAMLOAD_NL_CMD_TOTALS_GET);
	int i;

	put_u32(w, RAMLOAD_A_TOTALS_CONTEXTS, RAMLOAD_A_TOTALS_CONTEXTS);
	put_u32(w, RAMLOAD_A_TOTALS_WORKERS, RAMLOAD_A_TOTALS_WORKERS);
	for (i = RAMLOAD_A_TOTALS_RUNNING; i < RAMLOAD_A_TOTALS_COUNTERS; i++)
		put_u64(w, i, i);
	put_counters(w, RAMLOAD_A_TOTALS_COUNTERS);
	end_message(w, start);
}

/* @repeat: bytes of the request behind its header; with a text if not NULL */
static inline void put_error(struct writer *w, int32_t err, uint16_t flags,
			     uint32_t repeat, const char *text)
{
	struct nlmsghdr request = { .nlmsg_len = sizeof(request) + repeat };
	size_t start = put_message(w, NLMSG_ERROR, flags);

	put(w, &err, sizeof(err));
	put(w, &request, sizeof(request));
	if (!(flags & NLM_F_CAPPED))
		while (repeat--)
			put(w, "x", 1);
	pad(w);
	if (text)
		put_text(w, NLMSGERR_ATTR_MSG, text);
	end_message(w, start);
}

static inline void put_group(struct writer *w, uint16_t index, const char *name,
			     uint32_t id)
{
	size_t nest = put_nest(w, index);

	put_text(w, CTRL_ATTR_MCAST_GRP_NAME, name);
	put_u32(w, CTRL_ATTR_MCAST_GRP_ID, id);
	end_nest(w, nest);
}

static inline void put_family(struct writer *w, uint16_t id, uint32_t version)
{
	size_t start = put_message(w, GENL_ID_CTRL, 0), nest;
	struct genlmsghdr head = { .cmd = CTRL_CMD_NEWFAMILY };

	put(w, &head, sizeof(head));
	put_text(w, CTRL_ATTR_FAMILY_NAME, RAMLOAD_NL_FAMILY_NAME);
	put_attribute(w, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	put_u32(w, CTRL_ATTR_VERSION, version);
	nest = put_nest(w, CTRL_ATTR_MCAST_GROUPS);
	put_group(w, 1, "others", 5);
	put_group(w, 2, RAMLOAD_NL_GROUP_EVENTS, 6);
	end_nest(w, nest);
	end_message(w, start);
}

#endif /* NETLINK_WRITER_H */
