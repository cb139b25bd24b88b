// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: netlink
 *
 * The generic netlink family "ramload": what is there, for those who look from
 * outside, and what happens, for those who listen. It changes nothing, and no
 * load waits for it or fails on account of it: a message that cannot be made
 * or sent is lost.
 *
 * A request and each part of a dump are answered from what the registry copies
 * for the reader; nothing is held in between. A dump says that it was
 * interrupted if the registry has changed meanwhile.
 *
 * Events are sent by workers and by those who submit or cancel a job, without
 * a lock, if somebody listens.
 *
 * Locking: none. The core calls this under its own lock for families, which
 * is not taken by those who send.
 */

#include <linux/capability.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <uapi/linux/ramload_netlink.h>

#include "load_job.h"
#include "netlink.h"
#include "registry.h"
#include "stats.h"
#include "viewer.h"

/* So often, progress of a job is told of. */
#define PROGRESS_JIFFIES	(HZ / 10)

/* For so long, nothing is told when nobody has heard it. */
#define UNHEARD_JIFFIES		DIV_ROUND_UP(HZ, 100)

/* In all sets of attributes. */
#define A_PAD			RAMLOAD_A_JOB_PAD

static struct genl_family family;

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, A_PAD);
}

/* Messages; the functions return 0 or -EMSGSIZE */

