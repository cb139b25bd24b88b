// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * A FUSE daemon of one file, without a library. The file system is mounted
 * nowhere once the file is open: it ends with the file's last fd.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuse_source.h"
#include "test_files.h"
#include "test_memory.h"

#define FILE_NODE	2
#define FILE_NAME	"file"
#define CONTROL_RELEASE	1
#define CONTROL_SETATTR	(1 << 8)
#define CONTROL_STOP	(1 << 16)

struct request {
	struct fuse_in_header header;
	char body[65536];
};

static void reply(struct fuse_source *s, uint64_t unique, int error,
		  const void *data, size_t length)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + length,
		.error = error,
		.unique = unique,
	};
	struct iovec iov[] = {
		{ &header, sizeof(header) },
		{ (void *)data, length },
	};

	/* Fails if the reader was killed; that is its affair. */
	if (writev(s->device, iov, 2) < 0)
		return;
}

static void reply_read(struct fuse_source *s, const struct fuse_source_read *r)
{
	uint32_t size = r->size;

	pthread_mutex_lock(&s->hook_lock);
	if (s->hook)
		s->hook(s->hook_arg, r->offset, r->size);
	pthread_mutex_unlock(&s->hook_lock);
	if (r->offset + size > atomic_load(&s->fail_at)) {
		reply(s, r->unique, -atomic_load(&s->fail_with), NULL, 0);
		return;
	}
	if (size > sizeof(s->out))
		size = sizeof(s->out);
	if (r->offset >= s->size)
		size = 0;
	else if (size > s->size - r->offset)
		size = s->size - r->offset;
	pattern_fill(s->out, SEED_SOURCE, r->offset, size);
	reply(s, r->unique, 0, s->out, size);
}

static void do_read(struct fuse_source *s, const struct request *rq)
{
	const struct fuse_read_in *in = (const void *)rq->body;
	struct fuse_source_read r = {
		rq->header.unique, in->offset, in->size
	};
	unsigned int nr = atomic_load(&s->nr_held);

	atomic_store(&s->reader, rq->header.uid);
	if (r.offset + r.size > atomic_load(&s->gate) &&
	    nr < FUSE_SOURCE_MAX_HELD) {
		s->held[nr] = r;
		atomic_store(&s->nr_held, nr + 1);
	} else {
		reply_read(s, &r);
	}
}

/* What is written is lost. */
static void do_write(struct fuse_source *s, const struct request *rq)
{
	const struct fuse_write_in *in = (const void *)rq->body;
	struct fuse_write_out out = { .size = in->size };

	reply(s, rq->header.unique, 0, &out, sizeof(out));
}

static void do_init(struct fuse_source *s, const struct request *rq)
{
	const struct fuse_init_in *in = (const void *)rq->body;
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.flags = FUSE_ASYNC_READ | FUSE_MAX_PAGES |
			 (s->writable ? FUSE_WRITEBACK_CACHE : 0),
		.max_background = 64,
		.congestion_threshold = 48,
		.max_write = 4096,
		.max_pages = 32,
	};

	reply(s, rq->header.unique, 0, &out, sizeof(out));
}

