/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/from.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/oracle/world.h"

/* A collection, weighted so that most queries are quick. */
static const struct world_collection *any_collection(struct random *r, bool small)
{
	uint32_t roll = random_below(r, 100);

	if (roll < 4)
		return &WORLD[0];
	if (roll < 12 && !small)
		return &WORLD[1];
	if (roll < 45 && !small)
		return &WORLD[2];
	return &WORLD[roll < 75 ? 3 : 4];
}

static void put_collection(struct buf *out, struct scope *scope)
{
	const struct world_collection *c = any_collection(scope->r, false);

	scope->big = c->documents > 1000;
	if (random_percent(scope->r, 30)) {
		buf_addf(out, " FROM %s", c->name);
		scope_add_fields(scope, random_percent(scope->r, 50) ? "" : c->name, c->dirty);
		scope->id = "_id";
		return;
	}
	buf_addf(out, " FROM commons.%s AS p", c->name);
	scope_add_fields(scope, "p", c->dirty);
	scope->id = "p._id";
}

/* The columns of two sources that a join compares. */
static const char *const JOIN_KEYS[] = { "i", "i", "s",	  "x", "_id",  "g",
					 "w", "b", "o.n", "d", "a[1]", "o.s" };

/* ON for a source and one that stands before it. */
static void put_on(struct random *r, struct buf *out, struct scope *both, const char *before,
		   const char *name)
{
	const char *key = random_of(r, JOIN_KEYS);
	const char *other = random_percent(r, 85) ? key : random_of(r, JOIN_KEYS);

	buf_addf(out, random_percent(r, 50) ? "%1$s.%2$s = %3$s.%4$s" : "%3$s.%4$s = %1$s.%2$s",
		 before, key, name, other);
	if (random_percent(r, 25))
		expression_put(both, out, " AND @c", 1);
}

static void put_join(struct buf *out, struct scope *scope)
{
	static const char *const JOINS[] = { "JOIN",	  "JOIN",	"INNER JOIN", "LEFT JOIN",
					     "LEFT JOIN", "RIGHT JOIN", "FULL JOIN" };
	static const char *const USING[] = { "i", "s", "_id", "x", "b" };
	static const char *const ALIASES[] = { "p", "q", "h" };
	struct random *r = scope->r;
	bool wide = random_percent(r, 15);
	const struct world_collection *first = any_collection(r, !wide);
	uint32_t n = random_percent(r, 10) && !wide ? 3 : 2;

	scope->big = wide;
	buf_addf(out, " FROM %s p", first->name);
	scope_add_fields(scope, "p", first->dirty);
	for (uint32_t i = 1; i < n; i++) {
		const struct world_collection *c = any_collection(r, true);
		bool comma = random_percent(r, 10);

		if (comma)
			buf_addf(out, ", %s %s", c->name, ALIASES[i]);
		else
			buf_addf(out, " %s %s %s", random_of(r, JOINS), c->name, ALIASES[i]);
		scope_add_fields(scope, ALIASES[i], c->dirty);
		if (comma)
			continue;
		if (n == 2 && random_percent(r, 20)) {
			buf_addf(out, " USING (%s)", random_of(r, USING));
			continue;
		}
		buf_add_str(out, " ON ");
		put_on(r, out, scope, ALIASES[random_below(r, i)], ALIASES[i]);
	}
}

static void put_unnest(struct buf *out, struct scope *scope)
{
	static const struct {
		const char *text;
		const char *column[3];
		enum holds holds[3];
	} FORMS[] = {
		{ ", UNNEST(p.a AS e) t", { "t.e" }, { HOLDS_ANY } },
		{ " CROSS JOIN UNNEST(p.a AS e) AS t", { "t.e" }, { HOLDS_ANY } },
		{ ", UNNEST(p.r) AS t",
		  { "t.k", "t.v", "t.x" },
		  { HOLDS_INT, HOLDS_TEXT, HOLDS_ANY } },
		{ ", UNNEST(p.r AS e) AS t",
		  { "t.e", "t.e.k", "t.e.v" },
		  { HOLDS_ANY, HOLDS_INT, HOLDS_TEXT } },
		{ ", UNNEST(p.l AS e) t, UNNEST(t.e AS z) y",
		  { "t.e", "y.z" },
		  { HOLDS_ARRAY, HOLDS_ANY } },
		{ ", UNNEST(p.o AS k, v) AS t", { "t.k", "t.v" }, { HOLDS_TEXT, HOLDS_ANY } },
		{ ", UNNEST(p.a AS e) WITH ORDINALITY t",
		  { "t.e", "t.ordinality" },
		  { HOLDS_ANY, HOLDS_INT } },
		{ " LEFT JOIN UNNEST(p.a AS e) t ON true", { "t.e" }, { HOLDS_ANY } },
		{ ", UNNEST([1, 2, p.i] AS e) t", { "t.e" }, { HOLDS_INT } },
		{ ", UNNEST(SPLIT(p.s, 'o') AS e) t", { "t.e" }, { HOLDS_TEXT } },
	};
	const struct world_collection *c = any_collection(scope->r, false);

	while (c->dirty && random_percent(scope->r, 90)) /* what is no array is an error */
		c = any_collection(scope->r, false);
	scope->fails = c->dirty;
	size_t at = random_below(scope->r, countof(FORMS));

	scope->big = c->documents > 1000;
	buf_addf(out, " FROM %s p%s", c->name, FORMS[at].text);
	scope_add_fields(scope, "p", c->dirty);
	for (int again = 0; again < 4; again++) /* so that they are picked more often */
		for (size_t i = 0; i < countof(FORMS[at].column) && FORMS[at].column[i]; i++)
			scope_add(scope, FORMS[at].holds[i], "%s", FORMS[at].column[i]);
}

