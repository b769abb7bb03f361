/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/parse.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "service/sql/parse_internal.h"

/* Words that end an expression or an item; they cannot be names unless quoted. */
static const char *const RESERVED[] = {
	"ALL",	 "AND",	   "AS",	"BETWEEN", "BY",	  "CASE",  "CROSS", "DISTINCT",
	"ELSE",	 "END",	   "EXCEPT",	"EXISTS",  "FROM",	  "FULL",  "GROUP", "HAVING",
	"IN",	 "INNER",  "INTERSECT", "IS",	   "JOIN",	  "LEFT",  "LIKE",  "LIMIT",
	"NOT",	 "NULL",   "OFFSET",	"ON",	   "OR",	  "ORDER", "OUTER", "OVER",
	"RIGHT", "SELECT", "THEN",	"UNION",   "USING",	  "WHEN",  "WHERE", "WITH",
	"HINT",	 "TRUE",   "FALSE",	"UNNEST",  "TABLESAMPLE", "ILIKE",
};

/* Statements that we know of and do not run. */
static const char *const STATEMENTS[] = { "INSERT", "EXPLAIN", "SCRIPT", "VALUES" };

void *node(struct parser *p, size_t size)
{
	void *at = p->r ? nullptr : arena_get(p->arena, size);

	if (!at && !p->r)
		p->r = -ENOMEM;
	return at;
}

void list_add(struct parser *p, struct list *list, const void *item)
{
	if (p->r)
		return;
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 4;
		void **grown = node(p, room * sizeof(*grown));

		if (!grown)
			return;
		if (list->n > 0)
			memcpy(grown, list->item, list->n * sizeof(*grown));
		list->item = grown;
		list->room = room;
	}
	list->item[list->n++] = (void *)(uintptr_t)item;
}

bool is_word_at(const struct parser *p, size_t n, const char *word)
{
	if (p->r)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p->at[i].kind == TOKEN_END)
			return false;
	return p->at[n].kind == TOKEN_WORD && strcasecmp(p->at[n].text, word) == 0;
}

bool is_word(const struct parser *p, const char *word)
{
	return is_word_at(p, 0, word);
}

bool take_word(struct parser *p, const char *word)
{
	bool found = is_word(p, word);

	p->at += found;
	return found;
}

bool is_operator(const struct parser *p, const char *text)
{
	return !p->r && p->at->kind == TOKEN_OPERATOR && strcmp(p->at->text, text) == 0;
}

