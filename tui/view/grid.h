/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * grid: a screenful of character cells in memory.
 *
 * Layer 3 (tui/view). Views draw here, tui/screen paints it, tests read it. Whatever is drawn outside
 * the grid is cut off; whatever text is drawn has its unfit bytes shown as \xNN (model/text.h), so this
 * is the one door between text from outside and the terminal.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr int GRID_WIDTH_MAX = 500;
constexpr int GRID_HEIGHT_MAX = 200;

enum style : uint8_t {
	STYLE_NORMAL,
	STYLE_BAR,	/* the lines at top and bottom */
	STYLE_BAR_KEY,	/* a key's name there */
	STYLE_BAR_HERE, /* the tab one is in */
	STYLE_HEAD,	/* titles of columns and boxes */
	STYLE_SELECTED,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
	STYLE_DIM,
	STYLE_INPUT, /* where one types */
	STYLE_COUNT
};

struct cell {
	uint32_t rune; /* ' ' if empty */
	uint32_t mark; /* a combining character over it, or 0 */
	uint8_t width; /* 1 or 2; 0 for the right half of the cell before */
	enum style style;
};

struct grid {
	int width, height;
	bool utf8; /* the terminal shows more than ASCII */
	int cursor_x, cursor_y;
	struct cell *cell; /* [height * width] */
};

struct area {
	int x, y, w, h;
};

/*
 * Change the size (cut to GRID_*_MAX, at least 1) and empty all cells. Starts from a zeroed grid.
 *
 * Returns 0 or -ENOMEM, the grid as before.
 */
[[nodiscard]] int grid_resize(struct grid *grid, int width, int height);

/* Free the cells. */
void grid_done(struct grid *grid);

/* Empty all cells and put the cursor into the last one. */
void grid_clear(struct grid *grid);

/* The cell at x, y, which must be inside. */
[[nodiscard]] const struct cell *grid_at(const struct grid *grid, int x, int y);

/* Empty an area and give it a style. */
void grid_fill(struct grid *grid, struct area area, enum style style);

/* Draw text from x, y over at most w columns; cut with … if it is longer. Returns the columns used. */
[[nodiscard]] int grid_text(struct grid *grid, int x, int y, int w, enum style style,
			    const char *text);

/* Draw formatted text, printf(3) style; as grid_text(). Cut at 1 KiB. */
[[nodiscard, gnu::format(printf, 6, 7)]] int grid_textf(struct grid *grid, int x, int y, int w,
							enum style style, const char *format, ...);

/* Draw a frame with a title around an emptied area. */
void grid_box(struct grid *grid, struct area area, const char *title);

/* Draw a horizontal bar of w cells, filled by part of whole. */
void grid_gauge(struct grid *grid, int x, int y, int w, uint64_t part, uint64_t whole);

/* Put the terminal's cursor on a cell: where the eye should be. */
void grid_cursor(struct grid *grid, int x, int y);

/* Append all lines as UTF-8 without trailing blanks, a newline after each: for tests and pictures. */
void grid_dump(const struct grid *grid, struct buf *out);
