// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: memory
 *
 * Memory to load into, for those who have none. The kinds are rows of a table:
 * how the file is made, and how it is mapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <linux/ramload.h>

#include "bits.h"
#include "memory.h"
#include "session.h"

/* linux/memfd.h, from 6.3 on */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

/**
 * struct memory_kind - how to make memory of a kind
 * @name: its name
 * @align: its length is a multiple of this
 * @map_flags: flags of mmap()
 * @advice: of madvise(), which may fail; 0: none
 * @make_file: make the file, NULL: anonymous
 */
struct memory_kind {
	const char *name;
	uint64_t align;
	int map_flags;
	int advice;
	int (*make_file)(void);
};

static int open_memfd(unsigned int flags)
{
	int fd;

	flags |= MFD_CLOEXEC;
	fd = memfd_create("ramload", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ramload", flags);
	return fd < 0 ? -errno : fd;
}

static int make_memfd(void)
{
	return open_memfd(0);
}

/* The module's, or what of it can be had without the module. */
static int make_ramload(void)
{
	struct ramload_create_memory mem = {
		.size = sizeof(mem),
		.flags = RAMLOAD_CREATE_MEMORY_SEALING,
		.length = 1,
	};
	int fd = open(RAMLOAD_DEVICE, O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0)
		return make_memfd();
	err = ioctl(fd, RAMLOAD_CREATE_MEMORY, &mem);
	close(fd);
	return err ? make_memfd() : mem.out_fd;
}

static int make_hugetlb(void)
{
	return open_memfd(MFD_HUGETLB | MFD_HUGE_2MB);
}

static int set_up_tmpfs(int fs)
{
	/* Its default is half of the RAM; what is never touched takes none. */
	if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "0", 0) ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "huge", "always", 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	return 0;
}

static int open_unnamed(int mount)
{
	int fd = openat(mount, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/*
 * The mount is never attached to the tree of mounts: nobody sees it, and it
 * ends with the last fd and mapping of the file, however the process ends.
 */
static int make_tmpfs_huge(void)
{
	int fs, mount, fd;

	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	fd = set_up_tmpfs(fs);
	if (fd)
		goto out;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0) {
		fd = -errno;
		goto out;
	}
	fd = open_unnamed(mount);
	close(mount);
out:
	close(fs);
	return fd;
}

/*
 * hugetlb is mapped without MAP_NORESERVE, so that too few huge pages are an
 * error here and not a SIGBUS later. Elsewhere nothing is to be reserved: a
 * guest may be larger than what is free.
 */
static const struct memory_kind kinds[] = {
	[RAMLOAD_MEMORY_RAMLOAD] = {
		.name = "ramload",
		.align = MEMORY_ALIGN,
		.map_flags = MAP_SHARED | MAP_NORESERVE,
		.advice = MADV_HUGEPAGE,
		.make_file = make_ramload,
	},
	[RAMLOAD_MEMORY_MEMFD] = {
		.name = "memfd",
		.align = 1,
		.map_flags = MAP_SHARED | MAP_NORESERVE,
		.advice = MADV_HUGEPAGE,
		.make_file = make_memfd,
	},
	[RAMLOAD_MEMORY_TMPFS_HUGE] = {
		.name = "tmpfs-huge",
		.align = MEMORY_ALIGN,
		.map_flags = MAP_SHARED | MAP_NORESERVE,
		.make_file = make_tmpfs_huge,
	},
	[RAMLOAD_MEMORY_ANON] = {
		.name = "anon",
		.align = 1,
		.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		.advice = MADV_NOHUGEPAGE,
	},
	[RAMLOAD_MEMORY_THP] = {
		.name = "thp",
		.align = MEMORY_ALIGN,
		.map_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		.advice = MADV_HUGEPAGE,
	},
	[RAMLOAD_MEMORY_HUGETLB] = {
		.name = "hugetlb",
		.align = MEMORY_ALIGN,
		.map_flags = MAP_SHARED,
		.make_file = make_hugetlb,
	},
};

static const struct memory_kind *find_kind(enum ramload_memory_kind kind)
{
	if ((unsigned int)kind >= sizeof(kinds) / sizeof(kinds[0]))
		return NULL;
	return &kinds[kind];
}

/* Unmap what of a reservation lies before and after [address, +length). */
static void trim(char *reserved, uint64_t reserved_length, char *address,
		 uint64_t length)
{
	uint64_t before = address - reserved;
	uint64_t after = reserved_length - before - length;

	if (before)
		munmap(reserved, before);
	if (after)
		munmap(address + length, after);
}

static int map(struct ramload_memory *memory, const struct memory_kind *kind)
{
	uint64_t length = memory->length;
	uint64_t reserved_length = length + MEMORY_ALIGN;
	char *reserved, *address;
	void *mapped;
	int err;

	reserved = mmap(NULL, reserved_length, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return -errno;
	address = reserved + (-(uintptr_t)reserved & (MEMORY_ALIGN - 1));
	mapped = mmap(address, length, PROT_READ | PROT_WRITE,
		      kind->map_flags | MAP_FIXED, memory->fd, 0);
	if (mapped == MAP_FAILED) {
		err = -errno;
		munmap(reserved, reserved_length);
		return err;
	}
	trim(reserved, reserved_length, address, length);
	if (kind->advice)
		madvise(address, length, kind->advice);
	memory->address = address;
	return 0;
}

static int make_file(struct ramload_memory *memory,
		     const struct memory_kind *kind)
{
	int err;

	memory->fd = -1;
	if (!kind->make_file)
		return 0;
	memory->fd = kind->make_file();
	if (memory->fd < 0)
		return memory->fd;
	if (ftruncate(memory->fd, memory->length)) {
		err = -errno;
		close(memory->fd);
		return err;
	}
	return 0;
}

RAMLOAD_API int ramload_memory_alloc(enum ramload_memory_kind kind,
				     uint64_t length,
				     struct ramload_memory **memory)
{
	const struct memory_kind *row = find_kind(kind);
	struct ramload_memory *new;
	uint64_t align;
	int err;

	*memory = NULL;
	if (!row || !length)
		return -EINVAL;
	if (length > INT64_MAX - 2 * MEMORY_ALIGN)
		return -ENOMEM;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	align = max_u64(row->align, sysconf(_SC_PAGESIZE));
	new->length = round_up(length, align);
	err = make_file(new, row);
	if (err)
		goto out_free;
	err = map(new, row);
	if (err)
		goto out_file;
	*memory = new;
	return 0;

out_file:
	if (new->fd >= 0)
		close(new->fd);
out_free:
	free(new);
	return err;
}

RAMLOAD_API void *ramload_memory_address(const struct ramload_memory *memory)
{
	return memory->address;
}

RAMLOAD_API int ramload_memory_fd(const struct ramload_memory *memory)
{
	return memory->fd;
}

RAMLOAD_API void ramload_memory_free(struct ramload_memory *memory)
{
	if (!memory)
		return;
	munmap(memory->address, memory->length);
	if (memory->fd >= 0)
		close(memory->fd);
	free(memory);
}

RAMLOAD_API const char *ramload_memory_kind_name(enum ramload_memory_kind kind)
{
	const struct memory_kind *row = find_kind(kind);

	return row ? row->name : NULL;
}
