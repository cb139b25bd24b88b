// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"

#define THP	"/sys/kernel/mm/transparent_hugepage/"

/* The first bytes of a file, with an end; empty if it cannot be read. */
static void read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t got = 0;

	if (file) {
		got = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[got] = '\0';
}

/* The word in brackets: "always [madvise] never". */
static void read_choice(const char *path, char *word, size_t size)
{
	char text[128], *start, *end;

	read_file(path, text, sizeof(text));
	start = strchr(text, '[');
	end = start ? strchr(start, ']') : NULL;
	if (end)
		snprintf(word, size, "%.*s", (int)(end - start - 1), start + 1);
	else
		snprintf(word, size, "none");
}

/* The value of the first line of /proc/cpuinfo with that key. */
static void find_value(const char *text, const char *key, char *value,
		       size_t size)
{
	const char *line = strstr(text, key);
	const char *start = line ? strchr(line, ':') : NULL;

	*value = '\0';
	if (!start)
		return;
	start += 1 + strspn(start + 1, " \t");
	snprintf(value, size, "%.*s", (int)strcspn(start, "\n"), start);
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	while ((text = strstr(text, word))) {
		if (text[-1] == ' ' && (text[length] == ' ' || !text[length]))
			return true;
		text += length;
	}
	return false;
}

static void read_cpu(struct bench_machine *machine)
{
	static char text[16384];
	char flags[4096];

	read_file("/proc/cpuinfo", text, sizeof(text));
	find_value(text, "model name", machine->cpu, sizeof(machine->cpu));
	find_value(text, "flags", flags + 1, sizeof(flags) - 1);
	flags[0] = ' ';
	machine->erms = has_word(flags + 1, "erms");
	machine->fsrm = has_word(flags + 1, "fsrm") ||
			has_word(flags + 1, "fsrs") ||
			has_word(flags + 1, "fzrm");
	machine->uml = strstr(text, "User Mode Linux");
	machine->emulated = strstr(machine->cpu, "TCG");
}

/* The kernel says once, when it boots, what it does. */
static const char *log_says(void)
{
	char line[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	const char *says = NULL;
	ssize_t got;

	if (fd < 0)
		return NULL;
	while (!says && (got = read(fd, line, sizeof(line) - 1)) > 0) {
		char *found;

		line[got] = '\0';
		found = strstr(line, "heap alloc:");
		if (found)
			says = strncmp(found, "heap alloc:on", 13) ? "off" :
								     "on";
	}
	close(fd);
	return says;
}

static const char *find_init_on_alloc(void)
{
	static char text[4096];
	const char *says = log_says();

	if (says)
		return says;
	read_file("/proc/cmdline", text, sizeof(text));
	if (strstr(text, "init_on_alloc=1"))
		return "on";
	return strstr(text, "init_on_alloc=0") ? "off" : "unknown";
}

void bench_machine_read(struct bench_machine *machine)
{
	struct utsname name;
	cpu_set_t set;

	*machine = (struct bench_machine){ .cpus = 1 };
	uname(&name);
	snprintf(machine->kernel, sizeof(machine->kernel), "%s", name.release);
	read_cpu(machine);
	if (!sched_getaffinity(0, sizeof(set), &set))
		machine->cpus = CPU_COUNT(&set);
	machine->init_on_alloc = find_init_on_alloc();
	read_choice(THP "enabled", machine->thp, sizeof(machine->thp));
	read_choice(THP "shmem_enabled", machine->shmem_thp,
		    sizeof(machine->shmem_thp));
}

const char *bench_machine_warning(const struct bench_machine *machine,
				  unsigned int i)
{
	const char *warnings[4] = { NULL };
	unsigned int nr = 0;

	if (machine->emulated && (machine->erms || machine->fsrm))
		warnings[nr++] = "the emulated CPU has erms, fsrm or fsrs, and copies or clears byte by byte with them: what does so by words looks several times as fast. These figures mean nothing; use -cpu max,-erms,-fsrm,-fzrm,-fsrs";
	else if (machine->emulated)
		warnings[nr++] = "the CPU is emulated: seconds are no seconds; with -icount they count instructions";
	if (machine->uml)
		warnings[nr++] = "User Mode Linux: page faults are far dearer than on hardware, which flatters whatever has none";
	return i < nr ? warnings[i] : NULL;
}
