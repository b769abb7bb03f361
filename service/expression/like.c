/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/like.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "service/crew/exec.h"

constexpr uint64_t LOOK_EVERY = 65'536; /* characters compared between two looks at the limits */

/* What lies between two %, or before the first, or behind the last. */
struct part {
	struct str raw;	   /* as in the pattern, escapes and all */
	bool any, escaped; /* it has a _; it has an escape */
};

struct like {
	struct str pattern; /* what is left of it */
	struct str escape;
	char *room; /* [pattern.len] for a part without its escapes; or nullptr: there are none */
	const struct query_limits *limits;
	uint64_t steps; /* since the last look */
};

uint32_t like_step(struct str text)
{
	size_t n = utf8_step(text.at, text.len);

	return n > 0 ? (uint32_t)n : 1;
}

static struct str after(struct str text, uint32_t n)
{
	return (struct str) { text.at + n, text.len - n };
}

/* Whether an escape and a character it is for come first. */
static bool escapes(const struct like *like, struct str pattern)
{
	return like->escape.len > 0 && pattern.len > like->escape.len &&
	       memcmp(pattern.at, like->escape.at, like->escape.len) == 0;
}

/* Cut the next part off the pattern. Returns whether a % followed it; if not, it is the last. */
static bool cut(struct like *like, struct part *ret)
{
	bool percent_escapes = like->escape.len == 1 && like->escape.at[0] == '%';
	struct str *pattern = &like->pattern;

	*ret = (struct part) { .raw = { pattern->at, 0 } };
	while (pattern->len > 0) {
		uint32_t n = 0;

		if (escapes(like, *pattern)) {
			n = like->escape.len;
			ret->escaped = true;
		} else if (pattern->at[0] == '%' && !percent_escapes) {
			*pattern = after(*pattern, 1);
			return true;
		} else {
			ret->any |= pattern->at[0] == '_';
		}
		n += like_step(after(*pattern, n));
		ret->raw.len += n;
		*pattern = after(*pattern, n);
	}
	return false;
}

/* A part without _ as the bytes it stands for. */
static struct str literal(const struct like *like, const struct part *part)
{
	struct str raw = part->raw, plain = { like->room, 0 };

	if (!part->escaped)
		return raw;
	while (raw.len > 0) {
		if (escapes(like, raw))
			raw = after(raw, like->escape.len);
		uint32_t n = like_step(raw);
		memcpy(like->room + plain.len, raw.at, n);
		plain.len += n;
		raw = after(raw, n);
	}
	return plain;
}

enum met {
	MET,
	DIFFERS,
	TOO_SHORT, /* the text ends before the part does */
};

/* Match a part with the beginning of a text, which goes past it then. */
static enum met meet(struct like *like, struct str *text, const struct part *part)
{
	struct str at = *text, want = part->raw;

	for (; want.len > 0; like->steps++) {
		bool escaped = escapes(like, want);

		if (escaped)
			want = after(want, like->escape.len);
		if (at.len == 0)
			return TOO_SHORT;
		uint32_t w = like_step(want), t = like_step(at);
		if ((escaped || want.at[0] != '_') && (w != t || memcmp(want.at, at.at, w) != 0))
			return DIFFERS;
		want = after(want, w);
		at = after(at, t);
	}
	*text = at;
	return MET;
}

/* Ask the limits if there has been much to do since the last time. */
static int look(struct like *like)
{
	if (like->steps < LOOK_EVERY)
		return 0;
	like->steps = 0;
	return like->limits ? query_limits_check(like->limits) : 0;
}

/* Find where a part is first, and go past it. Returns 0 or an outcome of the limits. */
static int find(struct like *like, struct str *text, const struct part *part, bool *ret)
{
	*ret = false;
	if (!part->any) {
		struct str plain = literal(like, part);
		const char *found =
			plain.len > 0 ? memmem(text->at, text->len, plain.at, plain.len) : text->at;

		*ret = found || plain.len == 0;
		if (found)
			*text = after(*text, (uint32_t)(found - text->at) + plain.len);
		return 0;
	}
	for (;;) {
		enum met met = meet(like, text, part);
		int r = met == DIFFERS ? look(like) : 0;

		*ret = met == MET;
		if (r || met != DIFFERS)
			return r;
		*text = after(*text, like_step(*text));
	}
}

static uint32_t count(const struct like *like, struct str text, bool pattern)
{
	uint32_t n = 0;

	for (; text.len > 0; n++) {
		if (pattern && escapes(like, text))
			text = after(text, like->escape.len);
		text = after(text, like_step(text));
	}
	return n;
}

/* Whether a text ends with a part. */
static bool ends_with(struct like *like, struct str text, const struct part *part)
{
	if (!part->any) {
		struct str plain = literal(like, part);

		return plain.len <= text.len &&
		       (plain.len == 0 ||
			memcmp(text.at + text.len - plain.len, plain.at, plain.len) == 0);
	}
	uint32_t have = count(like, text, false), want = count(like, part->raw, true);
	for (; have > want; have--)
		text = after(text, like_step(text));
	return have == want && meet(like, &text, part) == MET;
}

int like_matches(struct str text, struct str pattern, struct str escape,
		 const struct query_limits *limits, bool *ret)
{
	auto_free char *room = escape.len > 0 ? malloc((size_t)pattern.len + 1) : nullptr;
	struct like like = { pattern, escape, room, limits, 0 };
	struct part part;
	bool found = true;

	if (escape.len > 0 && !room)
		return -ENOMEM;
	bool more = cut(&like, &part);
	if (meet(&like, &text, &part) != MET)
		found = false;
	else if (!more)
		found = text.len == 0;
	while (found && more) {
		more = cut(&like, &part);
		int r = more ? find(&like, &text, &part, &found) : 0;

		if (r)
			return r;
		if (!more)
			found = ends_with(&like, text, &part);
	}
	*ret = found;
	return 0;
}
