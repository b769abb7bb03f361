/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Three ways, one answer: random queries over random documents, answered by pipes, by SQLite over pipes that only read, and by
 * SQLite over plain tables that the store has no part in.
 *
 *   QUERIES=1000000 SEED=7 build/release/tests/oracle/test-oracle    a long run of its own
 *   SEED=7 ONLY=123 …                                               one query of that run
 *   SEED=7 ONLY=123 ASK='SELECT …' …                                another one, of the same documents
 */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/store/db.h"
#include "tests/lib/tap.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/grammar.h"
#include "tests/oracle/random.h"
#include "tests/oracle/shrink.h"
#include "tests/oracle/world.h"

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t QUERIES = 1500;
#else
constexpr uint64_t QUERIES = 10'000;
#endif
constexpr uint64_t PER_WORLD = 2500;
constexpr uint64_t PREDICATE_EVERY = 8; /* for so many queries one predicate */
constexpr uint64_t SEED = 2024;
constexpr int FAILURES_MAX = 5;
constexpr double ROUNDING = 1e-12;
constexpr double ROUGH = 1e-9;
constexpr size_t LITTLE_LEAST =
	1u << 17; /* bytes; and from there so many sizes, each twice the one before */
constexpr uint64_t LITTLE_SIZES = 4;

static uint64_t seed = SEED, queries = QUERIES, only = UINT64_MAX;
static uint64_t refused, asked_in_all;
static uint64_t spilled,
	too_little; /* queries in little memory that went to disk, or did without an answer */
static int failures;

/* The last is the first again, with so little memory that groups, joins, sorts and SQLite's tables go to disk. */
enum {
	LITTLE = SQL_TABLES + 1,
	WAYS,
};
static const struct {
	const char *name;
	enum sql_way way;
} WAY[WAYS] = {
	{ "pipes", SQL_PIPES },
	{ "scans", SQL_SCANS },
	{ "tables", SQL_TABLES },
	{ "pipes in little memory", SQL_PIPES },
};
static size_t little; /* bytes; each query has its own */

/* What the three ways have answered, and why that will not do; nullptr if it will. */
struct trial {
	struct answer answer[WAYS], unlimited;
	const char *wrong;
};

static void trial_done(struct trial *t)
{
	for (size_t i = 0; i < WAYS; i++)
		answer_done(&t->answer[i]);
	answer_done(&t->unlimited);
}

/* Ask in one of the ways. */
static void answer_in(struct fixture *f, size_t way, const char *text, struct answer *ret)
{
	/* With more in use than that, SQLite's caches keep next to nothing. */
	(void)sqlite3_soft_heap_limit64(way == LITTLE ? 1 : 0);
	answer_get(f->session, WAY[way].way, way == LITTLE ? little : 0, text, ret);
}

/* Whether a way need not have an answer: there was too little memory for one. */
static bool is_excused(const struct trial *t, size_t way)
{
	const struct answer *a = &t->answer[way];

	return way == LITTLE && a->r == SQL_REFUSED && a->error.kind == SQL_TOO_LARGE;
}

/* Whether all ways have failed for a reason that lies in the query. */
static const char *judge_errors(const struct trial *t, bool *ret_failed)
{
	size_t n = 0, excused = 0;

	for (size_t i = 0; i < WAYS; i++) {
		const struct answer *a = &t->answer[i];

		if (a->r && (a->r != SQL_REFUSED || a->error.kind == SQL_TIMEOUT ||
			     a->error.kind == SQL_DAMAGED))
			return "a fault, not an error of the query";
		if (a->r && a->error.kind == SQL_QUERY_ERROR && a->error.line == 0)
			return "an error without its place";
		if (is_excused(t, i))
			excused++;
		else
			n += a->r != 0;
	}
	*ret_failed = n > 0;
	return n == 0 || n == WAYS - excused ? nullptr : "an error in one way only";
}

