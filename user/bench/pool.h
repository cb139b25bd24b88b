/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Workers of the peers: threads or processes that take chunks off a cursor
 */
#ifndef BENCH_POOL_H
#define BENCH_POOL_H

#include "method.h"

/**
 * bench_pool_start() - make the workers, which then wait
 * @load: its method has a run function; load->pool is set
 *
 * Return: 0 or a negative errno
 */
int bench_pool_start(struct bench_load *load);

/** bench_pool_run() - let them load; returns when they have: 0, or an errno */
int bench_pool_run(struct bench_load *load);

/** bench_pool_stop() - end the workers and wait for their end */
void bench_pool_stop(struct bench_load *load);

#endif /* BENCH_POOL_H */
