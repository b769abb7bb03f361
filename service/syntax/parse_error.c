/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "common/base.h"
#include "service/syntax/grammar.h"
#include "service/syntax/parse_code.h"
#include "service/syntax/parse_grammar.h"
#include "service/syntax/parse_internal.h"

/*
 * What was expected, by what the grammar would have taken: the first line whose codes it takes, one after the other, where the
 * token before has the code after (0: any).
 */
/* clang-format off */
static const struct {
	int after, code[2];
	const char *what;
} EXPECTED[] = {
	/* names of a certain kind: the second code is one that can stand behind no other kind */
	{ 0,		 { T_ANY },			")" },
	{ T_DOT,	 { T_ID, T_PLUS },		"a field name" },
	{ T_DOT,	 { T_ID },			"a collection" },
	{ T_AS,		 { T_BY },			"a column name" },
	{ T_AS,		 { T_DOUBLE, T_PRECISION },	"a type" },
	{ 0,		 { T_CASE },			"an expression" },
	{ 0,		 { T_INT, T_ID },		"a number" },
	{ 0,		 { T_INT, T_PRECEDING },	"a bound, like UNBOUNDED PRECEDING" },
	{ 0,		 { T_UNNEST },			"a collection" },
	{ T_DESCRIBE,	 { T_ID },			"a collection" },
	{ T_LP,		 { T_ID, T_FROM },		"a part, like YEAR" },
	{ 0,		 { T_ID, T_PLUS },		"a unit, like DAY" },
	/* what ends what is open */
	{ 0,		 { GRAMMAR_END },		"the end of the query" },
	{ 0,		 { T_RP },			")" },
	{ 0,		 { T_RB },			"]" },
	{ 0,		 { T_RC },			"}" },
	/* what goes with the word before */
	{ T_AT,		 { T_TIME, T_ZONE },		"TIME ZONE" },
	{ T_TIME,	 { T_ZONE },			"ZONE" },
	{ T_NOT,	 { T_LIKE },			"LIKE, IN or BETWEEN" },
	{ T_TABLESAMPLE, { T_BERNOULLI },		"BERNOULLI" },
	{ T_WITH,	 { T_ORDINALITY, T_JOIN },	"ORDINALITY" },
	{ T_NULLS,	 { T_FIRST },			"FIRST or LAST" },
	{ T_UNBOUNDED,	 { T_PRECEDING },		"PRECEDING or FOLLOWING" },
	{ T_INT,	 { T_PRECEDING },		"PRECEDING or FOLLOWING" },
	{ T_CURRENT,	 { T_ROW },			"ROW" },
	{ 0,		 { T_TRUE },			"NULL, UNDEFINED, TRUE, FALSE or DISTINCT FROM" },
	{ 0,		 { T_SELECT },			"SELECT" },
	{ 0,		 { T_COLON },			":" },
	{ 0,		 { T_END },			"END" },
	{ 0,		 { T_WHEN },			"WHEN" },
	{ 0,		 { T_THEN },			"THEN" },
	{ 0,		 { T_AS },			"AS" },
	{ 0,		 { T_BY },			"BY" },
	{ 0,		 { T_JOIN },			"JOIN" },
	{ 0,		 { T_ID },			"a name" },
	{ 0,		 { T_FROM },			"FROM" },
	{ 0,		 { T_AND },			"AND" },
	{ 0,		 { T_LP },			"(" },
};
/* clang-format on */

/* Whether two codes fit, or one if the second is 0. */
static bool takes(const struct grammar_trial *from, int first, int second)
{
	struct grammar_trial trial = *from;

	return grammar_trial(&trial, first) && (second == 0 || grammar_trial(&trial, second));
}

/* What the grammar would have taken, as words. */
static const char *expected(const struct grammar_trial *trial, int after)
{
	for (size_t i = 0; i < countof(EXPECTED); i++)
		if ((EXPECTED[i].after == 0 || EXPECTED[i].after == after) &&
		    takes(trial, EXPECTED[i].code[0], EXPECTED[i].code[1]))
			return EXPECTED[i].what;
	return "something else";
}

/* Whether the grammar, with a code in place of the token at, goes on past the token until. */
static bool goes_on(const struct grammar_trial *from, int code, const struct token *at,
		    const struct token *until)
{
	struct grammar_trial trial = *from;

	if (!grammar_trial(&trial, code))
		return false;
	for (; at->kind != TOKEN_END && at <= until; at++)
		if (!grammar_trial(&trial, parse_code(&at[1])))
			return false;
	return true;
}

/*
 * The keyword that a word must be for the query to make sense up to a token and the next one, or nullptr. A word that was
 * taken for a name cannot be meant as a keyword that might be one too.
 */
static const char *meant(const struct grammar_trial *from, const struct token *at,
			 const struct token *until)
{
	const char *word = nullptr;
	size_t next = 0;
	int code;

	if (at->kind != TOKEN_WORD || parse_code(at) != T_ID)
		return nullptr;
	do
		code = parse_code_like(at->text, &next, &word);
	while (code && ((at < until && grammarFallback(code)) || !goes_on(from, code, at, until)));
	return code ? word : nullptr;
}

void refuse_unexpected(struct parser *p, const struct token *tokens)
{
	struct grammar_trial trial = {}, before = {};
	const struct token *at = tokens;
	int after = 0;

	/* The parser itself may have put together what came before, trusting that it will fit: read again up to there. */
	for (; at < p->at; at++) {
		if (at + 1 == p->at)
			before = trial;
		after = parse_code(at);
		if (!grammar_trial(&trial, after))
			break;
	}
	const char *this = meant(&trial, at, at), *last = nullptr;
	if (!this && at > tokens && at->kind != TOKEN_END)
		last = meant(&before, at - 1, at);
	if (this)
		p->r = sql_refuse_at(p->error, at, "syntax_error",
				     "Unexpected `%.60s`; did you mean %s?", at->text, this);
	else if (last)
		p->r = sql_refuse_at(p->error, at, "syntax_error",
				     "Unexpected `%.60s`; did you mean %s instead of `%.60s`?",
				     at->text, last, at[-1].text);
	else
		refuse_expected(p, expected(&trial, after));
}
