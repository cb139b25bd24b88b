/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Tables: columns as wide as what is in them
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** struct table_column - its title, and whether it is of numbers */
struct table_column {
	const char *title;
	bool right;
};

/** struct table - cells, row by row; all zero but for the columns at first */
struct table {
	const struct table_column *columns;
	size_t nr_columns;
	char **cells;
	size_t nr_cells;
	size_t room;
};

/**
 * table_add() - add a cell: the next of the row, or the first of a new one
 *
 * What cannot be kept for want of memory is an empty cell, or missing.
 */
void table_add(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** table_print() - print the titles and the rows */
void table_print(const struct table *table, FILE *out);

/** table_free() - free the cells */
void table_free(struct table *table);

#endif /* CLI_TABLE_H */
