/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The benchmark's queries as plans over chunks in memory: what the executor alone takes.
 *
 *   exec EVENTS.ndjson [ROUNDS [THREADS [QUERY]]]
 *
 * Prints for each the least CPU and wall ms of some rounds, and the first row.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base.h"
#include "service/exec/pipe.h"
#include "tests/lib/snapshots.h"

constexpr size_t FIELDS = 16;

/* The fields that queries use, by number. */
enum {
	F_ID,
	F_TS,
	F_TYPE,
	F_COUNTRY,
	F_USER_NAME,
	F_USER_PLAN,
	F_SESSION,
	F_STATUS,
	F_LATENCY,
	F_BYTES,
	F_PRICE,
	F_LAT,
	F_TAGS,
	F_MESSAGE,
	F_CODE,
	F_REGION,
};

#define KEY(text) { text, sizeof(text) - 1 }
static const struct str KEYS[FIELDS][2] = {
	[F_ID] = { KEY("_id") },
	[F_TS] = { KEY("ts") },
	[F_TYPE] = { KEY("type") },
	[F_COUNTRY] = { KEY("country") },
	[F_USER_NAME] = { KEY("user"), KEY("name") },
	[F_USER_PLAN] = { KEY("user"), KEY("plan") },
	[F_SESSION] = { KEY("session") },
	[F_STATUS] = { KEY("status") },
	[F_LATENCY] = { KEY("latency_ms") },
	[F_BYTES] = { KEY("bytes") },
	[F_PRICE] = { KEY("price") },
	[F_LAT] = { KEY("geo"), KEY("lat") },
	[F_TAGS] = { KEY("tags") },
	[F_MESSAGE] = { KEY("message") },
	[F_CODE] = { KEY("code") },
	[F_REGION] = { KEY("region") },
};

static struct field fields[FIELDS];
static struct node nodes[256];
static struct node *args[512];
static size_t n_nodes, n_args;

static struct node *make(enum operation op, size_t n, struct node *const *arg)
{
	struct node *node = &nodes[n_nodes++];

	*node = (struct node) { .op = op, .arg = &args[n_args], .n_args = n };
	for (size_t i = 0; i < n; i++)
		args[n_args++] = arg[i];
	return node;
}

static struct node *get(uint32_t field)
{
	struct node *node = make(OP_FIELD, 0, nullptr);

	node->field = field;
	return node;
}

static struct node *constant(struct cell cell)
{
	struct node *node = make(OP_CONSTANT, 0, nullptr);

	node->constant = cell;
	return node;
}

static struct node *number(int64_t i)
{
	return constant((struct cell) { .kind = KIND_INT, .i = i });
}

static struct node *text(const char *s)
{
	return constant((struct cell) { .kind = KIND_STRING, .s = { s, (uint32_t)strlen(s) } });
}

static struct node *two(enum operation op, struct node *a, struct node *b)
{
	return make(op, 2, (struct node *[]) { a, b });
}

struct query {
	const char *name;
	struct node *filter;
	struct node *output[4];
	uint32_t n_outputs;
	bool grouped;
	struct aggregate aggregate[4];
	uint32_t n_aggregates;
	struct order_by order[2];
	uint32_t n_order;
	int64_t limit;
	bool join;
};

#define COUNT	    { .kind = AGGREGATE_COUNT }
#define SUM(f)	    { .kind = AGGREGATE_SUM, .arg = get(f) }
#define AVG(f)	    { .kind = AGGREGATE_AVG, .arg = get(f) }
#define DISTINCT(f) { .kind = AGGREGATE_COUNT_DISTINCT, .arg = get(f) }

static double now_ms(clockid_t clock)
{
	struct timespec t = {};

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void print_cell(const struct cell *cell)
{
	if (cell->kind == KIND_FLOAT)
		printf(" %.6g", cell->f);
	else if (KINDS_INTS >> cell->kind & 1)
		printf(" %" PRIi64, cell->i);
	else if (cell->kind == KIND_STRING)
		printf(" %.*s", (int)cell->s.len, cell->s.at);
	else
		printf(" kind%d", cell->kind);
}

/* Run once; prints the first row if asked. Returns the number of rows, or -1. */
static long run_once(struct exec *exec, const struct plan *plan, uint32_t width, bool print)
{
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, (size_t)4 << 30 };
	const struct cell *cell;
	long rows = 0;
	int r = exec_query_new(exec, &limits, &query);

	if (r)
		return -1;
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	r = pipe_open(query, plan, &pipe);
	while (r == 0 && (r = pipe_next(pipe, &cell)) == 0)
		if (rows++ == 0 && print)
			for (uint32_t i = 0; i < width; i++)
				print_cell(&cell[i]);
	if (r != PIPE_END)
		printf(" failed: %d %s", r, exec_query_error(query));
	return r == PIPE_END ? rows : -1;
}

