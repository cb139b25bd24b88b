/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Free memory that is full of a word nobody else uses, so that what was not
 * cleared, and should have been, can be told from anything else.
 *
 * A kernel that clears pages when they are allocated hides it: boot with
 * init_on_alloc=0.
 */
#ifndef POISON_H
#define POISON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define POISON_WORD	0x5ec2e75ec2e75ec2UL

void poison_fill(void *buf, size_t length);

/* Whether the word is anywhere in @buf, which is aligned to it. */
bool poison_in(const void *buf, size_t length);

/* Whether poison would be seen; says so if not. */
bool poison_is_visible(void);

/* Allocate, fill and free memory. */
void poison_free_memory(size_t length);

/* A process that does so all the time on one CPU. Returns 0 or an errno. */
struct poisoner {
	pid_t pid;
};

int poisoner_start(struct poisoner *p, int cpu);
void poisoner_stop(struct poisoner *p);

/* The calling thread, and those it makes, run on this CPU if there is one. */
void pin_to_cpu(int cpu);

#endif /* POISON_H */
