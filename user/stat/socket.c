// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <netlink/errno.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "socket.h"

#define EVENTS_BUFFER	(4 << 20)

/* libnl has numbers of its own, of which some stand for several errnos. */
static int to_errno(int err)
{
	switch (err < 0 ? -err : err) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_NOACCESS:
		return -EACCES;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_MSGSIZE:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

/* The errno that a call of libnl left, if there is one, tells more. */
static int to_last_errno(int err)
{
	return err < 0 && errno ? -errno : to_errno(err);
}

static void set_option(const struct socket *s, int level, int option, int value)
{
	/* What an old kernel has not, is done without. */
	if (setsockopt(socket_fd(s), level, option, &value, sizeof(value)))
		return;
}

static int set_up(struct socket *s)
{
	int err;

	s->nl = nl_socket_alloc();
	s->buffer = malloc(SOCKET_BUFFER);
	if (!s->nl || !s->buffer)
		return -ENOMEM;
	/* Else it asks for acknowledgements of dumps. */
	nl_socket_disable_auto_ack(s->nl);
	errno = 0;
	err = genl_connect(s->nl);
	if (err < 0)
		return to_last_errno(err);
	set_option(s, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(s, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	return 0;
}

int socket_open(struct socket *s)
{
	int err = set_up(s);

	if (err)
		socket_close(s);
	return err;
}

void socket_close(struct socket *s)
{
	/* Unlike free(), it asserts that it is given one. */
	if (s->nl)
		nl_socket_free(s->nl);
	free(s->buffer);
	s->nl = NULL;
	s->buffer = NULL;
}

int socket_fd(const struct socket *s)
{
	return s->nl ? nl_socket_get_fd(s->nl) : -1;
}

int socket_send(struct socket *s, const struct request *request)
{
	struct nl_msg *msg = nlmsg_alloc();
	int err = -NLE_NOMEM;

	if (!msg)
		return -ENOMEM;
	s->seq = nl_socket_use_seq(s->nl);
	errno = 0;
	if (genlmsg_put(msg, NL_AUTO_PORT, s->seq, request->family, 0,
			NLM_F_REQUEST | request->flags, request->cmd,
			request->version) &&
	    (!request->length || !nla_put(msg, request->attribute,
					  request->length, request->value)))
		err = nl_send_auto(s->nl, msg);
	err = err < 0 ? to_last_errno(err) : 0;
	nlmsg_free(msg);
	return err;
}

/* Anybody may send to a socket; the kernel does so as port 0. */
static bool is_kernel(const struct sockaddr_nl *from, socklen_t length)
{
	return length == sizeof(*from) && from->nl_family == AF_NETLINK &&
	       !from->nl_pid;
}

int socket_receive(struct socket *s, bool wait, struct bytes *bytes)
{
	int flags = MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT);
	struct sockaddr_nl from;
	socklen_t from_length;
	ssize_t length;

	do {
		from_length = sizeof(from);
		length = recvfrom(socket_fd(s), s->buffer, SOCKET_BUFFER, flags,
				  (struct sockaddr *)&from, &from_length);
	} while ((length < 0 && errno == EINTR) ||
		 (length >= 0 && !is_kernel(&from, from_length)));
	if (length < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (length > SOCKET_BUFFER)
		return -EPROTO;
	*bytes = (struct bytes){ s->buffer, length };
	return 1;
}

int socket_join(struct socket *s, uint32_t group)
{
	/* Who may hear of events may usually have this much, too. */
	set_option(s, SOL_SOCKET, SO_RCVBUFFORCE, EVENTS_BUFFER);
	if (setsockopt(socket_fd(s), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &group, sizeof(group)))
		return -errno;
	return 0;
}
