// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Restores a machine by the ioctls of the module; no library is needed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ramload.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "emulator.h"
#include "snapshot.h"

#define DEVICE		"/dev/ramload"
#define MAX_WORKERS	8

static void show_progress(const struct ramload_job_result *result)
{
	unsigned long long done = result->out_bytes_done;
	unsigned long long total = result->out_bytes_total;

	fprintf(stderr, "\rrestoring: %llu of %llu MiB, %llu %%", done >> 20,
		total >> 20, total ? done * 100 / total : 100);
	if (result->out_state != RAMLOAD_JOB_RUNNING)
		fputc('\n', stderr);
}

/* Wait for a job, and tell ten times a second how far it is. */
static struct ramload_job_result wait_job(int job)
{
	struct ramload_job_result result = { .size = sizeof(result) };
	struct pollfd poll_job = { .fd = job, .events = POLLIN };

	do {
		poll(&poll_job, 1, 100);
		if (ioctl(job, RAMLOAD_JOB_RESULT, &result))
			err(EXIT_FAILED, "RAMLOAD_JOB_RESULT");
		show_progress(&result);
	} while (result.out_state == RAMLOAD_JOB_RUNNING);
	return result;
}

/* Returns a context with a worker for each CPU, or a negative errno. */
static int open_device(void)
{
	struct ramload_setup setup = {
		.size = sizeof(setup),
		.workers = sysconf(_SC_NPROCESSORS_ONLN),
	};
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	int error;

	if (setup.workers > MAX_WORKERS)
		setup.workers = MAX_WORKERS;
	if (device >= 0 && !ioctl(device, RAMLOAD_SETUP, &setup))
		return device;
	error = -errno;
	if (device >= 0)
		close(device);
	return error;
}

/* One range with a bitmap is all that a block takes. */
static void load_by_kernel(const struct snapshot *snapshot, int device,
			   char *memory)
{
	struct ramload_range range = {
		.file_offset = snapshot->pages,
		.length = snapshot->length,
		.dest = (uintptr_t)memory,
		.bitmap = (uintptr_t)snapshot->bitmap,
		.page_size = SNAPSHOT_PAGE,
	};
	struct ramload_load load = {
		.size = sizeof(load),
		.source_fd = snapshot->fd,
		.ranges = (uintptr_t)&range,
		.nr_ranges = 1,
		.range_size = sizeof(range),
	};
	struct ramload_job_result result;

	if (ioctl(device, RAMLOAD_LOAD, &load))
		err(EXIT_FAILED, "%s: RAMLOAD_LOAD", snapshot->path);
	result = wait_job(load.out_job_fd);
	if (result.out_error) {
		errno = -result.out_error;
		err(EXIT_FAILED, "%s: offset %llu", snapshot->path,
		    result.out_error_offset);
	}
	close(load.out_job_fd);
	close(device);
}

/* What remains without the module. */
static void load_by_pread(const struct snapshot *snapshot, char *memory)
{
	uint64_t pages = snapshot->length / SNAPSHOT_PAGE;

	for (uint64_t p = 0; p < pages; p++)
		if (snapshot->bitmap[p / 8] >> p % 8 & 1)
			snapshot_read_at(snapshot, memory + p * SNAPSHOT_PAGE,
					 SNAPSHOT_PAGE,
					 snapshot->pages + p * SNAPSHOT_PAGE);
}

static void load(const struct snapshot *snapshot, char *memory,
		 enum engine engine)
{
	int device = engine == ENGINE_USER ? -ENOENT : open_device();
	bool no_module = device == -ENOENT || device == -ENXIO ||
			 device == -ENODEV;

	if (device < 0 && engine == ENGINE_KERNEL)
		errx(EXIT_FAILED, DEVICE ": %s%s", strerror(-device),
		     no_module ? ": is the ramload module loaded?" : "");
	if (device < 0 && engine == ENGINE_AUTO)
		warnx("%s (%s), using the user engine",
		      no_module ? "no kernel module" :
				  "cannot use the kernel module",
		      strerror(-device));
	if (device >= 0)
		load_by_kernel(snapshot, device, memory);
	else
		load_by_pread(snapshot, memory);
	warnx("%s: %" PRIu64 " of %" PRIu64 " MiB restored, %s engine",
	      snapshot->path, snapshot->present >> 20, snapshot->length >> 20,
	      device >= 0 ? "kernel" : "user");
}

/* Makes the machine that was saved; only /dev/kvm is open before. */
void machine_restore(struct machine *machine, const char *path,
		     enum engine engine)
{
	struct snapshot snapshot = {};

	snapshot_open(&snapshot, path);
	machine_create(machine, snapshot.length, snapshot.nr_vcpus);
	load(&snapshot, machine->memory, engine);
	for (unsigned int i = 0; i < snapshot.nr_vcpus; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		vcpu_state_set(vcpu->fd, &snapshot.states[i]);
		vcpu->generation = snapshot.states[i].generation;
	}
	snapshot_close(&snapshot);
}
