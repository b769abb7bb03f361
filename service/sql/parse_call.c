/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/parse_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "common/buf.h"

/* NOLINTBEGIN(misc-no-recursion): descent follows the grammar; PARSE_DEPTH_MAX bounds it. */

/* The words that may stand in a window's frame. */
static bool is_frame_token(const struct token *token)
{
	static const char *const WORDS[] = { "ROWS",	  "RANGE",     "GROUPS",  "BETWEEN",
					     "UNBOUNDED", "PRECEDING", "CURRENT", "ROW",
					     "FOLLOWING", "AND" };

	if (token->kind == TOKEN_INT)
		return true;
	for (size_t i = 0; token->kind == TOKEN_WORD && i < countof(WORDS); i++)
		if (strcasecmp(token->text, WORDS[i]) == 0)
			return true;
	return false;
}

static const char *parse_frame(struct parser *p)
{
	auto_buf struct buf text = buf_make(512);

	while (is_frame_token(p->at)) {
		buf_addf(&text, "%s ", p->at->text);
		p->at++;
	}
	const char *frame = buf_text(&text);
	if (!frame) {
		refuse_at(p, p->at, "This window frame is too long.");
		return nullptr;
	}
	const char *copy = text.len > 0 ? arena_text(p->arena, frame, text.len) : nullptr;
	if (text.len > 0 && !copy)
		p->r = -ENOMEM;
	return copy;
}

static struct window *parse_window(struct parser *p)
{
	struct window *window = node(p, sizeof(*window));
	struct list partition = {};

	want_operator(p, "(");
	if (take_word(p, "PARTITION")) {
		want_word(p, "BY");
		do
			list_add(p, &partition, parse_expr(p));
		while (!p->r && take_operator(p, ","));
	}
	struct order_item *order = nullptr;
	if (!p->r && take_word(p, "ORDER")) {
		want_word(p, "BY");
		order = parse_order(p);
	}
	const char *frame = p->r ? nullptr : parse_frame(p);
	want_operator(p, ")");
	if (p->r)
		return nullptr;
	*window = (struct window) { .partition = (struct expr **)(uintptr_t)partition.item,
				    .n_partition = partition.n,
				    .order = order,
				    .frame = frame };
	return window;
}

/* ARRAY_AGG(x LIMIT n OFFSET m) is SLICE(ARRAY_AGG(x), m + 1, n). */
static struct expr *limit_call(struct parser *p, const struct token *name, struct expr *call,
			       struct expr *limit, struct expr *offset)
{
	struct expr *start = expr_finish(
		p, expr_make(p, EXPR_NUMBER, made_up(p, name, TOKEN_INT, "1")), nullptr);

	if (!p->r && strcasecmp(name->text, "ARRAY_AGG") != 0)
		refuse_at(p, name, "LIMIT goes with ARRAY_AGG only.");
	if (offset)
		start = expr_with(p,
				  expr_make(p, EXPR_BINARY, made_up(p, name, TOKEN_OPERATOR, "+")),
				  offset, start, nullptr);
	return call_of(p, name, "SLICE", call, start, limit);
}

struct expr *parse_call(struct parser *p, const struct token *name)
{
	struct expr *call = expr_make(p, EXPR_CALL, name);
	struct expr *limit = nullptr, *offset = nullptr;
	struct list args = {};

	if (!call)
		return nullptr;
	if (take_operator(p, "*")) {
		call->star = true;
		want_operator(p, ")");
	} else if (!take_operator(p, ")")) {
		call->distinct = take_word(p, "DISTINCT");
		if (!call->distinct)
			(void)take_word(p, "ALL");
		do
			list_add(p, &args, parse_expr(p));
		while (!p->r && take_operator(p, ","));
		if (!p->r && take_word(p, "ORDER")) {
			want_word(p, "BY");
			call->order = parse_order(p);
		}
		if (!p->r && take_word(p, "LIMIT"))
			limit = parse_expr(p);
		if (!p->r && limit && take_word(p, "OFFSET"))
			offset = parse_expr(p);
		want_operator(p, ")");
	}
	if (!p->r && take_word(p, "OVER"))
		call->window = parse_window(p);
	call = expr_finish(p, call, &args);
	return limit ? limit_call(p, name, call, limit, offset) : call;
}

/* NOLINTEND(misc-no-recursion) */
