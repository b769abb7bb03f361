/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/line.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/utf8.h"
#include "tui/model/text.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"

int line_init(struct line *line, size_t max, bool masked)
{
	char *text = calloc(max + 1, 1);
	if (!text)
		return -ENOMEM;

	*line = (struct line) { .text = text, .room = max + 1, .masked = masked };
	return 0;
}

void line_done(struct line *line)
{
	if (line->text)
		explicit_bzero(line->text, line->room);
	free(line->text);
	*line = (struct line) {};
}

/* The start of the character that ends at byte `at`. */
static size_t before(const struct line *line, size_t at)
{
	while (at > 1 && ((uint8_t)line->text[at - 1] & 0xC0) == 0x80)
		at--;
	return at > 0 ? at - 1 : 0;
}

static size_t after(const struct line *line, size_t at)
{
	return at + utf8_step(line->text + at, line->len - at);
}

static size_t word_before(const struct line *line, size_t at)
{
	while (at > 0 && line->text[at - 1] == ' ')
		at--;
	while (at > 0 && line->text[at - 1] != ' ')
		at--;
	return at;
}

/* Take out the bytes [from, to) and put the cursor there. */
static void cut(struct line *line, size_t from, size_t to)
{
	memmove(line->text + from, line->text + to, line->len - to + 1);
	line->len -= to - from;
	explicit_bzero(line->text + line->len, line->room - line->len);
	line->at = from;
}

static void insert(struct line *line, const char *text, size_t len)
{
	if (len > line->room - 1 - line->len)
		return; /* full: what does not fit is not taken */
	memmove(line->text + line->at + len, line->text + line->at, line->len - line->at + 1);
	memcpy(line->text + line->at, text, len);
	line->len += len;
	line->at += len;
}

void line_set(struct line *line, const char *text)
{
	cut(line, 0, line->len);
	for (size_t left = strlen(text); left > 0;) {
		size_t step = utf8_step(text, left);

		if (step == 0)
			return;
		insert(line, text, step);
		text += step;
		left -= step;
	}
}

static void go_left(struct line *line)
{
	line->at = before(line, line->at);
}

static void go_right(struct line *line)
{
	line->at = after(line, line->at);
}

static void go_home(struct line *line)
{
	line->at = 0;
}

static void go_end(struct line *line)
{
	line->at = line->len;
}

static void delete_before(struct line *line)
{
	cut(line, before(line, line->at), line->at);
}

static void delete_here(struct line *line)
{
	cut(line, line->at, after(line, line->at));
}

static void delete_word(struct line *line)
{
	cut(line, word_before(line, line->at), line->at);
}

static void delete_to_start(struct line *line)
{
	cut(line, 0, line->at);
}

static void delete_to_end(struct line *line)
{
	cut(line, line->at, line->len);
}

static const struct {
	uint32_t key;
	void (*act)(struct line *line);
} KEYS[] = {
	{ KEY_LEFT_, go_left },
	{ KEY_CTRL('b'), go_left },
	{ KEY_RIGHT_, go_right },
	{ KEY_CTRL('f'), go_right },
	{ KEY_HOME_, go_home },
	{ KEY_CTRL('a'), go_home },
	{ KEY_END_, go_end },
	{ KEY_CTRL('e'), go_end },
	{ KEY_BACKSPACE_, delete_before },
	{ KEY_DELETE, delete_here },
	{ KEY_CTRL('d'), delete_here },
	{ KEY_CTRL('w'), delete_word },
	{ KEY_CTRL('u'), delete_to_start },
	{ KEY_CTRL('k'), delete_to_end },
};

static size_t encode(uint32_t rune, char ret[4])
{
	static const uint8_t FIRST[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
	size_t n = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; rune >>= 6)
		ret[i] = (char)(0x80 | (rune & 0x3F));
	ret[0] = (char)(FIRST[n] | rune);
	return n;
}

bool line_key(struct line *line, uint32_t key)
{
	char text[4];
	uint32_t plain = key & ~KEY_PASTED;

	for (size_t i = 0; i < countof(KEYS); i++) {
		if (KEYS[i].key != key)
			continue;
		KEYS[i].act(line);
		return true;
	}
	if (plain >= KEY_SPECIAL)
		return false;

	size_t len = encode(plain, text);
	if (!utf8_is_printable(text, len))
		return key != plain; /* a control character in a paste is dropped, not obeyed */
	insert(line, text, len);
	return true;
}

static size_t width_between(const struct line *line, size_t from, size_t to)
{
	size_t width = 0;

	while (from < to) {
		struct glyph next = text_next(line->text + from, to - from);

		width += next.raw ? 4 * next.len : (size_t)text_rune_width(next.rune);
		from += next.len;
	}
	return width;
}

void line_draw(const struct line *line, struct grid *to, int x, int y, int w, bool focused)
{
	size_t from = 0;

	grid_fill(to, (struct area) { x, y, w, 1 }, STYLE_INPUT);
	if (line->masked) {
		const char *stars = line->len ? "********" : "";
		int used = grid_text(to, x, y, w, STYLE_INPUT, stars);

		if (focused)
			grid_cursor(to, x + used, y);
		return;
	}
	while (width_between(line, from, line->at) >= (size_t)w && from < line->at)
		from = after(line, from);
	(void)grid_text(to, x, y, w, STYLE_INPUT, line->text + from);
	if (focused)
		grid_cursor(to, x + (int)width_between(line, from, line->at), y);
}
