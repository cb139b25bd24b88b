// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * Sessions and the ends of their jobs, by both engines: cancelling, stopping,
 * several threads at a time.
 */
#include "load_fixture.h"

#define HUGE	(8 * GiB)

/*
 * A job that takes long: known content first, then a sparse file that is far
 * larger than can be loaded before somebody ends it.
 */
struct big_job {
	struct ramload_block blocks[2];
	struct ramload_job *job;
	uint8_t *dest;
	int fd;
};

static int big_start(struct big_job *big, struct ramload_session *session,
		     const struct ramload_load_options *options)
{
	struct ramload_load_options buffered = *options;

	buffered.io = RAMLOAD_IO_BUFFERED;
	big->fd = content_file(4 * MiB);
	big->dest = map_memory(HUGE);
	if (big->fd < 0 || !big->dest || ftruncate(big->fd, HUGE))
		return -EIO;
	big->blocks[0] = (struct ramload_block){
		.length = 4 * MiB,
		.dest = big->dest,
	};
	big->blocks[1] = (struct ramload_block){
		.file_offset = 4 * MiB,
		.length = HUGE - 4 * MiB,
		.dest = big->dest + 4 * MiB,
	};
	return ramload_load(session, big->fd, big->blocks, 2, &buffered,
			    &big->job);
}

static bool is_zero(const uint8_t *p, uint64_t length)
{
	return !length || (!p[0] && !memcmp(p, p + 1, length - 1));
}

/* What of a cancelled big job has to be true. */
static bool big_is_right(struct big_job *big,
			 const struct ramload_result *result)
{
	uint64_t at = result->error_offset;

	if (!result->done || result->error != -ECANCELED ||
	    result->bytes_total != HUGE || result->bytes_done < at ||
	    result->error_block != (at >= 4 * MiB))
		return false;
	if (at < 4 * MiB)
		return holds(big->dest, at, 0);
	return holds(big->dest, 4 * MiB, 0) &&
	       is_zero(big->dest + 4 * MiB, at - 4 * MiB);
}

static void big_end(struct big_job *big)
{
	ramload_job_free(big->job);
	munmap(big->dest, HUGE);
	close(big->fd);
}

static void wait_for_progress(struct ramload_job *job)
{
	struct ramload_result result;

	do {
		ramload_job_result(job, &result);
		sched_yield();
	} while (!result.bytes_done && !result.done);
}

TEST_F(load, cancel)
{
	struct ramload_result result;
	struct big_job big;

	ASSERT_EQ(0, big_start(&big, self->session, &self->options));
	wait_for_progress(big.job);
	EXPECT_FALSE(is_readable(ramload_job_fd(big.job), 0));
	ramload_job_cancel(big.job);
	EXPECT_EQ(-ECANCELED, ramload_job_wait(big.job, &result));
	EXPECT_TRUE(big_is_right(&big, &result));
	EXPECT_TRUE(is_readable(ramload_job_fd(big.job), 0));
	big_end(&big);
	EXPECT_EQ(1, self->cleaned);
}

static void *wait_thread(void *job)
{
	ramload_job_wait(job, NULL);
	return NULL;
}

/* A thread that ends while it waits must not take the lock with it. */
TEST_F(load, waiting_thread_is_cancelled)
{
	struct big_job big;
	pthread_t thread;

	ASSERT_EQ(0, big_start(&big, self->session, &self->options));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_thread, big.job));
	wait_for_progress(big.job);
	pthread_cancel(thread);
	ramload_job_cancel(big.job);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ECANCELED, ramload_job_wait(big.job, NULL));
	big_end(&big);
}

struct cancelled_thread {
	struct ramload_session *session;
	const struct ramload_load_options *options;
	const struct ramload_block *block;
	int fd;
	bool loads;
	bool frees;
};

