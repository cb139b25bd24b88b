// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
/*
 * What "ramload stat" and "ramload watch" print of given values.
 */
#include <errno.h>

#include "bar.h"
#include "exposition.h"
#include "figure.h"
#include "kselftest_harness.h"
#include "list.h"
#include "stat_report.h"
#include "table.h"
#include "watch_line.h"

/* The harness declares no prototypes for what FIXTURE_SETUP() defines. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define S		NS_PER_S
#define HOSTILE		"a\"b\\c\nd\xff\033[1m{},=# "
#define HOSTILE_SHOWN	"a\"b\\x5cc\\x0ad\\xff\\x1b[1m{},=# "

FIXTURE(report)
{
	struct ramload_stat_counters counters;
	struct ramload_stat_totals totals;
	struct ramload_stat_context context;
	struct ramload_stat_worker worker;
	struct ramload_stat_job jobs[3];
	const struct ramload_stat_context *contexts[1];
	const struct ramload_stat_worker *workers[1];
	struct job_row rows[3];
	struct snapshot snapshot;
	struct exposition exposition;
	char *text;
	size_t size;
};

/* As much of it as the module of today tells. */
FIXTURE_SETUP(report)
{
	int i;

	self->counters = (struct ramload_stat_counters){
		.has = -1, .shmem = 1, .user = 2, .pinned = 3, .cached = 4,
		.direct = 5, .gaps = 6, .reads = 7, .not_direct = 8,
		.again = 9, .folios = { [0] = 10, [9] = 11, [20] = 12 },
	};
	self->totals = (struct ramload_stat_totals){
		.has = -1, .counters = &self->counters, .running = 1,
		.submitted = 10, .done = 6, .failed = 2, .cancelled = 1,
		.queue_time = S + 5, .service_time = 100 * S,
		.bytes_done = UINT64_C(1) << 63, .contexts = 2, .workers = 16,
	};
	self->context = (struct ramload_stat_context){
		.has = -1, .id = 1, .pid = 4242, .workers = 8, .jobs = 1,
		.start_time = 10 * S, .comm = "qemu",
	};
	self->worker = (struct ramload_stat_worker){
		.has = -1, .context = 1, .tid = 4243,
		.state = RAMLOAD_WORKER_BUSY, .job = 1, .chunks = 3,
		.bytes = 3 << 20, .busy_time = S / 2,
	};
	for (i = 0; i < 3; i++) {
		self->jobs[i] = (struct ramload_stat_job){
			.has = -1, .counters = &self->counters, .id = i + 1,
			.context = 1, .pid = 100 - i,
			.state = RAMLOAD_JOB_RUNNING,
			.bytes_total = 1000000000, .bytes_done = 100000000 * i,
			.start_time = 11 * S, .service_time = S * (3 - i),
			.comm = "qemu",
		};
		self->rows[i].job = &self->jobs[i];
		self->rows[i].rate = job_rate(&self->jobs[i]);
	}
	self->contexts[0] = &self->context;
	self->workers[0] = &self->worker;
	self->snapshot = (struct snapshot){
		.now = 100 * S, .totals = &self->totals,
		.contexts = self->contexts, .nr_contexts = 1,
		.workers = self->workers, .nr_workers = 1,
		.jobs = self->rows, .nr_jobs = 3,
	};
}

FIXTURE_TEARDOWN(report)
{
	free(self->text);
}

typedef struct _test_data_report report_t;

/* What a report prints. */
static char *printed(report_t *self, void (*print)(const struct snapshot *s,
						   FILE *out))
{
	FILE *out;

	free(self->text);
	self->text = NULL;
	out = open_memstream(&self->text, &self->size);
	print(&self->snapshot, out);
	fclose(out);
	return self->text;
}

/* Line @nr of a text, from 0; the next call overwrites it. */
static const char *line(const char *text, int nr)
{
	static char out[512];

	for (; nr && text; nr--) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	if (!text)
		return "";
	snprintf(out, sizeof(out), "%.*s", (int)strcspn(text, "\n"), text);
	return out;
}

