// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "message.h"

static void skip(struct bytes *b, size_t length)
{
	if (length > b->left)
		length = b->left;
	b->at += length;
	b->left -= length;
}

static bool take(struct bytes *b, void *out, size_t size)
{
	if (b->left < size)
		return false;
	memcpy(out, b->at, size);
	skip(b, size);
	return true;
}

/* Takes a piece of @length bytes, and what pads it to a multiple of 4. */
static bool take_piece(struct bytes *b, size_t length, struct bytes *piece)
{
	if (length > b->left)
		return false;
	*piece = (struct bytes){ b->at, length };
	skip(b, (length + 3) & ~(size_t)3);
	return true;
}

static int malformed(struct bytes *b)
{
	b->left = 0;
	return -EPROTO;
}

int message_next(struct bytes *buffer, struct message *message)
{
	struct nlmsghdr head;

	if (!buffer->left)
		return 0;
	if (!take(buffer, &head, sizeof(head)) ||
	    head.nlmsg_len < sizeof(head) ||
	    !take_piece(buffer, head.nlmsg_len - sizeof(head),
			&message->payload))
		return malformed(buffer);
	message->type = head.nlmsg_type;
	message->flags = head.nlmsg_flags;
	message->seq = head.nlmsg_seq;
	return 1;
}

int attribute_next(struct bytes *buffer, struct attribute *attribute)
{
	struct nlattr head;

	if (!buffer->left)
		return 0;
	if (!take(buffer, &head, sizeof(head)) ||
	    head.nla_len < sizeof(head) ||
	    !take_piece(buffer, head.nla_len - sizeof(head), &attribute->value))
		return malformed(buffer);
	attribute->type = head.nla_type & NLA_TYPE_MASK;
	return 1;
}

bool attribute_number(const struct attribute *attribute, uint64_t *value)
{
	const struct bytes *b = &attribute->value;
	uint32_t narrow;

	if (b->left == sizeof(*value)) {
		memcpy(value, b->at, sizeof(*value));
		return true;
	}
	if (b->left != sizeof(narrow))
		return false;
	memcpy(&narrow, b->at, sizeof(narrow));
	*value = narrow;
	return true;
}

void attribute_string(const struct attribute *attribute, char *text,
		      size_t size)
{
	const struct bytes *b = &attribute->value;
	size_t length = strnlen((const char *)b->at, b->left);

	if (length > size - 1)
		length = size - 1;
	memset(text, 0, size);
	memcpy(text, b->at, length);
}

int message_genl(const struct message *message, struct bytes *attributes)
{
	struct genlmsghdr head;

	*attributes = message->payload;
	if (!take(attributes, &head, sizeof(head)))
		return malformed(attributes);
	return head.cmd;
}

static int find_text(struct bytes attributes, char *text, size_t size)
{
	struct attribute a;
	int ret;

	while ((ret = attribute_next(&attributes, &a)) > 0) {
		if (a.type == NLMSGERR_ATTR_MSG)
			attribute_string(&a, text, size);
	}
	return ret;
}

/* NLMSG_ERROR repeats the request, or its header, before the attributes. */
static bool skip_request(const struct message *message, struct bytes *b)
{
	struct nlmsghdr request;
	struct bytes repeated;

	if (message->type != NLMSG_ERROR)
		return true;
	if (!take(b, &request, sizeof(request)) ||
	    request.nlmsg_len < sizeof(request))
		return false;
	return message->flags & NLM_F_CAPPED ||
	       take_piece(b, request.nlmsg_len - sizeof(request), &repeated);
}

int message_outcome(const struct message *message, char *text, size_t size)
{
	struct bytes b = message->payload;
	int32_t err;

	memset(text, 0, size);
	if (!take(&b, &err, sizeof(err)) || err > 0)
		return -EPROTO;
	if (message->flags & NLM_F_ACK_TLVS &&
	    (!skip_request(message, &b) || find_text(b, text, size)))
		return -EPROTO;
	return err;
}

static int parse_group(struct bytes nest, const char *wanted, uint32_t *group)
{
	char name[GENL_NAMSIZ] = "";
	uint64_t id = 0;
	struct attribute a;
	int ret;

	while ((ret = attribute_next(&nest, &a)) > 0) {
		if (a.type == CTRL_ATTR_MCAST_GRP_NAME)
			attribute_string(&a, name, sizeof(name));
		else if (a.type == CTRL_ATTR_MCAST_GRP_ID)
			attribute_number(&a, &id);
	}
	if (!strcmp(name, wanted) && id <= UINT32_MAX)
		*group = id;
	return ret;
}

static int parse_groups(struct bytes nest, const char *wanted, uint32_t *group)
{
	struct attribute a;
	int ret;

	while ((ret = attribute_next(&nest, &a)) > 0) {
		ret = parse_group(a.value, wanted, group);
		if (ret)
			break;
	}
	return ret;
}

int message_family(const struct message *message, const char *group,
		   struct family *family)
{
	struct attribute a;
	struct bytes b;
	uint64_t version;
	int ret = message_genl(message, &b);

	memset(family, 0, sizeof(*family));
	if (ret < 0)
		return ret;
	while ((ret = attribute_next(&b, &a)) > 0) {
		if (a.type == CTRL_ATTR_FAMILY_ID &&
		    a.value.left == sizeof(family->id))
			memcpy(&family->id, a.value.at, sizeof(family->id));
		else if (a.type == CTRL_ATTR_VERSION &&
			 attribute_number(&a, &version) &&
			 version <= UINT32_MAX)
			family->version = version;
		else if (a.type == CTRL_ATTR_MCAST_GROUPS)
			ret = parse_groups(a.value, group, &family->group);
		if (ret < 0)
			break;
	}
	return ret;
}
