// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* The module's netlink family, for tests: through libnl. */

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink_ask.h"

#ifndef NETLINK_EXT_ACK
#define NETLINK_EXT_ACK	11
#endif

/* A dump of so many messages does not end. */
#define ENDLESS	100000

/* So many contexts or jobs of a context are looked through. */
#define ASK_MANY	512

static int to_errno(int err)
{
	switch (-err) {
	case 0:
		return 0;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	default:
		return -EPROTO;
	}
}

int ask_open(struct ask *a)
{
	int one = 1;
	int err;

	memset(a, 0, sizeof(*a));
	a->sock = nl_socket_alloc();
	if (!a->sock)
		return -ENOMEM;
	nl_socket_disable_auto_ack(a->sock);
	err = genl_connect(a->sock);
	if (!err) {
		setsockopt(nl_socket_get_fd(a->sock), SOL_NETLINK,
			   NETLINK_EXT_ACK, &one, sizeof(one));
		err = genl_ctrl_resolve(a->sock, RAMLOAD_NL_FAMILY_NAME);
	}
	if (err < 0) {
		ask_close(a);
		return to_errno(err);
	}
	a->family = err;
	return 0;
}

void ask_close(struct ask *a)
{
	nl_socket_free(a->sock);
	a->sock = NULL;
}

int ask_listen(struct ask *a)
{
	int group = genl_ctrl_resolve_grp(a->sock, RAMLOAD_NL_FAMILY_NAME,
					  RAMLOAD_NL_GROUP_EVENTS);

	if (group < 0)
		return to_errno(group);
	return setsockopt(nl_socket_get_fd(a->sock), SOL_NETLINK,
			  NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ?
	       -errno : 0;
}

static uint64_t number(const struct nlattr *attr)
{
	switch (nla_len(attr)) {
	case 4:
		return nla_get_u32(attr);
	case 8:
		return nla_get_u64(attr);
	default:
		return 0;
	}
}

static void take_folios(struct answer *answer, struct nlattr *nest)
{
	struct nlattr *attr;
	uint32_t order = ASK_ORDERS;
	uint64_t count = 0;
	int rest;

	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) == RAMLOAD_A_FOLIOS_ORDER)
			order = number(attr);
		else if (nla_type(attr) == RAMLOAD_A_FOLIOS_COUNT)
			count = number(attr);
	}
	if (order < ASK_ORDERS)
		answer->folios[order] = count;
}

static void take_counters(struct answer *answer, struct nlattr *nest)
{
	struct nlattr *attr;
	int rest;

	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) == RAMLOAD_A_COUNTERS_FOLIOS)
			take_folios(answer, attr);
		else if (nla_type(attr) < ASK_COUNTERS)
			answer->counters[nla_type(attr)] = number(attr);
	}
}

static bool is_counters(uint8_t cmd, int type)
{
	switch (cmd) {
	case RAMLOAD_NL_CMD_CONTEXT_GET:
	case RAMLOAD_NL_CMD_WORKER_GET:
		return false;
	case RAMLOAD_NL_CMD_TOTALS_GET:
		return type == RAMLOAD_A_TOTALS_COUNTERS;
	default:
		return type == RAMLOAD_A_JOB_COUNTERS;
	}
}

static bool is_comm(uint8_t cmd, int type)
{
	switch (cmd) {
	case RAMLOAD_NL_CMD_WORKER_GET:
	case RAMLOAD_NL_CMD_TOTALS_GET:
		return false;
	case RAMLOAD_NL_CMD_CONTEXT_GET:
		return type == RAMLOAD_A_CONTEXT_COMM;
	default:
		return type == RAMLOAD_A_JOB_COMM;
	}
}

static void take(struct answer *answer, struct nlmsghdr *msg)
{
	struct genlmsghdr *head = nlmsg_data(msg);
	struct nlattr *attr;
	int rest = genlmsg_attrlen(head, 0);

	memset(answer, 0, sizeof(*answer));
	answer->cmd = head->cmd;
	nla_for_each_attr(attr, genlmsg_attrdata(head, 0), rest, rest) {
		int type = nla_type(attr);

		if (type >= ASK_VALUES)
			continue;
		answer->has[type] = true;
		if (is_counters(head->cmd, type))
			take_counters(answer, attr);
		else if (is_comm(head->cmd, type))
			nla_strlcpy(answer->comm, attr, sizeof(answer->comm));
		else
			answer->value[type] = number(attr);
	}
}

/* The errno that the kernel answers with, and its text. */
static int take_error(struct ask *a, struct nlmsghdr *msg)
{
	struct nlmsgerr *err = nlmsg_data(msg);
	struct nlattr *attr;
	char *at;
	int rest;

	a->text[0] = '\0';
	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return err->error;
	at = (char *)err + sizeof(*err);
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		at += err->msg.nlmsg_len - NLMSG_HDRLEN;
	rest = (char *)msg + msg->nlmsg_len - at;
	nla_for_each_attr(attr, (struct nlattr *)at, rest, rest)
		if (nla_type(attr) == NLMSGERR_ATTR_MSG)
			nla_strlcpy(a->text, attr, sizeof(a->text));
	return err->error;
}

