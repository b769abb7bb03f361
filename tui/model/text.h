/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * text: make text from outside safe to show on a terminal, and measure it.
 *
 * Layer 2 (tui/model). Pure functions over (pointer, length). Whatever reaches a terminal has gone
 * through text_next() or text_clean(): no control byte, no escape sequence, no direction override.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* One step through a text. */
struct glyph {
	uint32_t rune; /* the character, if bytes are shown as they are */
	size_t len;    /* bytes it takes in the text; 0 at the end */
	bool raw;      /* not fit to be shown: each of its len bytes is written as \xNN */
};

/* The next character of str[len]; its len is 0 only if len is 0. */
[[nodiscard]] struct glyph text_next(const char *str, size_t len);

/* Columns of a character on the terminal: 0 (combining), 1 or 2. Unknown ones count as 1. */
[[nodiscard]] int text_rune_width(uint32_t rune);

/* Columns that str takes when shown, with its unfit bytes written as \xNN. */
[[nodiscard]] size_t text_width(const char *str);

/* Append str[len] with every unfit byte written as \xNN. A failure sticks to out. */
void text_clean(struct buf *out, const char *str, size_t len);

/*
 * Append str[len] as a JSON string with its quotes. Beyond what JSON asks for, DEL, the C1 controls
 * and direction overrides are escaped too, so that the output is safe on a terminal.
 */
void text_json(struct buf *out, const char *str, size_t len);
