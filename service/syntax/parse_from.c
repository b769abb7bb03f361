/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/syntax/grammar.h"
#include "service/syntax/parse_code.h"
#include "service/syntax/parse_query.h"

struct from_item *tree_collection(struct parser *p, const struct expr *path)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .name = path->name,
					     .n_names = path->n_names,
					     .at = path->at };
	return item;
}

struct from_item *tree_derived(struct parser *p, const struct token *at, struct query *query)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .query = query, .at = at };
	return item;
}

struct from_item *tree_unnest(struct parser *p, const struct token *at, struct expr *expr,
			      const struct token *element, const struct token *value,
			      bool ordinality)
{
	struct from_item *item = node(p, sizeof(*item));

	if (item)
		*item = (struct from_item) { .unnest = expr,
					     .element = element,
					     .value = value,
					     .ordinality = ordinality,
					     .at = at };
	return item;
}

/* Words that join in other dialects, and how to say it here. */
static const struct {
	const char *word, *hint;
} JOINS[] = {
	{ "SEMI", "Write WHERE EXISTS (SELECT 1 FROM … WHERE …)." },
	{ "ANTI", "Write WHERE NOT EXISTS (SELECT 1 FROM … WHERE …)." },
	{ "NATURAL", "Name the fields that are the same: JOIN … USING (…)." },
	{ "ASOF", "Join ON the time, and number the rows with ROW_NUMBER() OVER (…)." },
	{ "POSITIONAL", "Number the rows with ROW_NUMBER() OVER (…), and join ON that." },
	{ "PASTE", "Number the rows with ROW_NUMBER() OVER (…), and join ON that." },
	{ "ARRAY", "Write CROSS JOIN UNNEST(…)." },
	{ "ANY", "Write JOIN (SELECT DISTINCT …) ON …." },
	{ "GLOBAL", "Write JOIN alone." },
	{ "HASH", "Write JOIN alone." },
	{ "LOOP", "Write JOIN alone." },
	{ "LOOKUP", "Write JOIN alone." },
	{ "MERGE", "Write JOIN alone." },
	{ "BROADCAST", "Write JOIN alone." },
};

/* Whether a token begins a join: JOIN, or what may stand before it. */
static bool begins_join(const struct token *at)
{
	static const int CODES[] = { T_JOIN, T_INNER, T_CROSS, T_LEFT, T_RIGHT, T_FULL };
	int code = parse_code(at);

	for (size_t i = 0; i < countof(CODES); i++)
		if (CODES[i] == code)
			return true;
	return false;
}

/* The word that a misspelt one before JOIN is likely to be, or nullptr. */
static const char *misspelt_join(const struct token *alias)
{
	const char *word = nullptr;
	size_t next = 0;
	int code;

	if (parse_code(alias + 1) != T_JOIN)
		return nullptr;
	while ((code = parse_code_like(alias->text, &next, &word)) != 0)
		if (code != T_JOIN && strncasecmp(alias->text, word, 1) == 0 &&
		    (code == T_LEFT || code == T_RIGHT || code == T_FULL || code == T_INNER ||
		     code == T_CROSS))
			return word;
	return nullptr;
}

/* Refuse a word that would be an alias before JOIN only because the grammar knows no better. */
static void check_alias(struct parser *p, const struct token *alias)
{
	const char *like;

	if (p->r || alias->kind != TOKEN_WORD || parse_code(alias - 1) == T_AS ||
	    !begins_join(alias + 1))
		return;
	for (size_t i = 0; i < countof(JOINS); i++) {
		if (strcasecmp(alias->text, JOINS[i].word) != 0)
			continue;
		p->r = sql_refuse_at(p->error, alias, "syntax_error",
				     "There is no %s JOIN; a name for what is before it needs AS.",
				     JOINS[i].word);
		(void)snprintf(p->error->hint, sizeof(p->error->hint), "%s", JOINS[i].hint);
		return;
	}
	like = misspelt_join(alias);
	if (like)
		p->r = sql_refuse_at(
			p->error, alias, "syntax_error",
			"`%.60s` before JOIN: did you mean %s? If it is a name, write AS %.60s.",
			alias->text, like, alias->text);
}

struct from_item *tree_table(struct parser *p, struct from_item *item, const struct token *alias,
			     struct expr *sample)
{
	if (item) {
		item->alias = alias;
		item->sample = sample;
		if (alias)
			check_alias(p, alias);
	}
	return item;
}

struct from_item *tree_lateral(struct parser *p, const struct token *at, struct from_item *item)
{
	if (!item || p->r || !item->query)
		return item;
	p->r = sql_refuse_at(p->error, at, "syntax_error",
			     "A sub-select after LATERAL cannot see what is before it in FROM.");
	(void)snprintf(p->error->hint, sizeof(p->error->hint),
		       "JOIN the sub-select ON its condition, or select it as a value.");
	return item;
}

void tree_join(struct parser *p, struct list *tables, enum join_kind join, struct from_item *item,
	       struct expr *on, const struct list *using)
{
	bool outer = join == JOIN_LEFT || join == JOIN_RIGHT || join == JOIN_FULL;

	if (!item || p->r)
		return;
	if (outer && !on && !using && !item->unnest)
		refuse_expected(p, "ON or USING");
	item->join = join;
	item->on = on;
	if (using) {
		item->using = (const struct token **)(uintptr_t)using->item;
		item->n_using = using->n;
	}
	list_add(p, tables, item);
}

struct from_item *tree_from(struct parser *p, const struct list *tables)
{
	if (p->r)
		return nullptr;
	for (size_t i = 0; i + 1 < tables->n; i++)
		((struct from_item *)tables->item[i])->next = tables->item[i + 1];
	return tables->item[0];
}
