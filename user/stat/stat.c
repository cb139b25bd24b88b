// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: stat
 *
 * Requests and events have a socket each, so that events that are lost say
 * nothing about a dump, and answers need not be told from events.
 *
 * Each request is answered until its end: by an acknowledgement, which it asks
 * for, or by NLMSG_DONE. What came for one that ended by an error is told by
 * its number, and left out.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"
#include "socket.h"

/* A dump that is interrupted is asked for again, so often in all. */
#define DUMPS	5

#define TEXT_LENGTH	256

/**
 * struct ramload_stat - a connection
 * @requests: socket of requests
 * @events: socket of events; open after ramload_stat_listen()
 * @family: the module's
 * @answer: what was told last, or the job of @event
 * @event: what was returned last
 * @pending: what of the events' buffer was not returned yet
 * @text: what the kernel said of the last error
 */
struct ramload_stat {
	struct socket requests;
	struct socket events;
	struct family family;
	struct record answer;
	struct ramload_stat_event event;
	struct bytes pending;
	char text[TEXT_LENGTH];
};

/* What is done with each message of an answer: 0 or a negative errno. */
typedef int (*take_fn)(const struct message *message, void *arg);

/*
 * True if a message ends the answer; its error is then in @err. Others are for
 * the caller.
 */
static bool ends(struct ramload_stat *stat, const struct message *message,
		 int *err)
{
	switch (message->type) {
	case NLMSG_ERROR:
	case NLMSG_DONE:
		*err = message_outcome(message, stat->text,
				       sizeof(stat->text));
		return true;
	case NLMSG_OVERRUN:
		*err = -ENOBUFS;
		return true;
	default:
		return false;
	}
}

/*
 * Sends a request and has @take take what comes. Returns 0 or a negative errno;
 * of a dump, @interrupted says whether it was. One that is not read to its end
 * would be in the way of the next.
 */
static int ask(struct ramload_stat *stat, const struct request *request,
	       take_fn take, void *arg, bool *interrupted)
{
	struct message message;
	struct bytes bytes = { 0 };
	int err, ret, failed = 0;

	stat->text[0] = '\0';
	ret = socket_send(&stat->requests, request);
	while (ret >= 0) {
		ret = message_next(&bytes, &message);
		if (!ret)
			ret = socket_receive(&stat->requests, true, &bytes);
		else if (ret > 0 && message.seq == stat->requests.seq) {
			if (message.flags & NLM_F_DUMP_INTR && interrupted)
				*interrupted = true;
			if (ends(stat, &message, &err))
				return failed ? failed : err;
			if (message.type == request->family && !failed)
				failed = take(&message, arg);
		}
	}
	return ret;
}

static int take_family(const struct message *message, void *arg)
{
	return message_family(message, RAMLOAD_NL_GROUP_EVENTS, arg);
}

static int find_family(struct ramload_stat *stat)
{
	const struct request request = {
		.family = GENL_ID_CTRL,
		.flags = NLM_F_ACK,
		.cmd = CTRL_CMD_GETFAMILY,
		.version = 1,
		.attribute = CTRL_ATTR_FAMILY_NAME,
		.length = sizeof(RAMLOAD_NL_FAMILY_NAME),
		.value = RAMLOAD_NL_FAMILY_NAME,
	};
	int err = ask(stat, &request, take_family, &stat->family, NULL);

	if (err)
		return err;
	if (!stat->family.id ||
	    stat->family.version != RAMLOAD_NL_FAMILY_VERSION)
		return -EPROTO;
	return 0;
}

RAMLOAD_STAT_API int ramload_stat_open(struct ramload_stat **stat,
				       unsigned int *version)
{
	struct ramload_stat *new = calloc(1, sizeof(*new));
	int err = -ENOMEM;

	*stat = NULL;
	if (version)
		*version = 0;
	if (!new)
		return err;
	err = socket_open(&new->requests);
	if (!err)
		err = find_family(new);
	if (version)
		*version = new->family.version;
	if (err) {
		ramload_stat_close(new);
		return err;
	}
	*stat = new;
	return 0;
}

RAMLOAD_STAT_API void ramload_stat_close(struct ramload_stat *stat)
{
	if (!stat)
		return;
	socket_close(&stat->events);
	socket_close(&stat->requests);
	free(stat);
}

RAMLOAD_STAT_API const char *ramload_stat_text(const struct ramload_stat *stat)
{
	return stat->text;
}

static int take_one(const struct message *message, void *arg)
{
	return record_parse(message, arg);
}

/* @attribute of 0: without an id. The answer is in stat->answer. */
static int get(struct ramload_stat *stat, enum ramload_nl_cmd cmd,
	       enum record_kind kind, int attribute, uint32_t id)
{
	const struct request request = {
		.family = stat->family.id,
		.flags = NLM_F_ACK,
		.cmd = cmd,
		.version = RAMLOAD_NL_FAMILY_VERSION,
		.attribute = attribute,
		.length = attribute ? sizeof(id) : 0,
		.value = &id,
	};
	int err;

	stat->answer.kind = RECORD_UNKNOWN;
	err = ask(stat, &request, take_one, &stat->answer, NULL);
	if (!err && stat->answer.kind != kind)
		err = -EPROTO;
	return err;
}

RAMLOAD_STAT_API int
ramload_stat_get_totals(struct ramload_stat *stat,
			const struct ramload_stat_totals **totals)
{
	int err = get(stat, RAMLOAD_NL_CMD_TOTALS_GET, RECORD_TOTALS, 0, 0);

	*totals = err ? NULL : &stat->answer.totals;
	return err;
}

