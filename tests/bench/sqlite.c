/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sqlite: measure SQLite, with a column for every field and six indexes.
 *
 *   sqlite FILE     the database to make
 *
 * The environment says where: BENCH_EVENTS, BENCH_DIM, BENCH_STREAM, BENCH_QUERIES, BENCH_ANSWERS.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/bench/measure.h"

constexpr size_t ANSWER_MAX = 64u << 20;
constexpr size_t STREAM_COMMITS = 200;

#define COLUMNS                                                                                                 \
	"(_id TEXT, ts TEXT, type TEXT, country TEXT, user_id INT, user_name TEXT, user_plan TEXT, "            \
	"user_email TEXT, session TEXT, url TEXT, status INT, latency_ms REAL, bytes INT, price REAL, ok INT, " \
	"lat REAL, lon REAL, tags TEXT, message TEXT)"
#define FIELD(name) "?1->>'" name "', " /* SQLite parses a text once for all of them */
#define VALUES                                                                                   \
	"SELECT " FIELD("_id") FIELD("ts") FIELD("type") FIELD("country") FIELD("$.user.id")     \
		FIELD("$.user.name") FIELD("$.user.plan") FIELD("$.user.email") FIELD("session") \
			FIELD("url") FIELD("status") FIELD("latency_ms") FIELD("bytes")          \
				FIELD("price") FIELD("ok") FIELD("$.geo.lat") FIELD("$.geo.lon") \
					FIELD("tags") "?1->>'message'"
#define INDEXES(t)                                                                         \
	"CREATE UNIQUE INDEX " t "0 ON " t "(_id); CREATE INDEX " t "1 ON " t "(session);" \
	"CREATE INDEX " t "2 ON " t "(type); CREATE INDEX " t "3 ON " t "(user_name);"     \
	"CREATE INDEX " t "4 ON " t "(ts); CREATE INDEX " t "5 ON " t "(status);"

static const struct measure_clock CLOCKS[] = { { "cpu_ms", CLOCK_PROCESS_CPUTIME_ID },
					       { "wall_ms", CLOCK_MONOTONIC } };

/* A query and where its rows go. */
struct question {
	sqlite3 *db;
	const char *text;
	struct buf answer;
};

/* SQLite's last complaint, as a fault that has been told. */
static int fault(sqlite3 *db)
{
	(void)fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
	return -EIO;
}

static int run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, nullptr, nullptr, nullptr) == SQLITE_OK ? 0 : fault(db);
}

/* --- documents ---------------------------------------------------------------------------------- */

/* Insert up to limit lines of a file. Returns 0 or a fault; *ret_count is how many there were. */
static int insert_lines(sqlite3 *db, sqlite3_stmt *insert, FILE *file, size_t limit,
			size_t *ret_count)
{
	auto_free char *line = nullptr;
	size_t room = 0, count = 0;
	ssize_t len = 0;

	while (count < limit && (len = getline(&line, &room, file)) > 0) {
		if (sqlite3_bind_text(insert, 1, line, (int)len - 1, SQLITE_STATIC) != SQLITE_OK ||
		    sqlite3_step(insert) != SQLITE_DONE || sqlite3_reset(insert) != SQLITE_OK)
			return fault(db);
		count++;
	}
	*ret_count = count;
	return 0;
}

static int insert_all(sqlite3 *db)
{
	sqlite3_stmt *insert = nullptr;
	FILE *file = measure_open("BENCH_EVENTS");
	size_t count = 0;

	if (!file)
		return -ENOENT;
	int r = sqlite3_prepare_v2(db, "INSERT INTO events " VALUES, -1, &insert, nullptr) ==
				SQLITE_OK
			? 0
			: fault(db);
	if (r == 0)
		r = insert_lines(db, insert, file, SIZE_MAX, &count);
	(void)sqlite3_finalize(insert);
	(void)fclose(file);
	measure_print("load", "documents", (double)count);
	return r;
}

static int load_dim(sqlite3 *db)
{
	char code[16], region[16], line[64], text[128];
	FILE *file = measure_open("BENCH_DIM");
	int r = run(db, "CREATE TABLE dim (code TEXT PRIMARY KEY, region TEXT)");

	if (!file)
		return -ENOENT;
	for (size_t i = 0; r == 0 && fgets(line, sizeof(line), file); i++) {
		if (i == 0 || sscanf(line, "%15[^,],%15[^\n]", code, region) != 2)
			continue;
		(void)snprintf(text, sizeof(text), "INSERT INTO dim VALUES ('%s', '%s')", code,
			       region);
		r = run(db, text);
	}
	(void)fclose(file);
	return r;
}

