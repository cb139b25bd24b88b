/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/* What tests do with processes. */
#ifndef TEST_PROCESS_H
#define TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* execve() of a program that succeeds at once. */
void execute_helper(void) __attribute__((noreturn));

/*
 * Like waitpid(), for @seconds at most. Returns false if nothing came until
 * then.
 */
bool process_wait(pid_t pid, int *status, int options, unsigned int seconds);

/*
 * Is the thread @tid of @pid a worker? Those have names that begin with
 * "ramload". A thread of the kernel's workqueues is none: for as long as it has
 * nothing else to do, its name ends with that of the queue it worked for last.
 */
bool process_is_worker(pid_t pid, const char *tid);

/* A worker of @pid; 0 if there is none. */
pid_t process_worker(pid_t pid);

/* The state of the thread @tid of @pid, as in its stat; '?' if it is gone. */
char process_state(pid_t pid, pid_t tid);

/*
 * Until a process that was sent SIGSTOP stops: its first thread has, and all others have
 * been told to before.
 */
void process_wait_stopping(pid_t pid);

/* Where in the kernel its threads are, for the reader of a failure. */
void process_show(pid_t pid);

#endif /* TEST_PROCESS_H */
