/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/reference.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "service/value/value.h"

constexpr size_t WORDS_MAX = 100; /* of one name */

struct expansion {
	struct arena *arena;
	const struct sql_query *ask;
	struct sql_error *error;
	const struct token *at;	      /* the next that is read */
	const struct token *word;     /* TABLE or FIELD */
	struct token name[WORDS_MAX]; /* [n] the words that it stands for */
	size_t n;
	struct token *out; /* [n_out] */
	size_t n_out, room;
};

static bool is_operator(const struct token *at, char c)
{
	return at->kind == TOKEN_OPERATOR && at->text[0] == c && at->len == 1;
}

/* Whether a reference begins with this token. */
static bool begins(const struct token *at)
{
	return at->kind == TOKEN_WORD && is_operator(&at[1], '(') &&
	       (strcasecmp(at->text, "TABLE") == 0 || strcasecmp(at->text, "FIELD") == 0);
}

static int refuse(const struct expansion *e, const struct token *at, const char *what)
{
	return sql_refuse_at(e->error, at, "syntax_error",
			     "%s: %s, as in TABLE('c'), TABLE(['ws', 'c']) or FIELD('c', 'a.b').",
			     e->word->text, what);
}

/* Append to what comes out. */
static int put(struct expansion *e, const struct token *token)
{
	if (e->n_out == e->room) {
		size_t room = e->room ? 2 * e->room : 64;
		struct token *grown = arena_get(e->arena, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		if (e->n_out > 0)
			memcpy(grown, e->out, e->n_out * sizeof(*grown));
		e->out = grown;
		e->room = room;
	}
	e->out[e->n_out++] = *token;
	return 0;
}

/* Add the words of text[len], which dots part. */
static int add_words(struct expansion *e, const char *text, size_t len)
{
	for (;;) {
		const char *dot = len ? memchr(text, '.', len) : nullptr;
		size_t n = dot ? (size_t)(dot - text) : len;

		if (n == 0)
			return refuse(e, e->at, "a name is empty");
		if (e->n == WORDS_MAX)
			return refuse(e, e->at, "a name has too many words");
		struct token word = *e->word;
		word.kind = TOKEN_QUOTED;
		word.text = arena_text(e->arena, text, n);
		word.len = n;
		if (!word.text)
			return -ENOMEM;
		e->name[e->n++] = word;
		if (!dot)
			return 0;
		text = dot + 1;
		len -= n + 1;
	}
}

static int add_value(struct expansion *e, const struct value *value)
{
	auto_buf struct buf text = buf_make(SQL_TEXT_MAX);

	if (value->tag != VALUE_STRING)
		return refuse(e, e->at, "a name must be a string");
	value_text(value, &text);
	const char *plain = buf_text(&text);
	if (!plain)
		return -ENOMEM;
	return strlen(plain) == text.len ? add_words(e, plain, text.len)
					 : refuse(e, e->at, "a name has a NUL in it");
}

/* A parameter: a string, or an array of them. */
static int add_parameter(struct expansion *e)
{
	const struct sql_parameter *parameter = sql_parameter_find(e->ask, e->at->text);
	struct value value, member;
	int r = 0;

	if (!parameter)
		return sql_refuse_at(e->error, e->at, "parameter_not_found",
				     "Parameter `%.60s` has no value.", e->at->text);
	if (!value_open(parameter->packed, parameter->len, &value))
		return -EIO;
	if (value.tag != VALUE_ARRAY)
		return add_value(e, &value);
	struct value_iter iter = value_iterate(&value);
	while (r == 0 && value_next(&iter, nullptr, &member))
		r = add_value(e, &member);
	return r;
}

/* A string or a parameter. */
static int add_name(struct expansion *e)
{
	int r = e->at->kind == TOKEN_STRING ? add_words(e, e->at->text, e->at->len)
		: e->at->kind == TOKEN_PARAMETER
			? add_parameter(e)
			: refuse(e, e->at, "a string or a parameter was expected");

	e->at += r == 0;
	return r;
}

/* Names with commas between them, up to a closing bracket. */
static int add_names(struct expansion *e, char close)
{
	int r = add_name(e);

	while (r == 0 && is_operator(e->at, ',')) {
		e->at++;
		r = add_name(e);
	}
	if (r == 0 && !is_operator(e->at, close))
		r = refuse(e, e->at, "a closing bracket was expected");
	e->at += r == 0;
	return r;
}

/* What stands in the brackets. */
static int read_brackets(struct expansion *e)
{
	bool array = is_operator(e->at, '[');

	if (!array)
		return add_names(e, ')');
	e->at++;
	int r = add_names(e, ']');
	if (r == 0 && !is_operator(e->at, ')'))
		r = refuse(e, e->at, "a closing bracket was expected");
	e->at += r == 0;
	return r;
}

/* Put a.b.c out for a reference, and go behind it. */
static int expand(struct expansion *e)
{
	e->word = e->at;
	e->at += 2;
	e->n = 0;
	int r = read_brackets(e);
	if (r == 0 && e->n == 0)
		r = refuse(e, e->word, "it names nothing");
	for (size_t i = 0; r == 0 && i < e->n; i++) {
		struct token dot = *e->word;

		dot.kind = TOKEN_OPERATOR;
		dot.text = ".";
		dot.len = 1;
		dot.blank_before = false;
		e->name[i].blank_before = i == 0 && e->word->blank_before;
		r = i > 0 ? put(e, &dot) : 0;
		r = r ? r : put(e, &e->name[i]);
	}
	return r;
}

int references_expand(struct arena *arena, struct token *tokens, const struct sql_query *ask,
		      struct token **ret, struct sql_error *error)
{
	struct expansion e = { .arena = arena, .ask = ask, .error = error, .at = tokens };
	const struct token *first = tokens;
	int r = 0;

	*ret = tokens;
	while (first->kind != TOKEN_END && !begins(first))
		first++;
	if (first->kind == TOKEN_END)
		return 0;
	while (r == 0 && e.at->kind != TOKEN_END)
		r = begins(e.at) ? expand(&e) : put(&e, e.at++);
	r = r ? r : put(&e, e.at);
	if (r == 0)
		*ret = e.out;
	return r;
}
