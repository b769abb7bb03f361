/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * view: what a screen or a box is made of: a table of what it does and a table of its keys.
 *
 * Layer 3 (tui/view). The app (app.h) keeps a stack of views, gives keys to the topmost and draws the
 * topmost full one with the boxes above it. A view asks the services through view_ask() and is told the
 * answer; it never waits.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/view/grid.h"

struct app;
struct view;

struct view_key {
	uint32_t key; /* 0 ends the table */
	const char *name, *label;
	const char *privilege; /* needed for it; nullptr: none */
	void (*act)(struct view *view);
};

struct view_ops {
	const char *title;
	bool is_box;	   /* drawn over what is below */
	bool takes_text;   /* letters are text, not commands */
	bool stays;	   /* Esc does not close it */
	uint32_t services; /* bits of enum service: a change there calls refresh */
	const struct view_key *keys;

	/* Make view->state. Returns 0 or -ENOMEM. */
	int (*open)(struct view *view, const void *arg);
	void (*close)(struct view *view);
	void (*draw)(struct view *view, struct grid *to, struct area in);
	/* Take a key that is not in the table. Returns whether it meant something. May be nullptr. */
	bool (*key)(struct view *view, uint32_t key);
	/* Take the answer to a question. May take the reply's rows. */
	void (*reply)(struct view *view, unsigned int tag, struct reply *reply);
	/* Ask anew for what is shown; every two seconds and after changes. May be nullptr. */
	void (*refresh)(struct view *view);
};

struct view {
	const struct view_ops *ops;
	struct app *app;
	void *state;
	uint64_t serial; /* never used twice */
	bool closing;	 /* is taken off the stack once the key or reply has been handled */
};

enum ask_kind {
	ASK_QUIETLY, /* a refresh: nobody waits for it */
	ASK_WAITING, /* somebody pressed a key for it: "working" is shown, Esc stops waiting */
};

/* Open a view on top of the stack. arg is the view's own business, borrowed. What fails is said in the status line. */
void view_open(struct app *app, const struct view_ops *ops, const void *arg);

/* Close a view, once the key or reply at hand has been handled. */
void view_close(struct view *view);

/*
 * Put a question; the answer comes to ops->reply with the tag. A question with the same tag that is still
 * open is not put again if quiet, and replaced if not.
 */
void view_ask(struct view *view, const struct call *call, unsigned int tag, enum ask_kind kind);

/* The view that a box was opened over, which must be one. */
[[nodiscard]] struct view *view_below(struct view *view);

/* Whether the view waits for an answer to a question that was not quiet. */
[[nodiscard]] bool view_is_waiting(const struct view *view);

/* Show one line at the bottom until the next key that does something. */
void view_say(struct view *view, enum style style, const char *text);

/* Show what went wrong at the bottom. */
void view_say_failed(struct view *view, const struct reply *reply);

/* Stands where a privilege stands, for what only the machine's own console can do. */
#define VIEW_LOCAL "local"

/* Whether the person holds a privilege, as far as this program knows; the services decide. */
[[nodiscard]] bool view_may(const struct view *view, const char *privilege);

/* The person's own name; "" if not known yet. */
[[nodiscard]] const char *view_person(const struct view *view);

/* Whether this is the machine's own console, where nobody has signed in. */
[[nodiscard]] bool view_is_local(const struct view *view);

/* The appliance's host name; "" if not known yet. */
[[nodiscard]] const char *view_hostname(const struct view *view);

/* Let the app know what the appliance said about itself. */
void view_note_hostname(struct view *view, const char *hostname);

/* Ask all views to refresh: something was changed. */
void view_refresh_all(struct view *view);

/* The roles that can be given to people, [ret_n]; borrowed. */
[[nodiscard]] const char *const *view_roles(const struct view *view, size_t *ret_n);

/* End the console. */
void view_quit(struct view *view);

extern const struct view_ops VIEW_DASHBOARD, VIEW_PEOPLE, VIEW_API_KEYS, VIEW_AUDIT, VIEW_QUERIES;
/* arg: the person's name, const char *. */
extern const struct view_ops VIEW_SSH_KEYS;
