/* SPDX-License-Identifier: Apache-2.0 */

/* queries: what runs and waits now, and ending it. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/view/box.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/list.h"
#include "tui/view/view.h"

enum tag {
	TAG_LIST
};

struct queries {
	struct list list;
	bool all; /* everybody's, not only one's own */
};

static char everybody[] = "*";

static const struct list_column COLUMNS[] = {
	{ "ID", "id", LIST_PLAIN, 6, 0 },	{ "WHO", "person", LIST_PLAIN, 8, 1 },
	{ "STATE", "state", LIST_STATE, 8, 0 }, { "SECONDS", "age_s", LIST_PLAIN, 7, 0 },
	{ "QUERY", "text", LIST_PLAIN, 20, 6 }, { "CPU MS", "cpu_ms", LIST_PLAIN, 8, 0 },
	{ "KEY", "key", LIST_PLAIN, 10, 0 },	{},
};

static void queries_refresh(struct view *view)
{
	struct queries *queries = view->state;
	struct call call = { .method = METHOD_LIST_QUERIES };

	call.text[0] = queries->all ? everybody : nullptr;
	view_ask(view, &call, TAG_LIST, ASK_QUIETLY);
}

static int queries_open(struct view *view, const void *arg)
{
	struct queries *queries = calloc(1, sizeof(*queries));
	(void)arg;
	if (!queries)
		return -ENOMEM;

	int r = list_init(&queries->list, COLUMNS, "id", "No query runs or waits.");
	if (r) {
		free(queries);
		return r;
	}
	queries->all = view_may(view, "APPLIANCE_CONTROL");
	view->state = queries;
	queries_refresh(view);
	return 0;
}

static void queries_close(struct view *view)
{
	struct queries *queries = view->state;

	list_done(&queries->list);
	free(queries);
}

static void queries_draw(struct view *view, struct grid *to, struct area in)
{
	struct queries *queries = view->state;

	(void)grid_text(to, in.x, in.y, in.w, STYLE_HEAD,
			queries->all ? "Everybody's queries" : "Your queries");
	list_draw(&queries->list, to, (struct area) { in.x, in.y + 1, in.w, in.h - 1 });
}

static void queries_kill(struct view *view)
{
	struct queries *queries = view->state;
	auto_call struct call call = { .method = METHOD_KILL_QUERY };
	char text[512];

	if (list_selected(&queries->list) == LIST_NONE)
		return;
	call.number[0] = strtoull(list_selected_text(&queries->list, "id"), nullptr, 10);
	if (queries->all && call_set_text(&call, 0, everybody) != 0)
		return;
	(void)snprintf(text, sizeof(text), "End the query of %.64s? Its client is told.\n\n%.120s",
		       list_selected_text(&queries->list, "person"),
		       list_selected_text(&queries->list, "text"));
	box_ask(view->app,
		&(struct box_question) {
			.title = "End a query", .text = text, .call = &call, .done = "Ended." });
}

static bool queries_key(struct view *view, uint32_t key)
{
	struct queries *queries = view->state;

	if (key == KEY_DELETE) {
		queries_kill(view);
		return true;
	}
	return list_key(&queries->list, key);
}

static void queries_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	struct queries *queries = view->state;

	(void)tag;
	if (reply->result != RESULT_OK)
		view_say_failed(view, reply);
	else
		list_take(&queries->list, &reply->rows);
}

static void queries_all(struct view *view)
{
	struct queries *queries = view->state;

	queries->all = !queries->all;
	queries_refresh(view);
}

static const struct view_key KEYS[] = {
	{ 'x', "x", "End it", nullptr, queries_kill },
	{ 'o', "o", "Own/all", "APPLIANCE_CONTROL", queries_all },
	{},
};

const struct view_ops VIEW_QUERIES = {
	.title = "Queries",
	.services = 1u << SERVICE_APPLIANCE,
	.keys = KEYS,
	.open = queries_open,
	.close = queries_close,
	.draw = queries_draw,
	.key = queries_key,
	.reply = queries_reply,
	.refresh = queries_refresh,
};