TEST_F(report, table)
{
	static const struct table_column columns[] = {
		{ "ID", true }, { "NAME", false }, { "N", true },
		{ "LAST", false },
	};
	struct table table = { .columns = columns, .nr_columns = 4 };
	FILE *out = open_memstream(&self->text, &self->size);
	int i;

	table_add(&table, "%d", 12345);
	table_add(&table, "%s", "a");
	table_add(&table, "%d", 1);
	table_add(&table, "x");
	table_add(&table, "%d", 1);
	table_add(&table, "%s", "longer");
	table_add(&table, "%d", 22);
	table_print(&table, out);
	table_free(&table);
	for (i = 0; i < 1000; i++)
		table_add(&table, "%d", i);
	table_free(&table);
	table_print(&table, out);
	fclose(out);
	EXPECT_STREQ("   ID  NAME     N  LAST", line(self->text, 0));
	EXPECT_STREQ("12345  a        1  x", line(self->text, 1));
	EXPECT_STREQ("    1  longer  22  ", line(self->text, 2));
	EXPECT_STREQ("ID  NAME  N  LAST", line(self->text, 3));
	EXPECT_STREQ("", line(self->text, 4));
}

TEST_F(report, bar)
{
	char out[BAR_TEXT];

	EXPECT_STREQ("[          ]", bar_text(out, 10, 0, false));
	EXPECT_STREQ("[#####     ]", bar_text(out, 10, 0.5, false));
	EXPECT_STREQ("[######### ]", bar_text(out, 10, 0.999, false));
	EXPECT_STREQ("[##########]", bar_text(out, 10, 1, false));
	EXPECT_STREQ("[##########]", bar_text(out, 10, 7, false));
	EXPECT_STREQ("[          ]", bar_text(out, 10, -1, false));
	EXPECT_STREQ("[          ]", bar_text(out, 10, 0.0 / 0.0, false));
	EXPECT_STREQ("[]", bar_text(out, 0, 1, false));
	EXPECT_EQ(BAR_MAX + 2, strlen(bar_text(out, 1000, 1, false)));
	EXPECT_STREQ("[\033[32m#\033[0m ]", bar_text(out, 2, 0.5, true));
	EXPECT_LT(strlen(bar_text(out, BAR_MAX, 1, true)), BAR_TEXT);
}

TEST_F(report, figures)
{
	EXPECT_STREQ("0.0 MB/s", figure_rate(0).text);
	EXPECT_STREQ("999.9 MB/s", figure_rate(999.94e6).text);
	EXPECT_STREQ("1.00 GB/s", figure_rate(999.96e6).text);
	EXPECT_STREQ("0:00", figure_clock(0).text);
	EXPECT_STREQ("59:59", figure_clock(3599).text);
	EXPECT_STREQ("1:00:00", figure_clock(3600).text);
	EXPECT_STREQ("23:59:59", figure_clock(86399).text);
	EXPECT_STREQ("1d 01h", figure_clock(90000).text);
	EXPECT_STREQ("213503982334601d 07h", figure_clock(UINT64_MAX).text);
	EXPECT_STREQ("0.000 s", figure_seconds(999999).text);
	EXPECT_STREQ("18446744073.709 s", figure_seconds(UINT64_MAX).text);
	EXPECT_EQ(0, figure_percent(0, 1));
	EXPECT_EQ(99, figure_percent(999, 1000));
	EXPECT_EQ(99, figure_percent(UINT64_MAX - 1, UINT64_MAX));
	EXPECT_EQ(100, figure_percent(7, 7));
	EXPECT_EQ(100, figure_percent(0, 0));
}

/* Prints the ids in order. */
static const char *order(report_t *self, enum job_key key)
{
	static char out[16];
	int i;

	job_rows_sort(self->rows, 3, key);
	for (i = 0; i < 3; i++)
		out[i] = '0' + self->rows[i].job->id;
	return out;
}

