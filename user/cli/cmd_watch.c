// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * ramload watch: watch loads by the module
 *
 * How things stand is asked for at each interval. Events, where they may be
 * had, tell what happens in between; nothing depends on them.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "figure.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "progress.h"
#include "screen.h"
#include "size.h"
#include "snapshot.h"
#include "stat_options.h"
#include "watch_jobs.h"
#include "watch_line.h"

/* Seconds between drawings of a screen, at least. */
#define REDRAW		0.1

#define MAX_SECONDS	(365 * 86400)
#define MAX_INTERVAL	3600

static const char help[] =
	"Usage: ramload watch [OPTION]...\n"
	"Watch the jobs of the module: how far each has come, how fast it is, how long it\n"
	"will take. On a terminal they are drawn again and again; else a line is printed\n"
	"for each that has begun, come further, or ended.\n"
	"\n"
	STAT_HELP
	"  --interval N     look every N seconds; 1 is the default\n"
	"  --once           look once\n"
	"  --seconds N      end after so long\n"
	"  --help           print this\n"
	"\n"
	"Without CAP_NET_ADMIN only what this process itself loads is seen.\n";

enum {
	WATCH_INTERVAL = 0x300,
	WATCH_ONCE,
	WATCH_SECONDS,
};

static const struct option options[] = {
	STAT_OPTIONS,
	{ "interval", required_argument, NULL, WATCH_INTERVAL },
	{ "once", no_argument, NULL, WATCH_ONCE },
	{ "seconds", required_argument, NULL, WATCH_SECONDS },
	{ "help", no_argument, NULL, 'h' },
	{}
};

/**
 * struct watch - what is watched
 * @stat: the connection
 * @screen: where it is shown
 * @interrupt: asks for an end
 * @jobs: that are shown
 * @totals: of all, without counters; zero if they are not to be had
 * @own: only what belongs to this process is seen
 * @events: 0: they are heard; else the negative errno why not
 * @lost: some events were lost
 * @told: it was said what is not seen
 * @title: the titles were printed
 * @next: when to look again
 * @draw: when to draw again, if @dirty
 * @dirty: something is not shown as it is
 * @looked: it was looked since something was shown
 */
struct watch {
	struct stat_options common;
	unsigned int interval;
	unsigned int seconds;
	bool once;
	bool help;
	struct ramload_stat *stat;
	struct screen screen;
	struct interrupt interrupt;
	struct watch_jobs jobs;
	struct ramload_stat_totals totals;
	bool own;
	int events;
	bool lost;
	bool told;
	bool title;
	double next;
	double draw;
	bool dirty;
	bool looked;
};

static bool number_option(struct watch *w, const char *command, int option)
{
	const char *name = "interval";

	if (option == WATCH_INTERVAL) {
		if (options_number(optarg, MAX_INTERVAL, &w->interval))
			return true;
	} else {
		name = "seconds";
		if (options_number(optarg, MAX_SECONDS, &w->seconds))
			return true;
	}
	options_bad_value(command, name, optarg);
	return false;
}

static bool parse(struct watch *w, int argc, char **argv)
{
	int option;
	bool good = true;

	while (good && (option = options_next(argc, argv, options)) != -1) {
		switch (option) {
		case 'h':
			w->help = true;
			return true;
		case '?':
			return false;
		case WATCH_ONCE:
			w->once = true;
			break;
		case WATCH_INTERVAL:
		case WATCH_SECONDS:
			good = number_option(w, argv[0], option);
			break;
		default:
			good = stat_option(&w->common, argv[0], option, optarg);
		}
	}
	return good && options_operands(argc, argv, 0, NULL, NULL);
}

static int take_totals(struct watch *w)
{
	const struct ramload_stat_totals *totals;
	int err = ramload_stat_get_totals(w->stat, &totals);

	memset(&w->totals, 0, sizeof(w->totals));
	w->own = err == -EPERM;
	if (!err)
		w->totals = *totals;
	w->totals.counters = NULL;
	/* What an older module does not have is done without. */
	return err == -EPERM || err == -EOPNOTSUPP ? 0 : err;
}

/* What is not seen. A screen has it in its first line. */
static void tell(struct watch *w)
{
	if (w->told || w->screen.on)
		return;
	w->told = true;
	if (w->own)
		stat_warn(w->own, false);
	else if (w->events)
		message("no events (%s): looking every %u s",
			strerror(-w->events), w->interval);
}