RAMLOAD_STAT_API int
ramload_stat_get_context(struct ramload_stat *stat, uint32_t id,
			 const struct ramload_stat_context **context)
{
	int err = -ENOENT;

	if (id)
		err = get(stat, RAMLOAD_NL_CMD_CONTEXT_GET, RECORD_CONTEXT,
			  RAMLOAD_A_CONTEXT_ID, id);
	*context = err ? NULL : &stat->answer.context;
	return err;
}

RAMLOAD_STAT_API int
ramload_stat_get_job(struct ramload_stat *stat, uint32_t id,
		     const struct ramload_stat_job **job)
{
	int err = -ENOENT;

	if (id)
		err = get(stat, RAMLOAD_NL_CMD_JOB_GET, RECORD_JOB,
			  RAMLOAD_A_JOB_ID, id);
	*job = err ? NULL : &stat->answer.job;
	return err;
}

static int take_element(const struct message *message, void *arg)
{
	struct record record;
	int err = record_parse(message, &record);

	return err ? err : list_add(arg, &record);
}

/* @id of 0: of all contexts. */
static int fill(struct ramload_stat *stat, enum ramload_nl_cmd cmd,
		int attribute, uint32_t id, struct ramload_stat_list *list)
{
	const struct request request = {
		.family = stat->family.id,
		.flags = NLM_F_DUMP,
		.cmd = cmd,
		.version = RAMLOAD_NL_FAMILY_VERSION,
		.attribute = attribute,
		.length = id ? sizeof(id) : 0,
		.value = &id,
	};
	int i, err = 0;

	for (i = 0; i < DUMPS && !err; i++) {
		list_clear(list);
		err = ask(stat, &request, take_element, list,
			  &list->interrupted);
		if (!list->interrupted)
			break;
	}
	return err;
}

static int dump(struct ramload_stat *stat, enum ramload_nl_cmd cmd,
		enum record_kind kind, int attribute, uint32_t id,
		struct ramload_stat_list **list)
{
	struct ramload_stat_list *new = list_new(kind);
	int err = -ENOMEM;

	*list = NULL;
	if (new)
		err = fill(stat, cmd, attribute, id, new);
	if (err) {
		ramload_stat_list_free(new);
		return err;
	}
	list_link(new);
	*list = new;
	return 0;
}

RAMLOAD_STAT_API int
ramload_stat_dump_contexts(struct ramload_stat *stat,
			   struct ramload_stat_list **list)
{
	return dump(stat, RAMLOAD_NL_CMD_CONTEXT_GET, RECORD_CONTEXT, 0, 0,
		    list);
}

RAMLOAD_STAT_API int
ramload_stat_dump_workers(struct ramload_stat *stat, uint32_t context,
			  struct ramload_stat_list **list)
{
	return dump(stat, RAMLOAD_NL_CMD_WORKER_GET, RECORD_WORKER,
		    RAMLOAD_A_WORKER_CONTEXT, context, list);
}

RAMLOAD_STAT_API int
ramload_stat_dump_jobs(struct ramload_stat *stat, uint32_t context,
		       struct ramload_stat_list **list)
{
	return dump(stat, RAMLOAD_NL_CMD_JOB_GET, RECORD_JOB,
		    RAMLOAD_A_JOB_CONTEXT, context, list);
}

RAMLOAD_STAT_API int ramload_stat_listen(struct ramload_stat *stat)
{
	int err;

	if (stat->events.nl)
		return -EALREADY;
	if (!stat->family.group)
		return -EOPNOTSUPP;
	err = socket_open(&stat->events);
	if (err)
		return err;
	err = socket_join(&stat->events, stat->family.group);
	if (err)
		socket_close(&stat->events);
	return err;
}

RAMLOAD_STAT_API int ramload_stat_event_fd(const struct ramload_stat *stat)
{
	return socket_fd(&stat->events);
}

/* False if a message is no event that is known. */
static bool event_kind(uint8_t cmd, enum ramload_stat_event_kind *kind)
{
	switch (cmd) {
	case RAMLOAD_NL_CMD_JOB_STARTED:
		*kind = RAMLOAD_STAT_JOB_STARTED;
		return true;
	case RAMLOAD_NL_CMD_JOB_PROGRESS:
		*kind = RAMLOAD_STAT_JOB_PROGRESS;
		return true;
	case RAMLOAD_NL_CMD_JOB_DONE:
		*kind = RAMLOAD_STAT_JOB_DONE;
		return true;
	default:
		return false;
	}
}

/* Returns 1 if a message is an event, 0 if not, or -EPROTO. */
static int take_event(struct ramload_stat *stat, const struct message *message)
{
	int err;

	if (message->type != stat->family.id)
		return 0;
	err = record_parse(message, &stat->answer);
	if (err)
		return err;
	if (!event_kind(stat->answer.cmd, &stat->event.kind))
		return 0;
	stat->event.job = &stat->answer.job;
	return 1;
}

/* Returns 1, 0 if there is none, or a negative errno. */
static int next_message(struct ramload_stat *stat, struct message *message)
{
	int ret;

	while (!(ret = message_next(&stat->pending, message))) {
		ret = socket_receive(&stat->events, false, &stat->pending);
		if (ret <= 0)
			break;
	}
	return ret;
}

RAMLOAD_STAT_API int
ramload_stat_next_event(struct ramload_stat *stat,
			const struct ramload_stat_event **event)
{
	struct message message;
	int ret;

	*event = NULL;
	if (!stat->events.nl)
		return -EINVAL;
	do {
		ret = next_message(stat, &message);
		if (ret <= 0)
			return ret;
		ret = take_event(stat, &message);
	} while (!ret);
	if (ret > 0)
		*event = &stat->event;
	return ret;
}
