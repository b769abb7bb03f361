/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/lex.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"
#include "service/syntax/refusal.h"

/* Where the lexer stands. */
struct lexer {
	struct arena *arena;
	const char *text;
	size_t len, pos;
	uint32_t line, column;
	struct sql_error *error;
};

static const char *const OPERATORS[] = { "<=", ">=", "<>", "!=", "||", "=>", "(", ")",
					 "[",  "]",  "{",  "}",	 ",",  ".",  ";", "+",
					 "-",  "*",  "/",  "%",	 "=",  "<",  ">", ":" };

static char peek(const struct lexer *in, size_t ahead)
{
	return in->pos + ahead < in->len ? in->text[in->pos + ahead] : '\0';
}

/* Move on by n bytes, counting lines and characters. */
static void advance(struct lexer *in, size_t n)
{
	for (size_t i = 0; i < n && in->pos < in->len; i++, in->pos++) {
		char c = in->text[in->pos];

		if (c == '\n') {
			in->line++;
			in->column = 1;
		} else if (((unsigned char)c & 0xc0) != 0x80) {
			in->column++;
		}
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
	       c == '$' || ((unsigned char)c & 0x80);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static int refuse_here(struct lexer *in, const char *message)
{
	struct token here = { .line = in->line, .column = in->column };

	return sql_refuse_at(in->error, &here, "syntax_error", "%s", message);
}

/* Skip blanks and comments. Returns 0 or SQL_REFUSED. */
static int skip_blanks(struct lexer *in)
{
	for (;;) {
		if (in->pos < in->len && is_blank(peek(in, 0))) {
			advance(in, 1);
		} else if (peek(in, 0) == '-' && peek(in, 1) == '-') {
			while (in->pos < in->len && peek(in, 0) != '\n')
				advance(in, 1);
		} else if (peek(in, 0) == '/' && peek(in, 1) == '*') {
			const char *end =
				memmem(in->text + in->pos + 2, in->len - in->pos - 2, "*/", 2);

			if (!end)
				return refuse_here(in, "This comment is not closed.");
			advance(in, (size_t)(end + 2 - (in->text + in->pos)));
		} else {
			return 0;
		}
	}
}

static int set_text(struct lexer *in, struct token *token, const char *text, size_t len)
{
	token->text = arena_text(in->arena, text, len);
	token->len = len;
	return token->text ? 0 : -ENOMEM;
}

/* Where the quote stands that closes what begins here; len if none does. A doubled one stands for itself. */
static size_t closing(const struct lexer *in, char quote)
{
	size_t at = in->pos + 1;

	while (at < in->len &&
	       (in->text[at] != quote || (at + 1 < in->len && in->text[at + 1] == quote)))
		at += in->text[at] == quote ? 2 : 1;
	return at;
}

/* Read 'text' or "name". */
static int quoted(struct lexer *in, struct token *token, char quote)
{
	size_t n = 0, start = in->pos, end = closing(in, quote);

	if (end >= in->len)
		return refuse_here(in, quote == '\'' ? "This string is not closed."
						     : "This quoted name is not closed.");
	char *to = arena_get(in->arena, end - start);
	if (!to)
		return -ENOMEM;
	for (size_t at = start + 1; at < end; at++) {
		to[n++] = in->text[at];
		at += in->text[at] == quote;
	}
	token->kind = quote == '\'' ? TOKEN_STRING : TOKEN_QUOTED;
	token->text = to;
	token->len = n;
	if (token->kind == TOKEN_QUOTED && n == 0)
		return refuse_here(in, "A name cannot be empty.");
	advance(in, end + 1 - start);
	return 0;
}

static int number(struct lexer *in, struct token *token)
{
	size_t n = 0;
	bool real = false;

	while (is_digit(peek(in, n)))
		n++;
	if (peek(in, n) == '.' && is_digit(peek(in, n + 1))) {
		real = true;
		for (n++; is_digit(peek(in, n));)
			n++;
	} else if (peek(in, n) == '.' && n > 0 && !is_word(peek(in, n + 1))) {
		real = true;
		n++;
	}
	if (peek(in, n) == 'e' || peek(in, n) == 'E') {
		size_t sign = peek(in, n + 1) == '+' || peek(in, n + 1) == '-';

		if (is_digit(peek(in, n + 1 + sign))) {
			real = true;
			for (n += 1 + sign; is_digit(peek(in, n));)
				n++;
		}
	}
	if (is_word(peek(in, n)))
		return refuse_here(in, "This is neither a number nor a name.");
	token->kind = real ? TOKEN_FLOAT : TOKEN_INT;
	int r = set_text(in, token, in->text + in->pos, n);
	advance(in, n);
	return r;
}

/* Read :name or : name. Not a parameter: a colon before anything else, as in {'a': 1}. */
static bool parameter(struct lexer *in, struct token *token)
{
	size_t blanks = 1, n = 0;

	while (is_blank(peek(in, blanks)))
		blanks++;
	while (is_word(peek(in, blanks + n)))
		n++;
	if (n == 0)
		return false;
	token->kind = TOKEN_PARAMETER;
	token->text = arena_text(in->arena, in->text + in->pos + blanks, n);
	token->len = n;
	advance(in, blanks + n);
	return true;
}

static int operator(struct lexer *in, struct token *token)
{
	for (size_t i = 0; i < countof(OPERATORS); i++) {
		size_t n = strlen(OPERATORS[i]);

		if (in->len - in->pos >= n && memcmp(in->text + in->pos, OPERATORS[i], n) == 0) {
			token->kind = TOKEN_OPERATOR;
			token->text = OPERATORS[i];
			token->len = n;
			advance(in, n);
			return 0;
		}
	}
	return refuse_here(in, "This character does not belong here.");
}

/* Read one token. before is the kind of the one before, which decides what a colon means. */
static int next(struct lexer *in, struct token *token, const struct token *before)
{
	size_t start = in->pos;
	int r = skip_blanks(in);

	if (r)
		return r;
	*token = (struct token) { .kind = TOKEN_END,
				  .text = "",
				  .line = in->line,
				  .column = in->column,
				  .blank_before = in->pos > start };
	if (in->pos >= in->len)
		return 0;

	char c = peek(in, 0);
	bool value_before =
		before && (before->kind == TOKEN_STRING || before->kind == TOKEN_QUOTED);
	if (c == '\'' || c == '"')
		return quoted(in, token, c);
	if (is_digit(c) || (c == '.' && is_digit(peek(in, 1)) && token->blank_before))
		return number(in, token);
	if (c == ':' && !value_before && parameter(in, token))
		return token->text ? 0 : -ENOMEM;
	if (is_word(c)) {
		size_t n = 1;

		while (is_word(peek(in, n)))
			n++;
		token->kind = TOKEN_WORD;
		r = set_text(in, token, in->text + in->pos, n);
		advance(in, n);
		return r;
	}
	return operator(in, token);
}

int lex(struct arena *arena, const char *text, size_t len, struct token **ret,
	struct sql_error *error)
{
	struct lexer in = {
		.arena = arena, .text = text, .len = len, .line = 1, .column = 1, .error = error
	};
	size_t n = 0, room = 64;

	if (len > SQL_TEXT_MAX)
		return sql_refuse(error, SQL_QUERY_ERROR, "query_too_long",
				  "The query is longer than %zu bytes.", SQL_TEXT_MAX);
	if (!utf8_is_valid(text, len) || memchr(text, 0, len))
		return sql_refuse(error, SQL_QUERY_ERROR, "syntax_error",
				  "The query is not valid UTF-8 text.");
	struct token *tokens = arena_get(arena, room * sizeof(*tokens));
	if (!tokens)
		return -ENOMEM;
	do {
		if (n == room) {
			struct token *grown = arena_get(arena, 2 * room * sizeof(*tokens));

			if (!grown)
				return -ENOMEM;
			memcpy(grown, tokens, n * sizeof(*tokens));
			tokens = grown;
			room *= 2;
		}
		int r = next(&in, &tokens[n], n > 0 ? &tokens[n - 1] : nullptr);
		if (r)
			return r;
	} while (tokens[n++].kind != TOKEN_END);
	*ret = tokens;
	return 0;
}
