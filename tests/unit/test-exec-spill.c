/* SPDX-License-Identifier: Apache-2.0 */

/* Sorts, joins and groups in too little memory: the same answers, nothing in clear on disk, and nothing left there. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "service/crew/query.h"
#include "service/disk/file.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/exec-fixture.h"

constexpr uint32_t DOCUMENTS = 12'000;
constexpr uint32_t FEW = 800;
constexpr size_t MUCH = 256u << 20;
constexpr size_t LITTLE = 3u << 20; /* three threads, and little for each */
constexpr size_t LEAST = 200u << 10;
static const char MARK[] = "in-clear";

/* What the disk does. */
static struct {
	_Atomic uint32_t writes;
	uint32_t full_at; /* this write and all after it find no room; 0: none */
	atomic_bool cancel;
	uint32_t cancel_at; /* this write cancels the query; 0: none */
	uint64_t wait_us;   /* a write ends after that moment */
} disk;

static char folder_path[32] = "/tmp/spill-XXXXXX";
static struct folder *folder; /* another one of the same, to look into */
static struct exec *exec, *alone;
static struct snapshot *many, *few;

static int on_step(void *, enum file_step step, const char *, size_t)
{
	if (step != FILE_WRITE)
		return 0;
	uint32_t n = ++disk.writes;
	if (disk.full_at && n >= disk.full_at)
		return -ENOSPC;
	if (disk.cancel_at && n >= disk.cancel_at)
		disk.cancel = true;
	while (clock_mono_us() < disk.wait_us)
		(void)usleep(1000);
	return 0;
}

static int count_file(void *userdata, const char *)
{
	uint32_t *n = userdata;

	++*n;
	return 0;
}

/* How many files there are in the folder, by name. */
static uint32_t files(void)
{
	uint32_t n = 0;

	return folder_list(folder, count_file, &n) ? UINT32_MAX : n;
}

static struct exec *make_exec(unsigned int threads)
{
	cleanup(folder_close_at) struct folder *in = nullptr;
	struct exec *made = nullptr;

	if (folder_open(folder_path, on_step, nullptr, &in) ||
	    exec_new_in(threads, (size_t)4 << 30, &in, &made))
		return nullptr;
	return made;
}

/* Values of all kinds under one name, equal ones, none, and long ones. */
static void put_document(struct buf *text, uint32_t i)
{
	buf_addf(text, "{\"v\":%u,\"k\":\"%s key %u\",\"g\":%u", i, MARK, i * 7919 % 5000, i % 7);
	if (i % 11 == 0)
		buf_addf(text, ",\"x\":null");
	else if (i % 5 == 0)
		buf_addf(text, ",\"x\":%u.5", i % 300);
	else if (i % 3 == 0)
		buf_addf(text, ",\"x\":\"%s %u\"", MARK, i % 900);
	else if (i % 7 == 0)
		buf_addf(text, ",\"x\":[%u,\"%s\"]", i % 40, MARK);
	else if (i % 13 != 0)
		buf_addf(text, ",\"x\":%d", (int)(i % 600) - 300);
	buf_addf(text, ",\"one\":1,\"t\":[%u,%u,\"%s\"]}\n", i % 50, i % 70, MARK);
}

static struct snapshot *load(uint32_t n, uint32_t rows)
{
	auto_buf struct buf text = buf_make(64u << 20);
	struct snapshot *made = snapshots_new();

	for (uint32_t i = 0; i < n; i++)
		put_document(&text, i);
	if (!made || buf_error(&text) ||
	    snapshots_add(made, (const char *)text.data, text.len, rows, true))
		return nullptr;
	return made;
}

/* --- running ------------------------------------------------------------------------------------- */

/* What a plan yields. */
struct result {
	int r;
	uint64_t spilled;
	size_t held;	 /* bytes still counted when the pipe is closed */
	struct buf text; /* its rows, a line each */
	char error[256];
};

static void result_done(struct result *result)
{
	buf_done(&result->text);
}

#define auto_result cleanup(result_done)

static int put_rows(struct pipe *pipe, const struct plan *plan, struct buf *out)
{
	uint32_t width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0);
	const struct cell *cell;
	int r;

	while ((r = pipe_next(pipe, &cell)) == 0) {
		for (uint32_t i = 0; i < width; i++) {
			char value[128];

			put_cell(&cell[i], value, sizeof(value));
			if (cell[i].kind == KIND_ARRAY)
				buf_addf(out, " array %u", cell[i].s.len);
			buf_addf(out, " %s", value);
		}
		buf_add_str(out, "\n");
	}
	return r;
}