static const char *judge(const struct asked *asked, const struct trial *t)
{
	const struct tolerance tolerance = { asked->loose, asked->rough ? ROUGH : ROUNDING };
	const struct tolerance loose = { true, tolerance.relative };
	const struct answer *want = &t->answer[SQL_TABLES];
	bool failed = false, limited = asked->unlimited.len > 0;
	const char *wrong = judge_errors(t, &failed);

	if (wrong || failed)
		return wrong;
	for (size_t i = 0; i < WAYS; i++) {
		const struct answer *got = &t->answer[i];

		if (is_excused(t, i))
			continue;
		if (got->n != want->n)
			return "the number of rows";
		if (!asked->rough && !answer_ordered(got, want, asked->key, asked->n_keys, &loose))
			return "the order of the rows";
		if (limited && t->unlimited.r == 0 &&
		    !answer_within(got, &t->unlimited, &tolerance))
			return "rows that are not in the answer without LIMIT";
		if (!limited && !answer_same(got, want, &tolerance))
			return "the rows";
	}
	return nullptr;
}

static void attempt(struct fixture *f, struct asked *asked, struct trial *ret)
{
	const char *text = buf_text(&asked->text);

	*ret = (struct trial) {};
	if (!text) {
		ret->wrong = "no memory for the query";
		return;
	}
	for (size_t i = 0; i < WAYS; i++)
		answer_in(f, i, text, &ret->answer[i]);
	if (asked->unlimited.len > 0 && ret->answer[SQL_TABLES].r == 0)
		answer_in(f, SQL_TABLES, buf_text(&asked->unlimited), &ret->unlimited);
	asked_in_all++;
	spilled += ret->answer[LITTLE].spilled;
	too_little += is_excused(ret, LITTLE);
	refused += ret->answer[SQL_TABLES].r != 0;
	ret->wrong = judge(asked, ret);
}

/* Whether a shorter query shows a difference, too; without knowing what may differ in it. */
static bool still_differs(void *userdata, const char *text)
{
	cleanup(trial_done) struct trial t = {};
	const struct tolerance tolerance = { true, ROUGH };
	struct fixture *f = userdata;
	bool failed = false;

	for (size_t i = 0; i < WAYS; i++)
		answer_in(f, i, text, &t.answer[i]);
	if (judge_errors(&t, &failed))
		return true;
	for (size_t i = 0; i < WAYS && !failed; i++)
		if (is_excused(&t, i))
			continue;
		else if (t.answer[i].n != t.answer[SQL_TABLES].n ||
			 (!strstr(text, "LIMIT") &&
			  !answer_same(&t.answer[i], &t.answer[SQL_TABLES], &tolerance)))
			return true;
	return false;
}

/* Print what each way answers, of pipes and scans only what tables do not have. */
static void ask(struct fixture *f, const char *text, bool all)
{
	cleanup(answer_done) struct answer want = {};

	answer_in(f, SQL_TABLES, text, &want);
	for (size_t i = 0; i < WAYS; i++) {
		cleanup(answer_done) struct answer answer = {};

		if (i == SQL_TABLES)
			continue;
		answer_in(f, i, text, &answer);
		answer_print(WAY[i].name, &answer, all ? nullptr : &want);
		if (!all && answer.r == 0)
			answer_print("  but tables", &want, &answer);
	}
	if (all || want.r)
		answer_print(WAY[SQL_TABLES].name, &want, nullptr);
}

static void report(struct fixture *f, uint64_t number, struct asked *asked, const struct trial *t)
{
	auto_buf struct buf shorter = buf_make(1u << 20);

	printf("# SEED=%" PRIu64 " ONLY=%" PRIu64 ": %s differ\n# %s\n", seed, number, t->wrong,
	       buf_text(&asked->text));
	if (still_differs(f, buf_text(&asked->text)))
		shrink(buf_text(&asked->text), still_differs, f, &shorter);
	const char *text = shorter.len > 0 ? buf_text(&shorter) : buf_text(&asked->text);
	printf("# in short: %s\n", text);
	ask(f, text, false);
	(void)fflush(stdout);
	failures++;
}

