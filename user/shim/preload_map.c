// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_map
 *
 * Whether memory looks as that of a RAMBlock of QEMU does. QEMU calls
 * madvise(MADV_DONTFORK) for the memory of each block, of whatever backend, and
 * for nothing else; a page without access follows it. So a block starts where a
 * mapping starts, has the flag "dc" in /proc/self/smaps to its end, and can be
 * written to. That libc or a library has memory that does, and that a read of
 * an image at the right offset would go to, and that is no block, cannot be.
 *
 * A block may be several mappings if its parts are advised otherwise. One that
 * begins in the middle of a mapping is none: were mappings merged, it is left
 * alone. So is memory that is the image itself.
 *
 * The kernel walks the page tables of all mappings to write that file. When
 * a block is first read into, they are nearly empty; and it is done once
 * a block.
 *
 * No state, no locks.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "preload_map.h"

/**
 * struct mapping - one of smaps
 * @start: first byte
 * @end: byte after the last
 * @writable: may be written to
 * @is_image: it is a mapping of the image
 */
struct mapping {
	uintptr_t start;
	uintptr_t end;
	bool writable;
	bool is_image;
};

/* The first line of a mapping starts with an address; no other line does. */
static void parse_head(const char *line, struct mapping *map,
		       const struct preload_stamp *image)
{
	unsigned int major, minor;
	uintptr_t start, end;
	uint64_t inode;
	char rights[5];

	if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*x %x:%x %" SCNu64,
		   &start, &end, rights, &major, &minor, &inode) != 6)
		return;
	*map = (struct mapping){
		.start = start,
		.end = end,
		.writable = rights[1] == 'w',
		.is_image = inode == image->ino &&
			    makedev(major, minor) == image->dev,
	};
}

/* "VmFlags: rd wr mr mw me ac dc sd " */
static bool has_dontcopy(const char *line)
{
	return strstr(line, " dc ") || strstr(line, " dc\n");
}

/* A line may be longer than the buffer: what follows is no line of its own. */
static bool next_line(FILE *file, char *line, int size)
{
	int c;

	if (!fgets(line, size, file))
		return false;
	if (!strchr(line, '\n'))
		while ((c = getc(file)) != EOF && c != '\n')
			;
	return true;
}

/* As preload_map_is_block(), of an smaps that is open. */
bool preload_map_find(FILE *smaps, uintptr_t start, uint64_t length,
		      const struct preload_stamp *image)
{
	struct mapping map = { 0 };
	uintptr_t at = start;
	char line[512];

	while (next_line(smaps, line, sizeof(line))) {
		if (strncmp(line, "VmFlags:", 8)) {
			parse_head(line, &map, image);
			continue;
		}
		if (map.end <= start)
			continue;
		if (map.start != at || !map.writable || map.is_image ||
		    !has_dontcopy(line))
			return false;
		at = map.end;
		if (at - start >= length)
			return true;
	}
	return false;
}

/* Whether [@start, +@length) may be the memory of a block of QEMU. */
bool preload_map_is_block(uintptr_t start, uint64_t length,
			  const struct preload_stamp *image)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool found;

	if (!smaps)
		return false;
	found = preload_map_find(smaps, start, length, image);
	fclose(smaps);
	return found;
}