static void *cancelled_thread(void *arg)
{
	struct cancelled_thread *t = arg;
	struct ramload_job *job;
	int err;

	pthread_cancel(pthread_self());
	err = ramload_load(t->session, t->fd, t->block, 1, t->options, &job);
	t->loads = !err;
	ramload_job_free(job);
	t->frees = true;
	pthread_testcancel();
	return t;
}

/* One that is to end does so when its job is made, and when it is freed. */
TEST_F(load, cancelled_thread_loads_and_frees)
{
	uint8_t *dest = map_dest(LENGTH, 0);
	struct ramload_block block = { .length = LENGTH, .dest = dest };
	struct cancelled_thread t = {
		.session = self->session,
		.options = &self->options,
		.block = &block,
		.fd = self->fd,
	};
	pthread_t thread;
	void *end;

	ASSERT_EQ(0, pthread_create(&thread, NULL, cancelled_thread, &t));
	ASSERT_EQ(0, pthread_join(thread, &end));
	EXPECT_EQ(PTHREAD_CANCELED, end);
	EXPECT_TRUE(t.loads);
	EXPECT_TRUE(t.frees);
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, LENGTH, 0);
}

TEST_F(load, cancel_at_once)
{
	struct ramload_result result;
	struct big_job big;

	ASSERT_EQ(0, big_start(&big, self->session, &self->options));
	ramload_job_cancel(big.job);
	EXPECT_EQ(-ECANCELED, ramload_job_wait(big.job, &result));
	EXPECT_TRUE(big_is_right(&big, &result));
	big_end(&big);
	EXPECT_EQ(1, self->cleaned);
}

TEST_F(load, free_while_loading)
{
	struct big_job big;

	ASSERT_EQ(0, big_start(&big, self->session, &self->options));
	wait_for_progress(big.job);
	ramload_job_free(big.job);
	/* Were a worker still at it, this would not stay. */
	memset(big.dest, FRESH, 64 * MiB);
	usleep(20000);
	EXPECT_TRUE(is_fresh(big.dest, 64 * MiB));
	EXPECT_EQ(1, self->cleaned);
	big.job = NULL;
	big_end(&big);
}

/* A job that waits behind another does not have to wait to be cancelled. */
TEST_F(load, cancel_behind_another)
{
	struct ramload_result result;
	struct big_job first, second;

	ASSERT_EQ(0, big_start(&first, self->session, &self->options));
	ASSERT_EQ(0, big_start(&second, self->session, &self->options));
	ramload_job_cancel(second.job);
	EXPECT_EQ(-ECANCELED, ramload_job_wait(second.job, &result));
	EXPECT_TRUE(big_is_right(&second, &result));
	ASSERT_EQ(0, ramload_job_result(first.job, &result));
	EXPECT_FALSE(result.done);
	big_end(&second);
	big_end(&first);
	EXPECT_EQ(2, self->cleaned);
}

TEST_F(load, stop_while_loading)
{
	struct ramload_result result;
	struct big_job jobs[3], refused;

	for (unsigned int i = 0; i < 3; i++)
		ASSERT_EQ(0, big_start(&jobs[i], self->session,
				       &self->options));
	wait_for_progress(jobs[0].job);
	ramload_session_stop(self->session);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_TRUE(is_readable(ramload_job_fd(jobs[i].job), 0));
		ASSERT_EQ(0, ramload_job_result(jobs[i].job, &result));
		EXPECT_TRUE(big_is_right(&jobs[i], &result));
		EXPECT_EQ(-ECANCELED, ramload_job_wait(jobs[i].job, NULL));
	}
	EXPECT_EQ(0, self->cleaned);
	EXPECT_EQ(-ESHUTDOWN, big_start(&refused, self->session,
					&self->options));
	EXPECT_EQ(1, self->cleaned);
	big_end(&refused);
	for (unsigned int i = 0; i < 3; i++)
		big_end(&jobs[i]);
	EXPECT_EQ(4, self->cleaned);
	ramload_session_stop(self->session);
}

