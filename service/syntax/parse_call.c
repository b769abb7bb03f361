/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "service/syntax/parse_internal.h"
#include "service/syntax/parse_tree.h"

struct arguments *tree_arguments(struct parser *p, const struct arguments *arguments)
{
	struct arguments *copy = node(p, sizeof(*copy));

	if (copy)
		*copy = *arguments;
	return copy;
}

/* ARRAY_AGG(x LIMIT n OFFSET m) is SLICE(ARRAY_AGG(x), m + 1, n). */
static struct expr *sliced(struct parser *p, const struct token *name, struct expr *call,
			   const struct limits *slice)
{
	struct expr *start = number_of(p, name, "1");

	if (!p->r && strcasecmp(name->text, "ARRAY_AGG") != 0)
		refuse_at(p, name, "LIMIT goes with ARRAY_AGG only.");
	if (slice->offset)
		start = tree_of(p, EXPR_BINARY, made_up(p, name, TOKEN_OPERATOR, "+"),
				slice->offset, start, nullptr);
	return call_of(p, name, "SLICE", call, start, slice->limit);
}

struct expr *tree_call(struct parser *p, const struct token *name,
		       const struct arguments *arguments, struct window *window)
{
	struct expr *call = expr_make(p, EXPR_CALL, name);

	if (!call)
		return nullptr;
	call->window = window;
	if (!arguments)
		return expr_finish(p, call);
	call->star = arguments->star;
	call->distinct = arguments->distinct;
	call->order = arguments->order;
	expr_take(call, arguments->list);
	call = expr_finish(p, call);
	return arguments->slice ? sliced(p, name, call, arguments->slice) : call;
}

struct window *tree_window(struct parser *p, const struct list *partition, struct order_item *order,
			   const char *frame)
{
	struct window *window = node(p, sizeof(*window));

	if (!window)
		return nullptr;
	*window = (struct window) { .order = order, .frame = frame };
	if (partition) {
		window->partition = (struct expr **)(uintptr_t)partition->item;
		window->n_partition = partition->n;
	}
	return window;
}

const char *tree_frame(struct parser *p, const struct token *first)
{
	size_t len = 0;

	for (const struct token *at = first; at < p->at; at++)
		len += at->len + 1;
	char *text = node(p, len + 1), *to = text;
	for (const struct token *at = first; text && at < p->at; at++)
		to = stpcpy(stpcpy(to, at->text), " ");
	return text;
}
