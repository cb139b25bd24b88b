/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What the threads of the ioctl fuzzer share: fds in pools, and memory that
 * may be loaded over at any time, the arena.
 *
 * The arena lies in the low half of the address space, the program in the high
 * one. A fuzzed word is made safe by fuzz_safe() before the module sees it:
 * it is below 2^45, or is over what a user may address. A destination and a
 * length, whichever words they are made of, then never reach the program.
 */
#ifndef FUZZ_STATE_H
#define FUZZ_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fuzz_random.h"
#include "ramload_util.h"

#define ARENA		(UINT64_C(1) << 44)
#define SLOTS		16
/* Memory at the start of each, a hole behind it. */
#define SLOT_MEMORY	MIB(2)
#define SLOT_SIZE	MIB(4)
#define SOURCE_LENGTH	MIB(2)
#define COMPARED	KIB(128)

#define CONTEXTS	10
#define JOBS		32
#define SOURCES		20

struct pool {
	int size;
	atomic_int fds[64];
};

extern struct pool contexts, jobs, sources;

/**
 * struct fuzzer - a thread
 * @r: random numbers of the current call
 * @id: of the thread
 * @call: number of the current call
 * @ctx: a context that nobody else uses
 * @src: sources that nobody else changes
 * @memory: destinations that nobody else uses, COMPARED bytes each
 * @expected: what is to be in one of them
 * @page: below the arena, with a hole behind it
 * @staging: a file through which memory is read and written that may be gone
 * @started: when the current call began, 0 between calls
 * @op: kind of the current call, enum fuzz_op
 * @checked: the struct of the last ioctl was nobody else's
 * @child: this is a forked child
 * @thread: itself
 * @joined: it has ended
 */
struct fuzzer {
	struct random r;
	unsigned int id;
	uint64_t call;
	int ctx;
	int src[2];
	char *memory[3];
	char *expected;
	char *page;
	int staging;
	atomic_long started;
	atomic_int op;
	bool checked;
	bool child;
	pthread_t thread;
	bool joined;
};

extern uint64_t fuzz_seed;
extern struct fuzzer *fuzzers;
extern unsigned int nr_fuzzers;
extern atomic_bool fuzz_failed;
extern const char *pattern;

/* Tell what is wrong and how to repeat it; the fuzzer ends. */
void fuzz_fail(struct fuzzer *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

uint64_t fuzz_safe(uint64_t word);
void fuzz_safe_words(void *buf, size_t size);

int pool_peek(struct pool *p, struct random *r);
int pool_take(struct pool *p, struct random *r);
/* Puts @fd in a random place, and closes what was there. */
void pool_put(struct pool *p, struct random *r, int fd);
void pool_close(struct pool *p);

/* An fd of any kind, or none. */
int any_fd(struct random *r);

/* An address in the arena, somewhere near a border or not. */
uint64_t arena_address(struct random *r);

/* Copy to and from the arena, as far as there is memory. */
bool arena_write(struct fuzzer *f, uint64_t to, const void *from, size_t size);
bool arena_read(struct fuzzer *f, void *to, uint64_t from, size_t size);

/* Change memory, make a source, or change a file. Return as a system call. */
int change_memory(struct fuzzer *f);
int change_file(struct fuzzer *f);
int make_source(struct fuzzer *f);

int arena_init(void);
void arena_end(void);
int state_init(struct fuzzer *f);
void state_end(struct fuzzer *f);

#endif /* FUZZ_STATE_H */