static bool three_ways(struct fixture *f, struct random *r, uint64_t number)
{
	cleanup(asked_done) struct asked asked = asked_make();
	cleanup(trial_done) struct trial t = {};

	grammar_query(r, &asked);
	little = LITTLE_LEAST << number % LITTLE_SIZES;
	attempt(f, &asked, &t);
	if (t.wrong)
		report(f, number, &asked, &t);
	return !t.wrong;
}

/* COUNT(*), SUM, MIN and MAX of the rows of FROM for which a condition holds; WHERE and all is in end. */
struct figures {
	int64_t rows, sum, min, max;
	bool none; /* no values */
	bool refused;
};

static struct figures figures(struct fixture *f, struct predicate *p, const char *before,
			      const char *after)
{
	auto_buf struct buf text = buf_make(1u << 20);
	cleanup(answer_done) struct answer answer = {};
	const char *number = buf_text(&p->number), *from = buf_text(&p->from);
	const char *condition = buf_text(&p->condition);

	buf_addf(&text, "SELECT COUNT(*) AS n, SUM(%s) AS s, MIN(%s) AS lo, MAX(%s) AS hi%s",
		 number, number, number, from);
	if (before)
		buf_addf(&text, " WHERE %s(%s)%s", before, condition, after);
	answer_in(f, SQL_PIPES, buf_text(&text), &answer);
	asked_in_all++;
	if (answer.r || answer.n != 1)
		return (struct figures) { .refused = true };
	return (struct figures) {
		.rows = yyjson_get_sint(yyjson_obj_get(answer.row[0], "n")),
		.sum = yyjson_get_sint(yyjson_obj_get(answer.row[0], "s")),
		.min = yyjson_get_sint(yyjson_obj_get(answer.row[0], "lo")),
		.max = yyjson_get_sint(yyjson_obj_get(answer.row[0], "hi")),
		.none = yyjson_is_null(yyjson_obj_get(answer.row[0], "s")),
	};
}

/* How often a condition is TRUE, FALSE and NULL, as a value. Returns whether there is an answer. */
static bool outcomes(struct fixture *f, struct predicate *p, int64_t ret[3])
{
	auto_buf struct buf text = buf_make(1u << 20);
	cleanup(answer_done) struct answer answer = {};

	buf_addf(&text, "SELECT (%s) AS v%s", buf_text(&p->condition), buf_text(&p->from));
	answer_in(f, SQL_PIPES, buf_text(&text), &answer);
	asked_in_all++;
	memset(ret, 0, 3 * sizeof(*ret));
	for (size_t i = 0; i < answer.n; i++) {
		yyjson_val *v = yyjson_obj_get(answer.row[i], "v");

		ret[yyjson_is_true(v) ? 0 : yyjson_is_false(v) ? 1 : 2]++;
	}
	return answer.r == 0;
}

/* Whether the three parts are the whole (TLP), and each is as large as the condition's values say (NoREC). */
static const char *judge_parts(const struct figures *part, const struct figures *whole,
			       const int64_t *outcome)
{
	struct figures sum = { .none = true };

	for (size_t i = 0; i < 3; i++) {
		if (part[i].refused)
			return "a part is refused";
		if (part[i].rows != outcome[i])
			return "rows of WHERE and values of the condition";
		sum.rows += part[i].rows;
		if (part[i].none)
			continue;
		sum.sum += part[i].sum;
		sum.min = sum.none || part[i].min < sum.min ? part[i].min : sum.min;
		sum.max = sum.none || part[i].max > sum.max ? part[i].max : sum.max;
		sum.none = false;
	}
	if (sum.rows != whole->rows)
		return "the parts' rows and the whole's";
	if (sum.none != whole->none || sum.sum != whole->sum || sum.min != whole->min ||
	    sum.max != whole->max)
		return "the parts' aggregates and the whole's";
	return nullptr;
}

