// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"

static int fail_errno(struct image_file *file, int err)
{
	return image_fail_file(file, -err, "%s", strerrordesc_np(err));
}

static int check_file(struct image_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return fail_errno(file, errno);
	if (!S_ISREG(st.st_mode))
		return image_fail_file(file, -EINVAL, "not a regular file");

	/* O_NONBLOCK was for what is none. */
	if (fcntl(file->fd, F_SETFL, 0) < 0)
		return fail_errno(file, errno);
	file->size = st.st_size;
	return 0;
}

int directory_open(int dir, const char *name, struct image_file *file)
{
	int err;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return image_fail_file(file, -EINVAL, "not the name of a file");
	file->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
			  O_NONBLOCK | O_NOCTTY);

	/* Links and sockets cannot be opened so. */
	if (file->fd < 0 && (errno == ELOOP || errno == ENXIO))
		return image_fail_file(file, -EINVAL, "not a regular file");
	if (file->fd < 0)
		return fail_errno(file, errno);
	err = check_file(file);
	if (err) {
		close(file->fd);
		file->fd = -1;
	}
	return err;
}

bool directory_has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int directory_each(struct image_file *dir,
		   int (*visit)(const char *name, void *data), void *data)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int ret = 0;

	if (!stream) {
		ret = fail_errno(dir, errno);
		if (fd >= 0)
			close(fd);
		return ret;
	}
	for (errno = 0; !ret && (entry = readdir(stream)); errno = 0)
		ret = visit(entry->d_name, data);
	if (!ret && errno)
		ret = fail_errno(dir, errno);
	closedir(stream);
	return ret;
}
