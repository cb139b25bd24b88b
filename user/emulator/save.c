// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Saves a machine that stands still, by libramload
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <ramload.h>
#include <stdio.h>
#include <stdlib.h>

#include "emulator.h"
#include "snapshot.h"

static void check(const char *path, struct ramload_save *save, int error)
{
	struct ramload_save_error where;

	if (!error)
		return;
	ramload_save_error(save, &where);
	ramload_save_close(save);
	errno = -error;
	err(EXIT_FAILED, "%s: offset %" PRIu64, path, where.offset);
}

static int save_memory(struct ramload_save *save, const struct machine *machine)
{
	const void *memory = machine->memory;
	struct ramload_job *job;
	int error;

	error = ramload_save_memory(save, &memory, &job);
	if (error)
		return error;
	error = ramload_job_wait(job, NULL);
	ramload_job_free(job);
	return error;
}

static int save_vcpu(struct ramload_save *save, const struct vcpu *vcpu)
{
	struct vcpu_section section = snapshot_section(vcpu->index);
	struct vcpu_state state = { .generation = vcpu->generation };

	vcpu_state_get(vcpu->fd, &state);
	vcpu_state_encode(&state, section.state);
	return ramload_save_append(save, &section, sizeof(section));
}

/* For QEMU's scripts/analyze-migration.py */
static char *describe(const struct machine *machine)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		err(EXIT_FAILED, "memory");
	for (unsigned int i = 0; i < machine->nr_vcpus; i++) {
		fprintf(to, "%s{\"name\": \"" SNAPSHOT_VCPU "\", "
			"\"instance_id\": %u, \"vmsd_name\": \"" SNAPSHOT_VCPU
			"\", \"version\": 1, \"fields\": ", i ? ", " : "[", i);
		vcpu_state_describe(to);
		fputs("}", to);
	}
	fputs("]", to);
	if (fclose(to))
		err(EXIT_FAILED, "memory");
	return text;
}

void machine_save(struct machine *machine, const char *path)
{
	struct ramload_save_block block = {
		.name = SNAPSHOT_BLOCK,
		.length = machine->length,
	};
	struct ramload_save_options options = {
		.size = sizeof(options),
		.page_size = SNAPSHOT_PAGE,
		.section = SNAPSHOT_RAM_ID,
		.machine = SNAPSHOT_MACHINE,
	};
	char *devices = describe(machine);
	struct ramload_save *save;
	int error;

	error = ramload_save_open(path, &block, 1, &options, &save);
	if (error) {
		errno = -error;
		err(EXIT_FAILED, "%s", path);
	}
	error = save_memory(save, machine);
	for (unsigned int i = 0; i < machine->nr_vcpus && !error; i++)
		error = save_vcpu(save, &machine->vcpus[i]);
	if (!error)
		error = ramload_save_end(save, devices);
	if (!error)
		error = ramload_save_commit(save);
	check(path, save, error);
	ramload_save_close(save);
	free(devices);
}