int ask_send(struct ask *a, uint8_t cmd, uint16_t flags, const void *payload,
	     uint32_t length)
{
	struct nl_msg *msg = nlmsg_alloc();
	int err;

	if (!msg)
		return -ENOMEM;
	a->ended = false;
	a->interrupted = false;
	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, a->family, 0,
		    NLM_F_REQUEST | flags, cmd, RAMLOAD_NL_FAMILY_VERSION);
	if (length)
		nlmsg_append(msg, (void *)payload, length, 0);
	err = nl_send_auto(a->sock, msg);
	nlmsg_free(msg);
	return err < 0 ? -errno : 0;
}

int ask_raw(struct ask *a, uint8_t cmd, uint16_t flags, const void *payload,
	    uint32_t length)
{
	int err = ask_send(a, cmd, NLM_F_ACK | flags, payload, length);

	if (!err)
		err = ask_next(a, NULL, 0);
	return err > 0 ? 0 : err;
}

static int send_request(struct ask *a, uint8_t cmd, uint16_t flags, int type,
			uint32_t id)
{
	struct {
		struct nlattr head;
		uint32_t id;
	} attr = { { sizeof(attr), type }, id };

	return ask_send(a, cmd, flags, &attr, type ? sizeof(attr) : 0);
}

int ask_next(struct ask *a, struct answer *answers, unsigned int room)
{
	static __thread char buf[1 << 16] __attribute__((aligned(8)));
	struct nlmsghdr *msg;
	unsigned int nr = 0;
	int len;

	if (a->ended)
		return 0;
	len = recv(nl_socket_get_fd(a->sock), buf, sizeof(buf), 0);
	if (len < 0)
		return -errno;
	for (msg = (void *)buf; nlmsg_ok(msg, len); msg = nlmsg_next(msg, &len)) {
		a->interrupted |= msg->nlmsg_flags & NLM_F_DUMP_INTR;
		if (msg->nlmsg_type == NLMSG_ERROR)
			return take_error(a, msg);
		if (msg->nlmsg_type == NLMSG_DONE) {
			a->ended = true;
			return nr;
		}
		if (nr < room)
			take(&answers[nr], msg);
		nr++;
	}
	return nr;
}

int ask_one(struct ask *a, uint8_t cmd, int attr, uint32_t id,
	    struct answer *answer)
{
	int err = send_request(a, cmd, 0, attr, id);

	if (!err)
		err = ask_next(a, answer, 1);
	return err > 0 ? 0 : err ?: -EPROTO;
}

int ask_dump(struct ask *a, uint8_t cmd, int attr, uint32_t id)
{
	return send_request(a, cmd, NLM_F_DUMP, attr, id);
}

int ask_all(struct ask *a, uint8_t cmd, int attr, uint32_t id,
	    struct answer *answers, unsigned int room)
{
	unsigned int nr = 0;
	int ret = ask_dump(a, cmd, attr, id);

	if (ret)
		return ret;
	do {
		unsigned int used = nr < room ? nr : room;

		ret = ask_next(a, answers + used, room - used);
		nr += ret > 0 ? ret : 0;
	} while (ret > 0 && nr < ENDLESS);
	return ret > 0 ? -ELOOP : ret ?: (int)nr;
}

uint32_t ask_context(struct ask *a, struct answer *answer)
{
	static struct answer answers[ASK_MANY];
	int nr = ask_all(a, RAMLOAD_NL_CMD_CONTEXT_GET, 0, 0, answers,
			 ASK_MANY);
	int i;

	for (i = 0; i < nr && i < ASK_MANY; i++) {
		*answer = answers[i];
		if (VALUE(answer, CONTEXT, PID) == getpid())
			return VALUE(answer, CONTEXT, ID);
	}
	return 0;
}

uint32_t ask_last_job(struct ask *a, uint32_t context, struct answer *answer)
{
	static struct answer answers[ASK_MANY];
	int nr = ask_all(a, RAMLOAD_NL_CMD_JOB_GET, RAMLOAD_A_JOB_CONTEXT,
			 context, answers, ASK_MANY);

	if (nr <= 0 || nr > ASK_MANY)
		return 0;
	*answer = answers[nr - 1];
	return VALUE(answer, JOB, ID);
}

int ask_event(struct ask *a, struct answer *answer, int ms)
{
	struct pollfd pfd = {
		.fd = nl_socket_get_fd(a->sock),
		.events = POLLIN,
	};

	if (poll(&pfd, 1, ms) <= 0)
		return 0;
	return ask_next(a, answer, 1);
}