static void measure(struct exec *exec, const struct query *q, struct snapshot *events,
		    struct snapshot *dim, int rounds)
{
	struct join join = { .snapshot = dim,
			     .outer_key = get(F_COUNTRY),
			     .inner_key = get(F_CODE) };
	struct plan plan = {
		.snapshot = events,
		.field = fields,
		.n_fields = FIELDS,
		.filter = q->filter,
		.grouped = q->grouped,
		.output = (struct node **)(uintptr_t)q->output,
		.n_outputs = q->n_outputs,
		.aggregate = q->aggregate,
		.n_aggregates = q->n_aggregates,
		.order = q->order,
		.n_order = q->n_order,
		.limit = q->limit ? q->limit : -1,
		.join = &join,
		.n_joins = q->join ? 1 : 0,
	};
	uint32_t width = q->n_outputs + q->n_aggregates;
	double cpu = 1e9, wall = 1e9;

	printf("%-18s", q->name);
	long rows = run_once(exec, &plan, width, true);
	for (int i = 0; i < rounds && rows >= 0; i++) {
		double c = now_ms(CLOCK_PROCESS_CPUTIME_ID), w = now_ms(CLOCK_MONOTONIC);

		(void)run_once(exec, &plan, width, false);
		c = now_ms(CLOCK_PROCESS_CPUTIME_ID) - c;
		w = now_ms(CLOCK_MONOTONIC) - w;
		cpu = c < cpu ? c : cpu;
		wall = w < wall ? w : wall;
	}
	printf("  (%ld rows)\n%-18s cpu %8.3f ms  wall %8.3f ms\n", rows, "", cpu, wall);
}

static int load_file(const char *path, struct snapshot *snapshot)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return neg_errno();
	char *at = mmap(nullptr, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return neg_errno();
	int r = snapshots_add(snapshot, at, (size_t)st.st_size, CHUNK_ROWS, true);
	(void)munmap(at, (size_t)st.st_size);
	return r;
}

static int load_dim(struct snapshot *snapshot)
{
	static const char *const CODES[] = { "US", "DE", "FR", "GB", "IN", "BR", "JP", "CN",
					     "ES", "IT", "NL", "SE", "NO", "DK", "FI", "PL",
					     "CZ", "AT", "CH", "BE", "PT", "GR", "IE", "CA",
					     "MX", "AR", "CL", "CO", "AU", "NZ", "ZA", "NG",
					     "EG", "KE", "TR", "SA", "AE", "KR", "SG", "ID" };
	static const char *const REGIONS[] = { "NA", "EU", "EU", "EU", "AS", "SA", "AS", "AS",
					       "EU", "EU", "EU", "EU", "EU", "EU", "EU", "EU",
					       "EU", "EU", "EU", "EU", "EU", "EU", "EU", "NA",
					       "NA", "SA", "SA", "SA", "OC", "OC", "AF", "AF",
					       "AF", "AF", "ME", "ME", "ME", "AS", "AS", "AS" };
	char text_of[4096] = "";

	for (size_t i = 0; i < countof(CODES); i++)
		(void)snprintf(text_of + strlen(text_of), sizeof(text_of) - strlen(text_of),
			       "{\"code\":\"%s\",\"region\":\"%s\"}\n", CODES[i], REGIONS[i]);
	return snapshots_add(snapshot, text_of, strlen(text_of), CHUNK_ROWS, true);
}

/* The hour of an event. */
static struct node *make_hour(void)
{
	struct node *time = make(OP_PARSE_TIMESTAMP, 1, (struct node *[]) { get(F_TS) });
	struct node *hour = make(OP_DATE_TRUNC, 1, &time);

	hour->unit = UNIT_HOUR;
	return hour;
}

