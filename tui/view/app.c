/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/app.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/app_parts.h"
#include "tui/view/box.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/tabs.h"
#include "tui/view/view.h"

constexpr uint64_t REFRESH_US = 2 * APP_S_US;
constexpr uint64_t IDLE_US = 600 * APP_S_US; /* promise H2 */

enum app_tag {
	TAG_WHO,
	TAG_SESSION,
	TAG_ROLES,
	TAG_LOCK
};

static struct view *top_view(struct app *app)
{
	return &app->view[app->n_views - 1];
}

static struct view *view_by_serial(struct app *app, uint64_t serial)
{
	for (size_t i = 0; i < app->n_views; i++)
		if (app->view[i].serial == serial)
			return &app->view[i];
	return nullptr;
}

static void ask_for_self(struct app *app, enum method_id method, enum app_tag tag)
{
	app_ask(app, 0, &(struct call) { .method = method }, tag, ASK_QUIETLY);
}

/* --- the stack --------------------------------------------------------------------------------- */

static void pop_view(struct app *app, size_t i)
{
	app_drop_asks(app, app->view[i].serial, false);
	app->view[i].ops->close(&app->view[i]);
	memmove(&app->view[i], &app->view[i + 1], (app->n_views - i - 1) * sizeof(app->view[0]));
	app->n_views--;
	app->dirty = true;
}

static void pop_all(struct app *app)
{
	while (app->n_views > 0)
		pop_view(app, app->n_views - 1);
}

static void open_tab(struct app *app, size_t tab)
{
	pop_all(app);
	app->tab = tab;
	app->notice[0] = '\0';
	view_open(app, TABS[tab].ops, nullptr);
}

/* Take the views off that asked for it. The tab's own view never goes without another coming. */
static void reap(struct app *app)
{
	for (size_t i = app->n_views; i-- > 1;)
		if (app->view[i].closing)
			pop_view(app, i);
	if (app->n_views == 0)
		open_tab(app, 0);
}

int app_new(const struct app_setup *setup, struct app **ret)
{
	struct app *app = calloc(1, sizeof(*app));
	auto_call struct call session = { .method = METHOD_SESSION_OPEN };
	if (!app)
		return -ENOMEM;

	app->setup = *setup;
	app->now_us = app->last_key_us = app->last_refresh_us = setup->now_us;
	int r = call_set_text(&session, 0, setup->fingerprint);
	if (r == 0)
		r = call_set_text(&session, 1, setup->terminal);
	if (r == 0 && setup->connection)
		r = call_set_text(&session, 2, setup->connection);
	if (r == 0)
		r = call_set_text(&session, 3, "console");
	if (r) {
		free(app);
		return r;
	}
	app_ask(app, 0, &session, TAG_SESSION, ASK_QUIETLY);
	ask_for_self(app, METHOD_WHO_AM_I, TAG_WHO);
	ask_for_self(app, METHOD_LIST_ROLES, TAG_ROLES);
	view_open(app, TABS[0].ops, nullptr);
	if (app->n_views == 0) {
		(void)app_free(app);
		return -ENOMEM;
	}
	*ret = app;
	return 0;
}

struct app *app_free(struct app *app)
{
	if (!app)
		return nullptr;
	pop_all(app);
	app_drop_asks(app, 0, false);
	app->who = rows_free(app->who);
	app->roles = rows_free(app->roles);
	free(app);
	return nullptr;
}

/* --- keys -------------------------------------------------------------------------------------- */

bool app_has_tab(const struct app *app, size_t tab)
{
	return !app->setup.is_local || TABS[tab].is_local;
}

static bool tab_key(struct app *app, uint32_t key, bool letters_too)
{
	for (size_t i = 0; i < TABS_COUNT; i++) {
		if (key != TABS[i].key && !(letters_too && key == TABS[i].digit))
			continue;
		if (app_has_tab(app, i))
			open_tab(app, i);
		return true;
	}
	return false;
}

static void show_help(struct app *app)
{
	if (top_view(app)->ops != &VIEW_PAGER)
		box_help(top_view(app));
}

static bool app_wide_key(struct app *app, uint32_t key)
{
	bool letters_too = !top_view(app)->ops->takes_text;

	if (tab_key(app, key, letters_too))
		return true;
	if (key == KEY_F0_ + 1 || (letters_too && (key == '?' || key == '1'))) {
		show_help(app);
		return true;
	}
	if (key == KEY_F0_ + 10 || key == KEY_CTRL('c') ||
	    (letters_too && app->n_views == 1 && (key == 'q' || key == 'Q'))) {
		if (!app->setup.is_local) /* nobody can leave the machine's own console */
			app->ended = true;
		return true;
	}
	return false;
}

static bool table_key(struct view *view, uint32_t key)
{
	for (const struct view_key *row = view->ops->keys; row && row->key; row++) {
		if (row->key != key || !row->act ||
		    (row->privilege && !view_may(view, row->privilege)))
			continue;
		row->act(view);
		return true;
	}
	return false;
}

