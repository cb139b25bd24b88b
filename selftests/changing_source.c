// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Sources that grow, shrink and are overwritten while they are loaded. Every
 * byte loaded must be one that the file had at that offset, in one of the
 * versions written to it; the end of the file must be reported if and only if
 * the file was shorter at some time, at a length that it had.
 *
 * $RAMLOAD_SECONDS is how long each test takes, $RAMLOAD_SEED repeats one.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kselftest.h"
#include "ramload_util.h"
#include "test_files.h"
#include "test_memory.h"
#include "test_mounts.h"
#include "test_run.h"

#define LENGTH		MIB(1)
#define MAPPED		MIB(2)
#define MIN_SIZE	KIB(64)
#define MAX_WRITE	KIB(128)
#define VERSIONS	3
#define SEED_VERSION	100
#define HISTORY		(1 << 16)
#define WORKERS		3

enum change { OVERWRITE, OVERWRITE_DIRECT, STORE, RESIZE, CHANGES };

static const char *const change_names[CHANGES] = {
	[OVERWRITE] = "overwritten",
	[OVERWRITE_DIRECT] = "overwritten directly",
	[STORE] = "stored to",
	[RESIZE] = "growing and shrinking",
};

static const char *const file_systems[] = {
	"ext4", "xfs", "btrfs", "btrfs-zstd", "tmpfs", "overlay", "nfs"
};

static const enum memory_kind kinds[] = {
	MEMORY_MEMFD, MEMORY_ANON, MEMORY_TMPFS_HUGE
};

/* What the tests share. */
static struct {
	int fd;
	uint64_t seed;
	double seconds;
	char *versions[VERSIONS];
	char *old;
	struct memory memory[ARRAY_SIZE(kinds)];
	unsigned int nr_memories;
} all;

/*
 * Change number n takes the file to size[n % HISTORY]. It may be seen from
 * when @begun is n, and is surely seen when @ended is.
 */
struct changer {
	enum change change;
	int fd;
	int direct_fd;
	bool can_direct;
	bool to_page_end;	/* where a truncate is met, see check_error() */
	char *map;
	char *buf;
	struct rnd random;
	atomic_bool stop;
	atomic_uint begun;
	atomic_uint ended;
	_Atomic size_t size[HISTORY];
	const char *failed;
};

static void fail(struct changer *c, const char *what)
{
	c->failed = what;
	atomic_store(&c->stop, true);
}

static void overwrite(struct changer *c, const char *version)
{
	size_t offset = rnd_below(&c->random, LENGTH);
	size_t length = 1 + rnd_below(&c->random, MAX_WRITE);

	if (length > LENGTH - offset)
		length = LENGTH - offset;
	if (c->change == STORE)
		memcpy(c->map + offset, version + offset, length);
	else if (pwrite(c->fd, version + offset, length, offset) < 0)
		fail(c, "pwrite");
}

static void overwrite_direct(struct changer *c, const char *version)
{
	size_t offset = rnd_below(&c->random, LENGTH / PAGE) * PAGE;
	size_t length = (1 + rnd_below(&c->random, 16)) * PAGE;

	if (length > LENGTH - offset)
		length = LENGTH - offset;
	memcpy(c->buf, version + offset, length);
	if (pwrite(c->direct_fd, c->buf, length, offset) < 0)
		fail(c, "direct pwrite");
}

static void resize(struct changer *c, const char *version)
{
	unsigned int n = atomic_load(&c->ended);
	size_t size = c->size[n % HISTORY];
	size_t to = MIN_SIZE + rnd_below(&c->random, LENGTH);

	if (to > LENGTH)
		to = LENGTH;
	atomic_store(&c->size[(n + 1) % HISTORY], to);
	atomic_store(&c->begun, n + 1);
	if (to < size ? ftruncate(c->fd, to) :
	    pwrite(c->fd, version + size, to - size, size) !=
	    (ssize_t)(to - size))
		fail(c, "resize");
	atomic_store(&c->ended, n + 1);
}

static void *changer_main(void *arg)
{
	struct changer *c = arg;
	unsigned int i = 0;

	while (!atomic_load(&c->stop)) {
		const char *version = all.versions[++i % VERSIONS];

		if (c->change == RESIZE)
			resize(c, version);
		else if (c->change == OVERWRITE_DIRECT)
			overwrite_direct(c, version);
		else
			overwrite(c, version);
	}
	return NULL;
}

