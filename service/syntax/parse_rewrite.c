/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "service/syntax/lex.h"
#include "service/syntax/parse.h"
#include "service/syntax/parse_query.h"
#include "service/syntax/parse_tree.h"

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
	return tree_of(p, EXPR_CALL, made_up(p, at, TOKEN_WORD, name), a, b, c);
}

struct expr *number_of(struct parser *p, const struct token *at, const char *digits)
{
	return tree_literal(p, EXPR_NUMBER, made_up(p, at, TOKEN_INT, digits), 0);
}

/* RAND() * 100 < percent */
static struct expr *chance(struct parser *p, struct expr *percent)
{
	const struct token *at = percent->at;
	struct expr *random = call_of(p, at, "RAND", nullptr, nullptr, nullptr);
	struct expr *scaled = tree_of(p, EXPR_BINARY, made_up(p, at, TOKEN_OPERATOR, "*"), random,
				      number_of(p, at, "100"), nullptr);

	return tree_of(p, EXPR_COMPARE, made_up(p, at, TOKEN_OPERATOR, "<"), scaled, percent,
		       nullptr);
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
	query->offset = number_of(p, item->at, "0");
	if (!item->alias)
		item->alias = item->name[item->n_names - 1];
	item->name = nullptr;
	item->n_names = 0;
	item->query = query;
}

void tree_sampled(struct parser *p, struct core *core)
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
			core->where = tree_of(p, EXPR_AND, where->at, core->where, where, nullptr);
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

struct core *tree_describe(struct parser *p, const struct expr *path)
{
	struct token *tokens = nullptr;
	struct query *query = nullptr;

	if (p->r)
		return nullptr;
	p->r = lex(p->arena, DESCRIBE, sizeof(DESCRIBE) - 1, &tokens, p->error);
	if (!p->r)
		p->r = parse(p->arena, tokens, &query, p->error);
	if (p->r)
		return nullptr;
	struct from_item *of = query->ctes->query->cores->from;
	of->name = path->name;
	of->n_names = path->n_names;
	of->at = path->at;
	return tree_nested(p, query);
}
