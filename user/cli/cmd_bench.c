// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload bench: compare ways to load
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bench/comparison.h"
#include "../bench/machine.h"
#include "../bench/method.h"
#include "bench_plot.h"
#include "bench_report.h"
#include "command.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "size.h"

#define MAX_CHOICES	32
#define MAX_WORKERS	256
#define MAX_ROUNDS	1000
#define HUGE_PAGE	(UINT64_C(2) << 20)

static const char help[] =
	"Usage: ramload bench [OPTION]...\n"
	"Compare ways to load an image into memory: the engines, and what programs do\n"
	"without ramload. All methods load the same file, in turns, and are compared by\n"
	"the time for the load and the first write to each page after it.\n"
	"\n"
	"  --image LIST     images: patterns, or files; the default is dense\n"
	"  --size SIZE      of images made by a pattern; the default is 256M\n"
	"  --dest LIST      memory: ramload, memfd (the default), tmpfs-huge, anon, thp,\n"
	"                   hugetlb\n"
	"  --cache LIST     warm (the default); cold: read through the page cache, which\n"
	"                   does not have the file; cold-direct: read past it\n"
	"  --method LIST    instead of all methods\n"
	"  --workers LIST   numbers of threads; the default is one for each CPU, 8 at most\n"
	"  --rounds N       how often each method loads; the default is 5\n"
	"  --touch WHICH    pages written to after the load: all (the default), present\n"
	"                   or none\n"
	"  --dir DIR        where images are made; the default is the current folder\n"
	"  --plot FILE      draw the figures to an SVG file, by gnuplot\n"
	"  --json           print one JSON object\n"
	"  --csv            print a line for each load\n"
	"  --help           print this\n"
	"\n"
	"LIST is one word or several, with commas. Each combination of image, memory,\n"
	"cache and number of workers is a comparison of its own.\n";

/**
 * struct bench_command - the command line
 * @images: names of patterns or files, ended by NULL
 * @dests: kinds of memory
 * @nr_dests: how many
 * @caches: indices in bench_cache_names
 * @nr_caches: how many
 * @methods: which, ended by NULL
 * @workers: numbers of workers
 * @nr_workers: how many
 * @rounds: --rounds
 * @size: --size
 * @touch: --touch
 * @dir: --dir
 * @plot_path: --plot, or NULL
 * @form: how to report
 * @help: --help
 * @plot: what is drawn to @plot_path
 * @failed: a method failed that should not have
 */
struct bench_command {
	char *images[MAX_CHOICES + 1];
	enum ramload_memory_kind dests[MAX_CHOICES];
	size_t nr_dests;
	int caches[MAX_CHOICES];
	size_t nr_caches;
	const struct bench_method *methods[MAX_CHOICES + 1];
	unsigned int workers[MAX_CHOICES];
	size_t nr_workers;
	unsigned int rounds;
	uint64_t size;
	enum bench_touch touch;
	const char *dir;
	const char *plot_path;
	const struct bench_form *form;
	bool help;
	struct bench_plot *plot;
	bool failed;
};

enum {
	OPTION_IMAGE = 1,
	OPTION_SIZE,
	OPTION_DEST,
	OPTION_CACHE,
	OPTION_METHOD,
	OPTION_WORKERS,
	OPTION_ROUNDS,
	OPTION_TOUCH,
	OPTION_DIR,
	OPTION_PLOT,
	OPTION_JSON,
	OPTION_CSV,
	OPTION_HELP = 'h',
};

static const struct option options[] = {
	{ "image", required_argument, NULL, OPTION_IMAGE },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "dest", required_argument, NULL, OPTION_DEST },
	{ "cache", required_argument, NULL, OPTION_CACHE },
	{ "method", required_argument, NULL, OPTION_METHOD },
	{ "workers", required_argument, NULL, OPTION_WORKERS },
	{ "rounds", required_argument, NULL, OPTION_ROUNDS },
	{ "touch", required_argument, NULL, OPTION_TOUCH },
	{ "dir", required_argument, NULL, OPTION_DIR },
	{ "plot", required_argument, NULL, OPTION_PLOT },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "csv", no_argument, NULL, OPTION_CSV },
	{ "help", no_argument, NULL, OPTION_HELP },
	{}
};

