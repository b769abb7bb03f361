/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/app_parts.h"
#include "tui/view/grid.h"
#include "tui/view/view.h"

void app_say(struct app *app, enum style style, const char *text)
{
	app->notice_style = style;
	(void)snprintf(app->notice, sizeof(app->notice), "%s", text);
	app->dirty = true;
}

/* --- questions --------------------------------------------------------------------------------- */

void app_drop_asks(struct app *app, uint64_t serial, bool only_waiting)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++) {
		struct ask *ask = &app->ask[i];

		if (ask->id == 0 || ask->serial != serial ||
		    (only_waiting && ask->kind != ASK_WAITING))
			continue;
		app->setup.link.cancel(app->setup.link.userdata, ask->id);
		*ask = (struct ask) {};
	}
}

static struct ask *find_ask(struct app *app, uint64_t serial, unsigned int tag)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++)
		if (app->ask[i].id && app->ask[i].serial == serial && app->ask[i].tag == tag)
			return &app->ask[i];
	return nullptr;
}

static struct ask *free_ask(struct app *app)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++)
		if (app->ask[i].id == 0)
			return &app->ask[i];
	return nullptr;
}

void app_ask(struct app *app, uint64_t serial, const struct call *call, unsigned int tag,
	     enum ask_kind kind)
{
	struct ask *ask = find_ask(app, serial, tag);

	if (ask && kind == ASK_QUIETLY)
		return;
	if (ask)
		app->setup.link.cancel(app->setup.link.userdata, ask->id);
	else
		ask = free_ask(app);
	if (!ask) {
		app_say(app, STYLE_BAD, "Too much is being asked at once; try again in a moment.");
		return;
	}

	uint64_t id = ++app->last_id;
	int r = app->setup.link.send(app->setup.link.userdata, call, id);
	if (r < 0) {
		*ask = (struct ask) {};
		app_say(app, STYLE_BAD, "The question could not be sent; try again in a moment.");
		return;
	}
	*ask = (struct ask) { id, serial, tag, kind, app->now_us };
}

const struct ask *app_waiting_ask(const struct app *app)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++)
		if (app->ask[i].id && app->ask[i].kind == ASK_WAITING)
			return &app->ask[i];
	return nullptr;
}

/* --- what views may do ------------------------------------------------------------------------- */

void view_open(struct app *app, const struct view_ops *ops, const void *arg)
{
	if (app->n_views == APP_VIEWS_MAX) {
		app_say(app, STYLE_WARN, "Too many boxes are open; Esc closes one.");
		return;
	}

	struct view *view = &app->view[app->n_views];
	*view = (struct view) { .ops = ops, .app = app, .serial = ++app->last_serial };
	app->n_views++; /* first: its open may ask */
	if (ops->open(view, arg) != 0) {
		app_drop_asks(app, view->serial, false);
		app->n_views--;
		app_say(app, STYLE_BAD, "There is not enough memory for this.");
	}
	app->dirty = true;
}

void view_close(struct view *view)
{
	view->closing = true;
}

struct view *view_below(struct view *view)
{
	return view - 1; /* they lie in one array, in the order they were opened */
}

void view_ask(struct view *view, const struct call *call, unsigned int tag, enum ask_kind kind)
{
	app_ask(view->app, view->serial, call, tag, kind);
}

bool view_is_waiting(const struct view *view)
{
	for (size_t i = 0; i < APP_ASKS_MAX; i++) {
		const struct ask *ask = &view->app->ask[i];

		if (ask->id && ask->serial == view->serial && ask->kind == ASK_WAITING)
			return true;
	}
	return false;
}

void view_say(struct view *view, enum style style, const char *text)
{
	app_say(view->app, style, text);
}

void view_say_failed(struct view *view, const struct reply *reply)
{
	app_say(view->app, STYLE_BAD, reply->message);
}

bool view_may(const struct view *view, const char *privilege)
{
	/* Nobody has signed in there, and while the volume is closed nobody can say who it is. */
	if (view->app->setup.is_local)
		return strcmp(privilege, VIEW_LOCAL) == 0 ||
		       strncmp(privilege, "APPLIANCE_", 10) == 0;
	return rows_list_has(view->app->who, 0, "privileges", privilege);
}

const char *view_person(const struct view *view)
{
	return rows_text(view->app->who, 0, "name");
}

bool view_is_local(const struct view *view)
{
	return view->app->setup.is_local;
}

const char *view_hostname(const struct view *view)
{
	return view->app->hostname;
}

void view_note_hostname(struct view *view, const char *hostname)
{
	struct app *app = view->app;

	(void)snprintf(app->hostname, sizeof(app->hostname), "%s", hostname);
}

const char *const *view_roles(const struct view *view, size_t *ret_n)
{
	static const char *const BUILT_IN[] = { "admin", "member", "read-only" };
	struct app *app = view->app;
	size_t n = 0;

	for (size_t i = 0; i < rows_count(app->roles) && n < APP_ROLES_MAX; i++)
		if (strcmp(rows_text(app->roles, i, "name"), "local-console") != 0)
			app->role[n++] = rows_text(app->roles, i, "name");
	*ret_n = n ? n : countof(BUILT_IN);
	return n ? app->role : BUILT_IN;
}

void app_refresh(struct app *app, uint32_t services)
{
	for (size_t i = 0; i < app->n_views; i++)
		if (app->view[i].ops->refresh && app->view[i].ops->services & services)
			app->view[i].ops->refresh(&app->view[i]);
}

void view_refresh_all(struct view *view)
{
	app_refresh(view->app, UINT32_MAX);
}

void view_quit(struct view *view)
{
	view->app->ended = true;
}