static struct fuse_attr file_attr(const struct fuse_source *s, uint64_t node)
{
	if (node != FILE_NODE)
		return (struct fuse_attr){
			.ino = node,
			.mode = S_IFDIR | 0755,
			.nlink = 2,
		};
	return (struct fuse_attr){
		.ino = node,
		.size = s->size,
		.blocks = s->size / 512,
		.mode = S_IFREG | 0644,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void do_lookup(struct fuse_source *s, const struct request *rq)
{
	struct fuse_entry_out out = {
		.nodeid = FILE_NODE,
		.entry_valid = 3600,
		.attr_valid = 3600,
		.attr = file_attr(s, FILE_NODE),
	};

	if (strcmp(rq->body, FILE_NAME))
		reply(s, rq->header.unique, -ENOENT, NULL, 0);
	else
		reply(s, rq->header.unique, 0, &out, sizeof(out));
}

static void do_getattr(struct fuse_source *s, const struct request *rq)
{
	struct fuse_attr_out out = {
		.attr_valid = 3600,
		.attr = file_attr(s, rq->header.nodeid),
	};

	reply(s, rq->header.unique, 0, &out, sizeof(out));
}

/* Of who writes the file back: times. Held, if it is the first. */
static void do_setattr(struct fuse_source *s, const struct request *rq)
{
	if (atomic_load(&s->hold_setattr) && !atomic_load(&s->has_setattr)) {
		s->setattr = rq->header;
		atomic_store(&s->has_setattr, true);
	} else {
		do_getattr(s, rq);
	}
}

static void do_open(struct fuse_source *s, const struct request *rq)
{
	struct fuse_open_out out = {
		.open_flags = FOPEN_NOFLUSH | s->open_flags,
	};

	reply(s, rq->header.unique, 0, &out, sizeof(out));
}

static void serve(struct fuse_source *s, const struct request *rq)
{
	switch (rq->header.opcode) {
	case FUSE_INIT:
		return do_init(s, rq);
	case FUSE_LOOKUP:
		return do_lookup(s, rq);
	case FUSE_GETATTR:
		return do_getattr(s, rq);
	case FUSE_SETATTR:
		return do_setattr(s, rq);
	case FUSE_OPEN:
		return do_open(s, rq);
	case FUSE_READ:
		return do_read(s, rq);
	case FUSE_WRITE:
		return do_write(s, rq);
	case FUSE_RELEASE:
		return reply(s, rq->header.unique, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return reply(s, rq->header.unique, -ENOSYS, NULL, 0);
	}
}

static void answer_held(struct fuse_source *s)
{
	unsigned int nr = atomic_load(&s->nr_held);
	unsigned int i;

	for (i = 0; i < nr; i++)
		reply_read(s, &s->held[i]);
	atomic_store(&s->nr_held, 0);
}

static void answer_setattr(struct fuse_source *s)
{
	struct request rq = { .header = s->setattr };

	atomic_store(&s->hold_setattr, false);
	if (atomic_exchange(&s->has_setattr, false))
		do_getattr(s, &rq);
}

/* Returns false when the daemon has to end. */
static bool obey(struct fuse_source *s)
{
	uint64_t orders = 0;

	if (read(s->control, &orders, sizeof(orders)) < 0)
		return true;
	answer_held(s);
	if (orders >= CONTROL_SETATTR)
		answer_setattr(s);
	return orders < CONTROL_STOP;
}

static void *daemon_main(void *arg)
{
	struct fuse_source *s = arg;
	struct request *rq = malloc(sizeof(*rq));
	struct pollfd pfd[] = {
		{ .fd = s->device, .events = POLLIN },
		{ .fd = s->control, .events = POLLIN },
	};

	while (rq && poll(pfd, 2, -1) > 0) {
		ssize_t n;

		if (pfd[1].revents && !obey(s))
			break;
		if (pfd[0].revents & POLLERR)
			break;
		if (!pfd[0].revents)
			continue;
		n = read(s->device, rq, sizeof(*rq));
		if (n >= (ssize_t)sizeof(rq->header))
			serve(s, rq);
		else if (n < 0 && errno == ENODEV)
			break;
	}
	free(rq);
	return NULL;
}

static void order(struct fuse_source *s, uint64_t orders)
{
	if (write(s->control, &orders, sizeof(orders)) < 0)
		abort();
}

/* The device cannot be polled before it is mounted. */
static int mount_and_serve(struct fuse_source *s, const char *dir)
{
	char options[96];

	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=%d,group_id=%d", s->device,
		 getuid(), getgid());
	if (mount("ramload-test", dir, "fuse", MS_NODEV | MS_NOSUID, options))
		return -1;
	errno = pthread_create(&s->thread, NULL, daemon_main, s);
	if (errno) {
		umount2(dir, MNT_DETACH);
		return -1;
	}
	return 0;
}

/* Mounted nowhere once this returns: the fd is all that keeps it. */
static int open_file(struct fuse_source *s)
{
	char dir[] = "/tmp/ramload-fuse.XXXXXX";
	char path[64];
	int err;

	if (!mkdtemp(dir))
		return -1;
	if (mount_and_serve(s, dir)) {
		rmdir(dir);
		return -1;
	}
	snprintf(path, sizeof(path), "%s/" FILE_NAME, dir);
	s->fd = open(path, (s->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	err = errno;
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	if (s->fd < 0) {
		order(s, CONTROL_STOP);
		pthread_join(s->thread, NULL);
	}
	errno = err;
	return s->fd;
}

static struct fuse_source *give_up(struct fuse_source *s, struct reason *why)
{
	snprintf(why->text, sizeof(why->text), "FUSE: %s", strerror(errno));
	if (s->device >= 0)
		close(s->device);
	if (s->control >= 0)
		close(s->control);
	free(s);
	return NULL;
}

struct fuse_source *fuse_source_start(uint64_t size, uint64_t gate,
				      struct reason *why)
{
	return fuse_source_start_flags(size, gate, 0, why);
}

static struct fuse_source *start(uint64_t size, uint64_t gate,
				 uint32_t open_flags, bool writable,
				 struct reason *why)
{
	struct fuse_source *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	/*
	 * A worker that waits for us is a thread of this process, and one that
	 * dumps core waits for all its threads before it closes any file.
	 */
	prctl(PR_SET_DUMPABLE, 0);
	pthread_mutex_init(&s->hook_lock, NULL);
	load_module("fuse");
	/*
	 * A request that has been polled for is gone if its reader was killed
	 * since. Who waits for the next one here would not see an order.
	 */
	s->device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	s->control = eventfd(0, EFD_CLOEXEC);
	s->size = size;
	s->open_flags = open_flags;
	s->writable = writable;
	atomic_store(&s->hold_setattr, writable);
	atomic_store(&s->gate, gate);
	atomic_store(&s->fail_at, UINT64_MAX);
	atomic_store(&s->fail_with, EIO);
	if (s->device < 0 || s->control < 0 || open_file(s) < 0)
		return give_up(s, why);
	/*
	 * The answer to the first FLUSH is that there is none. Else a test that
	 * fails would wait for one as its threads, ours too, have ended.
	 */
	close(dup(s->fd));
	return s;
}

struct fuse_source *fuse_source_start_flags(uint64_t size, uint64_t gate,
					    uint32_t open_flags,
					    struct reason *why)
{
	return start(size, gate, open_flags, false, why);
}

struct fuse_source *fuse_source_start_writable(uint64_t size, uint64_t gate,
					       struct reason *why)
{
	return start(size, gate, 0, true, why);
}

void fuse_source_set_hook(struct fuse_source *s, fuse_source_hook hook,
			  void *arg)
{
	pthread_mutex_lock(&s->hook_lock);
	s->hook = hook;
	s->hook_arg = arg;
	pthread_mutex_unlock(&s->hook_lock);
}

void fuse_source_wait_held(struct fuse_source *s)
{
	while (!atomic_load(&s->nr_held))
		usleep(1000);
}

void fuse_source_wait_setattr(struct fuse_source *s)
{
	while (!atomic_load(&s->has_setattr))
		usleep(1000);
}

void fuse_source_release_setattr(struct fuse_source *s)
{
	order(s, CONTROL_SETATTR);
}

void fuse_source_release(struct fuse_source *s)
{
	atomic_store(&s->gate, UINT64_MAX);
	order(s, CONTROL_RELEASE);
}

void fuse_source_stop(struct fuse_source *s)
{
	fuse_source_release(s);
	fuse_source_release_setattr(s);
	if (s->fd >= 0)
		close(s->fd);
	order(s, CONTROL_STOP);
	pthread_join(s->thread, NULL);
	close(s->device);
	close(s->control);
	free(s);
}
