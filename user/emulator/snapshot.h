/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Snapshots: mapped-ram files with one block of RAM, and a device section for
 * each vCPU
 */
#ifndef EMULATOR_SNAPSHOT_H
#define EMULATOR_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "machine.h"
#include "vcpu_state.h"

#define SNAPSHOT_MACHINE	"ramload-emulator"
#define SNAPSHOT_BLOCK		"ram"
#define SNAPSHOT_VCPU		"ramload-vcpu"
#define SNAPSHOT_PAGE		4096
#define SNAPSHOT_RAM_ID		2	/* vCPUs have those that follow */

#define SECTION_END		0x00
#define SECTION_FULL		0x04
#define SECTION_FOOTER		0x7e

/* Integers are big-endian. */
#define packed __attribute__((packed))

/**
 * struct vcpu_section - the state of a vCPU in a file
 * @type: SECTION_FULL
 * @id: of the section, of each another
 * @name_length: of @name
 * @name: SNAPSHOT_VCPU
 * @instance: number of the vCPU
 * @version: 1
 * @state: what vcpu_state_encode() gives
 * @footer: SECTION_FOOTER
 * @footer_id: @id again
 */
struct packed vcpu_section {
	uint8_t type;
	uint32_t id;
	uint8_t name_length;
	char name[sizeof(SNAPSHOT_VCPU) - 1];
	uint32_t instance;
	uint32_t version;
	uint8_t state[sizeof(struct vcpu_state)];
	uint8_t footer;
	uint32_t footer_id;
};

/**
 * struct snapshot - a file to restore from
 * @path: its name
 * @fd: open for reading
 * @length: bytes of guest memory
 * @pages: where page 0 is
 * @bitmap: present pages
 * @present: bytes of them
 * @states: of the vCPUs
 * @nr_vcpus: how many there are
 */
struct snapshot {
	const char *path;
	int fd;
	uint64_t length;
	uint64_t pages;
	uint8_t *bitmap;
	uint64_t present;
	struct vcpu_state states[MAX_CPUS];
	unsigned int nr_vcpus;
};

enum engine {
	ENGINE_AUTO,
	ENGINE_KERNEL,
	ENGINE_USER,
};

void snapshot_open(struct snapshot *snapshot, const char *path);
void snapshot_read_at(const struct snapshot *snapshot, void *to, size_t length,
		      uint64_t offset);
void snapshot_close(struct snapshot *snapshot);
struct vcpu_section snapshot_section(unsigned int vcpu);

void machine_save(struct machine *machine, const char *path);
void machine_restore(struct machine *machine, const char *path,
		     enum engine engine);

#endif /* EMULATOR_SNAPSHOT_H */
