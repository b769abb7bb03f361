/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/text.h"

/* Characters that we draw ourselves, and their stand-ins where there is only ASCII. */
static const struct {
	uint32_t rune;
	char ascii;
} STAND_INS[] = {
	{ 0x2500, '-' }, { 0x2502, '|' }, { 0x250C, '+' }, { 0x2510, '+' }, { 0x2514, '+' },
	{ 0x2518, '+' }, { 0x2588, '#' }, { 0x2591, '.' }, { 0x2026, '~' },
};

constexpr uint32_t ELLIPSIS = 0x2026;

static int between(int value, int min, int max)
{
	return value < min ? min : value > max ? max : value;
}

int grid_resize(struct grid *grid, int width, int height)
{
	int w = between(width, 1, GRID_WIDTH_MAX);
	int h = between(height, 1, GRID_HEIGHT_MAX);
	struct cell *cell = calloc((size_t)w * (size_t)h, sizeof(*cell));
	if (!cell)
		return -ENOMEM;

	free(grid->cell);
	grid->cell = cell;
	grid->width = w;
	grid->height = h;
	grid_clear(grid);
	return 0;
}

void grid_done(struct grid *grid)
{
	free(grid->cell);
	*grid = (struct grid) {};
}

static struct cell *cell_at(struct grid *grid, int x, int y)
{
	return &grid->cell[y * grid->width + x];
}

const struct cell *grid_at(const struct grid *grid, int x, int y)
{
	return &grid->cell[y * grid->width + x];
}

static bool is_inside(const struct grid *grid, int x, int y)
{
	return x >= 0 && x < grid->width && y >= 0 && y < grid->height;
}

/* Put one character. Both halves of a wide one that is half overwritten become blanks. */
static void put(struct grid *grid, int x, int y, struct cell cell)
{
	if (!is_inside(grid, x, y))
		return;
	if (cell_at(grid, x, y)->width == 0 && x > 0)
		*cell_at(grid, x - 1, y) = (struct cell) {
			.rune = ' ', .width = 1, .style = cell_at(grid, x - 1, y)->style
		};
	if (cell_at(grid, x, y)->width == 2 && x + 1 < grid->width)
		*cell_at(grid, x + 1, y) = (struct cell) {
			.rune = ' ', .width = 1, .style = cell_at(grid, x + 1, y)->style
		};
	*cell_at(grid, x, y) = cell;
}

static uint32_t shown_as(const struct grid *grid, uint32_t rune)
{
	if (grid->utf8 || rune < 0x7F)
		return rune;
	for (size_t i = 0; i < countof(STAND_INS); i++)
		if (STAND_INS[i].rune == rune)
			return (uint32_t)STAND_INS[i].ascii;
	return '?';
}

static void put_rune(struct grid *grid, int x, int y, enum style style, uint32_t rune)
{
	put(grid, x, y, (struct cell) { .rune = shown_as(grid, rune), .width = 1, .style = style });
}

void grid_clear(struct grid *grid)
{
	grid_fill(grid, (struct area) { 0, 0, grid->width, grid->height }, STYLE_NORMAL);
	grid_cursor(grid, grid->width - 1, grid->height - 1);
}

void grid_fill(struct grid *grid, struct area area, enum style style)
{
	for (int y = area.y; y < area.y + area.h; y++)
		for (int x = area.x; x < area.x + area.w; x++)
			put_rune(grid, x, y, style, ' ');
}

/* A pen that writes characters until its room is used up. */
struct pen {
	struct grid *grid;
	int x, y, end;
	enum style style;
};

/* Returns whether there was room. */
static bool pen_rune(struct pen *pen, uint32_t rune)
{
	struct grid *grid = pen->grid;
	int width = grid->utf8 ? text_rune_width(rune) : 1;

	if (width == 0) {
		if (is_inside(grid, pen->x - 1, pen->y))
			cell_at(grid, pen->x - 1, pen->y)->mark = rune;
		return true;
	}
	if (pen->x + width > pen->end)
		return false;
	put(grid, pen->x, pen->y,
	    (struct cell) {
		    .rune = shown_as(grid, rune), .width = (uint8_t)width, .style = pen->style });
	if (width == 2)
		put(grid, pen->x + 1, pen->y,
		    (struct cell) { .rune = ' ', .width = 0, .style = pen->style });
	if (width == 2 && is_inside(grid, pen->x, pen->y)) /* the second put() blanked the first */
		*cell_at(grid, pen->x, pen->y) =
			(struct cell) { .rune = rune, .width = 2, .style = pen->style };
	pen->x += width;
	return true;
}