TEST_F(report, sort)
{
	EXPECT_STREQ("321", order(self, JOB_KEY_PID));
	EXPECT_STREQ("123", order(self, JOB_KEY_ID));
	EXPECT_STREQ("321", order(self, JOB_KEY_BYTES));
	EXPECT_STREQ("321", order(self, JOB_KEY_RATE));
	EXPECT_STREQ("123", order(self, JOB_KEY_TIME));
	/* What is equal goes by id. */
	self->jobs[0].bytes_done = self->jobs[2].bytes_done;
	EXPECT_STREQ("132", order(self, JOB_KEY_BYTES));
	job_rows_sort(NULL, 0, JOB_KEY_RATE);
	EXPECT_EQ(0, job_rate(&self->jobs[1]) - 50e6);
	self->jobs[1].service_time = 0;
	EXPECT_EQ(0, job_rate(&self->jobs[1]));
}

TEST_F(report, filter)
{
	struct stat_filter filter = { 0 };

	EXPECT_TRUE(stat_filter_takes(&filter, 1, 2));
	filter.pid = 1;
	EXPECT_TRUE(stat_filter_takes(&filter, 1, 2));
	EXPECT_FALSE(stat_filter_takes(&filter, 2, 2));
	filter.context = 3;
	EXPECT_FALSE(stat_filter_takes(&filter, 1, 2));
	EXPECT_TRUE(stat_filter_takes(&filter, 1, 3));
}

TEST_F(report, text)
{
	const char *text;

	self->jobs[1].state = RAMLOAD_JOB_FAILED;
	self->jobs[1].error = -ENODATA;
	self->jobs[1].error_range = 2;
	self->jobs[1].error_offset = 8192;
	self->jobs[2].state = 99;
	text = printed(self, stat_report_text);
	EXPECT_STREQ("contexts  2, with 16 workers", line(text, 0));
	EXPECT_STREQ("jobs      10 submitted: 1 running, 6 done, 2 failed, 1 cancelled",
		     line(text, 1));
	EXPECT_STREQ("loaded    8.0 EiB", line(text, 2));
	EXPECT_STREQ("folios    10 of order 0, 11 of order 9, 12 of order 20",
		     line(text, 7));
	EXPECT_STREQ("      1  4242  qemu           8     1  1:30",
		     line(text, 10));
	EXPECT_STREQ("      1       0  4243  busy     1       3  3.0 MiB  0.500 s",
		     line(text, 13));
	EXPECT_STREQ("  2        1   99  qemu      95.4 MiB  953.7 MiB  10   50.0 MB/s  0.000 s  2.000 s  failed: No data available in range 2 at 8192",
		     line(text, 17));
	EXPECT_NE(NULL, strstr(line(text, 18), "unknown"));
}

/* Nothing that a process calls itself reaches the terminal as it is. */
TEST_F(report, hostile_names)
{
	const char *text;

	strcpy(self->context.comm, HOSTILE);
	strcpy(self->jobs[0].comm, HOSTILE);
	text = printed(self, stat_report_text);
	EXPECT_NE(NULL, strstr(text, HOSTILE_SHOWN));
	EXPECT_EQ(NULL, strchr(text, '\033'));
	EXPECT_EQ(NULL, strchr(text, '\xff'));
}

TEST_F(report, nothing)
{
	memset(&self->snapshot, 0, sizeof(self->snapshot));
	EXPECT_STREQ("", printed(self, stat_report_text));
	EXPECT_STREQ("", printed(self, stat_report_prometheus));
}