TEST_F(load, results_after_stop)
{
	uint8_t *dest = map_dest(MiB, 0);
	struct ramload_block block = { .length = MiB, .dest = dest };
	struct ramload_result result;
	struct ramload_job *job;

	ASSERT_EQ(0, ramload_load(self->session, self->fd, &block, 1,
				  &self->options, &job));
	EXPECT_EQ(0, ramload_job_wait(job, NULL));
	ramload_session_stop(self->session);
	EXPECT_EQ(0, ramload_job_result(job, &result));
	EXPECT_TRUE(result.done);
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(MiB, result.bytes_done);
	ramload_job_cancel(job);
	ramload_job_free(job);
	EXPECT_EQ(1, self->cleaned);
	unmap_dest(dest, MiB, 0);
}

/* A thread that loads again and again, until told or refused. */
struct loader {
	pthread_t thread;
	struct ramload_session *session;
	const struct ramload_load_options *options;
	int fd;
	unsigned int seed;
	unsigned int rounds;
	unsigned int wrong;
	unsigned int loads;
	int cleaned;
	int error;
};

static void load_once(struct loader *loader, uint8_t *dest, unsigned int i)
{
	uint64_t length = 1 + content(loader->seed + i) * 4099;
	struct ramload_block block = {
		.file_offset = content(loader->seed * 7 + i) * 9001,
		.length = length,
		.dest = dest,
	};
	struct ramload_load_options options = *loader->options;
	struct ramload_result result;

	options.user = &loader->cleaned;
	memset(dest, FRESH, 2 * MiB);
	loader->error = load_all(loader->session, loader->fd, &block, 1,
				 &options, &result);
	loader->loads++;
	if (!loader->error)
		loader->wrong += !block_holds(&block, length) ||
				 !guards_are_fresh(dest, length);
}

static void *loader_main(void *arg)
{
	struct loader *loader = arg;
	uint8_t *dest = map_dest(2 * MiB, 0);

	for (unsigned int i = 0; i < loader->rounds && !loader->error; i++)
		load_once(loader, dest, i);
	unmap_dest(dest, 2 * MiB, 0);
	return NULL;
}

static void start_loaders(struct loader *loaders, unsigned int nr,
			  const struct loader *pattern)
{
	for (unsigned int i = 0; i < nr; i++) {
		loaders[i] = *pattern;
		loaders[i].seed = i * 1000;
		if (pthread_create(&loaders[i].thread, NULL, loader_main,
				   &loaders[i]))
			abort();
	}
}

TEST_F(load, eight_threads)
{
	struct loader loaders[8], pattern = {
		.session = self->session,
		.options = &self->options,
		.fd = self->fd,
		.rounds = 30,
	};

	start_loaders(loaders, 8, &pattern);
	for (unsigned int i = 0; i < 8; i++) {
		pthread_join(loaders[i].thread, NULL);
		EXPECT_EQ(0, loaders[i].error);
		EXPECT_EQ(0, loaders[i].wrong);
		EXPECT_EQ(30, loaders[i].cleaned);
	}
}

TEST_F(load, stop_under_threads)
{
	struct loader loaders[8], pattern = {
		.session = self->session,
		.options = &self->options,
		.fd = self->fd,
		.rounds = UINT_MAX,
	};

	start_loaders(loaders, 8, &pattern);
	usleep(50000);
	ramload_session_stop(self->session);
	for (unsigned int i = 0; i < 8; i++) {
		pthread_join(loaders[i].thread, NULL);
		EXPECT_TRUE(loaders[i].error == -ESHUTDOWN ||
			    loaders[i].error == -ECANCELED);
		EXPECT_EQ(0, loaders[i].wrong);
		EXPECT_EQ((int)loaders[i].loads, loaders[i].cleaned);
	}
}

static void *stop_main(void *session)
{
	ramload_session_stop(session);
	return NULL;
}