static bool pen_raw(struct pen *pen, const char *byte, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char text[8];

		(void)snprintf(text, sizeof(text), "\\x%02x", (unsigned int)(uint8_t)byte[i]);
		for (size_t j = 0; text[j]; j++)
			if (!pen_rune(pen, (uint32_t)text[j]))
				return false;
	}
	return true;
}

int grid_text(struct grid *grid, int x, int y, int w, enum style style, const char *text)
{
	struct pen pen = { grid, x, y, between(x + w, x, grid->width), style };
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		struct glyph next = text_next(text + i, len - i);
		bool fits =
			next.raw ? pen_raw(&pen, text + i, next.len) : pen_rune(&pen, next.rune);

		if (!fits) {
			if (pen.end > x)
				put_rune(grid, pen.end - 1, y, style, ELLIPSIS);
			for (; pen.x < pen.end - 1; pen.x++) /* a wide one that did not fit */
				put_rune(grid, pen.x, y, style, ' ');
			return pen.end - x;
		}
		i += next.len;
	}
	return pen.x - x;
}

int grid_textf(struct grid *grid, int x, int y, int w, enum style style, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return grid_text(grid, x, y, w, style, text);
}

void grid_box(struct grid *grid, struct area area, const char *title)
{
	int right = area.x + area.w - 1;
	int bottom = area.y + area.h - 1;

	grid_fill(grid, area, STYLE_NORMAL);
	for (int x = area.x; x <= right; x++) {
		put_rune(grid, x, area.y, STYLE_DIM, 0x2500);
		put_rune(grid, x, bottom, STYLE_DIM, 0x2500);
	}
	for (int y = area.y; y <= bottom; y++) {
		put_rune(grid, area.x, y, STYLE_DIM, 0x2502);
		put_rune(grid, right, y, STYLE_DIM, 0x2502);
	}
	put_rune(grid, area.x, area.y, STYLE_DIM, 0x250C);
	put_rune(grid, right, area.y, STYLE_DIM, 0x2510);
	put_rune(grid, area.x, bottom, STYLE_DIM, 0x2514);
	put_rune(grid, right, bottom, STYLE_DIM, 0x2518);
	if (*title)
		(void)grid_textf(grid, area.x + 2, area.y, area.w - 4, STYLE_HEAD, " %s ", title);
}

void grid_gauge(struct grid *grid, int x, int y, int w, uint64_t part, uint64_t whole)
{
	/* 128 bits: part is at most 2^64, w at most GRID_WIDTH_MAX. */
	int filled = whole ? (int)((unsigned __int128)(part < whole ? part : whole) *
				   (unsigned int)w / whole)
			   : 0;

	for (int i = 0; i < w; i++)
		put_rune(grid, x + i, y, i < filled ? STYLE_NORMAL : STYLE_DIM,
			 i < filled ? 0x2588 : 0x2591);
}

void grid_cursor(struct grid *grid, int x, int y)
{
	grid->cursor_x = between(x, 0, grid->width - 1);
	grid->cursor_y = between(y, 0, grid->height - 1);
}

static void add_utf8(struct buf *out, uint32_t rune)
{
	uint8_t byte[4];
	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
	static const uint8_t FIRST[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

	for (size_t i = n; i-- > 1; rune >>= 6)
		byte[i] = (uint8_t)(0x80 | (rune & 0x3F));
	byte[0] = (uint8_t)(FIRST[n] | rune);
	buf_add(out, byte, n);
}

void grid_dump(const struct grid *grid, struct buf *out)
{
	for (int y = 0; y < grid->height; y++) {
		int end = grid->width;

		while (end > 0 && grid_at(grid, end - 1, y)->rune == ' ' &&
		       grid_at(grid, end - 1, y)->width == 1)
			end--;
		for (int x = 0; x < end; x++) {
			const struct cell *cell = grid_at(grid, x, y);

			if (cell->width == 0)
				continue;
			add_utf8(out, cell->rune);
			if (cell->mark)
				add_utf8(out, cell->mark);
		}
		buf_add_str(out, "\n");
	}
}
