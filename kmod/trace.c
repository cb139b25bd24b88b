// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events: what they need to see, and their one instance.
 */

#include <linux/fs.h>
#include <linux/kdev_t.h>

#include "load_job.h"
#include "load_request.h"
#include "worker_pool.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
