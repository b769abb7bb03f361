/* SPDX-License-Identifier: Apache-2.0 */
#include "service/syntax/parse_code.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "service/function/function.h"
#include "service/syntax/grammar.h"
#include "service/syntax/lex.h"

/* In the order of strcmp(). */
/* clang-format off */
static const struct {
	const char *word;
	uint8_t code;
} WORDS[] = {
	{ "ALL", T_ALL }, { "AND", T_AND }, { "AS", T_AS }, { "ASC", T_ASC }, { "AT", T_AT },
	{ "BERNOULLI", T_BERNOULLI }, { "BETWEEN", T_BETWEEN }, { "BY", T_BY }, { "CASE", T_CASE },
	{ "CAST", T_CAST }, { "CROSS", T_CROSS }, { "CUBE", T_CUBE }, { "CURRENT", T_CURRENT },
	{ "DATE", T_TYPED }, { "DATETIME", T_TYPED }, { "DESC", T_DESC },
	{ "DESCRIBE", T_DESCRIBE }, { "DISTINCT", T_DISTINCT }, { "DOUBLE", T_DOUBLE },
	{ "ELSE", T_ELSE }, { "END", T_END }, { "ESCAPE", T_ESCAPE }, { "EXCEPT", T_EXCEPT },
	{ "EXISTS", T_EXISTS }, { "EXPLAIN", T_EXPLAIN }, { "EXTRACT", T_EXTRACT },
	{ "FALSE", T_FALSE }, { "FIRST", T_FIRST }, { "FOLLOWING", T_FOLLOWING },
	{ "FROM", T_FROM }, { "FULL", T_FULL }, { "GROUP", T_GROUP }, { "GROUPING", T_GROUPING },
	{ "GROUPS", T_GROUPS }, { "HAVING", T_HAVING }, { "HINT", T_HINT }, { "ILIKE", T_ILIKE },
	{ "IN", T_IN }, { "INNER", T_INNER }, { "INSERT", T_INSERT }, { "INTERSECT", T_INTERSECT },
	{ "INTERVAL", T_INTERVAL }, { "IS", T_IS }, { "JOIN", T_JOIN }, { "LAST", T_LAST },
	{ "LATERAL", T_LATERAL }, { "LEFT", T_LEFT }, { "LIKE", T_LIKE }, { "LIMIT", T_LIMIT },
	{ "NOT", T_NOT }, { "NULL", T_NULL }, { "NULLS", T_NULLS }, { "OFFSET", T_OFFSET },
	{ "ON", T_ON }, { "OR", T_OR }, { "ORDER", T_ORDER }, { "ORDINALITY", T_ORDINALITY },
	{ "OUTER", T_OUTER }, { "OVER", T_OVER }, { "PARTITION", T_PARTITION },
	{ "PRECEDING", T_PRECEDING }, { "PRECISION", T_PRECISION }, { "RANGE", T_RANGE },
	{ "RIGHT", T_RIGHT }, { "ROLLUP", T_ROLLUP }, { "ROW", T_ROW }, { "ROWS", T_ROWS },
	{ "SCRIPT", T_SCRIPT }, { "SELECT", T_SELECT }, { "SETS", T_SETS },
	{ "STATIC_CAST", T_CAST }, { "TABLESAMPLE", T_TABLESAMPLE }, { "THEN", T_THEN },
	{ "TIME", T_TIME }, { "TIMESTAMP", T_TYPED }, { "TRUE", T_TRUE },
	{ "TRY_CAST", T_TRY_CAST }, { "TRY_STATIC_CAST", T_TRY_CAST },
	{ "UNBOUNDED", T_UNBOUNDED }, { "UNDEFINED", T_UNDEFINED }, { "UNION", T_UNION },
	{ "UNNEST", T_UNNEST }, { "USING", T_USING }, { "VALUES", T_VALUES }, { "WHEN", T_WHEN },
	{ "WHERE", T_WHERE }, { "WITH", T_WITH }, { "ZONE", T_ZONE },
};
/* clang-format on */

constexpr size_t WORD_MAX = 15; /* letters of the longest */

static bool is_word(const struct token *at, const char *word)
{
	return at->kind == TOKEN_WORD && strcasecmp(at->text, word) == 0;
}

static bool is_bracket(const struct token *at)
{
	return at->kind == TOKEN_OPERATOR && at->text[0] == '(';
}

/* Whether at is EXCEPT before the names that a star leaves out, and not before a query. */
static bool is_leaving(const struct token *at)
{
	return is_bracket(&at[1]) && !is_bracket(&at[2]) && !is_word(&at[2], "SELECT") &&
	       !is_word(&at[2], "WITH");
}

