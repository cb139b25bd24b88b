// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Policies of AppArmor, in the form that the kernel takes. Profiles without
 * any rules are short enough to need no compiler; one that is not enforced
 * allows everything.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lsm_policy.h"
#include "test_memory.h"

#define FS	"/sys/kernel/security"
#define VERSION	7

/* Modes of a profile. */
enum {
	MODE_ENFORCE = 0,
	MODE_COMPLAIN = 1,
};

/* Codes of the elements of a serialized policy. */
enum {
	CODE_U32 = 2,
	CODE_NAME = 4,
	CODE_STRING = 5,
	CODE_STRUCT = 7,
	CODE_STRUCT_END = 8,
};

struct policy {
	unsigned char data[256];
	size_t length;
};

static void add(struct policy *p, const void *data, size_t length)
{
	memcpy(p->data + p->length, data, length);
	p->length += length;
}

static void add_code(struct policy *p, unsigned char code)
{
	add(p, &code, 1);
}

static void add_text(struct policy *p, unsigned char code, const char *text)
{
	uint16_t length = strlen(text) + 1;

	add_code(p, code);
	add(p, &length, sizeof(length));
	add(p, text, length);
}

static void add_u32(struct policy *p, uint32_t value)
{
	add_code(p, CODE_U32);
	add(p, &value, sizeof(value));
}

static void make_policy(struct policy *p, const char *name, uint32_t mode)
{
	int i;

	add_text(p, CODE_NAME, "version");
	add_u32(p, VERSION);
	add_text(p, CODE_NAME, "profile");
	add_code(p, CODE_STRUCT);
	add_text(p, CODE_STRING, name);
	add_text(p, CODE_NAME, "flags");
	add_code(p, CODE_STRUCT);
	add_u32(p, 0);			/* flags */
	add_u32(p, mode);
	add_u32(p, 0);			/* not audited */
	add_code(p, CODE_STRUCT_END);
	for (i = 0; i < 4; i++)		/* no capabilities */
		add_u32(p, 0);
	add_code(p, CODE_STRUCT_END);
}

static int write_file(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, data, length);
	close(fd);
	return n == (ssize_t)length ? 0 : -1;
}

static int load_policy(const char *name, uint32_t mode)
{
	struct policy p = {};

	make_policy(&p, name, mode);
	return write_file(FS "/apparmor/.replace", p.data, p.length);
}

int lsm_policy_load(struct reason *why)
{
	if (access(FS "/apparmor", F_OK))
		mount("securityfs", FS, "securityfs", 0, NULL);
	if (!load_policy(LSM_POLICY_ALL, MODE_COMPLAIN) &&
	    !load_policy(LSM_POLICY_NOTHING, MODE_ENFORCE))
		return 0;
	snprintf(why->text, sizeof(why->text), "AppArmor: %s", strerror(errno));
	return -1;
}

static void remove_policy(const char *name)
{
	write_file(FS "/apparmor/.remove", name, strlen(name));
}

void lsm_policy_remove(void)
{
	remove_policy(LSM_POLICY_NOTHING);
	remove_policy(LSM_POLICY_ALL);
}

int lsm_policy_enter(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "changeprofile %s", name);
	return write_file("/proc/thread-self/attr/current", command,
			  strlen(command));
}
