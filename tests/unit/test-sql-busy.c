/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Queries of several sessions while documents come, change and go and the keeper rewrites them: each sees batches as a whole.
 *
 * Documents come and go in twos: p-N and q-N, of pair N, whose values v add up to nothing. So every query of QUERIES has one
 * right answer, whenever it is asked.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "service/sql/sql.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"

constexpr size_t ASKERS = 3;
constexpr size_t WRITERS = 2;
constexpr uint32_t ROUNDS = 12;
constexpr uint32_t FIRST = 400; /* pairs that are always there, 0 and on; their values change */
constexpr uint32_t MORE = 600;	/* pairs of a writer that come in one round and go in a later one */

static const struct {
	const char *text, *rows;
} QUERIES[] = {
	{ "SELECT SUM(v) s, MOD(COUNT(*), 2) odd, COUNT(*) >= 800 first FROM c",
	  "[{\"s\":0,\"odd\":0,\"first\":true}]" },
	{ "SELECT k, SUM(v) s FROM c GROUP BY k ORDER BY k LIMIT 2",
	  "[{\"k\":\"k0\",\"s\":0},{\"k\":\"k1\",\"s\":0}]" },
	{ "SELECT COUNT(*) - 2 * COUNT(DISTINCT pair) d FROM c", "[{\"d\":0}]" },
	{ "SELECT COUNT(*) n FROM c a JOIN c b ON a.pair = b.pair WHERE a.side = 'p' AND b.side = 'q' AND a.v + b.v <> 0",
	  "[{\"n\":0}]" },
	{ "SELECT a._id FROM c a LEFT JOIN c b ON a.pair = b.pair AND b.side <> a.side WHERE b.v IS NULL",
	  "[]" },
	{ "WITH t AS (SELECT pair, SUM(v) s, COUNT(*) n FROM c GROUP BY pair) SELECT COUNT(*) n FROM t WHERE s <> 0 OR n <> 2",
	  "[{\"n\":0}]" },
	{ "SELECT (SELECT MAX(v) FROM c) + (SELECT MIN(v) FROM c) z", "[{\"z\":0}]" },
	{ "SELECT SUM(v) s FROM c WHERE k LIKE '%k3%' OR note LIKE '%pair 7%'", "[{\"s\":0}]" },
	{ "SELECT SUM(v) s, COUNT(*) n FROM c WHERE _id IN ('p-7', 'q-7')", "[{\"s\":0,\"n\":2}]" },
	{ "SELECT pair FROM c WHERE pair < 3 AND side = 'q' ORDER BY pair DESC LIMIT 2",
	  "[{\"pair\":2},{\"pair\":1}]" },
	{ "SELECT UPPER(side) s FROM c WHERE pair = 5 ORDER BY ABS(v), side",
	  "[{\"s\":\"P\"},{\"s\":\"Q\"}]" },
	{ "SELECT COUNT(*) n FROM d",
	  nullptr }, /* d comes and goes: a count, or that there is none */
};

static struct fixture f;
static atomic_bool writing;

struct asker {
	struct sql_session *session;
	size_t from; /* which query it begins with */
	bool wrong;
};

struct writer {
	uint32_t number;
	int failed;
};

/* Whether a query says what it should. */
static bool ask(struct asker *asker, size_t i)
{
	static const atomic_bool never = false;
	cleanup(sql_result_done) struct sql_result result = {};
	struct sql_error error = {};
	struct sql_query query = { .text = QUERIES[i].text,
				   .len = strlen(QUERIES[i].text),
				   .deadline_us = UINT64_MAX,
				   .cancel = &never,
				   .result_max = 1u << 20,
				   .rows_max = 1000 };
	int r = sql_run(asker->session, &query, &result, &error);
	const char *got = r == 0 ? buf_text(&result.rows) : error.message;

	if (!QUERIES[i].rows && (r == 0 || r == SQL_REFUSED))
		return true;
	if (r == 0 && got && QUERIES[i].rows && strcmp(got, QUERIES[i].rows) == 0)
		return true;
	printf("# %s\n# gave %d %s\n", QUERIES[i].text, r, got ? got : "nothing");
	return false;
}

static void *ask_all(void *userdata)
{
	struct asker *asker = userdata;

	for (size_t i = asker->from; !asker->wrong && atomic_load(&writing); i++) {
		asker->wrong = !ask(asker, i % countof(QUERIES));
	}
	return nullptr;
}

/* Add a document to a batch. */
static int put(struct builder *builder, char side, uint32_t pair, int64_t v)
{
	char json[160];
	int len = snprintf(
		json, sizeof(json),
		"{\"_id\":\"%c-%u\",\"side\":\"%c\",\"pair\":%u,\"v\":%lld,\"k\":\"k%u\",\"note\":\"of pair %u\"}",
		side, pair, side, pair, (long long)v, pair % 7, pair);
	yyjson_doc *doc = yyjson_read(json, (size_t)len, YYJSON_READ_NOFLAG);
	int r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), "x", 1, 1) : -ENOMEM;

	yyjson_doc_free(doc);
	return r;
}

