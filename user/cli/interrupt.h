/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Interrupts: signals that ask the program to end, taken when it is convenient
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

/**
 * struct interrupt - the signals
 * @fd: readable when one has come; -1 once it was taken, or before
 *	interrupt_open()
 * @signal: the one taken, else 0
 */
struct interrupt {
	int fd;
	int signal;
};

/**
 * interrupt_open() - hold SIGINT, SIGTERM and SIGHUP back from now on
 *
 * Threads that are started later hold them back, too.
 *
 * Return: 0 or a negative errno
 */
int interrupt_open(struct interrupt *interrupt);

/**
 * interrupt_take() - look whether a signal has come
 *
 * When one has, they are no longer held back: the next ends the program, in
 * case what the first one asked for takes too long.
 *
 * Return: the signal, or 0
 */
int interrupt_take(struct interrupt *interrupt);

void interrupt_close(struct interrupt *interrupt);

#endif /* CLI_INTERRUPT_H */