static bool is_amount(const struct token *at)
{
	return at->kind == TOKEN_INT || at->kind == TOKEN_STRING || at->kind == TOKEN_PARAMETER ||
	       (at->kind == TOKEN_OPERATOR && at->text[0] == '-');
}

/* Some keywords are keywords only before certain others; a grammar that looks at one token cannot say that. */
static int in_its_place(int code, const struct token *at)
{
	switch (code) {
	case T_AT:
		return is_word(&at[1], "TIME") ? code : T_ID;
	case T_CAST:
	case T_TRY_CAST:
	case T_CUBE:
	case T_ROLLUP:
	case T_EXTRACT:
		return is_bracket(&at[1]) ? code : T_ID;
	case T_GROUPING:
		return is_word(&at[1], "SETS") ? code : T_ID;
	case T_INTERVAL:
		return is_amount(&at[1]) ? code : T_ID;
	case T_TYPED:
		return at[1].kind == TOKEN_STRING ? code : T_ID;
	case T_TIME:
		return at[1].kind == TOKEN_STRING ? T_TYPED : code;
	case T_EXCEPT:
		return is_leaving(at) ? T_LEAVING : code;
	default:
		return code;
	}
}

/* A word's code wherever it stands. */
static int code_of_word(const char *text, size_t len)
{
	size_t first = 0, last = countof(WORDS);
	char upper[WORD_MAX + 1] = {};

	if (len > WORD_MAX)
		return T_ID;
	for (size_t i = 0; i < len; i++)
		upper[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 'a' + 'A' : text[i]);
	while (first < last) {
		size_t middle = (first + last) / 2;
		int order = strcmp(upper, WORDS[middle].word);

		if (order == 0)
			return WORDS[middle].code;
		if (order < 0)
			last = middle;
		else
			first = middle + 1;
	}
	return T_ID;
}

static int code_of_operator(const char *text)
{
	switch (text[0]) {
	case '(':
		return T_LP;
	case ')':
		return T_RP;
	case '[':
		return T_LB;
	case ']':
		return T_RB;
	case '{':
		return T_LC;
	case '}':
		return T_RC;
	case ',':
		return T_COMMA;
	case '.':
		return T_DOT;
	case ';':
		return T_SEMICOLON;
	case ':':
		return T_COLON;
	case '+':
		return T_PLUS;
	case '-':
		return T_MINUS;
	case '*':
		return T_STAR;
	case '/':
	case '%':
		return T_DIVIDE;
	case '|':
		return T_CONCAT;
	default:
		return strcmp(text, "=>") == 0 ? T_ANY : T_COMPARE;
	}
}

int parse_code(const struct token *at)
{
	switch (at->kind) {
	case TOKEN_WORD:
		return in_its_place(code_of_word(at->text, at->len), at);
	case TOKEN_QUOTED:
		return T_QUOTED;
	case TOKEN_STRING:
		return T_STRING;
	case TOKEN_INT:
		return T_INT;
	case TOKEN_FLOAT:
		return T_FLOAT;
	case TOKEN_PARAMETER:
		return T_PARAMETER;
	case TOKEN_OPERATOR:
		return code_of_operator(at->text);
	case TOKEN_END:
		break;
	}
	return 0;
}

/* Whether a word is this one with two neighbours swapped. */
static bool is_swapped(const char *text, const char *word)
{
	size_t len = strlen(text);

	if (len != strlen(word))
		return false;
	for (size_t i = 0; i + 1 < len; i++)
		if (strncasecmp(text, word, i) == 0 &&
		    strncasecmp(text + i, word + i + 1, 1) == 0 &&
		    strncasecmp(text + i + 1, word + i, 1) == 0 &&
		    strcasecmp(text + i + 2, word + i + 2) == 0)
			return true;
	return false;
}

/* Whether a word is likely to be this one, misspelt. Short ones are like too many others. */
static bool is_like(const char *text, const char *word)
{
	size_t letters = strlen(word), limit = letters < 6 ? 1 : 2;

	return is_swapped(text, word) ||
	       (letters > 2 && strlen(text) > 2 && name_distance(text, word, limit) <= limit);
}

int parse_code_like(const char *text, size_t *at, const char **ret_word)
{
	while (*at < countof(WORDS)) {
		size_t i = (*at)++;

		if (is_like(text, WORDS[i].word)) {
			*ret_word = WORDS[i].word;
			return WORDS[i].code;
		}
	}
	return 0;
}