/* A byte of any version; or, where @other is given, that. */
static bool is_right(size_t at, char byte, bool zeros, const char *other)
{
	int i;

	for (i = 0; i < VERSIONS; i++)
		if (byte == all.versions[i][at])
			return true;
	return (zeros && !byte) || (other && byte == other[at]);
}

static bool check_bytes(const char *memory, size_t from, size_t to,
			bool zeros, const char *other)
{
	size_t i;

	for (i = from; i < to; i++)
		if (!is_right(i, memory[i], zeros, other)) {
			ksft_print_msg("byte %zu of %zu to %zu is foreign\n",
				       i, from, to);
			return false;
		}
	return true;
}

struct round {
	struct memory *memory;
	uint32_t direct;
	bool fresh;
	unsigned int before;	/* the change that is surely there */
	unsigned int after;	/* the last that may be */
};

/* The sizes that the file may have had; false if it is not known. */
static bool sizes_of(const struct changer *c, const struct round *r,
		     size_t *min, size_t *max)
{
	unsigned int i;

	*min = SIZE_MAX;
	*max = 0;
	for (i = r->before; i != r->after + 1; i++) {
		size_t size = c->size[i % HISTORY];

		*min = size < *min ? size : *min;
		*max = size > *max ? size : *max;
	}
	return atomic_load(&c->begun) - r->before < HISTORY / 2;
}

/*
 * Before 6.13, a read of tmpfs that meets a truncate, read(2) as well, may go
 * on to the end of the page in which the file ended.
 */
static bool check_error(const struct changer *c, const struct round *r, int err,
			const struct ramload_job_result *result)
{
	size_t end = err ? result->out_error_offset : LENGTH;
	size_t min, max;

	if (err && err != -ENODATA) {
		ksft_print_msg("error %d at %zu\n", err, end);
		return false;
	}
	if (!sizes_of(c, r, &min, &max))
		return true;
	if (c->to_page_end)
		max = (max + PAGE - 1) / PAGE * PAGE;
	if (end <= max && (!err || (min < LENGTH && end >= min)))
		return true;
	ksft_print_msg("error %d at %zu of a file of %zu to %zu\n", err, end,
		       min, max);
	return false;
}

static void prepare_memory(const struct round *r)
{
	struct memory *m = r->memory;

	if (!r->fresh)
		memcpy(m->map, all.old, MAPPED);
	else if (m->fd < 0 || ftruncate(m->fd, 0) ||
		 ftruncate(m->fd, m->length))
		madvise(m->map, m->length, MADV_DONTNEED);
}

static bool load_once(struct changer *c, struct round *r)
{
	struct ramload_range range = RANGE(0, LENGTH, r->memory->map);
	struct ramload_load load = LOAD(c->fd, &range, 1, .direct = r->direct,
					.chunk_size = KIB(64));
	struct ramload_job_result result;
	bool zeros = c->change == RESIZE;
	const char *map = r->memory->map;
	size_t end;
	int err;

	prepare_memory(r);
	if (r->direct == RAMLOAD_DIRECT_AUTO)
		file_evict(c->fd);
	r->before = atomic_load(&c->ended);
	err = load_wait(all.fd, &load, &result);
	r->after = atomic_load(&c->begun);
	end = err ? result.out_error_offset : LENGTH;
	return check_error(c, r, err, &result) &&
	       check_bytes(map, 0, end, zeros, NULL) &&
	       check_bytes(map, end, LENGTH, zeros || r->fresh,
			   r->fresh ? NULL : all.old) &&
	       (r->fresh ? all_zero(map + LENGTH, MAPPED - LENGTH) :
		!memcmp(map + LENGTH, all.old + LENGTH, MAPPED - LENGTH));
}

