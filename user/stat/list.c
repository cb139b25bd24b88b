// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "list.h"

#define FIRST_ROOM	16

struct ramload_stat_list *list_new(enum record_kind kind)
{
	struct ramload_stat_list *list = calloc(1, sizeof(*list));

	if (list)
		list->kind = kind;
	return list;
}

void list_clear(struct ramload_stat_list *list)
{
	list->nr = 0;
	list->interrupted = false;
}

int list_add(struct ramload_stat_list *list, const struct record *record)
{
	size_t room = list->room ? list->room * 2 : FIRST_ROOM;
	struct record *records;

	if (record->kind != list->kind)
		return 0;
	if (list->nr == list->room) {
		records = reallocarray(list->records, room, sizeof(*records));
		if (!records)
			return -ENOMEM;
		list->records = records;
		list->room = room;
	}
	list->records[list->nr++] = *record;
	return 0;
}

void list_link(struct ramload_stat_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		record_link(&list->records[i]);
}

static const struct record *at(const struct ramload_stat_list *list,
			       enum record_kind kind, size_t i)
{
	return list->kind == kind && i < list->nr ? &list->records[i] : NULL;
}

RAMLOAD_STAT_API size_t
ramload_stat_list_length(const struct ramload_stat_list *list)
{
	return list->nr;
}

RAMLOAD_STAT_API bool
ramload_stat_list_interrupted(const struct ramload_stat_list *list)
{
	return list->interrupted;
}

RAMLOAD_STAT_API const struct ramload_stat_context *
ramload_stat_context_at(const struct ramload_stat_list *list, size_t i)
{
	const struct record *record = at(list, RECORD_CONTEXT, i);

	return record ? &record->context : NULL;
}

RAMLOAD_STAT_API const struct ramload_stat_worker *
ramload_stat_worker_at(const struct ramload_stat_list *list, size_t i)
{
	const struct record *record = at(list, RECORD_WORKER, i);

	return record ? &record->worker : NULL;
}

RAMLOAD_STAT_API const struct ramload_stat_job *
ramload_stat_job_at(const struct ramload_stat_list *list, size_t i)
{
	const struct record *record = at(list, RECORD_JOB, i);

	return record ? &record->job : NULL;
}

RAMLOAD_STAT_API void ramload_stat_list_free(struct ramload_stat_list *list)
{
	if (!list)
		return;
	free(list->records);
	free(list);
}
