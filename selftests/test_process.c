// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/* What tests do with processes. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_process.h"
#include "test_run.h"

void execute_helper(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);

	if (n < 0)
		_exit(254);
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "fd_helper");
	execl(path, path, NULL);
	_exit(253);
}

bool process_wait(pid_t pid, int *status, int options, unsigned int seconds)
{
	double limit = run_now() + seconds;

	while (!waitpid(pid, status, options | WNOHANG)) {
		if (run_now() > limit)
			return false;
		usleep(200);
	}
	return true;
}

bool process_is_worker(pid_t pid, const char *tid)
{
	char path[320], name[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", pid, tid);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	return !strncmp(name, "ramload", 7);
}

pid_t process_worker(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	pid_t tid = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !tid && (entry = readdir(dir)))
		if (process_is_worker(pid, entry->d_name))
			tid = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return tid;
}

char process_state(pid_t pid, pid_t tid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return state;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(f);
	return state;
}

void process_wait_stopping(pid_t pid)
{
	while (process_state(pid, pid) != 'T')
		usleep(1000);
}

static void show_file(const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

void process_show(pid_t pid)
{
	struct dirent *entry;
	char path[320];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		printf("# thread %s\n", entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid,
			 entry->d_name);
		show_file(path);
	}
	if (dir)
		closedir(dir);
	fflush(stdout);
}
