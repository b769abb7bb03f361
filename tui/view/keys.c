/* SPDX-License-Identifier: Apache-2.0 */

/* keys: API keys: made, shown once, suspended, deleted. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/names.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/view/box.h"
#include "tui/view/form.h"
#include "tui/view/grid.h"
#include "tui/view/list.h"
#include "tui/view/view.h"

enum tag {
	TAG_LIST,
	TAG_CHANGE
};

struct keys {
	struct list list;
	bool all; /* everybody's, not only one's own */
};

static const struct list_column COLUMNS[] = {
	{ "NAME", "name", LIST_PLAIN, 14, 3 },		{ "ROLE", "role", LIST_PLAIN, 9, 1 },
	{ "STATE", "state", LIST_STATE, 9, 0 },		{ "EXPIRES", "expires", LIST_TIME, 19, 0 },
	{ "OWNER", "owner", LIST_PLAIN, 8, 1 },		{ "ID", "id", LIST_PLAIN, 10, 0 },
	{ "LAST USED", "last_used", LIST_TIME, 19, 0 }, {},
};

/* --- making one -------------------------------------------------------------------------------- */

static bool is_expiry(const char *text, size_t len)
{
	uint64_t us = 0;

	return strcmp(text, "never") == 0 || clock_parse(text, len, &us);
}

static const struct form_field FIELDS[] = {
	{ .label = "Name",
	  .hint = "What it is for; it says so in the ledger.",
	  .max = NAME_API_KEY_MAX,
	  .is_valid = name_is_api_key,
	  .wrong = "A name has 1 to 64 printable characters, no blank at its ends." },
	{ .label = "Role",
	  .hint = "Left and Right choose. Never worth more than you.",
	  .kind = FORM_ONE },
	{ .label = "Expires",
	  .hint = "Empty: in 90 days. Or: never, 2027-01-31T00:00:00Z.",
	  .max = CLOCK_TEXT,
	  .is_valid = is_expiry,
	  .wrong = "Leave it empty, say never, or a time like 2027-01-31T00:00:00Z.",
	  .is_optional = true },
};

static int make_key(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_CREATE_API_KEY;
	int r = call_set_text(ret, 0, form_text(form, 0));
	if (r == 0)
		r = call_set_text(ret, 1, form_chosen(form, 1));
	return r ? r : call_set_text(ret, 2, form_text(form, 2));
}

static void show_key(struct view *view, struct reply *reply)
{
	box_reveal(
		view->app,
		&(struct box_secret) {
			.title = "The new API key",
			.note = "It is shown only now: the appliance keeps no copy. Put it where "
				"the program that needs it finds it.",
			.key = "key",
			.rows = &reply->rows });
}

static const struct form_spec FORM = {
	.title = "Make an API key",
	.field = FIELDS,
	.n = countof(FIELDS),
	.submit = "Make it",
	.done = "",
	.make = make_key,
	.answered = show_key,
};

/* --- the list ---------------------------------------------------------------------------------- */

static void keys_refresh(struct view *view)
{
	struct keys *keys = view->state;
	char everybody[] = "*";
	struct call call = { .method = METHOD_LIST_API_KEYS };

	call.text[0] = keys->all ? everybody : nullptr;
	view_ask(view, &call, TAG_LIST, ASK_QUIETLY);
}

static int keys_open(struct view *view, const void *arg)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	(void)arg;
	if (!keys)
		return -ENOMEM;

	int r = list_init(&keys->list, COLUMNS, "id", "No API key yet; c makes one.");
	if (r) {
		free(keys);
		return r;
	}
	view->state = keys;
	keys_refresh(view);
	return 0;
}

static void keys_close(struct view *view)
{
	struct keys *keys = view->state;

	list_done(&keys->list);
	free(keys);
}

static void keys_draw(struct view *view, struct grid *to, struct area in)
{
	struct keys *keys = view->state;

	(void)grid_text(to, in.x, in.y, in.w, STYLE_HEAD,
			keys->all ? "Everybody's API keys" : "Your API keys");
	list_draw(&keys->list, to, (struct area) { in.x, in.y + 1, in.w, in.h - 1 });
}

static bool keys_key(struct view *view, uint32_t key)
{
	struct keys *keys = view->state;

	return list_key(&keys->list, key);
}

static void keys_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	struct keys *keys = view->state;

	if (reply->result != RESULT_OK) {
		view_say_failed(view, reply);
		return;
	}
	if (tag == TAG_LIST)
		list_take(&keys->list, &reply->rows);
	else
		keys_refresh(view);
}

static void keys_create(struct view *view)
{
	size_t n = 0;
	const char *const *roles = view_roles(view, &n);

	form_open(view->app, &(struct form_arg) { .spec = &FORM, .option = roles, .n_options = n });
}

static void keys_all(struct view *view)
{
	struct keys *keys = view->state;

	keys->all = !keys->all;
	keys_refresh(view);
}

/* Fill in whose key it is and its name: both come first in every call. */
static bool name_selected(const struct keys *keys, struct call *call)
{
	return list_selected(&keys->list) != LIST_NONE &&
	       call_set_text(call, 0, list_selected_text(&keys->list, "owner")) == 0 &&
	       call_set_text(call, 1, list_selected_text(&keys->list, "name")) == 0;
}

static void keys_suspend(struct view *view)
{
	struct keys *keys = view->state;
	bool active = strcasecmp(list_selected_text(&keys->list, "state"), "active") == 0;
	auto_call struct call call = { .method = METHOD_SET_API_KEY_STATE };
	char text[256];

	if (!name_selected(keys, &call) ||
	    call_set_text(&call, 2, active ? "SUSPENDED" : "ACTIVE") != 0)
		return;
	if (!active) {
		view_ask(view, &call, TAG_CHANGE, ASK_WAITING);
		return;
	}
	(void)snprintf(
		text, sizeof(text),
		"Suspend the key %s? Programs that use it are refused at once, until resumed.",
		list_selected_text(&keys->list, "name"));
	box_ask(view->app,
		&(struct box_question) {
			.title = "Suspend", .text = text, .call = &call, .done = "Suspended." });
}

static void keys_delete(struct view *view)
{
	struct keys *keys = view->state;
	const char *name = list_selected_text(&keys->list, "name");
	auto_call struct call call = { .method = METHOD_DELETE_API_KEY };
	char text[512];

	if (!name_selected(keys, &call))
		return;
	(void)snprintf(text, sizeof(text),
		       "Delete the key %s for good? Programs that use it are refused at once.\n\n"
		       "Type its name to agree.",
		       name);
	box_ask(view->app, &(struct box_question) { .title = "Delete an API key",
						    .text = text,
						    .word = name,
						    .call = &call,
						    .done = "Deleted." });
}

static void keys_queries(struct view *view)
{
	view_open(view->app, &VIEW_QUERIES, nullptr);
}

static const struct view_key KEYS[] = {
	{ 'c', "c", "Create", "API_KEYS_OWN", keys_create },
	{ 's', "s", "Suspend/resume", nullptr, keys_suspend },
	{ 'x', "x", "Delete", nullptr, keys_delete },
	{ 'o', "o", "Own/all", "API_KEYS_ALL", keys_all },
	{ 'u', "u", "Queries", nullptr, keys_queries },
	{},
};

const struct view_ops VIEW_API_KEYS = {
	.title = "API keys",
	.services = 1u << SERVICE_ACCOUNTS,
	.keys = KEYS,
	.open = keys_open,
	.close = keys_close,
	.draw = keys_draw,
	.key = keys_key,
	.reply = keys_reply,
	.refresh = keys_refresh,
};