static int load(sqlite3 *db, const char *path)
{
	struct stat status;
	double cpu = measure_ms(CLOCK_PROCESS_CPUTIME_ID), wall = measure_ms(CLOCK_MONOTONIC);
	int r = run(db, "CREATE TABLE events " COLUMNS "; BEGIN");

	if (r == 0)
		r = insert_all(db);
	if (r == 0)
		r = run(db,
			"COMMIT; " INDEXES("events") "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)");
	if (r != 0)
		return r;
	measure_print("load", "cpu_ms", measure_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	measure_print("load", "wall_ms", measure_ms(CLOCK_MONOTONIC) - wall);
	r = load_dim(db);
	if (r == 0 && stat(path, &status) == 0)
		measure_print("load", "disk_bytes", (double)status.st_size);
	return r == 0 ? measure_print_memory("load", "/proc/self") : r;
}

/* --- queries ------------------------------------------------------------------------------------ */

static void put_value(struct buf *out, sqlite3_stmt *row, int column)
{
	switch (sqlite3_column_type(row, column)) {
	case SQLITE_INTEGER:
		buf_addf(out, "%lld", sqlite3_column_int64(row, column));
		return;
	case SQLITE_FLOAT:
		buf_addf(out, "%.17g", sqlite3_column_double(row, column));
		return;
	case SQLITE_NULL:
		buf_add_str(out, "null");
		return;
	default:
		buf_add_json(out, (const char *)sqlite3_column_text(row, column),
			     (size_t)sqlite3_column_bytes(row, column));
	}
}

/* Put the rows into question->answer as JSON: a list of lists. */
static int ask(void *ctx)
{
	struct question *question = ctx;
	sqlite3_stmt *row = nullptr;
	int status = sqlite3_prepare_v2(question->db, question->text, -1, &row, nullptr);

	buf_clear(&question->answer);
	buf_add_str(&question->answer, "[");
	for (size_t n = 0; status == SQLITE_OK || status == SQLITE_ROW; n++) {
		status = sqlite3_step(row);
		if (status != SQLITE_ROW)
			break;
		buf_add_str(&question->answer, n ? ",\n[" : "[");
		for (int i = 0; i < sqlite3_column_count(row); i++) {
			buf_add_str(&question->answer, i ? "," : "");
			put_value(&question->answer, row, i);
		}
		buf_add_str(&question->answer, "]");
	}
	buf_add_str(&question->answer, "]\n");
	(void)sqlite3_finalize(row);
	return status == SQLITE_DONE ? buf_error(&question->answer) : fault(question->db);
}

static int query(sqlite3 *db)
{
	static struct measure_query next;
	struct question question = { .db = db, .text = next.text, .answer = buf_make(ANSWER_MAX) };
	FILE *list = measure_open("BENCH_QUERIES");
	int r = 0;

	if (!list)
		return -ENOENT;
	while (r == 0 && measure_next_query(list, &next)) {
		r = measure_repeat(next.name, CLOCKS, countof(CLOCKS), ask, &question);
		if (r == 0)
			r = measure_keep_answer(next.name, &question.answer);
	}
	(void)fclose(list);
	buf_done(&question.answer);
	return r == 0 ? measure_print_memory("query", "/proc/self") : r;
}

/* --- small commits ------------------------------------------------------------------------------ */

/* Commit after commit, each on disk before the next. */
static int stream_from(sqlite3 *db, sqlite3_stmt *insert, FILE *file)
{
	static double waits[STREAM_COMMITS];
	double cpu = measure_ms(CLOCK_PROCESS_CPUTIME_ID), total = 0;

	for (size_t i = 0; i < STREAM_COMMITS; i++) {
		double start = measure_ms(CLOCK_MONOTONIC);
		size_t count = 0;
		int r = run(db, "BEGIN IMMEDIATE");

		if (r == 0)
			r = insert_lines(db, insert, file, MEASURE_STREAM, &count);
		if (r == 0)
			r = run(db, "COMMIT");
		if (r != 0)
			return r;
		waits[i] = measure_ms(CLOCK_MONOTONIC) - start;
		total += (double)count;
	}
	measure_print("stream", "cpu_ms",
		      (measure_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)STREAM_COMMITS);
	measure_print("stream", "documents", total);
	measure_print_waits("stream", waits, STREAM_COMMITS);
	return 0;
}

static int stream(sqlite3 *db)
{
	sqlite3_stmt *insert = nullptr;
	FILE *file = measure_open("BENCH_STREAM");

	if (!file)
		return -ENOENT;
	int r = run(db,
		    "PRAGMA synchronous=FULL; CREATE TABLE stream " COLUMNS "; " INDEXES("stream"));
	if (r == 0 && sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO stream " VALUES, -1, &insert,
					 nullptr) != SQLITE_OK)
		r = fault(db);
	if (r == 0)
		r = stream_from(db, insert, file);
	(void)sqlite3_finalize(insert);
	(void)fclose(file);
	return r;
}

int main(int argc, char **argv)
{
	sqlite3 *db = nullptr;

	if (argc != 2) {
		(void)fputs("usage: sqlite FILE   (tests/bench/run sets the rest)\n", stderr);
		return EX_USAGE;
	}
	if (sqlite3_open(argv[1], &db) != SQLITE_OK)
		return EX_CANTCREAT;
	/* Memory enough for all of it: SQLite at its best. */
	int r = run(
		db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-2000000; "
		"PRAGMA mmap_size=8000000000; PRAGMA temp_store=MEMORY");
	if (r == 0)
		r = load(db, argv[1]);
	if (r == 0)
		r = query(db);
	if (r == 0)
		r = stream(db);
	(void)sqlite3_close(db);
	return r == 0 ? EX_OK : EX_SOFTWARE;
}