bool take_operator(struct parser *p, const char *text)
{
	bool found = is_operator(p, text);

	p->at += found;
	return found;
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

void want_operator(struct parser *p, const char *text)
{
	if (!p->r && !take_operator(p, text))
		refuse_expected(p, text);
}

void want_word(struct parser *p, const char *word)
{
	if (!p->r && !take_word(p, word))
		refuse_expected(p, word);
}

bool is_name(const struct parser *p)
{
	if (p->r || (p->at->kind != TOKEN_WORD && p->at->kind != TOKEN_QUOTED))
		return false;
	for (size_t i = 0; p->at->kind == TOKEN_WORD && i < countof(RESERVED); i++)
		if (strcasecmp(p->at->text, RESERVED[i]) == 0)
			return false;
	return true;
}

const struct token *want_name(struct parser *p, const char *what)
{
	if (!is_name(p)) {
		refuse_expected(p, what);
		return nullptr;
	}
	return p->at++;
}

/* NOLINTBEGIN(misc-no-recursion): descent follows the grammar; PARSE_DEPTH_MAX bounds it. */

struct order_item *parse_order(struct parser *p)
{
	struct order_item *first = nullptr, **end = &first;

	do {
		struct order_item *item = node(p, sizeof(*item));

		if (!item)
			return nullptr;
		item->expr = parse_expr(p);
		item->descending = take_word(p, "DESC");
		if (!item->descending)
			(void)take_word(p, "ASC");
		if (take_word(p, "NULLS")) {
			item->nulls = is_word(p, "FIRST") ? NULLS_FIRST : NULLS_LAST;
			if (!take_word(p, "FIRST"))
				want_word(p, "LAST");
		}
		*end = item;
		end = &item->next;
	} while (!p->r && take_operator(p, ","));
	return p->r ? nullptr : first;
}

/* Names in parentheses. */
static const struct token **parse_names(struct parser *p, size_t *ret_n)
{
	struct list names = {};

	want_operator(p, "(");
	do
		list_add(p, &names, want_name(p, "a name"));
	while (!p->r && take_operator(p, ","));
	want_operator(p, ")");
	*ret_n = names.n;
	return (const struct token **)(uintptr_t)names.item;
}

/* A star, its qualifier already read, and what it leaves out. */
static void parse_star(struct parser *p, struct select_item *item)
{
	if (is_word(p, "EXCEPT") && p->at[1].kind == TOKEN_OPERATOR && p->at[1].text[0] == '(' &&
	    !is_word_at(p, 2, "SELECT") && strcmp(p->at[2].text, "(") != 0) {
		p->at++;
		item->except = parse_names(p, &item->n_except);
	}
}

static struct select_item *parse_item(struct parser *p)
{
	struct select_item *item = node(p, sizeof(*item));

	if (!item)
		return nullptr;
	item->at = p->at;
	if (take_operator(p, "*")) {
		parse_star(p, item);
		return item;
	}
	item->expr = parse_expr(p);
	if (!p->r && is_operator(p, ".") && p->at[1].kind == TOKEN_OPERATOR &&
	    strcmp(p->at[1].text, "*") == 0) {
		p->at += 2;
		item->of = item->expr;
		item->expr = nullptr;
		parse_star(p, item);
		return item;
	}
	if (!p->r && take_word(p, "AS")) {
		if (p->at->kind == TOKEN_WORD || p->at->kind == TOKEN_QUOTED)
			item->alias = p->at++;
		else
			refuse_expected(p, "a column name");
	} else if (is_name(p)) {
		item->alias = p->at++;
	}
	return p->r ? nullptr : item;
}

static struct select_item *parse_items(struct parser *p)
{
	struct select_item *first = nullptr, **end = &first;

	do {
		/* A comma too many before FROM is common in real queries. */
		if (first &&
		    (is_word(p, "FROM") || p->at->kind == TOKEN_END || is_operator(p, ";")))
			return first;
		*end = parse_item(p);
		if (*end)
			end = &(*end)->next;
	} while (!p->r && take_operator(p, ","));
	return p->r ? nullptr : first;
}

/* HINT(name=value, …): read and ignored, as any hint may be. */
static void parse_hint(struct parser *p)
{
	if (!take_word(p, "HINT"))
		return;
	want_operator(p, "(");
	while (!p->r && !is_operator(p, ")")) {
		if (p->at->kind == TOKEN_END)
			refuse_expected(p, ")");
		else
			p->at++;
	}
	want_operator(p, ")");
}

static void parse_unnest(struct parser *p, struct from_item *item)
{
	p->at++;
	want_operator(p, "(");
	item->unnest = parse_expr(p);
	if (!p->r && take_word(p, "AS")) {
		item->element = want_name(p, "a name");
		if (!p->r && take_operator(p, ","))
			item->value = want_name(p, "a name");
	}
	want_operator(p, ")");
	if (!p->r && take_word(p, "WITH")) {
		want_word(p, "ORDINALITY");
		item->ordinality = true;
	}
}

void parse_path(struct parser *p, struct from_item *item)
{
	struct list names = {};

	do {
		if (names.n > 0 && (p->at->kind == TOKEN_WORD || p->at->kind == TOKEN_QUOTED))
			list_add(p, &names, p->at++);
		else
			list_add(p, &names, want_name(p, "a collection"));
	} while (!p->r && take_operator(p, "."));
	item->name = (const struct token **)(uintptr_t)names.item;
	item->n_names = names.n;
}

static struct from_item *parse_from_item(struct parser *p, enum join_kind join)
{
	struct from_item *item = node(p, sizeof(*item));

	if (!item)
		return nullptr;
	item->join = join;
	item->at = p->at;
	(void)take_word(p, "LATERAL");
	if (take_operator(p, "(")) {
		if (!is_word(p, "SELECT") && !is_word(p, "WITH") && !is_operator(p, "("))
			refuse_expected(p, "SELECT");
		item->query = p->r ? nullptr : parse_query(p);
		want_operator(p, ")");
	} else if (is_word(p, "UNNEST")) {
		parse_unnest(p, item);
	} else {
		parse_path(p, item);
	}
	if (!p->r && take_word(p, "AS"))
		item->alias = want_name(p, "a name");
	else if (is_name(p))
		item->alias = p->at++;
	item->sample = p->r ? nullptr : parse_sample(p);
	if (!p->r)
		parse_hint(p);
	return p->r ? nullptr : item;
}

/* Which join comes next; JOIN_FIRST if none. */
static enum join_kind parse_join(struct parser *p)
{
	static const struct {
		const char *word;
		enum join_kind kind;
		bool outer;
	} JOINS[] = { { "CROSS", JOIN_CROSS, false },
		      { "INNER", JOIN_INNER, false },
		      { "LEFT", JOIN_LEFT, true },
		      { "RIGHT", JOIN_RIGHT, true },
		      { "FULL", JOIN_FULL, true } };

	if (take_operator(p, ","))
		return JOIN_COMMA;
	if (take_word(p, "JOIN"))
		return JOIN_INNER;
	for (size_t i = 0; i < countof(JOINS); i++)
		if (take_word(p, JOINS[i].word)) {
			if (JOINS[i].outer)
				(void)take_word(p, "OUTER");
			want_word(p, "JOIN");
			return JOINS[i].kind;
		}
	return JOIN_FIRST;
}

static void parse_condition(struct parser *p, struct from_item *item)
{
	bool needs = item->join != JOIN_COMMA && item->join != JOIN_CROSS && !item->unnest;

	if (take_word(p, "ON"))
		item->on = parse_expr(p);
	else if (take_word(p, "USING"))
		item->using = parse_names(p, &item->n_using);
	else if (needs && item->join != JOIN_INNER)
		refuse_expected(p, "ON or USING");
	if (!p->r)
		parse_hint(p);
}

static struct from_item *parse_from(struct parser *p)
{
	struct from_item *first = parse_from_item(p, JOIN_FIRST), *last = first;

	while (!p->r) {
		enum join_kind join = parse_join(p);

		if (join == JOIN_FIRST)
			break;
		struct from_item *item = parse_from_item(p, join);
		if (!item)
			return nullptr;
		if (join != JOIN_COMMA)
			parse_condition(p, item);
		last->next = item;
		last = item;
	}
	return p->r ? nullptr : first;
}

static struct core *parse_core(struct parser *p, enum set_kind set)
{
	struct core *core = node(p, sizeof(*core));
	struct list sets = {};

	if (!core)
		return nullptr;
	core->set = set;
	if (take_word(p, "DESCRIBE")) {
		core->nested = parse_describe(p);
		return p->r ? nullptr : core;
	}
	if (take_operator(p, "(")) {
		core->nested = parse_query(p);
		want_operator(p, ")");
		return p->r ? nullptr : core;
	}
	for (size_t i = 0; i < countof(STATEMENTS); i++)
		if (is_word(p, STATEMENTS[i]))
			p->r = sql_refuse_at(p->error, p->at, "not_implemented",
					     "%s is not available yet; only SELECT is.",
					     STATEMENTS[i]);
	want_word(p, "SELECT");
	core->distinct = take_word(p, "DISTINCT");
	if (!core->distinct)
		(void)take_word(p, "ALL");
	core->items = p->r ? nullptr : parse_items(p);
	if (!p->r && take_word(p, "FROM"))
		core->from = parse_from(p);
	if (!p->r && take_word(p, "WHERE"))
		core->where = parse_expr(p);
	if (!p->r && take_word(p, "GROUP"))
		parse_group(p, &sets);
	if (!p->r && take_word(p, "HAVING"))
		core->having = parse_expr(p);
	if (!p->r)
		apply_samples(p, core);
	if (!p->r && sets.n > 0)
		core = expand_sets(p, core, &sets);
	return p->r ? nullptr : core;
}

/* UNION, INTERSECT, EXCEPT and their ALL; SET_FIRST if none comes next. */
static enum set_kind parse_set(struct parser *p)
{
	const struct token *at = p->at;
	bool joined = take_word(p, "UNION"), common = !joined && take_word(p, "INTERSECT");

	if (!joined && !common && !take_word(p, "EXCEPT"))
		return SET_FIRST;
	bool all = take_word(p, "ALL");
	if (!all)
		(void)take_word(p, "DISTINCT");
	if (joined)
		return all ? SET_UNION_ALL : SET_UNION;
	if (all && !p->r)
		p->r = sql_refuse_at(p->error, at, "not_implemented",
				     "INTERSECT ALL and EXCEPT ALL are not available yet.");
	return common ? SET_INTERSECT : SET_EXCEPT;
}

static struct cte *parse_ctes(struct parser *p)
{
	struct cte *first = nullptr, **end = &first;

	do {
		struct cte *cte = node(p, sizeof(*cte));

		if (!cte)
			return nullptr;
		cte->name = want_name(p, "a name");
		if (is_operator(p, "("))
			cte->column = parse_names(p, &cte->n_columns);
		want_word(p, "AS");
		want_operator(p, "(");
		cte->query = p->r ? nullptr : parse_query(p);
		want_operator(p, ")");
		*end = cte;
		end = &cte->next;
	} while (!p->r && take_operator(p, ",") && !is_word(p, "SELECT"));
	return p->r ? nullptr : first;
}

/* LIMIT n | ALL and OFFSET n, in either order. */
static void parse_limits(struct parser *p, struct query *query)
{
	for (int i = 0; i < 2 && !p->r; i++) {
		if (!query->limit && take_word(p, "LIMIT")) {
			if (!take_word(p, "ALL"))
				query->limit = parse_expr(p);
		} else if (!query->offset && take_word(p, "OFFSET")) {
			query->offset = parse_expr(p);
			if (!take_word(p, "ROWS"))
				(void)take_word(p, "ROW");
		}
	}
}

struct query *parse_query(struct parser *p)
{
	struct query *query = node(p, sizeof(*query));
	enum set_kind set = SET_FIRST;

	p->depth += QUERY_COST;
	if (p->depth > PARSE_DEPTH_MAX)
		refuse_at(p, p->at, "Queries are nested too deeply here.");
	if (p->r)
		return nullptr;
	if (take_word(p, "WITH"))
		query->ctes = parse_ctes(p);

	struct core **end = &query->cores;
	do {
		*end = p->r ? nullptr : parse_core(p, set);
		if (*end)
			end = &(*end)->next;
		set = p->r ? SET_FIRST : parse_set(p);
	} while (set != SET_FIRST);
	if (!p->r && take_word(p, "ORDER")) {
		want_word(p, "BY");
		query->order = parse_order(p);
	}
	parse_limits(p, query);
	p->depth -= QUERY_COST;
	return p->r ? nullptr : query;
}

/* NOLINTEND(misc-no-recursion) */

int parse(struct arena *arena, const struct token *tokens, struct query **ret,
	  struct sql_error *error)
{
	struct parser p = { .arena = arena, .at = tokens, .error = error };
	struct query *query = parse_query(&p);

	while (!p.r && take_operator(&p, ";"))
		;
	if (!p.r && p.at->kind != TOKEN_END)
		refuse_expected(&p, "the end of the query");
	if (p.r)
		return p.r;
	*ret = query;
	return 0;
}
