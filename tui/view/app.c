/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"
#include "tui/view/box.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/tabs.h"
#include "tui/view/view.h"

constexpr size_t VIEWS_MAX = 8;	 /* a tab, a list in it, a form, a question, help … */
constexpr size_t ASKS_MAX = 24;	 /* the client takes 32 */
constexpr size_t ROLES_MAX = 64; /* built-in ones are four */
constexpr size_t NOTICE = 600;	 /* a reply's message and a little more */
constexpr uint64_t S_US = 1000000;
constexpr uint64_t REFRESH_US = 2 * S_US;
constexpr uint64_t IDLE_US = 10 * 60 * S_US; /* promise H2 */
constexpr uint64_t SHOW_WAIT_US = 300'000;   /* an answer that comes sooner needs no "working" */
constexpr int WIDTH_MIN = 40;
constexpr int HEIGHT_MIN = 10;

/* A question under way. */
struct ask {
	uint64_t id;	 /* 0: free */
	uint64_t serial; /* the view that asked; 0: the app itself */
	unsigned int tag;
	enum ask_kind kind;
	uint64_t since_us;
};

enum app_tag {
	TAG_WHO,
	TAG_SESSION,
	TAG_ROLES,
	TAG_LOCK
};

struct app {
	struct app_setup setup;
	struct view view[VIEWS_MAX];
	size_t n_views, tab;
	struct ask ask[ASKS_MAX];
	uint64_t last_id, last_serial;
	uint64_t now_us, last_key_us, last_refresh_us;
	struct rows *who, *roles;
	const char *role[ROLES_MAX];
	char hostname[256];
	char notice[NOTICE];
	enum style notice_style;
	bool locked, ended, dirty;
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

static void say(struct app *app, enum style style, const char *text)
{
	app->notice_style = style;
	(void)snprintf(app->notice, sizeof(app->notice), "%s", text);
	app->dirty = true;
}

/* --- questions --------------------------------------------------------------------------------- */

static void drop_asks(struct app *app, uint64_t serial, bool only_waiting)
{
	for (size_t i = 0; i < ASKS_MAX; i++) {
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
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (app->ask[i].id && app->ask[i].serial == serial && app->ask[i].tag == tag)
			return &app->ask[i];
	return nullptr;
}

static struct ask *free_ask(struct app *app)
{
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (app->ask[i].id == 0)
			return &app->ask[i];
	return nullptr;
}

static void put_question(struct app *app, uint64_t serial, const struct call *call,
			 unsigned int tag, enum ask_kind kind)
{
	struct ask *ask = find_ask(app, serial, tag);

	if (ask && kind == ASK_QUIETLY)
		return;
	if (ask)
		app->setup.link.cancel(app->setup.link.userdata, ask->id);
	else
		ask = free_ask(app);
	if (!ask) {
		say(app, STYLE_BAD, "Too much is being asked at once; try again in a moment.");
		return;
	}

	uint64_t id = ++app->last_id;
	int r = app->setup.link.send(app->setup.link.userdata, call, id);
	if (r < 0) {
		*ask = (struct ask) {};
		say(app, STYLE_BAD, "The question could not be sent; try again in a moment.");
		return;
	}
	*ask = (struct ask) { id, serial, tag, kind, app->now_us };
}

static void ask_for_self(struct app *app, enum method_id method, enum app_tag tag)
{
	put_question(app, 0, &(struct call) { .method = method }, tag, ASK_QUIETLY);
}

static const struct ask *waiting_ask(const struct app *app)
{
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (app->ask[i].id && app->ask[i].kind == ASK_WAITING)
			return &app->ask[i];
	return nullptr;
}

/* --- what views may do ------------------------------------------------------------------------- */

void view_open(struct app *app, const struct view_ops *ops, const void *arg)
{
	if (app->n_views == VIEWS_MAX) {
		say(app, STYLE_WARN, "Too many boxes are open; Esc closes one.");
		return;
	}

	struct view *view = &app->view[app->n_views];
	*view = (struct view) { .ops = ops, .app = app, .serial = ++app->last_serial };
	app->n_views++; /* first: its open may ask */
	if (ops->open(view, arg) != 0) {
		drop_asks(app, view->serial, false);
		app->n_views--;
		say(app, STYLE_BAD, "There is not enough memory for this.");
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
	put_question(view->app, view->serial, call, tag, kind);
}

bool view_is_waiting(const struct view *view)
{
	for (size_t i = 0; i < ASKS_MAX; i++) {
		const struct ask *ask = &view->app->ask[i];

		if (ask->id && ask->serial == view->serial && ask->kind == ASK_WAITING)
			return true;
	}
	return false;
}

void view_say(struct view *view, enum style style, const char *text)
{
	say(view->app, style, text);
}

void view_say_failed(struct view *view, const struct reply *reply)
{
	say(view->app, STYLE_BAD, reply->message);
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

	for (size_t i = 0; i < rows_count(app->roles) && n < ROLES_MAX; i++)
		if (strcmp(rows_text(app->roles, i, "name"), "local-console") != 0)
			app->role[n++] = rows_text(app->roles, i, "name");
	*ret_n = n ? n : countof(BUILT_IN);
	return n ? app->role : BUILT_IN;
}

static void refresh_views(struct app *app, uint32_t services)
{
	for (size_t i = 0; i < app->n_views; i++)
		if (app->view[i].ops->refresh && app->view[i].ops->services & services)
			app->view[i].ops->refresh(&app->view[i]);
}

void view_refresh_all(struct view *view)
{
	refresh_views(view->app, UINT32_MAX);
}

void view_quit(struct view *view)
{
	view->app->ended = true;
}

/* --- the stack --------------------------------------------------------------------------------- */

static void pop_view(struct app *app, size_t i)
{
	drop_asks(app, app->view[i].serial, false);
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
	if (r) {
		free(app);
		return r;
	}
	put_question(app, 0, &session, TAG_SESSION, ASK_QUIETLY);
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
	drop_asks(app, 0, false);
	app->who = rows_free(app->who);
	app->roles = rows_free(app->roles);
	free(app);
	return nullptr;
}

/* --- keys -------------------------------------------------------------------------------------- */

static bool tab_is_open(const struct app *app, size_t tab)
{
	return !app->setup.is_local || TABS[tab].is_local;
}

static bool tab_key(struct app *app, uint32_t key, bool letters_too)
{
	for (size_t i = 0; i < TABS_COUNT; i++) {
		if (key != TABS[i].key && !(letters_too && key == TABS[i].digit))
			continue;
		if (tab_is_open(app, i))
			open_tab(app, i);
		return true;
	}
	return false;
}

static void show_help(struct app *app)
{
	if (top_view(app)->ops != &VIEW_PAGER)
		box_help(app, top_view(app)->ops);
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
	const struct ask *ask = waiting_ask(app);

	if (key != KEY_ESCAPE_ || !ask)
		return false;
	drop_asks(app, ask->serial, true);
	say(app, STYLE_WARN, "No longer waiting; it may still be carried out.");
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
	char text[NOTICE];

	if (reply->result != RESULT_OK) {
		if (!app->setup.is_local) /* accounts is not there before the volume is open */
			say(app, STYLE_BAD, reply->message);
		return;
	}
	const char *last = rows_text(reply->rows, 0, "last_login");
	if (*last == '\0')
		return;
	const char *source = rows_text(reply->rows, 0, "last_source");
	(void)snprintf(text, sizeof(text), "Last sign-in: %s%s%s", last, *source ? " from " : "",
		       source);
	say(app, STYLE_NORMAL, text);
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
		refresh_views(app, UINT32_MAX); /* more may be allowed than was asked for */
	}
	if (tag == TAG_ROLES) {
		(void)rows_free(app->roles);
		app->roles = TAKE(reply->rows);
	}
}

void app_reply(struct app *app, uint64_t id, struct reply *reply)
{
	for (size_t i = 0; i < ASKS_MAX; i++) {
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
	refresh_views(app, 1u << service);
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
	if (waiting_ask(app))
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
		refresh_views(app, UINT32_MAX);
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

/* --- the picture ------------------------------------------------------------------------------- */

static void draw_header(const struct app *app, struct grid *to)
{
	bool narrow = to->width < 72;
	int x = 0;

	grid_fill(to, (struct area) { 0, 0, to->width, 1 }, STYLE_BAR);
	for (size_t i = 0; i < TABS_COUNT; i++) {
		if (!tab_is_open(app, i))
			continue;
		enum style style = i == app->tab ? STYLE_BAR_HERE : STYLE_BAR;

		x += grid_text(to, x, 0, to->width - x, STYLE_BAR_KEY, narrow ? "" : TABS[i].name);
		x += grid_textf(to, x, 0, to->width - x, style, " %s ",
				narrow ? TABS[i].short_title : TABS[i].title);
	}

	char who[NOTICE];
	const char *person = rows_text(app->who, 0, "name");
	(void)snprintf(who, sizeof(who), "%s%s%s", person, *person && *app->hostname ? "@" : "",
		       app->hostname);
	int width = (int)text_width(who);
	if (x + width + 1 <= to->width)
		(void)grid_text(to, to->width - width, 0, width, STYLE_BAR, who);
}

static void draw_status(const struct app *app, struct grid *to)
{
	const struct ask *ask = waiting_ask(app);
	int y = to->height - 2;

	if (ask && app->now_us - ask->since_us >= SHOW_WAIT_US)
		(void)grid_textf(to, 0, y, to->width, STYLE_WARN,
				 "Working for %" PRIu64 " s ... Esc stops waiting.",
				 (app->now_us - ask->since_us) / S_US);
	else
		(void)grid_text(to, 0, y, to->width, app->notice_style, app->notice);
}

static int draw_key(struct grid *to, int x, const char *name, const char *label)
{
	int y = to->height - 1;
	auto width = (int)(text_width(name) + text_width(label)) + 3;

	if (x + width > to->width)
		return 0;
	x += grid_text(to, x, y, to->width - x, STYLE_BAR_KEY, name);
	(void)grid_textf(to, x, y, to->width - x, STYLE_BAR, " %s", label);
	return width;
}

static void draw_footer(struct app *app, struct grid *to)
{
	struct view *view = top_view(app);
	int x = 0;

	grid_fill(to, (struct area) { 0, to->height - 1, to->width, 1 }, STYLE_BAR);
	for (const struct view_key *row = view->ops->keys; row && row->key; row++)
		if (row->name && (!row->privilege || view_may(view, row->privilege)))
			x += draw_key(to, x, row->name, row->label);
	if (app->n_views > 1)
		x += draw_key(to, x, "Esc", "Back");
	x += draw_key(to, x, "F1", "Help");
	if (!app->setup.is_local)
		(void)draw_key(to, x, "F10", "Quit");
}

static void draw_locked(struct grid *to)
{
	int y = to->height / 2 - 1;

	(void)grid_text(to, 2, y, to->width - 4, STYLE_HEAD, "Locked: 10 minutes without a key.");
	(void)grid_text(to, 2, y + 1, to->width - 4, STYLE_NORMAL,
			"Enter: end this session; then sign in again.");
	grid_cursor(to, 2, y + 1);
}

/* Draw the topmost view that is no box, and the boxes over it. */
static void draw_views(struct app *app, struct grid *to)
{
	struct area body = { 0, 1, to->width, to->height - 3 };
	size_t first = app->n_views - 1;

	while (first > 0 && app->view[first].ops->is_box)
		first--;
	for (size_t i = first; i < app->n_views; i++)
		app->view[i].ops->draw(&app->view[i], to, body);
}

void app_draw(struct app *app, struct grid *to)
{
	app->dirty = false;
	grid_clear(to);
	if (to->width < WIDTH_MIN || to->height < HEIGHT_MIN) {
		(void)grid_textf(to, 0, 0, to->width, STYLE_WARN, "Too small: %d x %d.", to->width,
				 to->height);
		(void)grid_text(to, 0, 1, to->width, STYLE_NORMAL, "Make it 40 x 10 or more.");
		return;
	}
	if (app->locked) {
		draw_locked(to);
		return;
	}
	draw_header(app, to);
	draw_status(app, to);
	draw_footer(app, to);
	draw_views(app, to);
}
