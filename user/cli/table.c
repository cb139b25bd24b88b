// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define FIRST_ROOM	64
#define GAP		2

static bool make_room(struct table *table)
{
	size_t room = table->room ? table->room * 2 : FIRST_ROOM;
	char **cells;

	if (table->nr_cells < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

void table_add(struct table *table, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	if (!make_room(table))
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	table->cells[table->nr_cells++] = text;
}

static const char *cell(const struct table *table, size_t i)
{
	return i < table->nr_cells && table->cells[i] ? table->cells[i] : "";
}

static int width(const struct table *table, size_t column)
{
	size_t widest = strlen(table->columns[column].title), i;

	for (i = column; i < table->nr_cells; i += table->nr_columns) {
		size_t length = strlen(cell(table, i));

		if (length > widest)
			widest = length;
	}
	return widest;
}

/* Nothing follows what is in the last column, spaces neither. */
static void print_cell(const struct table *table, size_t column, int width,
		       const char *text, FILE *out)
{
	bool last = column + 1 == table->nr_columns;

	if (table->columns[column].right)
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", last ? 0 : width, text);
	fprintf(out, "%*s", last ? 0 : GAP, "");
}

void table_print(const struct table *table, FILE *out)
{
	int *widths = calloc(table->nr_columns, sizeof(*widths));
	size_t column, row;

	for (column = 0; widths && column < table->nr_columns; column++) {
		widths[column] = width(table, column);
		print_cell(table, column, widths[column],
			   table->columns[column].title, out);
	}
	for (row = 0; widths && row < table->nr_cells; row += column) {
		fputc('\n', out);
		for (column = 0; column < table->nr_columns; column++)
			print_cell(table, column, widths[column],
				   cell(table, row + column), out);
	}
	fputc('\n', out);
	free(widths);
}

void table_free(struct table *table)
{
	while (table->nr_cells)
		free(table->cells[--table->nr_cells]);
	free(table->cells);
	table->cells = NULL;
	table->room = 0;
}