TEST_F(report, prometheus)
{
	struct exposition *e = &self->exposition;
	const char *error;

	error = exposition_read(e, printed(self, stat_report_prometheus));
	ASSERT_EQ(NULL, error) TH_LOG("%s", error);
	EXPECT_EQ(2, exposition_find(e, "ramload_contexts", NULL));
	EXPECT_EQ(16, exposition_find(e, "ramload_workers", NULL));
	EXPECT_EQ(1, exposition_find(e, "ramload_jobs_running", NULL));
	EXPECT_EQ(10, exposition_find(e, "ramload_jobs_submitted_total", NULL));
	EXPECT_EQ(6, exposition_find(e, "ramload_jobs_finished_total", "done"));
	EXPECT_EQ(2, exposition_find(e, "ramload_jobs_finished_total",
				     "failed"));
	EXPECT_EQ(1, exposition_find(e, "ramload_jobs_finished_total",
				     "cancelled"));
	EXPECT_EQ(100, exposition_find(e, "ramload_job_service_seconds_total",
				       NULL));
	EXPECT_EQ(0x1p63, exposition_find(e, "ramload_loaded_bytes_total",
					  NULL));
	EXPECT_EQ(1, exposition_find(e, "ramload_filled_bytes_total", "shmem"));
	EXPECT_EQ(2, exposition_find(e, "ramload_filled_bytes_total", "user"));
	EXPECT_EQ(3, exposition_find(e, "ramload_filled_bytes_total",
				     "pinned"));
	EXPECT_EQ(4, exposition_find(e, "ramload_read_bytes_total", "cached"));
	EXPECT_EQ(5, exposition_find(e, "ramload_read_bytes_total", "direct"));
	EXPECT_EQ(6, exposition_find(e, "ramload_gap_bytes_total", NULL));
	EXPECT_EQ(7, exposition_find(e, "ramload_reads_total", NULL));
	EXPECT_EQ(8, exposition_find(e, "ramload_direct_fallbacks_total",
				     NULL));
	EXPECT_EQ(9, exposition_find(e, "ramload_batches_again_total", NULL));
	EXPECT_EQ(10, exposition_find(e, "ramload_folios_total", "0"));
	EXPECT_EQ(0, exposition_find(e, "ramload_folios_total", "1"));
	EXPECT_EQ(11, exposition_find(e, "ramload_folios_total", "9"));
	EXPECT_EQ(12, exposition_find(e, "ramload_folios_total", "20"));
	EXPECT_EQ(-1, exposition_find(e, "ramload_folios_total", "21"));
	EXPECT_EQ(8, exposition_find(e, "ramload_context_workers", "1"));
	EXPECT_EQ(1, exposition_find(e, "ramload_context_jobs", "1"));
}

/* Nanoseconds are not lost to a double. */
TEST_F(report, prometheus_seconds)
{
	EXPECT_NE(NULL, strstr(printed(self, stat_report_prometheus),
			       "\nramload_job_queue_seconds_total 1.000000005\n"));
}

TEST_F(report, prometheus_names)
{
	struct exposition *e = &self->exposition;
	const struct sample *s;
	const char *error;

	strcpy(self->context.comm, HOSTILE);
	error = exposition_read(e, printed(self, stat_report_prometheus));
	ASSERT_EQ(NULL, error) TH_LOG("%s", error);
	s = &e->samples[e->nr - 1];
	ASSERT_EQ(3, s->nr_labels);
	EXPECT_STREQ("context", s->labels[0].name);
	EXPECT_STREQ("1", s->labels[0].value);
	EXPECT_STREQ("pid", s->labels[1].name);
	EXPECT_STREQ("4242", s->labels[1].value);
	EXPECT_STREQ("comm", s->labels[2].name);
	EXPECT_STREQ(HOSTILE_SHOWN, s->labels[2].value);
}

/* A value that an older module does not have is no 0. */
TEST_F(report, prometheus_older_module)
{
	struct exposition *e = &self->exposition;

	self->totals.has = 1 << RAMLOAD_A_TOTALS_SUBMITTED;
	self->counters.has = 0;
	self->snapshot.nr_contexts = 0;
	ASSERT_EQ(NULL, exposition_read(e, printed(self,
						   stat_report_prometheus)));
	EXPECT_EQ(1, e->nr);
	EXPECT_EQ(10, exposition_find(e, "ramload_jobs_submitted_total", NULL));
}