/* Loads in all ways in turn until the time is over; returns how often. */
static int load_for_a_while(struct changer *c, bool *ok)
{
	double end = run_now() + all.seconds;
	int n;

	for (n = 0; *ok && (n < 18 || run_now() < end); n++) {
		struct round r = {
			.memory = &all.memory[n % all.nr_memories],
			.direct = n / ARRAY_SIZE(kinds) % 3,
			.fresh = n / 9 % 2,
		};

		if (r.direct == RAMLOAD_DIRECT_ON && !c->can_direct)
			r.direct = RAMLOAD_DIRECT_OFF;
		*ok = load_once(c, &r);
		if (!*ok)
			ksft_print_msg("%s memory %s, direct %u, round %d\n",
				       r.fresh ? "fresh" : "old",
				       memory_name(kinds[r.memory - all.memory]),
				       r.direct, n);
	}
	return n;
}

static void changer_close(struct changer *c)
{
	if (c->map && c->map != MAP_FAILED)
		munmap(c->map, LENGTH);
	if (c->direct_fd >= 0)
		close(c->direct_fd);
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	free(c);
}

static struct changer *changer_open(int dir, enum change change)
{
	struct changer *c = calloc(1, sizeof(*c));
	char path[32];

	c->change = change;
	c->random = rnd_make(all.seed, 0);
	c->direct_fd = -1;
	c->size[0] = LENGTH;
	c->fd = file_create_pattern(dir, SEED_VERSION, LENGTH);
	if (c->fd < 0 || posix_memalign((void **)&c->buf, PAGE, MAX_WRITE))
		return c;
	c->map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd,
		      0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	c->can_direct = file_can_direct(c->fd);
	c->direct_fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	return c;
}

/* Why the change cannot be made, or NULL. */
static const char *impossible(const struct changer *c)
{
	if (c->fd < 0)
		return "no file";
	if (c->change == STORE && c->map == MAP_FAILED)
		return "no shared mappings";
	if (c->change == OVERWRITE_DIRECT && c->direct_fd < 0)
		return "no direct writes";
	return NULL;
}

static void run(const char *fs, enum change change)
{
	const char *name = change_names[change];
	struct reason why;
	int dir = fs_open(fs, NULL, &why), n;
	struct changer *c;
	pthread_t thread;
	bool ok = true;

	if (dir < 0) {
		ksft_test_result_skip("%s, %s: %s\n", fs, name, why.text);
		return;
	}
	c = changer_open(dir, change);
	c->to_page_end = !strcmp(fs, "tmpfs");
	if (impossible(c)) {
		ksft_test_result_skip("%s, %s: %s\n", fs, name, impossible(c));
	} else {
		pthread_create(&thread, NULL, changer_main, c);
		n = load_for_a_while(c, &ok);
		atomic_store(&c->stop, true);
		pthread_join(thread, NULL);
		if (c->failed)
			ksft_print_msg("%s fails\n", c->failed);
		ksft_test_result(ok && !c->failed, "%s, %s: %d loads\n", fs,
				 name, n);
	}
	changer_close(c);
}

static void *allocate(uint64_t seed, size_t length)
{
	void *p = malloc(length);

	if (!p)
		ksft_exit_fail_msg("no memory\n");
	pattern_fill(p, seed, 0, length);
	return p;
}

static void prepare(void)
{
	struct reason why;
	int i;

	all.seed = run_seed();
	all.seconds = run_seconds(2);
	ksft_print_msg("RAMLOAD_SEED=%llu\n", (unsigned long long)all.seed);
	for (i = 0; i < VERSIONS; i++)
		all.versions[i] = allocate(SEED_VERSION + i, LENGTH);
	all.old = allocate(SEED_OLD, MAPPED);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!memory_map(&all.memory[all.nr_memories], kinds[i], MAPPED,
				&why))
			all.nr_memories++;
		else
			ksft_print_msg("without %s\n", why.text);
	}
	if (!all.nr_memories)
		ksft_exit_fail_msg("no memory to load into\n");
}

int main(void)
{
	int i, change;

	ksft_print_header();
	all.fd = open_device();
	if (all.fd < 0 && errno == ENOENT)
		ksft_exit_skip("no " RAMLOAD_DEVICE "\n");
	if (all.fd < 0 || raw_setup(all.fd, WORKERS))
		ksft_exit_fail_msg("%s: %s\n", RAMLOAD_DEVICE, strerror(errno));
	prepare();
	ksft_set_plan(ARRAY_SIZE(file_systems) * CHANGES);
	for (i = 0; i < ARRAY_SIZE(file_systems); i++)
		for (change = 0; change < CHANGES; change++)
			run(file_systems[i], change);
	ksft_finished();
}
