// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/**
 * DOC: preload_loader
 *
 * The thread that does what takes a lock, memory, or a file: it opens images,
 * looks at destinations, and runs jobs. Readers only ask it, by words in
 * memory that they change with a compare-and-exchange, and wake it up.
 *
 * It is started by the first thread that reads the beginning of a stream, so
 * in the process that loads, whoever forked before; and it stays. Signals are
 * for the program's threads. The session, whose workers are threads, too, is
 * there only while there are images.
 *
 * An image is dropped when all its blocks were read; when its stream is read
 * again from the beginning; or when nothing was read of it for some seconds:
 * whoever reads it does not go on.
 *
 * **The notice.** Whoever reads the beginning of a stream waits until the image
 * is known, so that no page is read before that. notice.state says whose turn
 * it is: NONE -> CLAIMED (a reader writes down which file) -> ASKED -> WORKING
 * (the loader reads the image) -> DONE -> NONE (the reader). A reader that has
 * no more patience takes back ASKED, or makes ABANDONED of WORKING.
 *
 * **Locking.** None; all but @wake, @thread and @notice belongs to the thread.
 * It waits in two places: for the oldest job, and for @wake to change.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "preload_futex.h"
#include "preload_image.h"
#include "preload_job.h"
#include "preload_loader.h"
#include "preload_map.h"
#include "preload_options.h"
#include "preload_summary.h"
#include "preload_table.h"

#define NR_IMAGES	4
#define STACK_SIZE	(512 << 10)
#define PATIENCE_MS	5000
#define TICK_MS		1000
#define IDLE_TICKS	10
/* A block that cannot be freed yet is tried again after that. */
#define LINGER_MS	20

enum {
	THREAD_NONE,
	THREAD_RUNS,
	THREAD_FAILED,
};

enum {
	NOTICE_NONE,
	NOTICE_CLAIMED,
	NOTICE_ASKED,
	NOTICE_WORKING,
	NOTICE_ABANDONED,
	NOTICE_DONE,
};

/* A stream that a reader has come upon */
struct notice {
	atomic_uint state;
	int fd;
	struct preload_stamp stamp;
	uint64_t start;
};

/**
 * struct slot - an image in use
 * @used: the slot holds one
 * @start: where its stream starts in the file
 * @image: the image
 * @summary: of what is done for it
 * @reads: reads counted when the last tick began
 * @idle: ticks since something happened
 */
struct slot {
	bool used;
	uint64_t start;
	struct preload_image image;
	struct preload_summary summary;
	uint64_t reads;
	unsigned int idle;
};

static struct loader {
	atomic_uint wake;
	atomic_uint thread;
	struct notice notice;
	struct slot slots[NR_IMAGES];
	struct ramload_session *session;
	struct preload_jobs jobs;
	bool lingering;
	struct timespec tick;
} *loader;

static struct slot *slot_of(const struct preload_block *block)
{
	struct preload_summary *summary;

	summary = (void *)((char *)block->counts -
			   offsetof(struct preload_summary, counts));
	return (void *)((char *)summary - offsetof(struct slot, summary));
}

static bool is_of(const struct preload_block *block, const struct slot *slot)
{
	return block->counts == &slot->summary.counts;
}

/* Returns NULL or why there is none. */
static const char *need_session(void)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = preload_options.engine,
		.workers = preload_options.workers,
	};

	if (loader->session)
		return NULL;
	/*
	 * Threads that pread() do what QEMU does, on CPUs that the machine may
	 * not have to spare: they must be asked for.
	 */
	if (options.engine == RAMLOAD_ENGINE_AUTO)
		options.engine = RAMLOAD_ENGINE_KERNEL;
	if (!ramload_session_open(&options, &loader->session))
		return NULL;
	return options.engine == RAMLOAD_ENGINE_KERNEL ?
	       "no module, or no right to use it" : "no threads";
}

static void leave_session(void)
{
	for (int i = 0; i < NR_IMAGES; i++)
		if (loader->slots[i].used)
			return;
	ramload_session_close(loader->session);
	loader->session = NULL;
}

/* Nothing of the block is begun any more, and readers are told. */
static void give_up(struct preload_block *block)
{
	switch (block_state(block)) {
	case BLOCK_KNOWN:
	case BLOCK_CLAIMED:
	case BLOCK_ASKED:
	case BLOCK_CHECKING:
		futex_set(&block->state, BLOCK_REFUSED);
		break;
	case BLOCK_ACTIVE:
		futex_change(&block->state, BLOCK_ACTIVE, BLOCK_STOPPING);
		break;
	}
}

static void give_up_blocks(const struct slot *slot)
{
	for (int i = 0; i < NR_BLOCKS; i++) {
		struct preload_block *block = &preload_table->blocks[i];

		if (block_state(block) != BLOCK_FREE && is_of(block, slot))
			give_up(block);
	}
}