/* The checker itself finds what is wrong. */
TEST_F(report, exposition)
{
	static const char *const wrong[] = {
		"a 1\n", "# HELP a x\na 1\n", "# TYPE a gauge\na 1\n",
		"# HELP a x\n# TYPE a gauge\na 1",
		"# HELP a x\n# TYPE a gauge\nb 1\n",
		"# HELP a x\n# TYPE a gauge\na x\n",
		"# HELP a x\n# TYPE a gauge\na 1\na 1\n",
		"# HELP a x\n# TYPE a counter\na 1\n",
		"# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
		"# HELP a x\n# TYPE a gauge\na{b=\"c} 1\n",
		"# HELP a x\n# TYPE a gauge\na{b=\"\\c\"} 1\n",
		"# HELP a x\n# TYPE a gauge\na{b=\"\xff\"} 1\n",
		"# HELP a x\n# TYPE a gauge\n# HELP a x\n",
		"# HELP 1a x\n",
	};
	char text[128];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(text, wrong[i]);
		EXPECT_NE(NULL, exposition_read(&self->exposition, text))
			TH_LOG("%zu", i);
	}
	strcpy(text, "# HELP a x\n# TYPE a gauge\na{b=\"c\\n\",d=\"\"} 1.5\n");
	EXPECT_EQ(NULL, exposition_read(&self->exposition, text));
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(o, key, &value);
	return value;
}

TEST_F(report, json)
{
	struct json_object *json, *job, *totals;
	const char *text;

	strcpy(self->jobs[0].comm, HOSTILE);
	self->jobs[0].error = -ENODATA;
	self->jobs[0].has = ~(UINT64_C(1) << RAMLOAD_A_JOB_ERROR_OFFSET);
	json = stat_report_json(&self->snapshot);
	text = json_object_to_json_string(json);
	self->text = strdup(text);
	json_object_put(json);

	json = json_tokener_parse(self->text);
	ASSERT_NE(NULL, json);
	EXPECT_STREQ("all", json_object_get_string(member(json, "view")));
	totals = member(json, "totals");
	EXPECT_EQ(UINT64_C(1) << 63,
		  json_object_get_uint64(member(totals, "bytes_done")));
	EXPECT_EQ(3, json_object_array_length(member(member(totals, "counters"),
						     "folios")));
	EXPECT_EQ(1, json_object_array_length(member(json, "contexts")));
	EXPECT_EQ(1, json_object_array_length(member(json, "workers")));
	ASSERT_EQ(3, json_object_array_length(member(json, "jobs")));
	job = json_object_array_get_idx(member(json, "jobs"), 0);
	EXPECT_STREQ("running", json_object_get_string(member(job, "state")));
	EXPECT_STREQ(HOSTILE_SHOWN, json_object_get_string(member(job, "comm")));
	EXPECT_EQ(-ENODATA, json_object_get_int(member(job, "error")));
	EXPECT_EQ(NULL, member(job, "error_offset"));
	EXPECT_EQ(3 * S, json_object_get_uint64(member(job, "service_time")));
	json_object_put(json);
}

TEST_F(report, json_own)
{
	struct json_object *json;

	self->snapshot.totals = NULL;
	self->snapshot.own = true;
	json = stat_report_json(&self->snapshot);
	EXPECT_STREQ("own", json_object_get_string(member(json, "view")));
	EXPECT_EQ(NULL, member(json, "totals"));
	json_object_put(json);
}

/* Characters that are seen. */
static size_t seen(const char *text)
{
	size_t n = 0;

	while (*text) {
		if (*text == '\033')
			text += strcspn(text, "m") + 1;
		else
			text += 1, n++;
	}
	return n;
}

