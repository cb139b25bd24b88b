/* SPDX-License-Identifier: MIT OR LGPL-2.1-or-later */
/*
 * Plots of 'ramload bench', which gnuplot draws
 */
#ifndef CLI_BENCH_PLOT_H
#define CLI_BENCH_PLOT_H

#include "../bench/comparison.h"

struct bench_plot;

/**
 * bench_plot_open() - start a plot
 * @path: of the SVG file
 *
 * Return: the plot, or NULL after a message
 */
struct bench_plot *bench_plot_open(const char *path);

/** bench_plot_add() - a panel of bars: total seconds of each method */
void bench_plot_add(struct bench_plot *plot,
		    const struct bench_comparison *comparison);

/**
 * bench_plot_close() - draw it
 *
 * Return: 0, or a negative errno after a message
 */
int bench_plot_close(struct bench_plot *plot);

#endif /* CLI_BENCH_PLOT_H */
