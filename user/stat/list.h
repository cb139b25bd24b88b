/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Lists: records of one kind, in the order they came
 */
#ifndef RAMLOAD_STAT_LIST_H
#define RAMLOAD_STAT_LIST_H

#include "record.h"

/** struct ramload_stat_list - records of @kind; others are not put in */
struct ramload_stat_list {
	enum record_kind kind;
	bool interrupted;
	struct record *records;
	size_t nr;
	size_t room;
};

/** list_new() - an empty list; NULL if there is no memory */
struct ramload_stat_list *list_new(enum record_kind kind);

/** list_clear() - make it empty, and not interrupted */
void list_clear(struct ramload_stat_list *list);

/** list_add() - put in a copy; 0, or -ENOMEM with the list as it was */
int list_add(struct ramload_stat_list *list, const struct record *record);

/** list_link() - make it complete: only then may its records be looked at */
void list_link(struct ramload_stat_list *list);

#endif /* RAMLOAD_STAT_LIST_H */
