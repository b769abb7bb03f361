/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/parse_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is said in terms of something simpler, so that nothing behind the parser needs to know of it. */

const struct token *made_up(struct parser *p, const struct token *at, enum token_kind kind,
			    const char *text)
{
	struct token *token = node(p, sizeof(*token));
	char *copy = token ? arena_text(p->arena, text, strlen(text)) : nullptr;

	if (token && !copy)
		p->r = -ENOMEM;
	if (!token || !copy)
		return at;
	*token = *at;
	token->kind = kind;
	token->text = copy;
	token->len = strlen(text);
	return token;
}

struct expr *call_of(struct parser *p, const struct token *at, const char *name, struct expr *a,
		     struct expr *b, struct expr *c)
{
	struct expr *call = expr_make(p, EXPR_CALL, made_up(p, at, TOKEN_WORD, name));

	return expr_with(p, call, a, b, c);
}

struct expr *parse_sample(struct parser *p)
{
	if (!take_word(p, "TABLESAMPLE"))
		return nullptr;
	want_word(p, "BERNOULLI");
	want_operator(p, "(");
	struct expr *percent = p->r ? nullptr : parse_expr(p);
	want_operator(p, ")");
	return p->r ? nullptr : percent;
}

/* RAND() * 100 < percent */
static struct expr *chance(struct parser *p, struct expr *percent)
{
	const struct token *at = percent->at;
	struct expr *random = expr_finish(
		p, expr_make(p, EXPR_CALL, made_up(p, at, TOKEN_WORD, "RAND")), nullptr);
	struct expr *hundred = expr_finish(
		p, expr_make(p, EXPR_NUMBER, made_up(p, at, TOKEN_INT, "100")), nullptr);
	struct expr *scaled =
		expr_with(p, expr_make(p, EXPR_BINARY, made_up(p, at, TOKEN_OPERATOR, "*")), random,
			  hundred, nullptr);

	return expr_with(p, expr_make(p, EXPR_COMPARE, made_up(p, at, TOKEN_OPERATOR, "<")), scaled,
			 percent, nullptr);
}

/* The item becomes (SELECT * FROM item WHERE chance OFFSET 0), under its own name. */
static void sample_in_join(struct parser *p, struct from_item *item, struct expr *where)
{
	struct from_item *inner = node(p, sizeof(*inner));
	struct select_item *star = node(p, sizeof(*star));
	struct core *core = node(p, sizeof(*core));
	struct query *query = node(p, sizeof(*query));

	if (!inner || !star || !core || !query)
		return;
	*inner =
		(struct from_item) { .name = item->name, .n_names = item->n_names, .at = item->at };
	star->at = item->at;
	*core = (struct core) { .items = star, .from = inner, .where = where };
	query->cores = core;
	/* The offset keeps SQLite from drawing anew for each row of the other side. */
	query->offset = expr_finish(
		p, expr_make(p, EXPR_NUMBER, made_up(p, item->at, TOKEN_INT, "0")), nullptr);
	if (!item->alias)
		item->alias = item->name[item->n_names - 1];
	item->name = nullptr;
	item->n_names = 0;
	item->query = query;
}

void apply_samples(struct parser *p, struct core *core)
{
	for (struct from_item *i = core->from; i && !p->r; i = i->next) {
		struct expr *where = i->sample ? chance(p, i->sample) : nullptr;

		if (!where)
			continue;
		if (i->n_names == 0)
			refuse_at(p, i->sample->at, "TABLESAMPLE goes with a collection only.");
		else if (core->from->next)
			sample_in_join(p, i, where);
		else if (core->where)
			core->where = expr_with(p, expr_make(p, EXPR_AND, where->at), core->where,
						where, nullptr);
		else
			core->where = where;
	}
}

/* Rockset's columns: each field's path ("*" for elements), its type, in how many documents it is so, and how many there are. */
static const char DESCRIBE[] =
	"WITH d AS (SELECT _FIELDS(c) AS f FROM collection c) "
	"SELECT u.field AS field, u.type AS type, COUNT(*) AS occurrences, "
	"(SELECT COUNT(*) FROM d) AS total "
	"FROM d, UNNEST(d.f) AS u GROUP BY u.field, u.type ORDER BY field, type";

struct query *parse_describe(struct parser *p)
{
	struct from_item *item = node(p, sizeof(*item));
	struct parser inner = { .arena = p->arena, .depth = p->depth, .error = p->error };
	struct token *tokens = nullptr;

	if (!item)
		return nullptr;
	parse_path(p, item);
	if (p->r)
		return nullptr;
	int r = lex(p->arena, DESCRIBE, sizeof(DESCRIBE) - 1, &tokens, p->error);
	inner.at = tokens;
	struct query *query = r ? nullptr : parse_query(&inner);
	p->r = r ? r : inner.r;
	if (p->r)
		return nullptr;
	struct from_item *of = query->ctes->query->cores->from;
	of->name = item->name;
	of->n_names = item->n_names;
	of->at = item->name[0];
	return query;
}
