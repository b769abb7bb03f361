/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * line: a one-line text editor with the keys of readline.
 *
 * Layer 3 (tui/view). May hold a secret: its memory is wiped when freed and never reallocated.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/view/grid.h"

struct line {
	char *text; /* [room], NUL-terminated, whole UTF-8 characters */
	size_t len, room;
	size_t at;   /* the cursor, in bytes, at the start of a character */
	bool masked; /* shown as *** of a length that says nothing */
};

/* Make an empty line of at most max bytes. Returns 0 or -ENOMEM. */
[[nodiscard]] int line_init(struct line *line, size_t max, bool masked);

/* Wipe and free. */
void line_done(struct line *line);

/* Replace the text (cut at the line's maximum) and put the cursor behind it. */
void line_set(struct line *line, const char *text);

/* Take a key. Returns whether it meant something here. */
[[nodiscard]] bool line_key(struct line *line, uint32_t key);

/* Draw over w columns, scrolled so that the cursor is seen; with the terminal's cursor if focused. */
void line_draw(const struct line *line, struct grid *to, int x, int y, int w, bool focused);