static void print_help(void)
{
	const struct bench_method *method;
	const char *name;
	size_t i;

	fputs(help, stdout);
	puts("\nPatterns of images:");
	for (i = 0; (name = bench_image_pattern(i)); i++)
		printf("  %-15s%s\n", name, bench_image_pattern_help(i));
	puts("\nMethods:");
	for (i = 0; (method = bench_method(i)); i++)
		printf("  %-15s%s\n", method->name, method->help);
}

/*
 * Parsers of one word of a list: @i is which word it is. The list may be given
 * again: the last one counts.
 */
typedef bool (*parse_word)(struct bench_command *command, size_t i, char *word);

static bool parse_image(struct bench_command *command, size_t i, char *word)
{
	command->images[i] = word;
	command->images[i + 1] = NULL;
	return true;
}

static bool parse_dest(struct bench_command *command, size_t i, char *word)
{
	command->nr_dests = i + 1;
	return options_memory_kind(word, &command->dests[i]);
}

static bool parse_cache(struct bench_command *command, size_t i, char *word)
{
	command->caches[i] = options_choice(word, bench_cache_names);
	command->nr_caches = i + 1;
	return command->caches[i] >= 0;
}

static bool parse_method(struct bench_command *command, size_t i, char *word)
{
	command->methods[i] = bench_method_find(word);
	command->methods[i + 1] = NULL;
	return command->methods[i];
}

static bool parse_workers(struct bench_command *command, size_t i, char *word)
{
	command->nr_workers = i + 1;
	return options_number(word, MAX_WORKERS, &command->workers[i]);
}

static bool parse_list(struct bench_command *command, const char *option,
		       char *list, parse_word parse)
{
	char *rest = list, *word;

	for (size_t i = 0; (word = strsep(&rest, ",")); i++) {
		if (i == MAX_CHOICES || !*word || !parse(command, i, word)) {
			options_bad_value("bench", option, word);
			return false;
		}
	}
	return true;
}

static bool parse_size(struct bench_command *command, const char *text)
{
	if (size_parse(text, &command->size) && command->size &&
	    command->size % HUGE_PAGE == 0 && command->size <= INT64_MAX)
		return true;
	options_bad_value("bench", "size", text);
	return false;
}

static bool parse_touch(struct bench_command *command, const char *word)
{
	int touch = options_choice(word, bench_touch_names);

	if (touch < 0) {
		options_bad_value("bench", "touch", word);
		return false;
	}
	command->touch = touch;
	return true;
}

static bool parse_rounds(struct bench_command *command, const char *text)
{
	if (options_number(text, MAX_ROUNDS, &command->rounds))
		return true;
	options_bad_value("bench", "rounds", text);
	return false;
}

static bool parse_option(struct bench_command *command, int option)
{
	switch (option) {
	case OPTION_IMAGE:
		return parse_list(command, "image", optarg, parse_image);
	case OPTION_SIZE:
		return parse_size(command, optarg);
	case OPTION_DEST:
		return parse_list(command, "dest", optarg, parse_dest);
	case OPTION_CACHE:
		return parse_list(command, "cache", optarg, parse_cache);
	case OPTION_METHOD:
		return parse_list(command, "method", optarg, parse_method);
	case OPTION_WORKERS:
		return parse_list(command, "workers", optarg, parse_workers);
	case OPTION_ROUNDS:
		return parse_rounds(command, optarg);
	case OPTION_TOUCH:
		return parse_touch(command, optarg);
	case OPTION_DIR:
		command->dir = optarg;
		return true;
	case OPTION_PLOT:
		command->plot_path = optarg;
		return true;
	case OPTION_JSON:
		command->form = &bench_form_json;
		return true;
	case OPTION_CSV:
		command->form = &bench_form_csv;
		return true;
	case OPTION_HELP:
		command->help = true;
		return true;
	default:
		return false;
	}
}

static bool parse(struct bench_command *command, int argc, char **argv)
{
	int option;

	while ((option = options_next(argc, argv, options)) != -1) {
		if (!parse_option(command, option))
			return false;
	}
	if (optind == argc)
		return true;
	message("bench: unexpected argument '%s'", argv[optind]);
	fputs("Try 'ramload bench --help'.\n", stderr);
	return false;
}

