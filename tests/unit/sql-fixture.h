/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sql-fixture: two small collections, people and cities, and queries over them, for the tests of the SQL dialect.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "service/sql/sql.h"
#include "service/value/value.h"
#include "tests/unit/engine-fixture.h"

static struct fixture f;
static struct sql_error error;

static const char PEOPLE[] =
	"[{\"_id\":\"1\",\"name\":\"Ann\",\"age\":30,\"city\":\"Oslo\",\"tags\":[\"a\",\"b\"],\"o\":{\"x\":{\"y\":7},\"l\":[10,20]},\"ok\":true,\"n\":null},"
	"{\"_id\":\"2\",\"name\":\"Bob\",\"age\":25,\"city\":\"Rome\",\"tags\":[\"b\"],\"ok\":false,\"at\":\"2024-03-05T06:07:08Z\"},"
	"{\"_id\":\"3\",\"name\":\"Cid\",\"age\":41.5,\"city\":\"Oslo\",\"rows\":[{\"k\":1,\"v\":\"p\"},{\"k\":2,\"v\":\"q\"}]},"
	"{\"_id\":\"4\",\"name\":\"ann\",\"city\":\"Rome\",\"ok\":true}]";
static const char CITIES[] =
	"[{\"_id\":\"o\",\"city\":\"Oslo\",\"land\":\"Norway\"},{\"_id\":\"p\",\"city\":\"Paris\",\"land\":\"France\"}]";

/* Run a query with the parameters p = 'Ann', n = 30, w = ['commons', 'cities'], f = 'o.x.y'. Returns what sql_run() does; the rows in ret. */
static inline int run(const char *text, struct sql_result *ret, uint64_t limit_us)
{
	auto_buf struct buf a = buf_make(64), b = buf_make(64), c = buf_make(64), d = buf_make(64);

	value_put_string(&a, "Ann", 3);
	value_put_int(&b, 30);
	value_put_array(&c);
	value_put_string(&c, "commons", 7);
	value_put_string(&c, "cities", 6);
	value_put_end(&c);
	value_put_string(&d, "o.x.y", 5);
	struct sql_parameter parameters[] = { { "p", a.data, a.len },
					      { "n", b.data, b.len },
					      { "w", c.data, c.len },
					      { "f", d.data, d.len } };
	struct sql_query query = { .text = text,
				   .len = strlen(text),
				   .parameter = parameters,
				   .n_parameters = 4,
				   .deadline_us = clock_mono_us() + limit_us,
				   .result_max = 8u << 20,
				   .rows_max = 100'000 };

	error = (struct sql_error) {};
	return sql_run(f.session, &query, ret, &error);
}

static inline bool gives(const char *text, const char *want)
{
	cleanup(sql_result_done) struct sql_result result = {};

	int r = run(text, &result, 10'000'000);
	const char *got = r == 0 ? buf_text(&result.rows) : error.message;
	if (r || !got || strcmp(got, want) != 0)
		printf("# %s\n# gave %s\n# want %s\n", text, got ? got : "nothing", want);
	return r == 0 && got && strcmp(got, want) == 0;
}

/* Make the two collections. Returns whether that worked. */
static inline bool sql_fixture_init(void)
{
	return fixture_init(&f) && !fixture_collection(&f, "people") &&
	       !fixture_collection(&f, "cities") && !fixture_add(&f, "people", PEOPLE) &&
	       !fixture_add(&f, "cities", CITIES);
}

/* A query and what it gives. */
struct pair {
	const char *text, *rows;
};

/* Whether each query gives its rows. */
static inline bool give(const struct pair *pairs, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < n; i++)
		good &= gives(pairs[i].text, pairs[i].rows);
	return good;
}

/* Whether a query is refused with a message that has this part. */
static inline bool refuses(const char *text, const char *part)
{
	cleanup(sql_result_done) struct sql_result result = {};

	int r = run(text, &result, 10'000'000);
	bool same = r == SQL_REFUSED && strstr(error.message, part);
	if (!same)
		printf("# %s\n# gave %d %s\n# want %s\n", text, r, error.message, part);
	return same;
}