static int put_folios(struct sk_buff *skb, u32 order, u64 count)
{
	struct nlattr *nest;

	if (!count)
		return 0;
	nest = nla_nest_start(skb, RAMLOAD_A_COUNTERS_FOLIOS);
	if (!nest || nla_put_u32(skb, RAMLOAD_A_FOLIOS_ORDER, order) ||
	    put_u64(skb, RAMLOAD_A_FOLIOS_COUNT, count))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counters(struct sk_buff *skb, int attr, const struct stats *s)
{
	static const int attrs[STAT_FOLIOS] = {
		[STAT_SHMEM] = RAMLOAD_A_COUNTERS_SHMEM,
		[STAT_USER] = RAMLOAD_A_COUNTERS_USER,
		[STAT_PINNED] = RAMLOAD_A_COUNTERS_PINNED,
		[STAT_CACHED] = RAMLOAD_A_COUNTERS_CACHED,
		[STAT_DIRECT] = RAMLOAD_A_COUNTERS_DIRECT,
		[STAT_GAPS] = RAMLOAD_A_COUNTERS_GAPS,
		[STAT_READS] = RAMLOAD_A_COUNTERS_READS,
		[STAT_NOT_DIRECT] = RAMLOAD_A_COUNTERS_NOT_DIRECT,
		[STAT_AGAIN] = RAMLOAD_A_COUNTERS_AGAIN,
	};
	struct nlattr *nest = nla_nest_start(skb, attr);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < STAT_FOLIOS; i++)
		if (put_u64(skb, attrs[i], s->counts[i]))
			return -EMSGSIZE;
	for (i = 0; i < STATS_ORDERS; i++)
		if (put_folios(skb, i, s->counts[STAT_FOLIOS + i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_context(struct sk_buff *skb, const struct pool_status *s)
{
	if (nla_put_u32(skb, RAMLOAD_A_CONTEXT_ID, s->id) ||
	    nla_put_u32(skb, RAMLOAD_A_CONTEXT_PID, s->pid) ||
	    nla_put_string(skb, RAMLOAD_A_CONTEXT_COMM, s->comm) ||
	    nla_put_u32(skb, RAMLOAD_A_CONTEXT_WORKERS, s->nr_workers) ||
	    nla_put_u32(skb, RAMLOAD_A_CONTEXT_JOBS, s->unfinished) ||
	    put_u64(skb, RAMLOAD_A_CONTEXT_START_TIME, s->start_ns))
		return -EMSGSIZE;
	return 0;
}

static int put_worker(struct sk_buff *skb, const struct worker_status *s)
{
	if (nla_put_u32(skb, RAMLOAD_A_WORKER_CONTEXT, s->context) ||
	    nla_put_u32(skb, RAMLOAD_A_WORKER_INDEX, s->index) ||
	    nla_put_u32(skb, RAMLOAD_A_WORKER_TID, s->tid) ||
	    nla_put_u32(skb, RAMLOAD_A_WORKER_STATE, s->state) ||
	    (s->job && nla_put_u32(skb, RAMLOAD_A_WORKER_JOB, s->job)) ||
	    put_u64(skb, RAMLOAD_A_WORKER_CHUNKS, s->chunks) ||
	    put_u64(skb, RAMLOAD_A_WORKER_BYTES, s->bytes) ||
	    put_u64(skb, RAMLOAD_A_WORKER_BUSY_TIME, s->busy_ns))
		return -EMSGSIZE;
	return 0;
}

static int put_result(struct sk_buff *skb, const struct ramload_job_result *r)
{
	if (nla_put_u32(skb, RAMLOAD_A_JOB_STATE, r->out_state) ||
	    nla_put_s32(skb, RAMLOAD_A_JOB_ERROR, r->out_error) ||
	    put_u64(skb, RAMLOAD_A_JOB_BYTES_TOTAL, r->out_bytes_total) ||
	    put_u64(skb, RAMLOAD_A_JOB_BYTES_DONE, r->out_bytes_done))
		return -EMSGSIZE;
	if (!r->out_error)
		return 0;
	if (nla_put_u32(skb, RAMLOAD_A_JOB_ERROR_RANGE, r->out_error_range) ||
	    put_u64(skb, RAMLOAD_A_JOB_ERROR_OFFSET, r->out_error_offset))
		return -EMSGSIZE;
	return 0;
}

static int put_job(struct sk_buff *skb, const struct job_status *s)
{
	if (nla_put_u32(skb, RAMLOAD_A_JOB_ID, s->id) ||
	    nla_put_u32(skb, RAMLOAD_A_JOB_CONTEXT, s->context) ||
	    nla_put_u32(skb, RAMLOAD_A_JOB_PID, s->pid) ||
	    nla_put_string(skb, RAMLOAD_A_JOB_COMM, s->comm) ||
	    put_result(skb, &s->result) ||
	    nla_put_u32(skb, RAMLOAD_A_JOB_RANGES, s->nr_ranges) ||
	    nla_put_u32(skb, RAMLOAD_A_JOB_CHUNKS, s->nr_chunks) ||
	    nla_put_u32(skb, RAMLOAD_A_JOB_CHUNKS_TAKEN, s->chunks_taken) ||
	    put_u64(skb, RAMLOAD_A_JOB_START_TIME, s->submit_ns) ||
	    put_u64(skb, RAMLOAD_A_JOB_QUEUE_TIME, s->queue_ns) ||
	    put_u64(skb, RAMLOAD_A_JOB_SERVICE_TIME, s->service_ns))
		return -EMSGSIZE;
	return put_counters(skb, RAMLOAD_A_JOB_COUNTERS, &s->stats);
}

static int put_totals(struct sk_buff *skb, const struct totals *t)
{
	u64 ended = t->done + t->failed + t->cancelled;
	u32 contexts, workers;

	registry_count(&contexts, &workers);
	if (nla_put_u32(skb, RAMLOAD_A_TOTALS_CONTEXTS, contexts) ||
	    nla_put_u32(skb, RAMLOAD_A_TOTALS_WORKERS, workers) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_RUNNING, t->submitted - ended) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_SUBMITTED, t->submitted) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_DONE, t->done) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_FAILED, t->failed) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_CANCELLED, t->cancelled) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_QUEUE_TIME, t->queue_ns) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_SERVICE_TIME, t->service_ns) ||
	    put_u64(skb, RAMLOAD_A_TOTALS_BYTES_DONE, t->bytes_done))
		return -EMSGSIZE;
	return put_counters(skb, RAMLOAD_A_TOTALS_COUNTERS, &t->stats);
}

/* Requests */

/* The current task, which has sent @skb or reads the answer to it. */
static struct viewer current_viewer(const struct sk_buff *skb)
{
	return (struct viewer){
		.all = netlink_capable(skb, CAP_NET_ADMIN),
		.mm = current->mm,
		.pid_ns = task_active_pid_ns(current),
	};
}

/*
 * Sends an answer, unless @err: that of what has put the attributes, behind
 * the header.
 */
