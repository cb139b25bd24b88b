// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Reads a snapshot but for its pages. What is known of the file is the little
 * that is the same in all files of this emulator.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulator.h"
#include "snapshot.h"

#define RAM_TOTAL	0x04
#define RAM_END		0x10
#define MAX_GENERATION	(1 << 30)

static const char magic[8] = "QEVM\0\0\0\3";
static const char configuration[] =
	"\7\0\0\0\20" SNAPSHOT_MACHINE
	"\5\32configuration/capabilities\0\0\0\1\0\0\0\1\12mapped-ram";
static const char ram_section[] = "\1\0\0\0\2\3ram\0\0\0\0\0\0\0\4";

/* How a file begins, and what follows the pages */
struct packed head {
	char magic[sizeof(magic)];
	char configuration[sizeof(configuration) - 1];
	char ram_section[sizeof(ram_section) - 1];
	uint64_t total;
	uint8_t name_length;
	char name[sizeof(SNAPSHOT_BLOCK) - 1];
	uint64_t length;
	uint32_t version;
	uint64_t page_size;
	uint64_t bitmap;
	uint64_t pages;
};

struct packed ram_footer {
	uint64_t end;
	uint8_t footer;
	uint32_t id;
};

void snapshot_read_at(const struct snapshot *snapshot, void *to, size_t length,
		      uint64_t offset)
{
	while (length) {
		ssize_t n = pread(snapshot->fd, to, length, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(EXIT_FAILED, "%s: offset %" PRIu64, snapshot->path,
			    offset);
		if (!n)
			errx(EXIT_FAILED, "%s: offset %" PRIu64
			     ": the file ends here", snapshot->path, offset);
		to = (char *)to + n;
		length -= n;
		offset += n;
	}
}

#define wrong(snapshot, format, ...)					\
	errx(EXIT_FAILED, "%s: " format, (snapshot)->path, ## __VA_ARGS__)

static void open_file(struct snapshot *snapshot, const char *path)
{
	struct stat st;

	snapshot->path = path;
	snapshot->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (snapshot->fd < 0 || fstat(snapshot->fd, &st))
		err(EXIT_FAILED, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		errx(EXIT_FAILED, "%s: neither a file nor a block device", path);
}

static void check_head(const struct snapshot *snapshot, const struct head *head)
{
	uint64_t length = be64toh(head->length);

	if (memcmp(head->magic, magic, sizeof(head->magic)))
		wrong(snapshot, "no mapped-ram file");
	if (memcmp(head->configuration, configuration,
		   sizeof(head->configuration)))
		wrong(snapshot, "a snapshot of another machine");
	if (memcmp(head->ram_section, ram_section, sizeof(head->ram_section)))
		wrong(snapshot, "no RAM where it should be");
	if (head->name_length != sizeof(head->name) ||
	    memcmp(head->name, SNAPSHOT_BLOCK, sizeof(head->name)))
		wrong(snapshot, "the first block is not \"" SNAPSHOT_BLOCK "\"");
	if (!length || length % MEMORY_UNIT || length > MAX_MEMORY ||
	    be64toh(head->total) != (length | RAM_TOTAL))
		wrong(snapshot, "%" PRIu64 " bytes of memory", length);
	if (be32toh(head->version) != 1 ||
	    be64toh(head->page_size) != SNAPSHOT_PAGE)
		wrong(snapshot, "a block header of another kind");
	if (be64toh(head->pages) > INT64_MAX - length ||
	    be64toh(head->bitmap) > INT64_MAX - length)
		wrong(snapshot, "bitmap or pages are too far out");
}

static void read_bitmap(struct snapshot *snapshot, uint64_t offset)
{
	size_t bytes = snapshot->length / SNAPSHOT_PAGE / 8;

	snapshot->bitmap = malloc(bytes);
	if (!snapshot->bitmap)
		err(EXIT_FAILED, "%s: bitmap", snapshot->path);
	snapshot_read_at(snapshot, snapshot->bitmap, bytes, offset);
	for (size_t i = 0; i < bytes; i++)
		snapshot->present += SNAPSHOT_PAGE *
			__builtin_popcount(snapshot->bitmap[i]);
}

/* A section without its state. */
struct vcpu_section snapshot_section(unsigned int vcpu)
{
	struct vcpu_section section = {
		.type = SECTION_FULL,
		.id = htobe32(SNAPSHOT_RAM_ID + 1 + vcpu),
		.name_length = sizeof(section.name),
		.instance = htobe32(vcpu),
		.version = htobe32(1),
		.footer = SECTION_FOOTER,
	};

	memcpy(section.name, SNAPSHOT_VCPU, sizeof(section.name));
	section.footer_id = section.id;
	return section;
}

/* Returns the offset behind the section, or 0 if the vCPUs end here. */
static uint64_t read_vcpu(struct snapshot *snapshot, uint64_t at)
{
	struct vcpu_section section, wanted;
	struct vcpu_state *state;

	snapshot_read_at(snapshot, &section, 1, at);
	if (section.type == SECTION_END && snapshot->nr_vcpus)
		return 0;
	if (snapshot->nr_vcpus == MAX_CPUS)
		wrong(snapshot, "more than %u vCPUs", MAX_CPUS);
	snapshot_read_at(snapshot, &section, sizeof(section), at);
	wanted = snapshot_section(snapshot->nr_vcpus);
	memcpy(wanted.state, section.state, sizeof(wanted.state));
	if (memcmp(&section, &wanted, sizeof(section)))
		wrong(snapshot, "offset %" PRIu64 ": not the state of vCPU %u",
		      at, snapshot->nr_vcpus);
	state = &snapshot->states[snapshot->nr_vcpus++];
	vcpu_state_decode(state, section.state);
	if (state->generation > MAX_GENERATION)
		wrong(snapshot, "offset %" PRIu64 ": a generation of %llu", at,
		      state->generation);
	return at + sizeof(section);
}

void snapshot_open(struct snapshot *snapshot, const char *path)
{
	struct ram_footer footer;
	struct head head;
	uint64_t at;

	open_file(snapshot, path);
	snapshot_read_at(snapshot, &head, sizeof(head.magic), 0);
	if (!memcmp(head.magic, magic, sizeof(magic)))
		snapshot_read_at(snapshot, &head, sizeof(head), 0);
	check_head(snapshot, &head);
	snapshot->length = be64toh(head.length);
	snapshot->pages = be64toh(head.pages);
	read_bitmap(snapshot, be64toh(head.bitmap));
	at = snapshot->pages + snapshot->length;
	snapshot_read_at(snapshot, &footer, sizeof(footer), at);
	if (be64toh(footer.end) != RAM_END || footer.footer != SECTION_FOOTER ||
	    be32toh(footer.id) != SNAPSHOT_RAM_ID)
		wrong(snapshot, "offset %" PRIu64 ": no end of RAM", at);
	at += sizeof(footer);
	while (at)
		at = read_vcpu(snapshot, at);
}

void snapshot_close(struct snapshot *snapshot)
{
	free(snapshot->bitmap);
	close(snapshot->fd);
}
