// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_stamp
 *
 * A file is the one that was loaded from, with the same bytes, if fstat(2) says
 * the same of it as before the first byte was read.
 *
 * Time stamps have a granularity: a write in the same tick as the one before
 * it leaves no trace. So a file is trusted only when its stamps are older than
 * that; from then on, each write shows. What goes to a file through a shared
 * mapping changes its stamps only when a page is first written to; no emulator
 * writes images that way. Writes to a block device change no stamp at all, so
 * only regular files are looked at.
 *
 * No state, no locks.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload_stamp.h"

#define MS		1000000L
/* Two ticks of the slowest kernel clock, HZ=100 */
#define TICKS		(20 * MS)
/* What file systems without fractions of a second may need */
#define COARSE_SECONDS	2

/*
 * The fstat() of older libcs looks up an empty path, which takes twice
 * as long
 */
static int get_stat(int fd, struct stat *st)
{
#ifdef SYS_fstat
	return syscall(SYS_fstat, fd, st);
#else
	return fstat(fd, st);
#endif
}

/* False, errno untouched, if it is no regular file. */
bool preload_stamp_take(int fd, struct preload_stamp *stamp)
{
	int saved = errno;
	struct stat st;

	if (get_stat(fd, &st)) {
		errno = saved;
		return false;
	}
	*stamp = (struct preload_stamp){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = st.st_size,
		.mtime = st.st_mtim,
		.ctime = st.st_ctim,
	};
	return S_ISREG(st.st_mode);
}

static bool is_before(const struct timespec *time, const struct timespec *now,
		      bool coarse)
{
	struct timespec limit = *time;

	if (coarse) {
		limit.tv_sec += COARSE_SECONDS;
	} else {
		limit.tv_nsec += TICKS;
		if (limit.tv_nsec >= 1000 * MS) {
			limit.tv_sec++;
			limit.tv_nsec -= 1000 * MS;
		}
	}
	return limit.tv_sec < now->tv_sec ||
	       (limit.tv_sec == now->tv_sec && limit.tv_nsec < now->tv_nsec);
}

/* Whether a write from now on would change the stamp. */
bool preload_stamp_is_old(const struct preload_stamp *stamp)
{
	bool coarse = !stamp->mtime.tv_nsec && !stamp->ctime.tv_nsec;
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &now))
		return false;
	return is_before(&stamp->mtime, &now, coarse) &&
	       is_before(&stamp->ctime, &now, coarse);
}

bool preload_stamp_same_file(const struct preload_stamp *a,
			     const struct preload_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool preload_stamp_equal(const struct preload_stamp *a,
			 const struct preload_stamp *b)
{
	return preload_stamp_same_file(a, b) && a->size == b->size &&
	       same_time(&a->mtime, &b->mtime) &&
	       same_time(&a->ctime, &b->ctime);
}
