/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * list: rows in columns, of which one is selected; scrolled and filtered.
 *
 * Layer 3 (tui/view). A refresh keeps the selection on the same thing, not on the same line.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/view/grid.h"
#include "tui/view/line.h"

struct rows;

enum list_form {
	LIST_PLAIN,
	LIST_TIME,
	LIST_STATE
};

struct list_column {
	const char *title, *key; /* the last of an array has a nullptr key */
	enum list_form form;
	int min;  /* columns it takes at least; one that does not fit is left out, last first */
	int grow; /* its share of what is left over */
};

struct list {
	const struct list_column *column; /* borrowed */
	const char *identity;		  /* the key that tells rows apart */
	const char *empty;		  /* what to say when there is nothing */
	struct rows *rows;		  /* nullptr until they have come */
	size_t selected;		  /* a row, or anything if there is none */
	size_t top; /* the first visible row's number among those that match */
	int page;   /* lines shown when drawn last */
	struct line filter;
	bool typing; /* the filter is being typed */
};

constexpr size_t LIST_NONE = SIZE_MAX;

/* Make a list of nothing yet. Returns 0 or -ENOMEM. */
[[nodiscard]] int list_init(struct list *list, const struct list_column *column,
			    const char *identity, const char *empty);

/* Free the rows and all. */
void list_done(struct list *list);

/* Show these rows from now on; they are given away. */
void list_take(struct list *list, struct rows **rows);

/* Take a key: moving, and / with what follows it. Returns whether it meant something here. */
[[nodiscard]] bool list_key(struct list *list, uint32_t key);

/* The selected row's number in the rows, or LIST_NONE. */
[[nodiscard]] size_t list_selected(const struct list *list);

/* The selected row's text by key; "" if none is selected. */
[[nodiscard]] const char *list_selected_text(const struct list *list, const char *key);

/* Draw titles, rows and filter; the terminal's cursor goes to the selected row, or into the filter. */
void list_draw(struct list *list, struct grid *to, struct area in);
