/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/grammar.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/oracle/expression.h"
#include "tests/oracle/from.h"

constexpr size_t TEXT_MAX = 1u << 20;
constexpr int DEPTH = 2;
constexpr uint32_t ITEMS_MAX = 4;

struct asked asked_make(void)
{
	return (struct asked) { .text = buf_make(TEXT_MAX), .unlimited = buf_make(TEXT_MAX) };
}

void asked_done(struct asked *asked)
{
	buf_done(&asked->text);
	buf_done(&asked->unlimited);
}

static void put_where(struct scope *scope, struct buf *out, uint32_t percent)
{
	if (scope->fails || !random_percent(scope->r, percent))
		return;
	expression_put(scope, out, " WHERE @c", random_percent(scope->r, 40) ? 0 : DEPTH);
	while (random_percent(scope->r, 25))
		expression_put(scope, out, " AND @c", DEPTH - 1);
}

/* ORDER BY columns c0 … by name or number; sometimes, within a SELECT, by something that is not selected. */
static void put_order(struct scope *scope, struct asked *asked, uint32_t columns, bool free)
{
	static const char *const DIRECTIONS[] = { "",
						  "",
						  "",
						  " DESC",
						  " DESC",
						  " ASC",
						  " NULLS LAST",
						  " DESC NULLS FIRST",
						  " DESC NULLS LAST" };
	struct random *r = scope->r;
	uint32_t n = 1 + random_below(r, columns), from = random_below(r, columns);
	bool known = true;

	buf_add_str(&asked->text, " ORDER BY ");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t column = (from + i) % columns;

		buf_add_str(&asked->text, i ? ", " : "");
		if (free && random_percent(r, 15)) {
			known = false;
			expression_put(scope, &asked->text,
				       random_percent(r, 50) ? "@D" : "COALESCE(@i, 0)", 1);
		} else if (random_percent(r, 70)) {
			buf_addf(&asked->text, "c%u", column);
		} else {
			buf_addf(&asked->text, "%u", column + 1);
		}
		if (known && asked->n_keys < ASKED_KEYS)
			(void)snprintf(asked->key[asked->n_keys++], sizeof(asked->key[0]), "c%u",
				       column % 10u);
		buf_add_str(&asked->text, random_of(r, DIRECTIONS));
	}
}

static void put_end(struct scope *scope, struct asked *asked, uint32_t columns, bool free)
{
	struct random *r = scope->r;

	if (columns > 0 && random_percent(r, 40))
		put_order(scope, asked, columns, free);
	if (scope->fails || !random_percent(r, 25))
		return;
	buf_add(&asked->unlimited, asked->text.data, asked->text.len);
	if (random_percent(r, 10))
		buf_add_str(&asked->text, " LIMIT :pi");
	else
		buf_addf(&asked->text, " LIMIT %u", random_below(r, 20));
	if (random_percent(r, 30))
		buf_addf(&asked->text, " OFFSET %u", random_below(r, 8));
}

/* SELECT list of expressions c0 … */
static uint32_t put_items(struct scope *scope, struct buf *out, uint32_t n)
{
	static const char *const ITEMS[] = { "@i", "@n", "@t", "@m", "@d", "@b", "@c",
					     "@a", "@a", "@C", "@C", "@C", "@C" };

	for (uint32_t i = 0; i < n; i++) {
		expression_put(scope, out, random_of(scope->r, ITEMS), DEPTH);
		buf_addf(out, " AS c%u%s", i, i + 1 < n ? ", " : "");
	}
	return n;
}

static void put_plain(struct random *r, struct asked *ret)
{
	struct scope scope = { .r = r, .subqueries = true };
	auto_buf struct buf from = buf_make(TEXT_MAX);
	bool distinct = random_percent(r, 15);

	from_put(FROM_ANY, &ret->text, &from, &scope);
	buf_add_str(&ret->text, distinct ? "SELECT DISTINCT " : "SELECT ");
	uint32_t n = put_items(&scope, &ret->text, 1 + random_below(r, ITEMS_MAX));
	buf_add(&ret->text, from.data, from.len);
	put_where(&scope, &ret->text, 70);
	ret->loose = distinct || scope.vague;
	put_end(&scope, ret, n, !distinct);
}

static void put_star(struct random *r, struct asked *ret)
{
	static const char *const STARS[] = {
		"*", "*", "p.*", "* EXCEPT (i, s)", "p.o.*", "*, p.g AS c0", "p.u AS c0, *"
	};
	struct scope scope = { .r = r, .subqueries = true };

	buf_addf(&ret->text, "SELECT %s FROM %s p", random_of(r, STARS),
		 random_percent(r, 50) ? "few" : "odd");
	scope_add_fields(&scope, "p", true);
	put_where(&scope, &ret->text, 60);
	put_end(&scope, ret, 0, false);
}

