// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * The panels are collected, since gnuplot wants to know how many there are
 * before the first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bench/method.h"
#include "bench_plot.h"
#include "bench_report.h"
#include "message.h"

#define PANEL_WIDTH	420
#define PANEL_HEIGHT	260

/**
 * struct bench_plot - a plot
 * @path: of the SVG file
 * @script: what the panels are drawn by
 * @text: of the script
 * @size: its length
 * @panels: how many
 */
struct bench_plot {
	char *path;
	FILE *script;
	char *text;
	size_t size;
	unsigned int panels;
};

struct bench_plot *bench_plot_open(const char *path)
{
	struct bench_plot *plot = calloc(1, sizeof(*plot));

	if (plot) {
		plot->path = strdup(path);
		plot->script = open_memstream(&plot->text, &plot->size);
	}
	if (!plot || !plot->path || !plot->script) {
		message("out of memory");
		return NULL;
	}
	return plot;
}

/* In single quotes of gnuplot, where only these are special. */
static void print_quoted(FILE *script, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', script);
		if ((unsigned char)*text >= ' ')
			fputc(*text, script);
	}
}

static const char *color(const struct bench_row *row)
{
	if (row->method->flags & BENCH_RAMLOAD)
		return "0x2a78b4";
	return row->method->flags & BENCH_LIMIT ? "0x999999" : "0xd9822b";
}

static void print_title(FILE *script, const struct bench_setup *setup)
{
	fputs("set title '", script);
	print_quoted(script, setup->image->name);
	fprintf(script, ", %s, %s, %u workers'\n",
		ramload_memory_kind_name(setup->dest), bench_cache_name(setup),
		setup->workers);
}

void bench_plot_add(struct bench_plot *plot,
		    const struct bench_comparison *comparison)
{
	FILE *script = plot->script;
	unsigned int panel = ++plot->panels;

	fprintf(script, "$panel%u << END\n", panel);
	for (size_t i = 0; i < comparison->nr; i++) {
		const struct bench_row *row = &comparison->rows[i];

		if (row->nr)
			fprintf(script, "%s %.6f %.6f %.6f %s\n",
				row->method->name,
				bench_total(bench_row_median(row)),
				bench_total(bench_row_fastest(row)),
				bench_total(bench_row_slowest(row)),
				color(row));
	}
	fputs("END\n", script);
	print_title(script, &comparison->setup);
	fprintf(script,
		"plot $panel%u using 0:2:5:xtic(1) with boxes lc rgb variable,"
		" '' using 0:2:3:4 with yerrorbars pt 0 lc rgb 'black'\n",
		panel);
}

static int draw(struct bench_plot *plot)
{
	unsigned int columns = plot->panels < 3 ? plot->panels : 3;
	unsigned int rows = columns ? (plot->panels + columns - 1) / columns : 0;
	FILE *gnuplot;

	if (!rows)
		return 0;
	gnuplot = popen("gnuplot", "we");
	if (!gnuplot)
		return -errno;
	fprintf(gnuplot, "set terminal svg size %u,%u font 'sans,11'\n",
		columns * PANEL_WIDTH, rows * PANEL_HEIGHT);
	fputs("set output '", gnuplot);
	print_quoted(gnuplot, plot->path);
	fprintf(gnuplot,
		"'\nset multiplot layout %u,%u\n"
		"set style fill solid 0.8\nset boxwidth 0.7\nset key off\n"
		"set yrange [0:*]\nset ylabel 'seconds'\n"
		"set xtics rotate by 40 right noenhanced\nset title noenhanced\n",
		rows, columns);
	fwrite(plot->text, 1, plot->size, gnuplot);
	fputs("unset multiplot\n", gnuplot);
	return pclose(gnuplot) ? -EIO : 0;
}

int bench_plot_close(struct bench_plot *plot)
{
	int err;

	fclose(plot->script);
	err = draw(plot);
	if (err)
		message("%s: gnuplot could not draw it", plot->path);
	free(plot->text);
	free(plot->path);
	free(plot);
	return err;
}
