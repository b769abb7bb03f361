/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * box: the boxes that views put over themselves: a text to read, a question, a secret shown once.
 *
 * Layer 3 (tui/view).
 */

#include "common/base.h"
#include "tui/view/view.h"

struct rows;

extern const struct view_ops VIEW_PAGER;

/* Show a text of many lines, wrapped and scrolled. Both texts are copied. */
void box_pager(struct app *app, const char *title, const char *text);

/* Show what the keys do, those of a view first, as far as the person may use them. */
void box_help(struct view *view);

struct box_question {
	const char *title, *text; /* copied */
	const char *word;	  /* to be typed to agree, copied; nullptr: y agrees */
	struct call *call;	  /* what is then asked of the services; given away */
	const char *done;	  /* what to say when it worked; a constant */
};

/* Ask whether to go on; if so put the call, and close when it worked. */
void box_ask(struct app *app, const struct box_question *question);

struct box_secret {
	const char *title, *note; /* constants */
	const char *key;	  /* the secret's name in the rows */
	struct rows **rows;	  /* given away */
};

/* Show a secret until Enter; then wipe it. */
void box_reveal(struct app *app, const struct box_secret *secret);

/* The middle of an area: at most w by h. */
[[nodiscard]] struct area box_area(struct area in, int w, int h);
