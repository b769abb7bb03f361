/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_grammar: the parser that lemon makes of grammar.y, and trying what it would take.
 *
 * Layer 6 (service/syntax). The parser's memory is grammar_size() bytes of the caller's; it has no other.
 */

#include <stddef.h>
#include <stdint.h>

struct parser;
struct token;

constexpr size_t GRAMMAR_DEPTH = 800; /* entries of the parser's stack */
constexpr int GRAMMAR_END = 0;	      /* the code of the end of a text */

/* How much memory a parser takes. */
[[nodiscard]] size_t grammar_size(void);

/* Make a parser in memory of that size. */
void grammarInit(void *memory, struct parser *p);

/* Give the parser a token; the last one has GRAMMAR_END. Sets p->r, p->unexpected or, at the end, p->query. */
void grammar(void *memory, int code, const struct token *token);

/* Of use only to grammars whose values need freeing. */
void grammarFinalize(void *memory);

/* The code that another one falls back to, or 0. */
[[nodiscard]] int grammarFallback(int code);

/* What the grammar's automaton has read, without the tree that comes of it. */
struct grammar_trial {
	size_t top;
	uint16_t state[GRAMMAR_DEPTH];
};

/* Read one more code. Returns whether it fits; if not, the trial is not to be used any more. */
[[nodiscard]] bool grammar_trial(struct grammar_trial *trial, int code);