/* SELECT … AS k0, … from a collection; which kinds its columns hold goes into holds. */
static uint32_t put_inner(struct scope *scope, struct buf *out, enum holds *holds, uint32_t max)
{
	struct random *r = scope->r;
	static const char LETTERS[] = "intmdbaaCC";
	struct scope inner = { .r = r, .next_sub = 50 };
	auto_buf struct buf from = buf_make(1u << 16);
	bool distinct = random_percent(r, 20), grouped = !distinct && random_percent(r, 30);
	uint32_t n = 1 + random_below(r, max);
	enum from_kind kind = random_percent(r, 80) ? FROM_COLLECTION : FROM_UNNEST;

	from_put(kind, &from, &from, &inner);
	scope->fails |= inner.fails;
	scope->big |= inner.big;
	scope->vague |= distinct || grouped;
	buf_add_str(out, distinct ? "SELECT DISTINCT " : "SELECT ");
	for (uint32_t i = 0; i < n; i++) {
		char letter = LETTERS[random_below(r, sizeof(LETTERS) - 1)];
		char template[] = { '@', letter, '\0' };
		bool aggregate = grouped && i > 0;

		holds[i] = aggregate ? HOLDS_INT : expression_holds(letter);
		expression_put(&inner, out, aggregate ? "@G" : template, 1);
		buf_addf(out, " AS k%u%s", i, i + 1 < n ? ", " : "");
		if ((distinct || grouped) && (holds[i] == HOLDS_ANY || holds[i] == HOLDS_NUMBER))
			holds[i] = HOLDS_OPAQUE;
		if (aggregate)
			holds[i] = HOLDS_INT;
	}
	buf_add(out, from.data, from.len);
	if (!inner.fails && random_percent(r, 50))
		expression_put(&inner, out, " WHERE @c", 1);
	if (grouped)
		buf_add_str(out, " GROUP BY k0");
	return n;
}

static void put_query(struct buf *with, struct buf *out, struct scope *scope)
{
	enum holds holds[3];
	struct random *r = scope->r;
	bool named = random_percent(r, 50);

	if (!named)
		buf_add_str(out, " FROM (");
	else
		buf_add_str(with, "WITH base AS (");
	uint32_t n = put_inner(scope, named ? with : out, holds, 3);
	if (named) {
		buf_add_str(with, ") ");
		buf_add_str(out, " FROM base q");
	} else {
		buf_add_str(out, ") q");
	}
	for (uint32_t i = 0; i < n; i++)
		scope_add(scope, holds[i], "q.k%u", i);
	if (!named || scope->big || !random_percent(r, 40))
		return;
	buf_addf(out, " %s base h ON q.k0 = h.k0", random_percent(r, 50) ? "JOIN" : "LEFT JOIN");
	for (uint32_t i = 0; i < n; i++)
		scope_add(scope, holds[i], "h.k%u", i);
}

void from_put(enum from_kind kind, struct buf *with, struct buf *out, struct scope *scope)
{
	static const enum from_kind KINDS[] = { FROM_COLLECTION, FROM_COLLECTION, FROM_COLLECTION,
						FROM_COLLECTION, FROM_JOIN,	  FROM_JOIN,
						FROM_UNNEST,	 FROM_QUERY };

	switch (kind == FROM_ANY ? random_of(scope->r, KINDS) : kind) {
	case FROM_JOIN:
		put_join(out, scope);
		return;
	case FROM_UNNEST:
		put_unnest(out, scope);
		return;
	case FROM_QUERY:
		put_query(with, out, scope);
		return;
	case FROM_COLLECTION:
	case FROM_ANY:
		put_collection(out, scope);
	}
}