static int reply(struct genl_info *info, struct sk_buff *skb, void *hdr,
		 int err)
{
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static struct sk_buff *new_reply(struct genl_info *info, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put_reply(skb, info, &family, 0, info->genlhdr->cmd);
	if (*hdr)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

/* The same command has another use for it. */
static int refuse(struct nlattr **attrs, int attr,
		  struct netlink_ext_ack *extack)
{
	if (!attrs || !attrs[attr])
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attrs[attr],
			    "an id is for one, a context is for a dump");
	return -EINVAL;
}

static int find_id(const struct genl_info *info, int attr, u32 *id)
{
	if (!info->attrs[attr]) {
		NL_SET_ERR_MSG(info->extack, "an id is needed, or a dump");
		return -EINVAL;
	}
	*id = nla_get_u32(info->attrs[attr]);
	return 0;
}

static int not_found(const struct genl_info *info, int attr)
{
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
			    "there is none with this id, or it is not yours");
	return -ENOENT;
}

static int context_get(struct sk_buff *skb, struct genl_info *info)
{
	struct viewer v = current_viewer(skb);
	struct pool_status status;
	struct sk_buff *answer;
	void *hdr;
	u32 id;
	int err;

	err = find_id(info, RAMLOAD_A_CONTEXT_ID, &id);
	if (err)
		return err;
	if (!registry_pool_by_id(&v, id, &status))
		return not_found(info, RAMLOAD_A_CONTEXT_ID);
	answer = new_reply(info, &hdr);
	if (!answer)
		return -ENOMEM;
	return reply(info, answer, hdr, put_context(answer, &status));
}

static int job_get(struct sk_buff *skb, struct genl_info *info)
{
	struct viewer v = current_viewer(skb);
	struct job_status status;
	struct sk_buff *answer;
	void *hdr;
	u32 id;
	int err;

	err = refuse(info->attrs, RAMLOAD_A_JOB_CONTEXT, info->extack);
	if (!err)
		err = find_id(info, RAMLOAD_A_JOB_ID, &id);
	if (err)
		return err;
	if (!registry_job_by_id(&v, id, &status))
		return not_found(info, RAMLOAD_A_JOB_ID);
	answer = new_reply(info, &hdr);
	if (!answer)
		return -ENOMEM;
	return reply(info, answer, hdr, put_job(answer, &status));
}

static int totals_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *answer;
	struct totals totals;
	void *hdr;

	if (!current_viewer(skb).all) {
		NL_SET_ERR_MSG(info->extack, "totals need CAP_NET_ADMIN");
		return -EPERM;
	}
	totals_read(&totals);
	answer = new_reply(info, &hdr);
	if (!answer)
		return -ENOMEM;
	return reply(info, answer, hdr, put_totals(answer, &totals));
}

/*
 * Dumps. What comes next is in cb->args. A dump function puts one thing after
 * the other; what finds no room comes with the next message.
 */

static void *dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
			u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &family, NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/* True if all of it has found room. */
static bool dump_end(struct sk_buff *skb, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return !err;
}

/* The id that a dump is to be restricted to, or 0. */
static u32 dump_filter(struct netlink_callback *cb, int attr)
{
	struct nlattr **attrs = genl_dump_attrs(cb);

	return attrs && attrs[attr] ? nla_get_u32(attrs[attr]) : 0;
}

static int context_start(struct netlink_callback *cb)
{
	return refuse(genl_dump_attrs(cb), RAMLOAD_A_CONTEXT_ID, cb->extack);
}

static int job_start(struct netlink_callback *cb)
{
	return refuse(genl_dump_attrs(cb), RAMLOAD_A_JOB_ID, cb->extack);
}

static int context_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct viewer v = current_viewer(cb->skb);
	u32 id = cb->args[0];
	struct pool_status status;
	void *hdr;

	cb->seq = registry_generation();
	for (; registry_pool(&v, &id, &status); id++) {
		hdr = dump_begin(skb, cb, RAMLOAD_NL_CMD_CONTEXT_GET);
		if (!hdr || !dump_end(skb, hdr, put_context(skb, &status)))
			break;
	}
	cb->args[0] = id;
	return skb->len;
}

static int worker_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct viewer v = current_viewer(cb->skb);
	u32 context = cb->args[0];
	u32 index = cb->args[1];
	struct worker_status status;
	void *hdr;

	v.context = dump_filter(cb, RAMLOAD_A_WORKER_CONTEXT);
	cb->seq = registry_generation();
	for (; registry_worker(&v, &context, &index, &status); index++) {
		hdr = dump_begin(skb, cb, RAMLOAD_NL_CMD_WORKER_GET);
		if (!hdr || !dump_end(skb, hdr, put_worker(skb, &status)))
			break;
	}
	cb->args[0] = context;
	cb->args[1] = index;
	return skb->len;
}