/* How things stand. Returns 0 or a negative errno. */
static int look(struct watch *w, double now)
{
	struct ramload_stat_list *list;
	int err;

	err = ramload_stat_dump_jobs(w->stat, 0, &list);
	if (!err) {
		err = watch_jobs_dump(&w->jobs, list, &w->common.filter, now);
		ramload_stat_list_free(list);
	}
	if (!err)
		err = take_totals(w);
	if (!err)
		tell(w);
	w->next = now + w->interval;
	w->looked = true;
	w->dirty = true;
	return err;
}

/* What the events had to tell, the next look will find. */
static void lose(struct watch *w)
{
	if (!w->lost && !w->screen.on)
		message("events were lost: what began and ended meanwhile is not shown");
	w->lost = true;
	w->dirty = true;
}

/* What happened since. Returns 0 or a negative errno. */
static int hear(struct watch *w, double now)
{
	const struct ramload_stat_event *event;
	int ret;

	while (!w->events) {
		ret = ramload_stat_next_event(w->stat, &event);
		if (ret == -ENOBUFS || ret == -EPROTO) {
			lose(w);
			continue;
		}
		if (ret <= 0)
			return ret;
		if (!stat_filter_takes(&w->common.filter, event->job->pid,
				       event->job->context))
			continue;
		ret = watch_jobs_event(&w->jobs, event->job, now);
		if (ret)
			return ret;
		if (w->screen.on || event->kind != RAMLOAD_STAT_JOB_PROGRESS)
			w->dirty = true;
	}
	return 0;
}

/* Those to be shown, in order; NULL if there is no memory. */
static struct job_row *sorted(const struct watch *w, double now, size_t *nr)
{
	struct job_row *rows = calloc(w->jobs.nr + 1, sizeof(*rows));
	size_t i;

	*nr = 0;
	if (!rows)
		return NULL;
	for (i = 0; i < w->jobs.nr; i++) {
		const struct watch_job *job = &w->jobs.jobs[i];

		if (!w->once && !watch_job_visible(job, now))
			continue;
		rows[*nr].job = &job->job;
		rows[(*nr)++].rate = job->rate;
	}
	job_rows_sort(rows, *nr, w->common.key);
	return rows;
}

/* The job is the first member of what is watched. */
static struct watch_job *watched(const struct job_row *row)
{
	return (struct watch_job *)row->job;
}

static const char *note(const struct watch *w)
{
	if (w->own)
		return "without CAP_NET_ADMIN: what this process itself loads";
	if (w->events)
		return "no events";
	if (w->lost)
		return "events were lost";
	return "";
}

/* One line, for the head of a screen, cut to its width. */
static void summary(const struct watch *w, char *out)
{
	const struct ramload_stat_totals *t = &w->totals;
	char text[WATCH_LINE];
	size_t i, running = 0;
	double rate = 0;
	int at;

	for (i = 0; i < w->jobs.nr; i++) {
		if (w->jobs.jobs[i].ended)
			continue;
		rate += w->jobs.jobs[i].rate;
		running++;
	}
	at = sprintf(text, "%zu running, %s", running, figure_rate(rate).text);
	if (t->has)
		at += sprintf(text + at, "; in all %" PRIu64 " jobs, %s, %"
			      PRIu64 " failed", t->submitted,
			      size_text(t->bytes_done).text, t->failed);
	snprintf(text + at, sizeof(text) - at, "%s%s", *note(w) ? "; " : "",
		 note(w));
	snprintf(out, WATCH_LINE, "%.*s", w->screen.columns - 1, text);
}

static void draw_screen(struct watch *w, const struct job_row *rows, size_t nr)
{
	struct watch_layout layout = watch_layout(w->screen.columns - 1);
	struct screen *screen = &w->screen;
	char line[WATCH_LINE];
	size_t i;

	layout.colour = screen->colour;
	screen_begin(screen);
	summary(w, line);
	screen_line(screen, line);
	screen_line(screen, watch_title(&layout, line));
	for (i = 0; i < nr; i++) {
		/* The last row tells of those that it has no room for. */
		if (screen->row == screen->rows - 1 && i + 1 < nr) {
			snprintf(line, sizeof(line), "%.*s", layout.width,
				 "more than there is room for");
			screen_line(screen, line);
			break;
		}
		screen_line(screen, watch_line(&layout, watched(&rows[i]),
					       line));
	}
	screen_end(screen);
}