static bool has_blocks(const struct slot *slot)
{
	for (int i = 0; i < NR_BLOCKS; i++) {
		struct preload_block *block = &preload_table->blocks[i];

		if (block_state(block) != BLOCK_FREE && is_of(block, slot))
			return true;
	}
	return false;
}

static void drop_image(struct slot *slot)
{
	preload_summary_print(&slot->summary);
	preload_image_close(&slot->image);
	slot->used = false;
	leave_session();
}

static void check_destination(struct preload_block *block)
{
	uintptr_t dest = (uintptr_t)block->dest;

	if (!futex_change(&block->state, BLOCK_ASKED, BLOCK_CHECKING))
		return;
	if (preload_map_is_block(dest, block->part.length,
				 &block->part.stamp) &&
	    !preload_block_prepare(block) &&
	    futex_change(&block->state, BLOCK_CHECKING, BLOCK_ACTIVE))
		slot_of(block)->summary.blocks++;
	else
		futex_change(&block->state, BLOCK_CHECKING, BLOCK_REFUSED);
}

static void end_block(struct preload_block *block)
{
	preload_block_skip_rest(block);
	if (preload_jobs_cancel(&loader->jobs, block))
		return;
	futex_set(&block->state, BLOCK_STOPPED);
}

static void free_block(struct preload_block *block)
{
	if (!preload_block_free(block)) {
		loader->lingering = true;
		return;
	}
	atomic_store(&block->state, BLOCK_FREE);
	atomic_fetch_sub(&preload_table->live, 1);
}

static void serve_block(struct preload_block *block)
{
	if (block_state(block) == BLOCK_ASKED)
		check_destination(block);
	if (block_state(block) == BLOCK_ACTIVE)
		preload_jobs_submit(&loader->jobs, loader->session,
				    slot_of(block)->image.fd, block);
	switch (block_state(block)) {
	case BLOCK_FINISHED:
	case BLOCK_REFUSED:
	case BLOCK_STOPPING:
		end_block(block);
		break;
	}
	if (block_state(block) == BLOCK_STOPPED)
		free_block(block);
}

static void serve_blocks(void)
{
	loader->lingering = false;
	for (int i = 0; i < NR_BLOCKS; i++)
		if (block_state(&preload_table->blocks[i]) != BLOCK_FREE)
			serve_block(&preload_table->blocks[i]);
}

static void finish_oldest_job(void)
{
	struct preload_jobs *jobs = &loader->jobs;
	struct slot *slot = slot_of(jobs->job[jobs->first].block);

	slot->summary.bytes += preload_jobs_finish_oldest(jobs);
	slot->idle = 0;
}

static uint64_t reads_of(const struct slot *slot)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_COUNTS; i++)
		sum += atomic_load(&slot->summary.counts.of[i]);
	return sum;
}

static void tick(struct slot *slot)
{
	uint64_t reads = reads_of(slot);

	slot->idle = reads == slot->reads ? slot->idle + 1 : 0;
	slot->reads = reads;
	if (slot->idle >= IDLE_TICKS)
		give_up_blocks(slot);
}

static bool tick_is_over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - loader->tick.tv_sec) * 1000 +
	    (now.tv_nsec - loader->tick.tv_nsec) / 1000000 < TICK_MS)
		return false;
	loader->tick = now;
	return true;
}

static void serve_images(void)
{
	bool ticks = tick_is_over();

	for (int i = 0; i < NR_IMAGES; i++) {
		struct slot *slot = &loader->slots[i];

		if (slot->used && ticks)
			tick(slot);
		if (slot->used && !has_blocks(slot))
			drop_image(slot);
	}
}

/* All that nobody has to wait for */
static void serve(void)
{
	if (loader->jobs.nr)
		finish_oldest_job();
	serve_blocks();
	serve_images();
}

/* A user that never comes back keeps a block, and its image, for ever. */
static void forget_image(struct slot *slot)
{
	int patience = PATIENCE_MS / LINGER_MS;

	give_up_blocks(slot);
	while (slot->used && patience--) {
		do
			serve();
		while (loader->jobs.nr);
		if (slot->used)
			futex_wait(&loader->wake, atomic_load(&loader->wake),
				   LINGER_MS);
	}
}

/* A stream that is read again is not read on by whom we knew. */
static void forget_images_of(const struct notice *notice)
{
	for (int i = 0; i < NR_IMAGES; i++) {
		struct slot *slot = &loader->slots[i];

		if (slot->used && slot->start == notice->start &&
		    preload_stamp_same_file(&slot->image.stamp,
					    &notice->stamp))
			forget_image(slot);
	}
}

static const char *add_parts(struct slot *slot)
{
	size_t nr = ramload_image_nr_blocks(slot->image.image);
	const char *why_not = "no block is large";

	for (size_t i = 0; i < nr; i++) {
		struct preload_part part;

		if (preload_image_part(&slot->image, i, &part) &&
		    preload_table_add(&part, &slot->summary.counts))
			why_not = NULL;
	}
	return why_not;
}