static int job_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct viewer v = current_viewer(cb->skb);
	u32 id = cb->args[0];
	struct job_status status;
	void *hdr;

	v.context = dump_filter(cb, RAMLOAD_A_JOB_CONTEXT);
	cb->seq = registry_generation();
	for (; registry_job(&v, &id, &status); id++) {
		hdr = dump_begin(skb, cb, RAMLOAD_NL_CMD_JOB_GET);
		if (!hdr || !dump_end(skb, hdr, put_job(skb, &status)))
			break;
	}
	cb->args[0] = id;
	return skb->len;
}

/* Events */

static const struct genl_multicast_group groups[] = {
	{
		.name = RAMLOAD_NL_GROUP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/* When nobody has heard what was told. */
static unsigned long unheard;

/*
 * The core counts listeners of all network namespaces as one, and whoever makes
 * a namespace may listen there, where nothing is told. Others are not to pay
 * for that with a message for each job.
 */
static bool is_heard(void)
{
	unsigned long since = READ_ONCE(unheard);

	return genl_has_listeners(&family, &init_net, 0) &&
	       !time_in_range_open(jiffies, since, since + UNHEARD_JIFFIES);
}

static void tell(struct load_job *job, u8 cmd)
{
	struct viewer v = { .all = true, .pid_ns = &init_pid_ns };
	struct job_status status;
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_NOWAIT | __GFP_NOWARN);
	if (!skb)
		return;
	registry_job_status(&v, job, &status);
	hdr = genlmsg_put(skb, 0, 0, &family, 0, cmd);
	if (!hdr || put_job(skb, &status)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	/* May not block: else a listener that is slow would be waited for. */
	if (genlmsg_multicast(&family, skb, 0, 0,
			      GFP_NOWAIT | __GFP_NOWARN) == -ESRCH)
		WRITE_ONCE(unheard, jiffies);
}

void netlink_job_started(struct load_job *job)
{
	if (is_heard())
		tell(job, RAMLOAD_NL_CMD_JOB_STARTED);
}

void netlink_job_progress(struct load_job *job)
{
	unsigned long told, now = jiffies;

	if (!is_heard())
		return;
	told = READ_ONCE(job->told);
	if (time_before(now, told + PROGRESS_JIFFIES) ||
	    cmpxchg(&job->told, told, now) != told)
		return;
	tell(job, RAMLOAD_NL_CMD_JOB_PROGRESS);
}

void netlink_job_done(struct load_job *job)
{
	if (is_heard())
		tell(job, RAMLOAD_NL_CMD_JOB_DONE);
}

/* The family */

static const struct nla_policy context_policy[RAMLOAD_A_CONTEXT_ID + 1] = {
	[RAMLOAD_A_CONTEXT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy worker_policy[RAMLOAD_A_WORKER_CONTEXT + 1] = {
	[RAMLOAD_A_WORKER_CONTEXT] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy job_policy[RAMLOAD_A_JOB_CONTEXT + 1] = {
	[RAMLOAD_A_JOB_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[RAMLOAD_A_JOB_CONTEXT] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct genl_ops ops[] = {
	{
		.cmd = RAMLOAD_NL_CMD_CONTEXT_GET,
		.doit = context_get,
		.start = context_start,
		.dumpit = context_dump,
		.policy = context_policy,
		.maxattr = ARRAY_SIZE(context_policy) - 1,
	}, {
		.cmd = RAMLOAD_NL_CMD_WORKER_GET,
		.dumpit = worker_dump,
		.policy = worker_policy,
		.maxattr = ARRAY_SIZE(worker_policy) - 1,
	}, {
		.cmd = RAMLOAD_NL_CMD_JOB_GET,
		.doit = job_get,
		.start = job_start,
		.dumpit = job_dump,
		.policy = job_policy,
		.maxattr = ARRAY_SIZE(job_policy) - 1,
	}, {
		.cmd = RAMLOAD_NL_CMD_TOTALS_GET,
		.doit = totals_get,
	},
};

static struct genl_family family = {
	.name = RAMLOAD_NL_FAMILY_NAME,
	.version = RAMLOAD_NL_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int netlink_init(void)
{
	return genl_register_family(&family);
}

void netlink_exit(void)
{
	genl_unregister_family(&family);
}