/* The keys of GROUP BY, as SELECT lists them; the same text goes into each of key[]. */
static uint32_t put_keys(struct scope *scope, struct buf *out, struct buf *key)
{
	static const char *const KEYS[] = { "@C",	"@C",	     "@C",
					    "@C",	"LOWER(@t)", "DATE_TRUNC('month', @m)",
					    "(@i % 5)", "(@c)",	     "@a",
					    "@t",	"@i" };
	uint32_t n = random_below(scope->r, 4);

	for (uint32_t i = 0; i < n; i++) {
		expression_put(scope, &key[i], random_of(scope->r, KEYS), 1);
		/* A number alone would be a column's number. */
		if (key[i].len > 0 && strspn((const char *)key[i].data, "-0123456789") > 0) {
			buf_clear(&key[i]);
			expression_put(scope, &key[i], "COALESCE(@i, 1)", 0);
		}
		buf_add(out, key[i].data, key[i].len);
		buf_addf(out, " AS c%u, ", i);
	}
	return n;
}

/* GROUP BY the keys by number, by name or as they are; sometimes by sets of them. */
static void put_group(struct random *r, struct buf *out, const struct buf *key, uint32_t keys)
{
	static const char *const SETS[] = { "ROLLUP (", "CUBE (" };
	uint32_t how = random_below(r, 3);
	bool sets = keys > 0 && random_percent(r, 7);

	if (sets) {
		buf_addf(out, " GROUP BY %s", random_of(r, SETS));
		how = 2;
	}
	for (uint32_t i = 0; i < keys; i++) {
		buf_add_str(out, i ? ", " : sets ? "" : " GROUP BY ");
		if (how == 0)
			buf_addf(out, "%u", i + 1);
		else if (how == 1)
			buf_addf(out, "c%u", i);
		else
			buf_add(out, key[i].data, key[i].len);
	}
	buf_add_str(out, sets ? ")" : "");
}

static void put_having(struct scope *scope, struct buf *out)
{
	static const char *const HAVING[] = { "@G > @J",
					      "@G <= @I",
					      "@G IS NOT NULL",
					      "(@G >= @J AND @G < 50)",
					      "NOT @G = 0",
					      "@G > @J OR @G = 0",
					      "MAX(@C) IS NOT NULL",
					      "MIN(@t) > @T",
					      "COUNT(*) % 2 = 0" };

	buf_add_str(out, " HAVING ");
	expression_put(scope, out, random_of(scope->r, HAVING), 1);
}

static void put_grouped(struct random *r, struct asked *ret)
{
	static const char *const ITEMS[] = { "@g",
					     "@g",
					     "@g",
					     "@g",
					     "(@G + 1)",
					     "COALESCE(@G, 0)",
					     "CONCAT('n', @G)",
					     "IF(@G > 3, @G, 0)" };
	struct scope scope = { .r = r };
	auto_buf struct buf from = buf_make(TEXT_MAX);
	struct buf key[3] = { buf_make(TEXT_MAX), buf_make(TEXT_MAX), buf_make(TEXT_MAX) };
	uint32_t n_aggregates = 1 + random_below(r, 3);

	from_put(FROM_ANY, &ret->text, &from, &scope);
	buf_add_str(&ret->text, "SELECT ");
	uint32_t keys = put_keys(&scope, &ret->text, key), n = keys;
	for (; n < keys + n_aggregates; n++) {
		expression_put(&scope, &ret->text, random_of(r, ITEMS), DEPTH);
		buf_addf(&ret->text, " AS c%u%s", n, n + 1 < keys + n_aggregates ? ", " : "");
	}
	buf_add(&ret->text, from.data, from.len);
	put_where(&scope, &ret->text, 50);
	put_group(r, &ret->text, key, keys);
	if (random_percent(r, 20))
		put_having(&scope, &ret->text);
	for (size_t i = 0; i < countof(key); i++)
		buf_done(&key[i]);
	ret->loose = true;
	ret->rough = scope.rough;
	put_end(&scope, ret, n, false);
}