static const char *open_image(struct slot *slot, const struct notice *notice)
{
	const char *why_not;

	why_not = need_session();
	if (why_not)
		return why_not;
	why_not = preload_image_open(&slot->image, notice->fd, &notice->stamp,
				     notice->start);
	if (why_not)
		goto out_session;
	slot->used = true;
	slot->start = notice->start;
	slot->reads = 0;
	slot->idle = 0;
	why_not = add_parts(slot);
	if (!why_not)
		return NULL;
	preload_image_close(&slot->image);
	slot->used = false;
out_session:
	leave_session();
	return why_not;
}

static struct slot *free_slot(void)
{
	for (int i = 0; i < NR_IMAGES; i++)
		if (!loader->slots[i].used)
			return &loader->slots[i];
	return NULL;
}

static struct slot *take_image(const struct notice *notice)
{
	enum ramload_engine engine;
	struct slot *slot;

	forget_images_of(notice);
	slot = free_slot();
	if (!slot)
		return NULL;
	preload_summary_begin(&slot->summary);
	slot->summary.why_not = open_image(slot, notice);
	if (slot->summary.why_not) {
		preload_summary_print(&slot->summary);
		return NULL;
	}
	engine = ramload_session_engine(loader->session);
	slot->summary.engine = ramload_engine_name(engine);
	slot->summary.workers = ramload_session_workers(loader->session);
	return slot;
}

static void serve_notice(struct notice *notice)
{
	struct slot *slot;

	if (!futex_change(&notice->state, NOTICE_ASKED, NOTICE_WORKING))
		return;
	slot = take_image(notice);
	if (futex_change(&notice->state, NOTICE_WORKING, NOTICE_DONE))
		return;
	if (slot)
		give_up_blocks(slot);
	futex_set(&notice->state, NOTICE_NONE);
}

static void *run(void *arg)
{
	(void)arg;
	for (;;) {
		unsigned int seen = atomic_load(&loader->wake);

		serve_notice(&loader->notice);
		serve();
		if (loader->jobs.nr)
			continue;
		futex_wait(&loader->wake, seen,
			   loader->lingering ? LINGER_MS :
			   preload_is_live() ? TICK_MS : LONG_MAX / 2);
	}
	return NULL;
}

static int start_thread(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

static bool need_thread(void)
{
	unsigned int none = THREAD_NONE;

	if (atomic_compare_exchange_strong(&loader->thread, &none,
					   THREAD_RUNS) && start_thread())
		atomic_store(&loader->thread, THREAD_FAILED);
	return atomic_load(&loader->thread) == THREAD_RUNS;
}

/* Wait for a state of the notice to pass; returns the next, or the same. */
static unsigned int wait_notice(atomic_uint *word, unsigned int state)
{
	uint64_t end = futex_clock_ms() + PATIENCE_MS;

	while (futex_clock_ms() < end) {
		unsigned int now = atomic_load(word);

		if (now != state)
			return now;
		futex_wait(word, now, 50);
	}
	return state;
}

static void ask(struct notice *notice, const struct notice *what)
{
	notice->fd = what->fd;
	notice->stamp = what->stamp;
	notice->start = what->start;
	futex_set(&notice->state, NOTICE_ASKED);
	preload_loader_wake();
	if (wait_notice(&notice->state, NOTICE_ASKED) == NOTICE_ASKED &&
	    futex_change(&notice->state, NOTICE_ASKED, NOTICE_NONE))
		return;
	if (wait_notice(&notice->state, NOTICE_WORKING) == NOTICE_WORKING &&
	    futex_change(&notice->state, NOTICE_WORKING, NOTICE_ABANDONED))
		return;
	futex_set(&notice->state, NOTICE_NONE);
}

/*
 * The fd was read from @start, and that is how a stream of QEMU begins. Returns
 * when its blocks are known, or never will be.
 */
void preload_loader_notice(int fd, uint64_t start)
{
	struct notice what = { .fd = fd, .start = start };
	struct notice *notice = &loader->notice;
	uint64_t end = futex_clock_ms() + PATIENCE_MS;
	int saved = errno;

	if (!preload_stamp_take(fd, &what.stamp) || !need_thread())
		goto out;
	while (futex_clock_ms() < end) {
		unsigned int state = NOTICE_NONE;

		if (atomic_compare_exchange_strong(&notice->state, &state,
						   NOTICE_CLAIMED)) {
			ask(notice, &what);
			break;
		}
		futex_wait(&notice->state, state, 50);
	}
out:
	errno = saved;
}

void preload_loader_wake(void)
{
	atomic_fetch_add(&loader->wake, 1);
	futex_wake(&loader->wake);
}

int preload_loader_init(void)
{
	loader = preload_alloc_wiped(sizeof(*loader));
	return loader ? 0 : -1;
}

/* The program ends. */
void preload_loader_end(void)
{
	for (int i = 0; loader && i < NR_IMAGES; i++)
		if (loader->slots[i].used)
			preload_summary_print(&loader->slots[i].summary);
}