static bool back_key(struct app *app, uint32_t key)
{
	struct view *view = top_view(app);
	bool back = key == KEY_ESCAPE_ || (key == 'q' && !view->ops->takes_text);

	if (!back || app->n_views == 1)
		return false;
	view_close(view);
	return true;
}

/* Stop waiting for an answer, which the service may still be working on. */
static bool stop_waiting(struct app *app, uint32_t key)
{
	const struct ask *ask = app_waiting_ask(app);

	if (key != KEY_ESCAPE_ || !ask)
		return false;
	app_drop_asks(app, ask->serial, true);
	app_say(app, STYLE_WARN, "No longer waiting; it may still be carried out.");
	return true;
}

static void locked_key(struct app *app, uint32_t key)
{
	if (key == KEY_ENTER_ || key == KEY_F0_ + 10 || key == KEY_CTRL('c'))
		app->ended = true;
}

void app_key(struct app *app, uint32_t key, uint64_t now_us)
{
	app->now_us = now_us;
	app->dirty = true;
	if (app->locked) {
		locked_key(app, key);
		return;
	}
	app->last_key_us = now_us;

	struct view *view = top_view(app);
	if (key & KEY_PASTED && !view->ops->takes_text)
		return; /* what is pasted is text; in a list its letters would be commands */
	if (stop_waiting(app, key))
		return;
	app->notice[0] = '\0';
	if (!(view->ops->key && view->ops->key(view, key)) && !table_key(view, key) &&
	    !back_key(app, key))
		(void)app_wide_key(app, key);
	reap(app);
}

/* --- answers and time -------------------------------------------------------------------------- */

static void greet(struct app *app, const struct reply *reply)
{
	char text[APP_NOTICE];

	if (reply->result != RESULT_OK) {
		if (!app->setup.is_local) /* accounts is not there before the volume is open */
			app_say(app, STYLE_BAD, reply->message);
		return;
	}
	const char *last = rows_text(reply->rows, 0, "last_login");
	if (*last == '\0')
		return;
	const char *source = rows_text(reply->rows, 0, "last_source");
	(void)snprintf(text, sizeof(text), "Last sign-in: %s%s%s", last, *source ? " from " : "",
		       source);
	app_say(app, STYLE_NORMAL, text);
}

static void reply_to_self(struct app *app, unsigned int tag, struct reply *reply)
{
	if (tag == TAG_SESSION)
		greet(app, reply);
	if (reply->result != RESULT_OK)
		return;
	if (tag == TAG_WHO) {
		(void)rows_free(app->who);
		app->who = TAKE(reply->rows);
		app_refresh(app, UINT32_MAX); /* more may be allowed than was asked for */
	}
	if (tag == TAG_ROLES) {
		(void)rows_free(app->roles);
		app->roles = TAKE(reply->rows);
	}
}

void app_reply(struct app *app, uint64_t id, struct reply *reply)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++) {
		struct ask ask = app->ask[i];

		if (ask.id != id || id == 0)
			continue;
		app->ask[i] = (struct ask) {};
		struct view *view = view_by_serial(app, ask.serial);
		if (view)
			view->ops->reply(view, ask.tag, reply);
		else if (ask.serial == 0)
			reply_to_self(app, ask.tag, reply);
		reap(app);
		app->dirty = true;
		break;
	}
	reply_done(reply);
}

void app_changed(struct app *app, enum service service)
{
	if (app->locked)
		return;
	if (service == SERVICE_ACCOUNTS) {
		ask_for_self(app, METHOD_WHO_AM_I, TAG_WHO);
		ask_for_self(app, METHOD_LIST_ROLES, TAG_ROLES);
	}
	app_refresh(app, 1u << service);
}

/* Blank everything and let go of all that was shown. */
static void lock(struct app *app)
{
	pop_all(app);
	app->notice[0] = '\0';
	app->who = rows_free(app->who);
	app->locked = true;
	app->dirty = true;
	ask_for_self(app, METHOD_SESSION_LOCK, TAG_LOCK);
}

static void idle(struct app *app)
{
	if (!app->setup.is_local)
		lock(app);
	else if (app->n_views >
		 1) /* nobody has signed in there; but what was typed must not stay */
		open_tab(app, 0);
	app->last_key_us = app->now_us;
}

void app_tick(struct app *app, uint64_t now_us)
{
	app->now_us = now_us;
	if (app_waiting_ask(app))
		app->dirty = true;
	if (app->locked)
		return;
	if (now_us - app->last_key_us >= IDLE_US) {
		idle(app);
		return;
	}
	if (now_us - app->last_refresh_us >= REFRESH_US) {
		app->last_refresh_us = now_us;
		if (!app->who)
			ask_for_self(app, METHOD_WHO_AM_I, TAG_WHO);
		app_refresh(app, UINT32_MAX);
	}
}

bool app_is_dirty(const struct app *app)
{
	return app->dirty;
}

bool app_has_ended(const struct app *app)
{
	return app->ended;
}