static void print_lines(struct watch *w, const struct job_row *rows, size_t nr)
{
	struct watch_layout layout = watch_layout(w->screen.columns - 1);
	char line[WATCH_LINE];
	size_t i;

	layout.open = true;
	if (!w->title && (nr || w->once))
		puts(watch_title(&layout, line));
	w->title |= nr;
	for (i = 0; i < nr; i++) {
		struct watch_job *job = watched(&rows[i]);

		if (!job->news && !(w->looked && job->changed))
			continue;
		puts(watch_line(&layout, job, line));
		job->news = false;
		job->changed = false;
	}
}

/* Returns 0 or a negative errno after a message. */
static int show(struct watch *w, double now)
{
	size_t nr;
	struct job_row *rows = sorted(w, now, &nr);

	if (!rows) {
		message("%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	if (w->screen.on)
		draw_screen(w, rows, nr);
	else
		print_lines(w, rows, nr);
	free(rows);
	w->dirty = false;
	w->looked = false;
	w->draw = now + (w->screen.on ? REDRAW : 0);
	return output_flush();
}

static int milliseconds(double seconds)
{
	return seconds > 0 ? seconds * 1000 + 1 : 0;
}

/*
 * Waits until there is something to do. Returns 0; or -EPIPE after a message:
 * nobody reads any more, which else would be found out with the next line only.
 */
static int wait_for_more(const struct watch *w, double until)
{
	struct pollfd fds[] = {
		{ STDOUT_FILENO, 0, 0 },
		{ w->interrupt.fd, POLLIN, 0 },
		{ w->screen.fd, POLLIN, 0 },
		{ ramload_stat_event_fd(w->stat), POLLIN, 0 },
	};

	if (poll(fds, 4, milliseconds(until - progress_now())) <= 0 ||
	    !fds[0].revents)
		return 0;
	message("standard output: %s", strerror(EPIPE));
	return -EPIPE;
}

static double earlier(double a, double b)
{
	return a < b ? a : b;
}

/* What is to be shown. Returns 0 or a negative errno. */
static int take(struct watch *w, double now)
{
	int err = hear(w, now);

	if (err)
		return err;
	if (now >= w->next)
		return look(w, now);
	/* The head of a screen is of the same time as what is below it. */
	if (w->screen.on && w->dirty && now >= w->draw)
		return take_totals(w);
	return 0;
}

/* Returns 0, or a negative errno after a message. */
static int watch(struct watch *w)
{
	double now = progress_now();
	double end = w->seconds ? now + w->seconds : HUGE_VAL;
	int err;

	while (!interrupt_take(&w->interrupt)) {
		now = progress_now();
		w->dirty |= screen_resize(&w->screen);
		err = take(w, now);
		if (err) {
			screen_close(&w->screen);
			snapshot_problem(w->stat, err);
			return err;
		}
		if (w->dirty && now >= w->draw && show(w, now))
			return -EIO;
		if (w->once || now >= end)
			break;
		err = wait_for_more(w, earlier(end, w->dirty ?
					       earlier(w->draw, w->next) :
					       w->next));
		if (err)
			return err;
	}
	return 0;
}

static int run(struct watch *w)
{
	int err;

	w->events = ramload_stat_listen(w->stat);
	screen_open(&w->screen);
	if (w->once)
		screen_close(&w->screen);
	interrupt_open(&w->interrupt);
	err = watch(w);
	/* What was drawn last stays behind. */
	if (w->screen.on) {
		screen_close(&w->screen);
		w->looked = true;
		if (!err)
			err = show(w, progress_now());
	}
	interrupt_close(&w->interrupt);
	watch_jobs_free(&w->jobs);
	if (w->interrupt.signal)
		return EXIT_SIGNAL + w->interrupt.signal;
	return err ? EXIT_FAILED : EXIT_OK;
}

int cmd_watch(int argc, char **argv)
{
	struct watch w = { .interval = 1, .interrupt.fd = -1 };
	int status;

	if (!parse(&w, argc, argv))
		return EXIT_USAGE;
	if (w.help) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	w.stat = snapshot_connect();
	if (!w.stat)
		return EXIT_FAILED;
	status = run(&w);
	ramload_stat_close(w.stat);
	return status;
}
