/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * A file whose reads can be held back, fail, or meet a daemon that does
 * something nasty first: FUSE, served by a thread of the test. It is what
 * makes "in the middle of a load" certain.
 */
#ifndef FUSE_SOURCE_H
#define FUSE_SOURCE_H

#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct reason;

#define FUSE_SOURCE_MAX_HELD	256

typedef void (*fuse_source_hook)(void *arg, uint64_t offset, uint32_t size);

struct fuse_source_read {
	uint64_t unique;
	uint64_t offset;
	uint32_t size;
};

/* Its contents are the pattern SEED_SOURCE. */
struct fuse_source {
	int fd;			/* the file, open for reading */
	uint64_t size;

	/* Reads that touch it or what follows are held until the release. */
	_Atomic uint64_t gate;
	/* Reads that touch it or what follows fail, with EIO if not set. */
	_Atomic uint64_t fail_at;
	atomic_int fail_with;
	/* Of whose credentials the last read was. */
	atomic_uint reader;

	/* The first SETATTR that comes is held until it is released. */
	atomic_bool hold_setattr;

	/* The rest belongs to the daemon. */
	uint32_t open_flags;
	pthread_mutex_t hook_lock;
	fuse_source_hook hook;
	void *hook_arg;
	int device;
	int control;
	pthread_t thread;
	atomic_uint nr_held;
	struct fuse_source_read held[FUSE_SOURCE_MAX_HELD];
	bool writable;
	atomic_bool has_setattr;
	struct fuse_in_header setattr;
	char out[1 << 18];
};

/*
 * Make one of @size bytes that holds reads at @gate; UINT64_MAX: none. Returns
 * NULL and why if this machine cannot have it.
 */
struct fuse_source *fuse_source_start(uint64_t size, uint64_t gate,
				      struct reason *why);

/* The same with flags of struct fuse_open_out, such as FOPEN_DIRECT_IO. */
struct fuse_source *fuse_source_start_flags(uint64_t size, uint64_t gate,
					    uint32_t open_flags,
					    struct reason *why);

/*
 * The same, of a file that can be written to: what is written stays in the page
 * cache until somebody closes the file, and waits for SETATTR then. The contents
 * do not change by it.
 */
struct fuse_source *fuse_source_start_writable(uint64_t size, uint64_t gate,
					       struct reason *why);

/*
 * What the daemon calls before it answers a read; NULL: nothing. When this
 * returns, the one before is not called any more.
 */
void fuse_source_set_hook(struct fuse_source *s, fuse_source_hook hook,
			  void *arg);

/* Wait until a read is being held. */
void fuse_source_wait_held(struct fuse_source *s);

/* Wait until a SETATTR is being held; answer it, and hold none. */
void fuse_source_wait_setattr(struct fuse_source *s);
void fuse_source_release_setattr(struct fuse_source *s);

/* Answer all reads that are held and hold no more. */
void fuse_source_release(struct fuse_source *s);

/* Releases, and ends the daemon. What reads the file now gets an error. */
void fuse_source_stop(struct fuse_source *s);

#endif /* FUSE_SOURCE_H */
