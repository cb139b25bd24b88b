// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: save_file
 *
 * A file that is not seen before it is complete and on the disk, and then
 * replaces what had its name. Until then it has no name (O_TMPFILE), so that
 * nothing is left of it however the process ends; or, where the file system
 * or a missing /proc does not allow that, a name of its own in the directory
 * it is to be in.
 *
 * A file without a name cannot replace another: it gets a name right before it
 * does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bits.h"
#include "direct_io.h"
#include "file_error.h"
#include "save_file.h"

/* Guest memory is nobody else's business. */
#define MODE	0600

/* Split what realpath() gave, or a path of which the last part is not there. */
static int open_directory(struct save_file *file, char *path)
{
	char *slash = strrchr(path, '/');
	const char *directory = slash == path ? "/" : path;

	file->name = strdup(slash ? slash + 1 : path);
	if (!file->name)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	file->directory = open(slash ? directory : ".",
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return file->directory < 0 ? -errno : 0;
}

static int find_place(struct save_file *file, const char *path)
{
	struct stat st;
	char *real, link;
	int err;

	if (!*path)
		return -ENOENT;
	real = realpath(path, NULL);
	if (!real && errno != ENOENT)
		return -errno;

	/* What a link stands for has no name that could be replaced. */
	if (!real && readlink(path, &link, 1) >= 0)
		return stat(path, &st) ? -errno : -EINVAL;
	if (!real)
		real = strdup(path);
	if (!real)
		return -ENOMEM;
	err = open_directory(file, real);
	free(real);
	return err;
}

/* Whether the file may be replaced; and whether its name can be at all. */
static int check_place(const struct save_file *file)
{
	struct stat st;

	if (fstatat(file->directory, *file->name ? file->name : ".", &st,
		    AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return 0;
	return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

static void link_path(const struct save_file *file, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", file->fd);
}

static int open_unnamed(struct save_file *file)
{
	char path[40];

	file->fd = openat(file->directory, ".",
			  O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
	if (file->fd < 0)
		return -errno;
	link_path(file, path, sizeof(path));
	if (!access(path, F_OK))
		return 0;
	close(file->fd);
	file->fd = -1;
	return -ENOENT;
}

static int make_temporary(struct save_file *file)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(file->temporary, sizeof(file->temporary), ".ramload-%016llx",
		 (unsigned long long)number);
	return 0;
}

static int open_named(struct save_file *file)
{
	int err;

	do {
		err = make_temporary(file);
		if (err)
			break;
		file->fd = openat(file->directory, file->temporary,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
				  O_CLOEXEC, MODE);
		err = file->fd < 0 ? -errno : 0;
	} while (err == -EEXIST);
	if (err)
		file->temporary[0] = '\0';
	return err;
}

static void open_direct(struct save_file *file)
{
	if (direct_io_alignment(file->fd, &file->offset_align,
				&file->memory_align))
		file->direct_fd = direct_io_reopen(file->fd,
						   O_WRONLY | O_DIRECT);
	if (file->direct_fd < 0)
		file->direct_fd = -1;
}

/**
 * save_file_open() - make a file
 * @file: filled in; to be given to save_file_close(), but on error
 * @path: where it is to be. A symbolic link is followed, if to a file.
 * @direct: write past the page cache, if that can be done
 *
 * Return: 0, -EISDIR, -EINVAL: what is there is no regular file, -ENOMEM, or an
 * error of open() and the like
 */
int save_file_open(struct save_file *file, const char *path, bool direct)
{
	int err;

	*file = (struct save_file){
		.directory = -1,
		.fd = -1,
		.direct_fd = -1,
	};
	err = find_place(file, path);
	if (!err)
		err = check_place(file);
	if (!err && open_unnamed(file))
		err = open_named(file);
	if (err) {
		save_file_close(file);
		return err;
	}
	if (direct)
		open_direct(file);
	return 0;
}

/* The whole length at once: direct writes that grow a file wait for each other. */
int save_file_set_length(struct save_file *file, uint64_t length)
{
	int err;

	do {
		err = ftruncate(file->fd, length) ? -errno : 0;
	} while (err == -EINTR);
	return err;
}

static bool is_aligned(const struct save_file *file, const void *data,
		       uint64_t length, uint64_t offset)
{
	return !((offset | length) & (file->offset_align - 1)) &&
	       !((uintptr_t)data & (file->memory_align - 1));
}

/**
 * save_file_write() - write all of something; from any thread
 * @file: the file
 * @data: what
 * @length: how much of it
 * @offset: where to
 * @done: how much was written is returned, also on error
 *
 * Return: 0 or an error of pwrite()
 */
int save_file_write(const struct save_file *file, const void *data,
		    uint64_t length, uint64_t offset, uint64_t *done)
{
	int fd = file->fd;

	if (file->direct_fd >= 0 && is_aligned(file, data, length, offset))
		fd = file->direct_fd;
	*done = 0;
	while (*done < length) {
		ssize_t n = pwrite(fd, (const char *)data + *done,
				   length - *done, offset + *done);

		if (n > 0)
			*done += n;
		else if (!n)
			return -EIO;
		/* An alignment that was not known, or memory of a device. */
		else if ((errno == EINVAL || errno == EFAULT) && fd != file->fd)
			fd = file->fd;
		else if (errno != EINTR)
			return file_error();
	}
	return 0;
}

/**
 * save_file_clear() - make a hole, or zeros where there are none
 * @file: the file
 * @length: how much
 * @offset: where
 * @done: how much was cleared is returned, also on error
 *
 * Return: 0 or an error of pwrite()
 */
int save_file_clear(const struct save_file *file, uint64_t length,
		    uint64_t offset, uint64_t *done)
{
	static const char zeros[4096];
	uint64_t n;
	int err = 0;

	*done = length;
	if (!fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       offset, length))
		return 0;
	for (*done = 0; !err && *done < length; *done += n)
		err = save_file_write(file, zeros,
				      min_u64(sizeof(zeros), length - *done),
				      offset + *done, &n);
	return err;
}

static int give_name(struct save_file *file)
{
	char path[40];
	int err;

	link_path(file, path, sizeof(path));
	do {
		err = make_temporary(file);
		if (err)
			break;
		err = linkat(AT_FDCWD, path, file->directory, file->temporary,
			     AT_SYMLINK_FOLLOW) ? -errno : 0;
	} while (err == -EEXIST);
	if (err)
		file->temporary[0] = '\0';
	return err;
}

/**
 * save_file_commit() - have the file on the disk and in its place
 * @file: the file
 *
 * Return: 0 or an error of fsync(), linkat() or rename(). If that is of the
 * last fsync(), the file is in its place but may be lost if the power is.
 */
int save_file_commit(struct save_file *file)
{
	int err = 0;

	if (fsync(file->fd))
		return -errno;
	if (!file->temporary[0])
		err = give_name(file);
	if (err)
		return err;
	if (renameat(file->directory, file->temporary, file->directory,
		     file->name))
		return -errno;
	file->temporary[0] = '\0';
	return fsync(file->directory) ? -errno : 0;
}

/** save_file_close() - close it; one that is not in its place goes away */
void save_file_close(struct save_file *file)
{
	if (file->temporary[0])
		unlinkat(file->directory, file->temporary, 0);
	if (file->direct_fd >= 0)
		close(file->direct_fd);
	if (file->fd >= 0)
		close(file->fd);
	if (file->directory >= 0)
		close(file->directory);
	free(file->name);
}