/* Run a plan twice, rewinding in between, with so much memory. Both times must give the same. */
static void run_in(struct exec *in, const struct plan *plan, size_t memory, struct result *ret)
{
	struct query_limits limits = { UINT64_MAX, &disk.cancel, memory };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	auto_buf struct buf again = buf_make(64u << 20);
	struct query_figures figures;

	*ret = (struct result) { .text = buf_make(64u << 20) };
	disk.writes = 0;
	ret->r = exec_query_new(in, &limits, &query);
	if (ret->r)
		return;
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	ret->r = pipe_open(query, plan, &pipe);
	ret->r = ret->r ? ret->r : put_rows(pipe, plan, &ret->text);
	if (ret->r == PIPE_END) {
		pipe_rewind(pipe);
		ret->r = put_rows(pipe, plan, &again);
		if (again.len != ret->text.len ||
		    (again.len && memcmp(again.data, ret->text.data, again.len) != 0))
			ret->r = -EILSEQ;
	}
	pipe_close_at(&pipe);
	ret->held = query->budget.used;
	exec_query_figures(query, &figures);
	ret->spilled = figures.spilled_bytes;
	(void)snprintf(ret->error, sizeof(ret->error), "%s", exec_query_error(query));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of a text, sorted. */
static bool sort_lines(struct buf *text)
{
	const char *lines = buf_text(text);
	size_t n = 0;
	auto_free char *copy = lines ? strdup(lines) : nullptr;
	auto_free const char **line = calloc(text->len + 1, sizeof(*line));

	if (!copy || !line)
		return false;
	for (char *at = strtok(copy, "\n"); at; at = strtok(nullptr, "\n"))
		line[n++] = at;
	qsort(line, n, sizeof(*line), by_text);
	buf_clear(text);
	for (size_t i = 0; i < n; i++)
		buf_addf(text, "%s\n", line[i]);
	return buf_error(text) == 0;
}

/* Whether a plan gives the same with little memory as with much, having been on disk. */
static bool same_in(const struct plan *plan, size_t memory, bool in_order)
{
	auto_result struct result much = {}, little = {};

	run_in(exec, plan, MUCH, &much);
	run_in(exec, plan, memory, &little);
	if (little.r != PIPE_END)
		printf("# %d: %s\n", little.r, little.error);
	CHECK_EQ(much.r, PIPE_END);
	CHECK_EQ(little.r, PIPE_END);
	CHECK_EQ(much.held, 0u);
	CHECK_EQ(little.held, 0u);
	CHECK_EQ(much.spilled, 0u);
	CHECK(little.spilled > 0);
	CHECK(in_order || (sort_lines(&much.text) && sort_lines(&little.text)));
	CHECK(much.text.len > 0);
	CHECK_EQ(much.text.len, little.text.len);
	CHECK(memcmp(much.text.data, little.text.data, much.text.len) == 0);
	CHECK_EQ(files(), 0);
	return true;
}

/* --- plans --------------------------------------------------------------------------------------- */

static struct order_by orders[4];
static struct node *outputs[8];

/* Rows of v, x and k, ordered by some of them. */
static struct plan sort_plan(struct snapshot *snapshot, int64_t limit, uint32_t n_order)
{
	plan_begin();
	outputs[0] = field("v");
	outputs[1] = field("x");
	outputs[2] = field("k");
	outputs[3] = field("t");
	return (struct plan) { .snapshot = snapshot,
			       .field = plan_fields,
			       .n_fields = n_plan_fields,
			       .output = outputs,
			       .n_outputs = 4,
			       .order = orders,
			       .n_order = n_order,
			       .limit = limit };
}

static bool sorted_rows_are_the_same_in_little_memory(void)
{
	static const struct order_by ORDERS[][2] = {
		{ { 0, true, true } },	{ { 1, false, false }, { 2, true, true } },
		{ { 1, true, true } }, /* many are equal: the order of documents */
		{ { 1, false, true } }, { { 2, true, false }, { 1, false, false } },
	};

	for (size_t i = 0; i < countof(ORDERS); i++) {
		memcpy(orders, ORDERS[i], sizeof(ORDERS[i]));
		bool two = ORDERS[i][1].column || ORDERS[i][1].descending;
		struct plan plan = sort_plan(many, -1, two ? 2 : 1);

		CHECK(same_in(&plan, LITTLE, true));
		CHECK(same_in(&plan, LEAST * 2, true)); /* more runs than can be merged at once */
		plan.limit = 5000;
		CHECK(same_in(&plan, LITTLE, true));
	}
	return true;
}

static bool equal_rows_come_in_the_order_of_documents(void)
{
	auto_result struct result result = {};
	struct plan plan = sort_plan(many, -1, 1);
	int64_t last = -1;
	uint32_t n = 0;

	orders[0] = (struct order_by) { 1, false, false };
	outputs[1] = field("one");
	plan.n_fields = n_plan_fields;
	run_in(exec, &plan, LITTLE, &result);
	CHECK_EQ(result.r, PIPE_END);
	CHECK(result.spilled > 0);
	for (const char *at = buf_text(&result.text); at && *at; n++) {
		char *end;
		int64_t v = strtoll(at, &end, 10);

		CHECK_EQ(v, last + 1);
		last = v;
		at = strchr(end, '\n') + 1;
	}
	return n == DOCUMENTS;
}

static bool groups_in_an_order_are_the_same_in_little_memory(void)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM }, { .kind = AGGREGATE_COUNT } };

	plan_begin();
	struct node *key = field("k");
	aggregates[0].arg = field("v");
	orders[0] = (struct order_by) { 2, true, true };
	orders[1] = (struct order_by) { 0, false, false };
	struct plan plan = { .snapshot = many,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = &key,
			     .n_outputs = 1,
			     .aggregate = aggregates,
			     .n_aggregates = 2,
			     .order = orders,
			     .n_order = 2,
			     .limit = -1 };

	CHECK(same_in(&plan, LITTLE, true));
	plan.limit = 4000;
	return same_in(&plan, LITTLE, true);
}

