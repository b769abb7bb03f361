/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/parse.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/syntax/grammar.h"
#include "service/syntax/parse_code.h"
#include "service/syntax/parse_grammar.h"
#include "service/syntax/parse_internal.h"

void *node(struct parser *p, size_t size)
{
	void *at = p->r ? nullptr : arena_get(p->arena, size);

	if (!at && !p->r)
		p->r = -ENOMEM;
	return at;
}

struct list *list_none(struct parser *p)
{
	return node(p, sizeof(struct list));
}

struct list *list_one(struct parser *p, const void *item)
{
	struct list *list = list_none(p);

	list_add(p, list, item);
	return list;
}

void list_add(struct parser *p, struct list *list, const void *item)
{
	bool full = list && (list->n == 0 || (list->n >= 4 && (list->n & (list->n - 1)) == 0));

	if (p->r || !list)
		return;
	if (full) {
		void **grown = node(p, (list->n ? 2 * list->n : 4) * sizeof(*grown));

		if (!grown)
			return;
		if (list->n > 0)
			memcpy(grown, list->item, list->n * sizeof(*grown));
		list->item = grown;
	}
	list->item[list->n++] = (void *)(uintptr_t)item;
}

void refuse_at(struct parser *p, const struct token *at, const char *message)
{
	if (!p->r)
		p->r = sql_refuse_at(p->error, at, "syntax_error", "%s", message);
}

void refuse_expected(struct parser *p, const char *what)
{
	if (p->r)
		return;
	if (p->at->kind == TOKEN_END)
		p->r = sql_refuse_at(p->error, p->at, "syntax_error",
				     "The query ends where %s was expected.", what);
	else
		p->r = sql_refuse_at(p->error, p->at, "syntax_error",
				     "Unexpected `%.60s`; expected %s.", p->at->text, what);
}

/* What is open: what each of the brackets (and CASE) has cost. */
struct nesting {
	uint8_t cost[NESTING_MAX / BRACKET_COST + 1];
	size_t n;
	unsigned int sum;
	int before; /* the code of the token before */
};

static void open_bracket(struct parser *p, struct nesting *open)
{
	const struct token *next = &p->at[1];
	bool query = next->kind == TOKEN_WORD &&
		     (strcasecmp(next->text, "SELECT") == 0 || strcasecmp(next->text, "WITH") == 0);

	open->cost[open->n] = query ? QUERY_COST : BRACKET_COST;
	open->sum += open->cost[open->n++];
	if (open->sum > NESTING_MAX)
		refuse_at(p, p->at,
			  query ? "Queries are nested too deeply here."
				: "This expression is nested too deeply.");
}

/* Count a token's brackets. This comes before the grammar, so that no tree is deeper than what is behind us can walk. */
static void nest(struct parser *p, struct nesting *open, int code)
{
	bool is_name = open->before == T_DOT || open->before == T_AS;

	open->before = code;
	if (is_name && (code == T_CASE || code == T_END))
		return;
	switch (code) {
	case T_LP:
	case T_LB:
	case T_LC:
	case T_CASE:
		open_bracket(p, open);
		return;
	case T_RP:
	case T_RB:
	case T_RC:
	case T_END:
		if (open->n > 0)
			open->sum -= open->cost[--open->n];
		return;
	default:
		return;
	}
}

int parse(struct arena *arena, const struct token *tokens, struct query **ret,
	  struct sql_error *error)
{
	struct parser p = { .arena = arena, .at = tokens, .error = error };
	struct nesting open = {};
	auto_free void *automaton = malloc(grammar_size()); /* no arena: not zeroed, soon freed */

	if (!automaton)
		return -ENOMEM;
	grammarInit(automaton, &p);
	for (;; p.at++) {
		int code = parse_code(p.at);

		nest(&p, &open, code);
		if (!p.r)
			grammar(automaton, code, p.at);
		if (!p.r && p.unexpected)
			refuse_unexpected(&p, tokens);
		if (p.r)
			return p.r;
		if (code == GRAMMAR_END)
			break;
	}
	*ret = p.query;
	return 0;
}