/* Write pairs from one number to another in one batch. */
static int add_pairs(uint32_t writer, uint32_t round, uint32_t from, uint32_t to)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	uint8_t id[DOCUMENTS_ID] = { (uint8_t)writer, (uint8_t)round, (uint8_t)(from >> 8), 1 };
	static _Thread_local enum document_status status[2 * (FIRST + MORE)];
	int r = builder_new(&builder);

	for (uint32_t pair = from; r == 0 && pair < to; pair++) {
		r = put(builder, 'p', pair, pair * 100 + round);
		r = r ? r : put(builder, 'q', pair, -(int64_t)(pair * 100 + round));
	}
	return r ? r : documents_add(f.store, "commons", "c", builder, id, status);
}

/* Delete pairs in one batch. */
static int delete_pairs(uint32_t from, uint32_t to)
{
	static _Thread_local char text[2 * MORE][16];
	static _Thread_local struct str id[2 * MORE];
	static _Thread_local enum document_status status[2 * MORE];
	size_t n = 0;

	memset(status, 0, sizeof(status));
	for (uint32_t pair = from; pair < to; pair++)
		for (size_t side = 0; side < 2; side++, n++) {
			int len = snprintf(text[n], sizeof(text[n]), "%c-%u", "pq"[side], pair);

			id[n] = (struct str) { text[n], (uint32_t)len };
		}
	return documents_delete(f.store, "commons", "c", id, n, status);
}

static void *write_all(void *userdata)
{
	struct writer *writer = userdata;

	for (uint32_t round = 1; !writer->failed && round <= ROUNDS; round++) {
		uint32_t from = 10'000 * writer->number + MORE * round;

		writer->failed = add_pairs(writer->number, round, from, from + MORE);
		if (!writer->failed)
			writer->failed = add_pairs(writer->number, round, 0, FIRST);
		if (!writer->failed && round > 2)
			writer->failed = delete_pairs(from - 2 * MORE, from - MORE - round);
	}
	return nullptr;
}

/* Make d and delete it, and give c other keys. Returns the first failure's, or 0. */
static void *change_catalog(void *userdata)
{
	int *r = userdata;

	for (uint64_t round = 0; *r == 0 && round < ROUNDS; round++) {
		*r = fixture_collection(&f, "d");
		*r = *r ? *r : fixture_add(&f, "d", "[{\"v\":1},{\"v\":2}]");
		*r = *r ? *r : catalog_collection_rotate(f.store, "commons", "c");
		*r = *r ? *r : catalog_collection_delete(f.store, "commons", "d");
	}
	return nullptr;
}

/* Write and rewrite in threads of their own until that is done. Returns the first failure's, or 0. */
static int write_and_keep(void)
{
	struct writer writer[WRITERS] = {};
	pthread_t thread[WRITERS], catalog;
	int kept = 0, changed = 0;

	if (pthread_create(&catalog, nullptr, change_catalog, &changed))
		return -EAGAIN;
	for (size_t i = 0; i < WRITERS; i++) {
		writer[i].number = (uint32_t)i + 1;
		if (pthread_create(&thread[i], nullptr, write_all, &writer[i]))
			return -EAGAIN;
	}
	for (int i = 0; i < 12 && kept == 0; i++)
		kept = store_keep(f.store, i % 4 == 3 ? STORE_KEEP_PURGE
					   : i % 2    ? STORE_KEEP_SEAL
						      : STORE_KEEP_DUE);
	(void)pthread_join(catalog, nullptr);
	kept = kept ? kept : changed;
	for (size_t i = 0; i < WRITERS; i++) {
		(void)pthread_join(thread[i], nullptr);
		kept = kept ? kept : writer[i].failed;
	}
	return kept;
}

static bool queries_see_batches_as_a_whole_whatever_happens_meanwhile(void)
{
	struct asker asker[ASKERS] = {};
	pthread_t thread[ASKERS];

	CHECK(fixture_init(&f) && store_start_keeper(f.store) == 0);
	CHECK_EQ(fixture_collection(&f, "c"), 0);
	CHECK_EQ(add_pairs(9, 1, 0, FIRST), 0);
	atomic_store(&writing, true);
	for (size_t i = 0; i < ASKERS; i++) {
		asker[i].from = i * 4;
		CHECK_EQ(sql_session_new(f.store, f.exec, &asker[i].session), 0);
		CHECK_EQ(pthread_create(&thread[i], nullptr, ask_all, &asker[i]), 0);
	}
	int r = write_and_keep();
	atomic_store(&writing, false);
	for (size_t i = 0; i < ASKERS; i++) {
		CHECK_EQ(pthread_join(thread[i], nullptr), 0);
		asker[i].session = sql_session_free(asker[i].session);
	}
	CHECK_EQ(r, 0);
	for (size_t i = 0; i < ASKERS; i++)
		CHECK(!asker[i].wrong);
	asker[0].session = f.session;
	for (size_t i = 0; i < countof(QUERIES); i++) /* once more, now that all is quiet */
		CHECK(ask(&asker[0], i));
	return true;
}

int main(void)
{
	RUN(queries_see_batches_as_a_whole_whatever_happens_meanwhile);
	fixture_done(&f);
	return tap_done();
}