TEST_F(load, stop_by_two)
{
	struct ramload_result result;
	struct big_job big;
	pthread_t thread;

	ASSERT_EQ(0, big_start(&big, self->session, &self->options));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stop_main, self->session));
	ramload_session_stop(self->session);
	EXPECT_TRUE(is_readable(ramload_job_fd(big.job), 0));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ECANCELED, ramload_job_wait(big.job, &result));
	EXPECT_TRUE(big_is_right(&big, &result));
	big_end(&big);
}

/* Many short jobs at a time, freed in any order. */
TEST_F(load, many_jobs)
{
	enum { NR = 100 };
	struct ramload_job *jobs[NR];
	uint8_t *dest = map_dest(NR * 8192, 0);

	for (unsigned int i = 0; i < NR; i++) {
		struct ramload_block block = {
			.file_offset = i * 8192 + 5,
			.length = 8192,
			.dest = dest + i * 8192,
		};

		ASSERT_EQ(0, ramload_load(self->session, self->fd, &block, 1,
					  &self->options, &jobs[i]));
	}
	for (unsigned int i = 0; i < NR; i++) {
		unsigned int other = i * 37 % NR;

		EXPECT_EQ(0, ramload_job_wait(jobs[other], NULL));
		ramload_job_free(jobs[other]);
	}
	EXPECT_TRUE(holds(dest, NR * 8192, 5));
	EXPECT_EQ(NR, self->cleaned);
	unmap_dest(dest, NR * 8192, 0);
}

TEST(session_options)
{
	struct ramload_session_options options = { .size = sizeof(options) };
	struct ramload_session *session = (void *)-1;

	options.engine = 7;
	EXPECT_EQ(-EINVAL, ramload_session_open(&options, &session));
	EXPECT_EQ(NULL, session);
	options.engine = RAMLOAD_ENGINE_USER;
	options.workers = 1U << 30;
	EXPECT_EQ(-EINVAL, ramload_session_open(&options, &session));
	options.workers = 3;
	options.size--;
	EXPECT_EQ(-EINVAL, ramload_session_open(&options, &session));
	options.size++;
	ASSERT_EQ(0, ramload_session_open(&options, &session));
	EXPECT_EQ(3, ramload_session_workers(session));
	EXPECT_TRUE(ramload_session_threads(session));
	EXPECT_EQ(RAMLOAD_ENGINE_USER, ramload_session_engine(session));
	ramload_session_close(session);
	ramload_session_close(NULL);
}

TEST(session_defaults)
{
	struct ramload_session *session;
	cpu_set_t one, old;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(old), &old));
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &old))
			CPU_SET(i, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, open_session(RAMLOAD_ENGINE_USER, 0, &session));
	EXPECT_EQ(1, ramload_session_workers(session));
	ramload_session_close(session);
	ASSERT_EQ(0, ramload_session_open(NULL, &session));
	EXPECT_NE(RAMLOAD_ENGINE_AUTO, ramload_session_engine(session));
	ramload_session_close(session);
}

TEST(session_without_module)
{
	struct ramload_session_options options = {
		.size = sizeof(options),
		.engine = RAMLOAD_ENGINE_KERNEL,
		.device = "/nowhere/ramload",
	};
	struct ramload_session *session;

	EXPECT_EQ(-ENOENT, ramload_session_open(&options, &session));
	options.device = "/dev/null";
	EXPECT_EQ(-EPROTO, ramload_session_open(&options, &session));
	options.engine = RAMLOAD_ENGINE_AUTO;
	ASSERT_EQ(0, ramload_session_open(&options, &session));
	EXPECT_EQ(RAMLOAD_ENGINE_USER, ramload_session_engine(session));
	ramload_session_close(session);
}

TEST(names)
{
	EXPECT_STREQ("auto", ramload_engine_name(RAMLOAD_ENGINE_AUTO));
	EXPECT_STREQ("kernel", ramload_engine_name(RAMLOAD_ENGINE_KERNEL));
	EXPECT_STREQ("user", ramload_engine_name(RAMLOAD_ENGINE_USER));
	EXPECT_EQ(NULL, ramload_engine_name(3));
}

TEST_HARNESS_MAIN