/* On no width, anything is longer. */
TEST_F(report, watch_widths)
{
	struct watch_job w = { .job = self->jobs[1], .rate = 50e6 };
	char out[WATCH_LINE];
	int width;

	strcpy(w.job.comm, "\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	w.job.pid = UINT32_MAX;
	w.job.id = UINT32_MAX;
	for (width = 0; width < 400; width++) {
		struct watch_layout layout = watch_layout(width);

		ASSERT_GE(width, seen(watch_title(&layout, out)));
		ASSERT_GE(width, seen(watch_line(&layout, &w, out)));
		layout.colour = true;
		ASSERT_GE(width, seen(watch_line(&layout, &w, out)));
		w.ended = 1;
		w.job.state = RAMLOAD_JOB_FAILED;
		w.job.error = -EIO;
		ASSERT_GE(width, seen(watch_line(&layout, &w, out)));
		w.ended = 0;
	}
}

TEST_F(report, watch_line)
{
	struct watch_job w = { .job = self->jobs[1], .rate = 50e6 };
	struct watch_layout layout = watch_layout(79);
	char out[WATCH_LINE];

	EXPECT_STREQ("  JOB PROCESS                LOADED           %         OF       RATE LEFT",
		     watch_title(&layout, out));
	EXPECT_STREQ("    2 99 qemu                [#           ]  10  953.7 MiB  50.0 MB/s 0:18",
		     watch_line(&layout, &w, out));
	w.rate = 0;
	EXPECT_NE(NULL, strstr(watch_line(&layout, &w, out), "MB/s -"));
	w.job.service_time = 0;
	EXPECT_NE(NULL, strstr(watch_line(&layout, &w, out), " waiting"));
	w.ended = 1;
	w.gone = true;
	EXPECT_NE(NULL, strstr(watch_line(&layout, &w, out), " gone"));
	w.gone = false;
	w.job.state = RAMLOAD_JOB_CANCELLED;
	EXPECT_NE(NULL, strstr(watch_line(&layout, &w, out), " cancelled"));
	w.job.state = RAMLOAD_JOB_FAILED;
	w.job.error = -ENODATA;
	layout.open = true;
	EXPECT_NE(NULL, strstr(watch_line(&layout, &w, out),
			       " failed: No data available"));
	layout = watch_layout(20);
	w.ended = 0;
	EXPECT_STREQ("    2  10 waiting", watch_line(&layout, &w, out));
}

/* Dumps of the first @nr jobs. */
static void dump(report_t *self, struct watch_jobs *jobs, size_t nr, double now)
{
	static const struct stat_filter all;
	struct ramload_stat_list *list = list_new(RECORD_JOB);
	struct record r = { .kind = RECORD_JOB };
	size_t i;

	for (i = 0; i < nr; i++) {
		r.job = self->jobs[i];
		list_add(list, &r);
	}
	list_link(list);
	watch_jobs_dump(jobs, list, &all, now);
	ramload_stat_list_free(list);
}

TEST_F(report, watch_rate)
{
	struct watch_jobs jobs = { 0 };
	struct ramload_stat_job *j = &self->jobs[1];

	j->service_time = S;
	dump(self, &jobs, 2, 1);
	ASSERT_EQ(2, jobs.nr);
	EXPECT_EQ(100e6, jobs.jobs[1].rate);
	/* For less than a second, the mean. */
	j->service_time = 3 * S / 2;
	j->bytes_done = 300000000;
	ASSERT_EQ(0, watch_jobs_event(&jobs, j, 1.5));
	EXPECT_EQ(200e6, jobs.jobs[1].rate);
	/* What has come in the last second, not the mean. */
	j->service_time = 2 * S;
	j->bytes_done = 400000000;
	ASSERT_EQ(0, watch_jobs_event(&jobs, j, 2));
	EXPECT_EQ(300e6, jobs.jobs[1].rate);
	EXPECT_EQ(2, watch_job_left(&jobs.jobs[1]));
	/* An event that is older than what is known. */
	j->service_time = S;
	j->bytes_done = 100000000;
	ASSERT_EQ(0, watch_jobs_event(&jobs, j, 2));
	EXPECT_EQ(400000000, jobs.jobs[1].job.bytes_done);
	/* The mean, at the end. */
	j->service_time = 4 * S;
	j->bytes_done = 1000000000;
	j->state = RAMLOAD_JOB_DONE;
	ASSERT_EQ(0, watch_jobs_event(&jobs, j, 3));
	EXPECT_EQ(250e6, jobs.jobs[1].rate);
	EXPECT_EQ(3, jobs.jobs[1].ended);
	EXPECT_EQ(-1, watch_job_left(&jobs.jobs[1]));
	watch_jobs_free(&jobs);
}

TEST_F(report, watch_ends)
{
	struct watch_jobs jobs = { 0 };
	struct ramload_stat_job *j = &self->jobs[2];

	dump(self, &jobs, 3, 1);
	ASSERT_EQ(3, jobs.nr);
	/* Missing once, an event may still tell how it ended. */
	dump(self, &jobs, 2, 2);
	EXPECT_EQ(0, jobs.jobs[2].ended);
	dump(self, &jobs, 2, 3);
	ASSERT_EQ(3, jobs.nr);
	EXPECT_TRUE(jobs.jobs[2].gone);
	EXPECT_EQ(3, jobs.jobs[2].ended);
	/* Late, it does; a clock may have been read before. */
	j->state = RAMLOAD_JOB_FAILED;
	j->service_time = 1;
	ASSERT_EQ(0, watch_jobs_event(&jobs, j, 3.5));
	EXPECT_FALSE(jobs.jobs[2].gone);
	EXPECT_EQ(RAMLOAD_JOB_FAILED, jobs.jobs[2].job.state);
	EXPECT_TRUE(watch_job_visible(&jobs.jobs[2], 4));
	EXPECT_FALSE(watch_job_visible(&jobs.jobs[2], 100));
	dump(self, &jobs, 2, 100);
	EXPECT_EQ(2, jobs.nr);
	/* A done job whose fd stays open is kept, and not shown for ever. */
	self->jobs[0].state = RAMLOAD_JOB_DONE;
	dump(self, &jobs, 2, 101);
	EXPECT_TRUE(watch_job_visible(&jobs.jobs[0], 102));
	dump(self, &jobs, 2, 200);
	EXPECT_EQ(2, jobs.nr);
	EXPECT_FALSE(watch_job_visible(&jobs.jobs[0], 200));
	/* Its id is used again. */
	self->jobs[0].state = RAMLOAD_JOB_RUNNING;
	self->jobs[0].start_time++;
	dump(self, &jobs, 2, 201);
	EXPECT_TRUE(watch_job_visible(&jobs.jobs[0], 201));
	watch_jobs_free(&jobs);
}

/* The process id that this namespace has for it stays. */
TEST_F(report, watch_pid)
{
	struct watch_jobs jobs = { 0 };

	dump(self, &jobs, 1, 1);
	self->jobs[0].pid = 7777;
	self->jobs[0].service_time += S;
	ASSERT_EQ(0, watch_jobs_event(&jobs, &self->jobs[0], 2));
	EXPECT_EQ(100, jobs.jobs[0].job.pid);
	EXPECT_EQ(4 * S, jobs.jobs[0].job.service_time);
	watch_jobs_free(&jobs);
}

TEST_F(report, watch_many)
{
	struct watch_jobs jobs = { 0 };
	int i;

	for (i = 0; i < 1000; i++) {
		self->jobs[0].id = i + 1;
		ASSERT_EQ(0, watch_jobs_event(&jobs, &self->jobs[0], 1));
	}
	EXPECT_EQ(1000, jobs.nr);
	dump(self, &jobs, 0, 2);
	dump(self, &jobs, 0, 3);
	dump(self, &jobs, 0, 100);
	EXPECT_EQ(0, jobs.nr);
	watch_jobs_free(&jobs);
}

TEST_HARNESS_MAIN
