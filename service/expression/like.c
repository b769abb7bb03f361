/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/like.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

uint32_t like_step(struct str text)
{
	size_t n = utf8_step(text.at, text.len);

	return n > 0 ? (uint32_t)n : 1;
}

static struct str after(struct str text, uint32_t n)
{
	return (struct str) { text.at + n, text.len - n };
}

/* Match the first characters. Returns whether they match; text and pattern go past them then. */
static bool match_one(struct str *text, struct str *pattern, struct str escape)
{
	struct str want = *pattern;
	bool escaped = escape.len > 0 && want.len > escape.len &&
		       memcmp(want.at, escape.at, escape.len) == 0;

	if (escaped)
		want = after(want, escape.len);
	if (want.len == 0 || text->len == 0)
		return false;
	uint32_t w = like_step(want), t = like_step(*text);
	if ((escaped || want.at[0] != '_') && (w != t || memcmp(want.at, text->at, w) != 0))
		return false;
	*pattern = after(want, w);
	*text = after(*text, t);
	return true;
}

bool like_matches(struct str text, struct str pattern, struct str escape)
{
	struct str again_text = {}, again_pattern = {};
	bool percent_escapes = escape.len == 1 && escape.at[0] == '%';

	for (;;) {
		if (pattern.len > 0 && pattern.at[0] == '%' && !percent_escapes) {
			pattern = after(pattern, 1);
			again_text = text;
			again_pattern = pattern;
			continue;
		}
		if (text.len == 0 && pattern.len == 0)
			return true;
		if (match_one(&text, &pattern, escape))
			continue;
		if (!again_pattern.at || again_text.len == 0)
			return false;
		again_text = after(again_text, like_step(again_text));
		text = again_text;
		pattern = again_pattern;
	}
}
