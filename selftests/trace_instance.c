// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_memory.h"
#include "trace_instance.h"

#define TRACEFS	"/sys/kernel/tracing"

static int give_reason(struct reason *why, const char *what)
{
	snprintf(why->text, sizeof(why->text), "%s: %s", what,
		 strerror(errno));
	return -1;
}

static int put(const struct trace_instance *t, const char *name,
	       const char *text)
{
	char path[160];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd >= 0)
		n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

int trace_make(struct trace_instance *t, struct reason *why)
{
	*t = (struct trace_instance){};
	if (access(TRACEFS "/instances", F_OK) &&
	    mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		return give_reason(why, "no " TRACEFS);
	snprintf(t->path, sizeof(t->path), TRACEFS "/instances/ramload-%d",
		 getpid());
	if (mkdir(t->path, 0700)) {
		t->path[0] = '\0';
		return give_reason(why, "no instance of " TRACEFS);
	}
	if (put(t, "buffer_size_kb", "1024"))
		return give_reason(why, "buffer_size_kb");
	/* The usual clock is not the same on all CPUs, and so the order. */
	if (put(t, "trace_clock", "counter"))
		return give_reason(why, "trace_clock");
	return 0;
}

void trace_remove(struct trace_instance *t)
{
	free(t->events);
	if (!t->path[0])
		return;
	put(t, "events/ramload/enable", "0");
	rmdir(t->path);
}

int trace_set(struct trace_instance *t, bool on)
{
	return put(t, "events/ramload/enable", on ? "1" : "0") ||
	       put(t, "trace", "") ? -1 : 0;
}

/* "    name-123   [000] .....   123.456789: event: key=value" */
static bool parse(char *line, struct trace_event *e)
{
	char *cpu = strstr(line, " [");
	char *name = cpu ? strstr(cpu, ": ") : NULL;
	char *text = name ? strstr(name + 2, ": ") : NULL;

	if (line[0] == '#' || !text)
		return false;
	*text = '\0';
	*cpu = '\0';
	*e = (struct trace_event){};
	snprintf(e->name, sizeof(e->name), "%s", name + 2);
	snprintf(e->text, sizeof(e->text), " %s", text + 2);
	e->text[strcspn(e->text, "\n")] = '\0';
	cpu = strrchr(line, '-');
	e->tid = cpu ? atoi(cpu + 1) : 0;
	return true;
}

int trace_read(struct trace_instance *t)
{
	char path[160], line[512];
	unsigned int room = 0;
	FILE *f;

	free(t->events);
	t->events = NULL;
	t->nr = 0;
	snprintf(path, sizeof(path), "%s/trace", t->path);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (t->nr == room) {
			room += 1024;
			t->events = realloc(t->events,
					    room * sizeof(*t->events));
			if (!t->events)
				abort();
		}
		t->nr += parse(line, &t->events[t->nr]);
	}
	return f ? fclose(f) : -1;
}

/* What is behind " key=", or NULL. */
static const char *find_value(const struct trace_event *e, const char *key)
{
	char word[64];
	const char *at;

	snprintf(word, sizeof(word), " %s=", key);
	at = strstr(e->text, word);
	return at ? at + strlen(word) : NULL;
}

int64_t trace_field(const struct trace_event *e, const char *key)
{
	const char *value = e ? find_value(e, key) : NULL;
	char *end;
	int64_t n;

	if (!value)
		return INT64_MIN;
	n = strtoll(value, &end, 0);
	return end == value ? INT64_MIN : n;
}

bool trace_has(const struct trace_event *e, const char *key, const char *value)
{
	const char *is = find_value(e, key);
	size_t length = strlen(value);

	return is && !strncmp(is, value, length) &&
	       (is[length] == ' ' || !is[length]);
}

const struct trace_event *trace_find(const struct trace_instance *t,
				     unsigned int from, const char *name)
{
	unsigned int i;

	for (i = from; i < t->nr; i++)
		if (!strcmp(t->events[i].name, name))
			return &t->events[i];
	return NULL;
}
