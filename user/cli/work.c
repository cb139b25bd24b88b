// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>

#include "work.h"

int work_open(struct work *work)
{
	progress_init(&work->progress);
	return interrupt_open(&work->interrupt);
}

void work_begin(struct work *work, const char *what, uint64_t total)
{
	work->what = what;
	work->done = 0;
	work->total = total;
	progress_begin(&work->progress);
}

int work_step(struct work *work, uint64_t bytes)
{
	work->done += bytes;
	progress_show(&work->progress, work->what, work->done, work->total);
	return interrupt_take(&work->interrupt) ? -EINTR : 0;
}

void work_end(struct work *work)
{
	progress_clear(&work->progress);
}

void work_close(struct work *work)
{
	interrupt_close(&work->interrupt);
}
