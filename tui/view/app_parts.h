/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * app_parts: the inside of the app, shared by the files it is made of: app.c (stack, keys, time), desk.c
 * (what views may ask of it) and frame.c (the picture). No other file includes this.
 *
 * Layer 3 (tui/view).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/view/app.h"
#include "tui/view/grid.h"
#include "tui/view/view.h"

constexpr size_t APP_VIEWS_MAX = 8;  /* a tab, a list in it, a form, a question, help … */
constexpr size_t APP_ASKS_MAX = 24;  /* the client takes 32 */
constexpr size_t APP_ROLES_MAX = 64; /* built-in ones are four */
constexpr size_t APP_NOTICE = 600;   /* a reply's message and a little more */
constexpr uint64_t APP_S_US = 1000000;

/* A question under way. */
struct ask {
	uint64_t id;	 /* 0: free */
	uint64_t serial; /* the view that asked; 0: the app itself */
	unsigned int tag;
	enum ask_kind kind;
	uint64_t since_us;
};

struct app {
	struct app_setup setup;
	struct view view[APP_VIEWS_MAX];
	size_t n_views, tab;
	struct ask ask[APP_ASKS_MAX];
	uint64_t last_id, last_serial;
	uint64_t now_us, last_key_us, last_refresh_us;
	struct rows *who, *roles;
	const char *role[APP_ROLES_MAX];
	char hostname[256];
	char notice[APP_NOTICE];
	enum style notice_style;
	bool locked, ended, dirty;
};

/* Show one line at the bottom. */
void app_say(struct app *app, enum style style, const char *text);

/* Put a question for the view with this serial number, or for the app itself (0); see view_ask(). */
void app_ask(struct app *app, uint64_t serial, const struct call *call, unsigned int tag,
	     enum ask_kind kind);

/* Forget the questions of a view; only those that somebody waits for, or all. */
void app_drop_asks(struct app *app, uint64_t serial, bool only_waiting);

/* A question that somebody waits for, or nullptr. */
[[nodiscard]] const struct ask *app_waiting_ask(const struct app *app);

/* Have the views refresh that show something of these services. */
void app_refresh(struct app *app, uint32_t services);

/* Whether a tab can be opened here. */
[[nodiscard]] bool app_has_tab(const struct app *app, size_t tab);