/* Source: M. Rigger, Z. Su: NoREC (ESEC/FSE 2020) and ternary logic partitioning (OOPSLA 2020). */
static bool parts_make_the_whole(struct fixture *f, struct random *r, uint64_t number)
{
	static const char *const AROUND[3][2] = { { "", "" }, { "NOT ", "" }, { "", " IS NULL" } };
	cleanup(predicate_done) struct predicate p = {};
	struct figures part[3];
	int64_t outcome[3];

	grammar_predicate(r, &p);
	struct figures whole = figures(f, &p, nullptr, nullptr);
	bool known = outcomes(f, &p, outcome);
	for (size_t i = 0; i < 3; i++)
		part[i] = figures(f, &p, AROUND[i][0], AROUND[i][1]);
	if (whole.refused || !known)
		return true; /* three_ways() is about errors */
	const char *wrong = judge_parts(part, &whole, outcome);
	if (!wrong)
		return true;
	printf("# SEED=%" PRIu64 " ONLY=%" PRIu64 ": %s differ\n# %s WHERE %s\n# %s\n", seed,
	       number, wrong, buf_text(&p.from), buf_text(&p.condition), buf_text(&p.number));
	for (size_t i = 0; i < 3; i++)
		printf("#   part %" PRIi64 " rows, %" PRIi64 " values, sum %" PRIi64 "\n",
		       part[i].rows, outcome[i], part[i].sum);
	printf("#   whole %" PRIi64 " rows, sum %" PRIi64 "\n", whole.rows, whole.sum);
	(void)fflush(stdout);
	failures++;
	return false;
}

/* Run from one query number to another in one world. */
static bool run_world(uint64_t from, uint64_t to)
{
	auto_fixture struct fixture f = {};
	struct random r = { seed * 1'000'003 + from };
	bool good = true;

	CHECK(world_make(&r, &f));
	if (getenv("ASK")) {
		ask(&f, getenv("ASK"), true);
		return true;
	}
	for (uint64_t i = from; i < to && failures < FAILURES_MAX; i++) {
		struct random own = { (seed << 32) + i * 7919 };

		if (only != UINT64_MAX && i != only)
			continue;
		good &= i % PREDICATE_EVERY == 0 ? parts_make_the_whole(&f, &own, i)
						 : three_ways(&f, &own, i);
	}
	return good;
}

static bool three_ways_give_one_answer_and_parts_make_the_whole(void)
{
	bool good = true;

	for (uint64_t from = 0; from < queries && failures < FAILURES_MAX; from += PER_WORLD) {
		uint64_t to = from + PER_WORLD < queries ? from + PER_WORLD : queries;

		if (only == UINT64_MAX || (only >= from && only < from + PER_WORLD))
			good &= run_world(from, only == UINT64_MAX ? to : only + 1);
	}
	printf("# SEED=%" PRIu64 ": %" PRIu64 " queries, %" PRIu64 " of them refused by all\n",
	       seed, asked_in_all, refused);
	printf("# in little memory %" PRIu64 " went to disk, %" PRIu64 " had too little\n", spilled,
	       too_little);
	CHECK(only != UINT64_MAX || getenv("ASK") ||
	      refused * 5 < asked_in_all); /* or the rest proves little */
	return good;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && text[0] ? strtoull(text, nullptr, 10) : otherwise;
}

int main(void)
{
	/* Sorts may go to disk with a page; how much they have is the query's memory then. */
	if (sqlite3_config(SQLITE_CONFIG_PMASZ, 1u) != SQLITE_OK)
		return 1;
	seed = from_environment("SEED", SEED);
	queries = from_environment("QUERIES", QUERIES);
	only = from_environment("ONLY", UINT64_MAX);
	RUN(three_ways_give_one_answer_and_parts_make_the_whole);
	return tap_done();
}