static void set_defaults(struct bench_command *command,
			 const struct bench_machine *machine)
{
	static char dense[] = "dense";

	if (!command->images[0])
		command->images[0] = dense;
	if (!command->nr_dests)
		command->dests[command->nr_dests++] = RAMLOAD_MEMORY_MEMFD;
	if (!command->nr_caches)
		command->caches[command->nr_caches++] = 0;
	if (!command->nr_workers)
		command->workers[command->nr_workers++] =
			machine->cpus < 8 ? machine->cpus : 8;
	if (command->methods[0])
		return;
	for (size_t i = 0; bench_method(i); i++)
		command->methods[i] = bench_method(i);
}

static int open_image(const struct bench_command *command,
		      struct bench_image *image, const char *name)
{
	struct ramload_image_error error = {};
	int err;

	for (size_t i = 0; bench_image_pattern(i); i++) {
		if (strcmp(name, bench_image_pattern(i)))
			continue;
		err = bench_image_make(image, name, command->size,
				       command->dir);
		if (err)
			message("%s: cannot make an image of %s: %s",
				command->dir, size_text(command->size).text,
				strerror(-err));
		return err;
	}
	err = bench_image_open(image, name, &error);
	if (err)
		message("%s: %s", name, error.text[0] ? error.text :
							strerror(-err));
	return err;
}

/* That something cannot be done here is a result; all else is a failure. */
static void look_for_failures(struct bench_command *command,
			      const struct bench_comparison *comparison)
{
	for (size_t i = 0; i < comparison->nr; i++) {
		int err = comparison->rows[i].err;

		if (err && err != -EOPNOTSUPP)
			command->failed = true;
	}
}

static int run_setup(struct bench_command *command,
		     const struct bench_setup *setup)
{
	struct bench_comparison comparison = { .setup = *setup };
	int err;

	err = bench_comparison_run(&comparison, command->methods,
				   command->rounds);
	if (err) {
		message("bench: %s", strerror(-err));
	} else {
		look_for_failures(command, &comparison);
		command->form->comparison(&comparison);
		fflush(stdout);
		if (command->plot)
			bench_plot_add(command->plot, &comparison);
	}
	bench_comparison_free(&comparison);
	return err;
}

static int run_image(struct bench_command *command,
		     const struct bench_image *image)
{
	struct bench_setup setup = { .image = image, .touch = command->touch };
	size_t nr_caches = command->nr_caches, nr_workers = command->nr_workers;
	int err = 0;

	for (size_t i = 0; !err && i < command->nr_dests * nr_caches *
				       nr_workers; i++) {
		int cache = command->caches[i / nr_workers % nr_caches];

		setup.dest = command->dests[i / nr_workers / nr_caches];
		setup.cold = cache > 0;
		setup.direct = cache > 1;
		setup.workers = command->workers[i % nr_workers];
		err = run_setup(command, &setup);
	}
	return err;
}

static int run_images(struct bench_command *command)
{
	struct bench_image image;
	int err = 0;

	for (size_t i = 0; !err && command->images[i]; i++) {
		err = open_image(command, &image, command->images[i]);
		if (err)
			break;
		err = run_image(command, &image);
		bench_image_close(&image);
	}
	return err;
}

static int run(struct bench_command *command)
{
	struct bench_machine machine;
	int err, plot_err = 0;

	bench_machine_read(&machine);
	set_defaults(command, &machine);
	if (command->plot_path) {
		command->plot = bench_plot_open(command->plot_path);
		if (!command->plot)
			return -ENOMEM;
	}
	command->form->begin(&machine);
	err = run_images(command);
	command->form->end();
	if (command->plot)
		plot_err = bench_plot_close(command->plot);
	return err ? err : plot_err;
}

int cmd_bench(int argc, char **argv)
{
	struct bench_command command = {
		.rounds = 5,
		.size = UINT64_C(256) << 20,
		.dir = ".",
		.form = &bench_form_text,
	};
	int err;

	if (!parse(&command, argc, argv))
		return EXIT_USAGE;
	if (command.help) {
		print_help();
		return output_flush() ? EXIT_FAILED : EXIT_OK;
	}
	err = run(&command);
	if (output_flush())
		return EXIT_FAILED;
	return err || command.failed ? EXIT_FAILED : EXIT_OK;
}
