/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * What is done to memory while it is being loaded. @nr, the number of the
 * turn, says where. Each leaves the memory mapped and writable.
 */
#ifndef DISTURB_H
#define DISTURB_H

struct memory;

typedef void (*disturb_fn)(struct memory *m, unsigned long nr);

/* May make a load fail with EFAULT, may make what is loaded read as zeros. */
void disturb_remap(struct memory *m, unsigned long nr);
void disturb_truncate(struct memory *m, unsigned long nr);

/* May make a load fail with EFAULT. */
void disturb_protect(struct memory *m, unsigned long nr);
void disturb_move(struct memory *m, unsigned long nr);

/* May make what is loaded read as zeros. */
void disturb_drop(struct memory *m, unsigned long nr);
void disturb_punch(struct memory *m, unsigned long nr);

/* Change nothing that a program could see. */
void disturb_look(struct memory *m, unsigned long nr);
void disturb_page_out(struct memory *m, unsigned long nr);
void disturb_collapse(struct memory *m, unsigned long nr);
void disturb_compact(struct memory *m, unsigned long nr);
void disturb_fork(struct memory *m, unsigned long nr);
void disturb_read(struct memory *m, unsigned long nr);
void disturb_allocate(struct memory *m, unsigned long nr);

#endif /* DISTURB_H */
