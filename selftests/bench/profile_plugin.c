// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU's TCG that counts the instructions of a virtual machine with
 * one CPU between two marks, which `ramload bench` has around what it measures
 * (user/bench/mark.h). For each such time it writes a line "time", and then
 * lines "ADDRESS INSTRUCTIONS": those of blocks of translated code, by where
 * they start. What they belong to, selftests/bench/instructions.py finds out.
 *
 * Usage: -plugin build/profile_plugin.so,out=FILE
 *
 * QEMU calls the functions here one at a time, as there is one CPU.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

#define EXPORT __attribute__((visibility("default")))

/*
 * What is used of QEMU's interface for plugins, version 4 (QEMU 9.2 and
 * later), which comes without a header in Debian.
 */
#define API_VERSION	4
#define INLINE_ADD	0
#define NO_REGISTERS	0

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

struct plugin_u64 {
	struct qemu_plugin_scoreboard *board;
	size_t offset;
};

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
	void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t length);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*cb)(unsigned int cpu, void *data), int registers, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
	struct qemu_plugin_tb *tb, int op, struct plugin_u64 entry,
	uint64_t value);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *board,
				  unsigned int cpu);

EXPORT int qemu_plugin_version = API_VERSION;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv);

/* Places for blocks, found by hashing; more than a boot and a load have. */
#define PLACES	(1U << 20)

static struct qemu_plugin_scoreboard *board;
static uint64_t *starts;	/* 0: the place is free */
static uint64_t *before;	/* counts when the time began */
static FILE *out;

static uint64_t *counts(void)
{
	return qemu_plugin_scoreboard_find(board, 0);
}

static size_t place_of(uint64_t start)
{
	size_t i = (start * UINT64_C(0x9e3779b97f4a7c15)) >> 44;
	size_t tried;

	for (tried = 0; tried < PLACES; tried++) {
		if (!starts[i])
			starts[i] = start;
		if (starts[i] == start)
			return i;
		i = (i + 1) % PLACES;
	}
	fprintf(stderr, "profile: too many blocks\n");
	abort();
}

static void begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	memcpy(before, counts(), PLACES * sizeof(*before));
}

static void end(unsigned int cpu, void *data)
{
	const uint64_t *now = counts();
	size_t i;

	(void)cpu;
	(void)data;
	fprintf(out, "time\n");
	for (i = 0; i < PLACES; i++)
		if (now[i] != before[i])
			fprintf(out, "%" PRIx64 " %" PRIu64 "\n", starts[i],
				now[i] - before[i]);
	fflush(out);
}

static void look_for_marks(struct qemu_plugin_insn *insn)
{
	static const uint8_t marks[][BENCH_MARK_SIZE] = {
		{ BENCH_MARK_BYTES(BENCH_MARK_BEGIN) },
		{ BENCH_MARK_BYTES(BENCH_MARK_END) },
	};
	uint8_t bytes[BENCH_MARK_SIZE];

	if (qemu_plugin_insn_size(insn) != sizeof(bytes) ||
	    qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) != sizeof(bytes))
		return;
	if (!memcmp(bytes, marks[0], sizeof(bytes)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, begin,
						       NO_REGISTERS, NULL);
	if (!memcmp(bytes, marks[1], sizeof(bytes)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, end,
						       NO_REGISTERS, NULL);
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t nr = qemu_plugin_tb_n_insns(tb), i;
	struct plugin_u64 entry = { .board = board };

	(void)id;
	entry.offset = place_of(qemu_plugin_tb_vaddr(tb)) * sizeof(uint64_t);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD, entry,
							  nr);
	for (i = 0; i < nr; i++)
		look_for_marks(qemu_plugin_tb_get_insn(tb, i));
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv)
{
	static const char key[] = "out=";
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], key, strlen(key)))
			out = fopen(argv[i] + strlen(key), "we");
	starts = calloc(PLACES, sizeof(*starts));
	before = calloc(PLACES, sizeof(*before));
	board = qemu_plugin_scoreboard_new(PLACES * sizeof(uint64_t));
	if (!out || !starts || !before || !board) {
		fprintf(stderr, "profile: out=FILE is needed, and memory\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