static struct join joins[2];

/*
 * Rows of many with those of others that have the same key.
 *
 * by  field of both that is the key
 */
static struct plan join_plan(struct snapshot *outer, struct snapshot *inner, const char *by,
			     bool left)
{
	plan_begin();
	outputs[0] = field("v");
	outputs[1] = field("x");
	outputs[2] = field_of("v", 1, false);
	outputs[3] = field_of("x", 1, false);
	outputs[4] = field_of("t", 1, false);
	outputs[5] = field_of("none", 0, false);
	joins[0] = (struct join) { .snapshot = inner,
				   .outer_key = field(by),
				   .inner_key = field_of(by, 1, false),
				   .left = left };
	return (struct plan) { .snapshot = outer,
			       .field = plan_fields,
			       .n_fields = n_plan_fields,
			       .join = joins,
			       .n_joins = 1,
			       .output = outputs,
			       .n_outputs = 6,
			       .limit = -1 };
}

static bool joined_rows_are_the_same_in_little_memory(void)
{
	static const char *const KEYS[] = { "v", "k", "x" };

	for (size_t i = 0; i < 2 * countof(KEYS); i++) {
		/* By x there are many for one key, and keys of all kinds, and none. */
		struct snapshot *outer = i / 2 == 2 ? few : many;
		struct plan plan = join_plan(outer, many, KEYS[i / 2], i % 2);

		CHECK(same_in(&plan, LITTLE, false));
		plan.filter = NODE(OP_OR, NODE(OP_GT, field("g"), field_of("g", 1, false)),
				   NODE(OP_IS_MISSING, field_of("x", 1, false)));
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

/* All rows of the inner side have one key: pieces of one part; and of the outer side only some have it. */
static bool a_key_with_more_rows_than_fit_is_joined_all_the_same(void)
{
	for (int left = 0; left < 2; left++) {
		struct plan plan = join_plan(few, many, "one", left);

		joins[0].outer_key = NODE(OP_SUBTRACT, field("v"), number(7));
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

/* The second join's rows come out of the first's, and UNNEST's before. */
static bool several_joins_may_be_split(void)
{
	for (int left = 0; left < 4; left++) {
		struct plan plan = join_plan(many, many, "v", left & 1);

		joins[1] = (struct join) { .snapshot = many,
					   .outer_key = field_of("k", 1, false),
					   .inner_key = field_of("k", 2, false),
					   .inner_filter =
						   NODE(OP_GT, field_of("g", 2, false), number(2)),
					   .left = left & 2 };
		outputs[1] = field_of("v", 2, false);
		outputs[2] = field_of("x", 2, false);
		outputs[3] = field_of("t", 2, false);
		plan.n_joins = 2;
		plan.n_outputs = 4;
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
		plan.unnest = &plan_fields[field_of("t", 0, false)->field];
		outputs[3] = field_of("", 0, true);
		plan.n_fields = n_plan_fields;
		CHECK(same_in(&plan, LITTLE, false));
	}
	return true;
}

static bool groups_and_sorts_over_a_split_join_are_the_same(void)
{
	struct aggregate aggregates[] = { { .kind = AGGREGATE_SUM },
					  { .kind = AGGREGATE_COUNT },
					  { .kind = AGGREGATE_COUNT_DISTINCT } };
	struct plan plan = join_plan(many, many, "k", true);

	orders[0] = (struct order_by) { 2, false, false };
	orders[1] = (struct order_by) { 0, true, false };
	plan.order = orders;
	plan.n_order = 2;
	CHECK(same_in(&plan, LITTLE, true));
	plan.limit = 100;
	CHECK(same_in(&plan, LITTLE, true));
	plan.grouped = true;
	plan.n_outputs = 1;
	plan.output = &outputs[1];
	plan.aggregate = aggregates;
	plan.n_aggregates = 3;
	aggregates[0].arg = outputs[2];
	aggregates[2].arg = outputs[3];
	plan.n_order = 0;
	plan.limit = -1;
	return same_in(&plan, LITTLE, false);
}

/* As many as are asked for, and each is one of all. */
static bool a_split_join_yields_no_more_than_its_limit(void)
{
	auto_result struct result little = {};
	struct plan plan = join_plan(many, many, "v", false);
	uint32_t n = 0;

	plan.limit = 1234;
	run_in(exec, &plan, LITTLE, &little);
	CHECK_EQ(little.r, PIPE_END);
	CHECK(little.spilled > 0);
	for (const char *at = buf_text(&little.text); at && *at; n++) {
		const char *end = strchr(at, '\n');
		char *next;
		int64_t v = strtoll(at, &next, 10);

		CHECK(v >= 0 && v < DOCUMENTS);
		at = end + 1;
	}
	return n == 1234;
}

/* --- failures ------------------------------------------------------------------------------------ */

/* Whether a plan ends with a sentence and leaves nothing behind when the disk is full at any write. */
static bool survives_a_full_disk(const struct plan *plan, size_t memory)
{
	auto_result struct result good = {};

	run_in(alone, plan, memory, &good);
	CHECK_EQ(good.r, PIPE_END);
	uint32_t writes = disk.writes, step = writes / 12 + 1;
	CHECK(writes > 2);
	for (disk.full_at = 1; disk.full_at <= writes; disk.full_at += step) {
		auto_result struct result result = {};

		run_in(alone, plan, memory, &result);
		CHECK_EQ(result.r, PIPE_TOO_LARGE);
		CHECK(strstr(result.error, "no room"));
		CHECK_EQ(result.held, 0u);
		CHECK_EQ(files(), 0);
	}
	disk.full_at = 0;
	return true;
}

static bool survives_failed_allocations(const struct plan *plan, size_t memory)
{
	auto_result struct result good = {};

	run_in(alone, plan, memory, &good);
	CHECK_EQ(good.r, PIPE_END);
	CHECK(good.spilled > 0);
	for (size_t n = 1;; n++) {
		auto_result struct result result = {};

		fault_at(n);
		run_in(alone, plan, memory, &result);
		bool hit = fault_end();
		if (result.r == PIPE_END && buf_error(&result.text) == 0) {
			CHECK_EQ(result.text.len, good.text.len);
			CHECK(memcmp(result.text.data, good.text.data, good.text.len) == 0);
		} else if (result.r != PIPE_END && result.r != -EILSEQ) {
			CHECK_EQ(result.r, -ENOMEM);
		}
		CHECK_EQ(result.held, 0u);
		CHECK_EQ(files(), 0);
		if (!hit)
			return result.r == PIPE_END;
	}
}

static bool ends_when_it_is_cancelled_or_late(const struct plan *plan, size_t memory)
{
	auto_result struct result result = {};
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	const struct cell *cell;

	disk.cancel_at = 2;
	run_in(alone, plan, memory, &result);
	disk.cancel_at = 0;
	disk.cancel = false;
	CHECK_EQ(result.r, PIPE_CANCELLED);
	disk.wait_us = clock_mono_us() + 300'000;
	struct query_limits limits = { disk.wait_us, nullptr, memory };
	CHECK_EQ(exec_query_new(alone, &limits, &query), 0);
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	CHECK_EQ(pipe_open(query, plan, &pipe), 0);
	int r = pipe_next(pipe, &cell);
	disk.wait_us = 0;
	CHECK_EQ(r, PIPE_TIMEOUT);
	CHECK_EQ(files(), 0);
	return true;
}

/* Look for MARK in what an open file without a name holds. Returns -1 if it is no such file of our folder, else whether it is there. */
static int look_into(const char *number, size_t *bytes)
{
	char path[64], target[256];
	static char data[1u << 20];
	int found = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%.20s", number);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	if (strncmp(target, folder_path, strlen(folder_path)) != 0 || !strstr(target, "(deleted)"))
		return -1;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, data, sizeof(data))) > 0) {
		*bytes += (size_t)n;
		found |= memmem(data, (size_t)n, MARK, strlen(MARK)) != nullptr;
	}
	return found;
}

/* Whether files without a name hold something while a plan's rows are fetched, and none of it in clear. */
static bool is_sealed(const struct plan *plan, size_t memory)
{
	struct query_limits limits = { UINT64_MAX, nullptr, memory };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	const struct cell *cell;
	size_t bytes = 0;

	CHECK_EQ(exec_query_new(alone, &limits, &query), 0);
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	CHECK_EQ(pipe_open(query, plan, &pipe), 0);
	CHECK_EQ(pipe_next(pipe, &cell), 0);
	DIR *dir = opendir("/proc/self/fd");
	CHECK(dir);
	for (struct dirent *e; (e = readdir(dir));)
		CHECK(look_into(e->d_name, &bytes) <= 0);
	(void)closedir(dir);
	CHECK(bytes > 100'000);
	return true;
}

static bool a_sort_survives_what_can_go_wrong(void)
{
	orders[0] = (struct order_by) { 1, false, false };
	struct plan plan = sort_plan(many, -1, 1), small = sort_plan(few, -1, 1);

	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	CHECK(is_sealed(&plan, LITTLE));
	return survives_failed_allocations(&small, LEAST);
}

static bool groups_survive_what_can_go_wrong(void)
{
	struct aggregate aggregate = { .kind = AGGREGATE_MAX };

	plan_begin();
	struct node *keys[] = { field("v"), field("k") };
	aggregate.arg = field("x");
	struct plan plan = { .snapshot = many,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = keys,
			     .n_outputs = 2,
			     .aggregate = &aggregate,
			     .n_aggregates = 1,
			     .limit = -1 };

	CHECK(same_in(&plan, LITTLE, false));
	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	return is_sealed(&plan, LITTLE);
}

static bool a_split_join_survives_what_can_go_wrong(void)
{
	struct plan plan = join_plan(many, many, "k", true);

	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	CHECK(is_sealed(&plan, LITTLE));
	plan = join_plan(few, few, "k", true);
	return survives_failed_allocations(&plan, 2 * LEAST);
}

static bool without_a_folder_what_does_not_fit_is_refused(void)
{
	auto_result struct result little = {};
	struct exec *none = nullptr;
	struct plan plan = sort_plan(many, -1, 1);

	CHECK_EQ(exec_new(2, MUCH, nullptr, &none), 0);
	run_in(none, &plan, LITTLE / 3, &little);
	exec_free(none);
	CHECK_EQ(little.r, PIPE_TOO_LARGE);
	CHECK(strstr(little.error, "more memory"));
	return true;
}

int main(void)
{
	if (!mkdtemp(folder_path) || folder_open(folder_path, nullptr, nullptr, &folder))
		return 1;
	exec = make_exec(4);
	alone = make_exec(1);
	many = load(DOCUMENTS, 1000);
	few = load(FEW, 100);
	if (!exec || !alone || !many || !few)
		return 1;
	/* One thread first: libcrypto's first steps, which ThreadSanitizer cannot look into, would look like a race. */
	RUN(a_sort_survives_what_can_go_wrong);
	RUN(sorted_rows_are_the_same_in_little_memory);
	RUN(equal_rows_come_in_the_order_of_documents);
	RUN(groups_in_an_order_are_the_same_in_little_memory);
	RUN(joined_rows_are_the_same_in_little_memory);
	RUN(a_key_with_more_rows_than_fit_is_joined_all_the_same);
	RUN(several_joins_may_be_split);
	RUN(groups_and_sorts_over_a_split_join_are_the_same);
	RUN(a_split_join_yields_no_more_than_its_limit);
	RUN(groups_survive_what_can_go_wrong);
	RUN(a_split_join_survives_what_can_go_wrong);
	RUN(without_a_folder_what_does_not_fit_is_refused);
	snapshot_unref(many);
	snapshot_unref(few);
	exec_free(exec);
	exec_free(alone);
	folder_close(folder);
	(void)rmdir(folder_path);
	return tap_done();
}
