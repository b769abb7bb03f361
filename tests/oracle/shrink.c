/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/shrink.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

constexpr size_t TOKENS_MAX = 4000;
constexpr size_t TEXT_MAX = 1u << 20;

struct tokens {
	const char *at[TOKENS_MAX];
	uint32_t len[TOKENS_MAX];
	bool gone[TOKENS_MAX];
	size_t n;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == ':' || (c & 0x80);
}

static uint32_t token_len(const char *at)
{
	uint32_t len = 1;

	if (*at == '\'') {
		while (at[len] && (at[len] != '\'' || at[len + 1] == '\''))
			len += at[len] == '\'' ? 2 : 1;
		return at[len] ? len + 1 : len;
	}
	while (is_word(*at) && is_word(at[len]))
		len++;
	if (strchr("<>!|", *at) && at[1] && strchr("=>|", at[1]))
		len = 2;
	return len;
}

static void split(const char *text, struct tokens *ret)
{
	*ret = (struct tokens) {};
	while (*text && ret->n < TOKENS_MAX) {
		if (*text == ' ') {
			text++;
			continue;
		}
		ret->at[ret->n] = text;
		ret->len[ret->n] = token_len(text);
		text += ret->len[ret->n++];
	}
}

static void join(const struct tokens *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->gone[i]) {
			buf_add(out, t->at[i], t->len[i]);
			buf_add_str(out, " ");
		}
}

static bool still(const struct tokens *t, shrink_fn *fn, void *userdata)
{
	auto_buf struct buf text = buf_make(TEXT_MAX);

	join(t, &text);
	const char *whole = buf_text(&text);
	return whole && fn(userdata, whole);
}

/* Try without count tokens from one on. Returns whether that was possible. */
static bool without(struct tokens *t, size_t from, size_t count, shrink_fn *fn, void *userdata)
{
	static bool before[TOKENS_MAX];
	size_t changed = 0;

	memcpy(before, t->gone, sizeof(before));
	for (size_t i = from; i < t->n && count > 0; i++)
		if (!t->gone[i]) {
			t->gone[i] = true;
			count--;
			changed++;
		}
	if (changed > 0 && count == 0 && still(t, fn, userdata))
		return true;
	memcpy(t->gone, before, sizeof(before));
	return false;
}

/* Try without an opening parenthesis and the one that closes it, or the word before it too. */
static bool unwrap(struct tokens *t, size_t from, bool word, shrink_fn *fn, void *userdata)
{
	size_t end = from, depth = 0, name = from;

	if (t->gone[from] || *t->at[from] != '(')
		return false;
	for (; end < t->n; end++) {
		depth += !t->gone[end] && *t->at[end] == '(';
		depth -= !t->gone[end] && *t->at[end] == ')';
		if (depth == 0)
			break;
	}
	while (word && name > 0 && (name == from || t->gone[name]))
		name--;
	if (end == t->n || t->gone[name])
		return false;
	t->gone[from] = t->gone[end] = t->gone[name] = true;
	if (still(t, fn, userdata))
		return true;
	t->gone[from] = t->gone[end] = t->gone[name] = false;
	return false;
}

void shrink(const char *text, shrink_fn *fn, void *userdata, struct buf *out)
{
	static struct tokens tokens;
	bool again = true;

	split(text, &tokens);
	for (int round = 0; again && round < 6; round++) {
		again = false;
		for (size_t count = 24; count > 0; count--)
			for (size_t i = 0; i < tokens.n; i++)
				if (!tokens.gone[i])
					again |= without(&tokens, i, count, fn, userdata);
		for (size_t i = 0; i < tokens.n; i++)
			again |= unwrap(&tokens, i, true, fn, userdata) ||
				 unwrap(&tokens, i, false, fn, userdata);
	}
	join(&tokens, out);
}
