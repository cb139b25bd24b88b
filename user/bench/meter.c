// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "meter.h"

double bench_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return tv.tv_sec + tv.tv_usec / 1e6;
}

static void add_usage(struct bench_meter *meter, int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	meter->cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
	meter->faults += usage.ru_minflt + usage.ru_majflt;
}

/* Is /proc/@pid a kernel thread of the module? It has no command line. */
static int is_worker(const char *pid)
{
	char path[300], name[32] = "", byte;
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	found = fgets(name, sizeof(name), file) &&
		!strncmp(name, "ramload", strlen("ramload"));
	fclose(file);
	if (!found)
		return 0;
	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	found = fread(&byte, 1, 1, file) == 0;
	fclose(file);
	return found;
}

static double cpu_of(const char *pid)
{
	uint64_t ns = 0;
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(file);
	return ns / 1e9;
}

/* Where workers are no threads of this process, they are kernel threads. */
static double worker_cpu(void)
{
	struct dirent *entry;
	double sum = 0;
	DIR *proc = opendir("/proc");

	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_worker(entry->d_name))
			sum += cpu_of(entry->d_name);
	}
	closedir(proc);
	return sum;
}

int64_t bench_memory_used(void)
{
	static const char *const keys[] = {
		"AnonPages:", "Cached:", "Buffers:", "PageTables:", "Slab:",
		"KernelStack:",
	};
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128], key[64];
	uint64_t kib, sum = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %" SCNu64, key, &kib) != 2)
			continue;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			sum += strcmp(key, keys[i]) ? 0 : kib;
	}
	fclose(file);
	return sum << 10;
}

static void add_usages(struct bench_meter *meter)
{
	add_usage(meter, RUSAGE_SELF);
	add_usage(meter, RUSAGE_CHILDREN);
}

/* To look for workers takes time, which is not to count as used in between. */
void bench_meter_begin(struct bench_meter *meter)
{
	*meter = (struct bench_meter){
		.cpu = worker_cpu(),
	};
	add_usages(meter);
	meter->seconds = bench_clock();
}

void bench_meter_end(struct bench_meter *meter)
{
	*meter = (struct bench_meter){
		.seconds = bench_clock(),
	};
	add_usages(meter);
	meter->cpu += worker_cpu();
}
