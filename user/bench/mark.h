/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Marks around what is measured, for an emulator that counts instructions:
 * instructions that do nothing, and that no compiler makes. See
 * selftests/bench/profile_plugin.c.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#define BENCH_MARK_BEGIN	0x01
#define BENCH_MARK_END		0x02

/* nopl 0x524d4cNN(%rax,%rax,1) */
#define BENCH_MARK_SIZE		8
#define BENCH_MARK_BYTES(n)	0x0f, 0x1f, 0x84, 0x00, (n), 0x4c, 0x4d, 0x52

#ifdef __x86_64__
#define BENCH_MARK_TEXT_(...)	#__VA_ARGS__
#define BENCH_MARK_TEXT(...)	BENCH_MARK_TEXT_(__VA_ARGS__)
#define bench_mark(n) \
	__asm__ volatile(".byte " BENCH_MARK_TEXT(BENCH_MARK_BYTES(n)) \
			 ::: "memory")
#else
#define bench_mark(n)		((void)0)
#endif

#endif /* BENCH_MARK_H */
