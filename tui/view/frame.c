/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tui/model/rows.h"
#include "tui/model/text.h"
#include "tui/view/app_parts.h"
#include "tui/view/grid.h"
#include "tui/view/tabs.h"
#include "tui/view/view.h"

constexpr uint64_t SHOW_WAIT_US = 300'000; /* an answer that comes sooner needs no "working" */
constexpr int WIDTH_MIN = 40;
constexpr int HEIGHT_MIN = 10;

static struct view *top_view(struct app *app)
{
	return &app->view[app->n_views - 1];
}

static void draw_header(const struct app *app, struct grid *to)
{
	bool narrow = to->width < 72;
	int x = 0;

	grid_fill(to, (struct area) { 0, 0, to->width, 1 }, STYLE_BAR);
	for (size_t i = 0; i < TABS_COUNT; i++) {
		if (!app_has_tab(app, i))
			continue;
		enum style style = i == app->tab ? STYLE_BAR_HERE : STYLE_BAR;

		x += grid_text(to, x, 0, to->width - x, STYLE_BAR_KEY, narrow ? "" : TABS[i].name);
		x += grid_textf(to, x, 0, to->width - x, style, " %s ",
				narrow ? TABS[i].short_title : TABS[i].title);
	}

	char who[APP_NOTICE];
	const char *person = rows_text(app->who, 0, "name");
	(void)snprintf(who, sizeof(who), "%s%s%s", person, *person && *app->hostname ? "@" : "",
		       app->hostname);
	int width = (int)text_width(who);
	if (x + width + 1 <= to->width)
		(void)grid_text(to, to->width - width, 0, width, STYLE_BAR, who);
}

static void draw_status(const struct app *app, struct grid *to)
{
	const struct ask *ask = app_waiting_ask(app);
	int y = to->height - 2;

	if (ask && app->now_us - ask->since_us >= SHOW_WAIT_US)
		(void)grid_textf(to, 0, y, to->width, STYLE_WARN,
				 "Working for %" PRIu64 " s ... Esc stops waiting.",
				 (app->now_us - ask->since_us) / APP_S_US);
	else
		(void)grid_text(to, 0, y, to->width, app->notice_style, app->notice);
}

static int key_width(const char *name, const char *label)
{
	return (int)(text_width(name) + text_width(label)) + 3;
}

static int draw_key(struct grid *to, int x, const char *name, const char *label)
{
	int y = to->height - 1;

	x += grid_text(to, x, y, to->width - x, STYLE_BAR_KEY, name);
	(void)grid_textf(to, x, y, to->width - x, STYLE_BAR, " %s", label);
	return key_width(name, label);
}

/* Help first, the way back last; between them as many of the view's keys as there is room for. */
static void draw_footer(struct app *app, struct grid *to)
{
	struct view *view = top_view(app);
	bool in_box = app->n_views > 1;
	const char *name = in_box ? "Esc" : "F10";
	const char *label = in_box ? "Back" : "Quit";
	bool has_last = in_box ? !view->ops->stays : !app->setup.is_local;
	int end = to->width - (has_last ? key_width(name, label) - 2 : 0);
	int x = 0;

	grid_fill(to, (struct area) { 0, to->height - 1, to->width, 1 }, STYLE_BAR);
	x += draw_key(to, x, "F1", "Help");
	for (const struct view_key *row = view->ops->keys; row && row->key; row++) {
		if (!row->name || (row->privilege && !view_may(view, row->privilege)))
			continue;
		if (x + key_width(row->name, row->label) > end)
			break;
		x += draw_key(to, x, row->name, row->label);
	}
	if (has_last)
		(void)draw_key(to, x, name, label);
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