static void put_window(struct random *r, struct asked *ret)
{
	static const char *const WINDOWS[] = {
		"ROW_NUMBER() OVER (PARTITION BY @C ORDER BY @a, %s)",
		"ROW_NUMBER() OVER (ORDER BY @i DESC, %s)",
		"RANK() OVER (ORDER BY @a)",
		"DENSE_RANK() OVER (PARTITION BY @C ORDER BY @C)",
		"PERCENT_RANK() OVER (ORDER BY @C, %s)",
		"SUM(@i) OVER (PARTITION BY @C)",
		"SUM(@n) OVER (PARTITION BY @C ORDER BY %s ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
		"COUNT(*) OVER (PARTITION BY @C ORDER BY @i)",
		"LAG(@C) OVER (ORDER BY %s)",
		"LEAD(@a, 2) OVER (PARTITION BY @C ORDER BY %s)",
		"FIRST_VALUE(@C) OVER (PARTITION BY @C ORDER BY @C, %s)",
		"LAST_VALUE(@C) OVER (PARTITION BY @C ORDER BY %s)",
		"NTILE(3) OVER (ORDER BY %s)",
		"MAX(@t) OVER (PARTITION BY @C)",
	};
	struct scope scope = { .r = r, .subqueries = true };
	auto_buf struct buf from = buf_make(TEXT_MAX);

	from_put(FROM_COLLECTION, &ret->text, &from, &scope);
	buf_addf(&ret->text, "SELECT %s AS c0, ", scope.id);
	const char *window = random_of(r, WINDOWS), *id = strstr(window, "%s");
	auto_buf struct buf text = buf_make(TEXT_MAX);
	buf_add(&text, window, id ? (size_t)(id - window) : strlen(window));
	buf_add_str(&text, id ? scope.id : "");
	buf_add_str(&text, id ? id + 2 : "");
	const char *template = buf_text(&text);
	expression_put(&scope, &ret->text, template ? template : "1", 1);
	buf_add_str(&ret->text, " AS c1");
	buf_add(&ret->text, from.data, from.len);
	put_where(&scope, &ret->text, 50);
	ret->loose = true;
	put_end(&scope, ret, 2, false);
}

static void put_set(struct random *r, struct asked *ret)
{
	static const char *const SETS[] = { " UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT " };
	uint32_t n = 1 + random_below(r, 2), parts = random_percent(r, 15) ? 3 : 2;
	struct scope scope = { .r = r };

	for (uint32_t i = 0; i < parts; i++) {
		struct scope part = { .r = r };
		auto_buf struct buf from = buf_make(TEXT_MAX), none = buf_make(TEXT_MAX);
		bool few = random_percent(r, 50);

		buf_add_str(&ret->text, i ? random_of(r, SETS) : "");
		from_put(few ? FROM_COLLECTION : FROM_UNNEST, &none, &from, &part);
		buf_add_str(&ret->text, "SELECT ");
		for (uint32_t c = 0; c < n; c++) {
			expression_put(&part, &ret->text, random_percent(r, 70) ? "@C" : "@a", 1);
			buf_addf(&ret->text, " AS c%u%s", c, c + 1 < n ? ", " : "");
		}
		buf_add(&ret->text, from.data, from.len);
		put_where(&part, &ret->text, 60);
		scope.fails |= part.fails;
	}
	ret->loose = true;
	put_end(&scope, ret, n, false);
}

/* Only forms in which an error of one row is an error of the query, in whatever order rows and conditions are looked at. */
static void put_risky(struct random *r, struct asked *ret)
{
	struct scope scope = { .r = r };
	auto_buf struct buf from = buf_make(TEXT_MAX);
	uint32_t form = random_below(r, 4);

	bool plain = form == 3 || random_percent(r, 70); /* WHERE may be tested before UNNEST */

	from_put(plain ? FROM_COLLECTION : FROM_UNNEST, &from, &from, &scope);
	buf_add_str(&ret->text, form == 3   ? "SELECT COUNT(*) AS c0"
				: form == 2 ? "SELECT MAX("
					    : "SELECT ");
	if (form != 3)
		expression_put_risky(&scope, &ret->text, false);
	buf_add_str(&ret->text, form == 3 ? "" : form == 2 ? ") AS c0" : " AS c0");
	buf_add(&ret->text, from.data, from.len);
	if (form == 3) {
		buf_add_str(&ret->text, " WHERE ");
		expression_put_risky(&scope, &ret->text, true);
	} else {
		put_where(&scope, &ret->text, 50);
	}
	ret->loose = ret->rough = form == 2;
}

void grammar_query(struct random *r, struct asked *ret)
{
	uint32_t roll = random_below(r, 100);

	if (roll < 42)
		put_plain(r, ret);
	else if (roll < 78)
		put_grouped(r, ret);
	else if (roll < 84)
		put_window(r, ret);
	else if (roll < 91)
		put_set(r, ret);
	else if (roll < 94)
		put_star(r, ret);
	else
		put_risky(r, ret);
}

void grammar_predicate(struct random *r, struct predicate *ret)
{
	struct scope scope = { .r = r, .subqueries = true };
	static const enum from_kind KINDS[] = { FROM_COLLECTION, FROM_COLLECTION, FROM_JOIN,
						FROM_UNNEST };

	*ret = (struct predicate) { .from = buf_make(TEXT_MAX),
				    .condition = buf_make(TEXT_MAX),
				    .number = buf_make(TEXT_MAX) };
	from_put(random_of(r, KINDS), &ret->from, &ret->from, &scope);
	expression_put(&scope, &ret->condition, "@c", DEPTH + 1);
	expression_put(&scope, &ret->number, "(@i % 1000)", 1);
}

void predicate_done(struct predicate *predicate)
{
	buf_done(&predicate->from);
	buf_done(&predicate->condition);
	buf_done(&predicate->number);
}