/* The queries, in three parts; each returns how many it has put at to. */
static size_t make_groups(struct query *to)
{
	const struct query queries[] = {
		{ .name = "q01_count_filter",
		  .filter = two(OP_AND, two(OP_GE, get(F_STATUS), number(500)),
				two(OP_GT, get(F_BYTES), number(50'000))),
		  .grouped = true,
		  .aggregate = { COUNT },
		  .n_aggregates = 1 },
		{ .name = "q02_group_low",
		  .output = { get(F_TYPE) },
		  .n_outputs = 1,
		  .grouped = true,
		  .aggregate = { COUNT, SUM(F_BYTES), AVG(F_LATENCY) },
		  .n_aggregates = 3 },
		{ .name = "q03_top_high",
		  .output = { get(F_USER_NAME) },
		  .n_outputs = 1,
		  .grouped = true,
		  .aggregate = { SUM(F_BYTES) },
		  .n_aggregates = 1,
		  .order = { { 1, true, true }, { 0, false, false } },
		  .n_order = 2,
		  .limit = 10 },
		{ .name = "q04_distinct",
		  .grouped = true,
		  .aggregate = { DISTINCT(F_SESSION) },
		  .n_aggregates = 1 },
		{ .name = "q05_hourly",
		  .output = { make_hour() },
		  .n_outputs = 1,
		  .grouped = true,
		  .aggregate = { COUNT, AVG(F_LATENCY) },
		  .n_aggregates = 2 },
	};

	memcpy(to, queries, sizeof(queries));
	return countof(queries);
}

static size_t make_lookups(struct query *to)
{
	const struct query queries[] = {
		{ .name = "q06_point_id",
		  .filter = two(OP_EQ, get(F_ID), text("e220a8397b1dcdaf")),
		  .output = { get(F_ID), get(F_TS), get(F_MESSAGE) },
		  .n_outputs = 3 },
		{ .name = "q07_point_session",
		  .filter = two(OP_EQ, get(F_SESSION), text("sde248ee844")),
		  .grouped = true,
		  .aggregate = { COUNT, SUM(F_BYTES) },
		  .n_aggregates = 2 },
		{ .name = "q08_join_dim",
		  .output = { get(F_REGION) },
		  .n_outputs = 1,
		  .grouped = true,
		  .aggregate = { COUNT, SUM(F_PRICE) },
		  .n_aggregates = 2,
		  .join = true },
		{ .name = "q09_substring",
		  .filter = two(OP_LIKE, get(F_MESSAGE), text("%deadlock%")),
		  .grouped = true,
		  .aggregate = { COUNT },
		  .n_aggregates = 1 },
		{ .name = "q10_nested",
		  .filter = two(OP_AND, two(OP_EQ, get(F_USER_PLAN), text("enterprise")),
				two(OP_GT, get(F_LAT), number(50))),
		  .grouped = true,
		  .aggregate = { COUNT, AVG(F_LATENCY) },
		  .n_aggregates = 2 },
	};

	memcpy(to, queries, sizeof(queries));
	return countof(queries);
}

static size_t make_others(struct query *to)
{
	const struct query queries[] = {
		{ .name = "q11_topn_rows",
		  .filter = two(OP_EQ, get(F_TYPE), text("purchase")),
		  .output = { get(F_ID), get(F_LATENCY) },
		  .n_outputs = 2,
		  .order = { { 1, true, true } },
		  .n_order = 1,
		  .limit = 20 },
		{ .name = "q12_array",
		  .filter = two(OP_ARRAY_CONTAINS, get(F_TAGS), text("vip")),
		  .grouped = true,
		  .aggregate = { COUNT },
		  .n_aggregates = 1 },
		{ .name = "rows_all",
		  .output = { get(F_TYPE), get(F_BYTES), get(F_LATENCY) },
		  .n_outputs = 3 },
	};

	memcpy(to, queries, sizeof(queries));
	return countof(queries);
}

static void run_queries(struct exec *exec, struct snapshot *events, struct snapshot *dim,
			int rounds, const char *only)
{
	struct query queries[16];
	size_t n = make_groups(queries);

	n += make_lookups(queries + n);
	n += make_others(queries + n);
	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = (struct field) { .key = KEYS[i],
					     .n = KEYS[i][1].len > 0 ? 2 : 1,
					     .source = i >= F_CODE };
	for (size_t i = 0; i < n; i++)
		if (strstr(queries[i].name, only))
			measure(exec, &queries[i], events, dim, rounds);
}

int main(int argc, char **argv)
{
	struct snapshot *events = snapshots_new(), *dim = snapshots_new();
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	struct exec *exec = nullptr;

	if (argc < 2 || !events || !dim)
		return 64;
	double load = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	int r = load_file(argv[1], events);
	r = r ? r : load_dim(dim);
	r = r ? r
	      : exec_new(argc > 3 ? (unsigned int)atoi(argv[3]) : 1, (size_t)8 << 30, "/tmp",
			 &exec);
	if (r) {
		printf("loading: %s\n", strerror(-r));
		return 1;
	}
	uint64_t bytes = 0;
	for (size_t i = 0; i < snapshot_chunks(events); i++)
		bytes += chunk_size(snapshot_chunk(events, i)->chunk);
	printf("%" PRIi64 " documents, %zu chunks, %.1f MB, loaded in %.0f ms CPU\n",
	       snapshot_documents(events), snapshot_chunks(events), (double)bytes / 1e6,
	       now_ms(CLOCK_PROCESS_CPUTIME_ID) - load);
	run_queries(exec, events, dim, rounds, argc > 4 ? argv[4] : "");
	exec_free(exec);
	snapshot_unref(events);
	snapshot_unref(dim);
	return 0;
}
