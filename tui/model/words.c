/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/words.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum state {
	BETWEEN,
	PLAIN,
	SINGLE,
	DOUBLE
};

struct splitter {
	enum state state;
	char *to;	   /* where the next byte of the word goes */
	struct words *out; /* words found so far */
	bool full;
};

static void begin_word(struct splitter *at)
{
	if (at->out->n == WORDS_MAX)
		at->full = true;
	else
		at->out->word[at->out->n++] = at->to;
}

static void end_word(struct splitter *at)
{
	*at->to++ = '\0';
	at->state = BETWEEN;
}

/* One unquoted byte. Returns whether it may stand there. */
static bool plain_byte(struct splitter *at, char c)
{
	if (strchr(";|&<>()$`\n\r", c))
		return false;
	if (c == ' ' || c == '\t') {
		if (at->state == PLAIN)
			end_word(at);
		return true;
	}
	if (at->state == BETWEEN)
		begin_word(at);
	at->state = c == '\'' ? SINGLE : c == '"' ? DOUBLE : PLAIN;
	if (at->state == PLAIN)
		*at->to++ = c;
	return true;
}

/* The byte after a backslash; in double quotes the backslash stays unless it was needed. */
static void escaped_byte(struct splitter *at, char c)
{
	if (at->state == BETWEEN) {
		begin_word(at);
		at->state = PLAIN;
	}
	if (at->state == DOUBLE && c != '"' && c != '\\')
		*at->to++ = '\\';
	*at->to++ = c;
}

static void quoted_byte(struct splitter *at, char c)
{
	if (c == (at->state == SINGLE ? '\'' : '"'))
		at->state = PLAIN;
	else
		*at->to++ = c;
}

static int split(struct splitter *at, const char *line)
{
	for (const char *c = line; *c && !at->full; c++) {
		bool quoted = at->state == SINGLE || at->state == DOUBLE;

		if (*c == '\\' && at->state != SINGLE) {
			if (!*++c)
				return WORDS_UNCLOSED;
			escaped_byte(at, *c);
		} else if (quoted) {
			quoted_byte(at, *c);
		} else if (!plain_byte(at, *c)) {
			return WORDS_REFUSED;
		}
	}
	if (at->full)
		return WORDS_TOO_LONG;
	if (at->state == SINGLE || at->state == DOUBLE)
		return WORDS_UNCLOSED;
	if (at->state == PLAIN)
		end_word(at);
	return WORDS_OK;
}

int words_split(const char *line, struct words *ret)
{
	size_t len = strlen(line);
	if (len > WORDS_LINE_MAX)
		return WORDS_TOO_LONG;

	/* A word never takes more room than it did in the line, plus its NUL. */
	auto_free char *text = calloc(len + 2, 1);
	auto_free char **word = calloc(WORDS_MAX + 1, sizeof(*word));
	if (!text || !word)
		return -ENOMEM;

	struct words out = { .word = word };
	struct splitter at = { .state = BETWEEN, .to = text, .out = &out };
	int r = split(&at, line);
	if (r)
		return r;

	*ret = (struct words) { .word = TAKE(word), .n = out.n, .text = TAKE(text) };
	return 0;
}

void words_done(struct words *words)
{
	free(words->word);
	free(words->text);
	*words = (struct words) {};
}
