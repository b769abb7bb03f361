/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/line.h"

static void type(struct line *line, const char *text)
{
	for (; *text; text++)
		(void)!line_key(line, (uint32_t)*text);
}

static bool keys_edit_as_in_readline(void)
{
	static const struct {
		uint32_t key;
		const char *text;
		size_t at;
	} STEPS[] = {
		/* clang-format off */
		{ KEY_LEFT_,        "one two", 6 },
		{ 'x',              "one twxo", 7 },
		{ KEY_BACKSPACE_,   "one two", 6 },
		{ KEY_HOME_,        "one two", 0 },
		{ KEY_BACKSPACE_,   "one two", 0 },
		{ KEY_DELETE,       "ne two", 0 },
		{ KEY_CTRL('e'),    "ne two", 6 },
		{ KEY_DELETE,       "ne two", 6 },
		{ KEY_RIGHT_,       "ne two", 6 },
		{ KEY_CTRL('w'),    "ne ", 3 },
		{ KEY_CTRL('w'),    "", 0 },
		{ 'a',              "a", 1 },
		{ KEY_CTRL('a'),    "a", 0 },
		{ KEY_CTRL('k'),    "", 0 },
		{ 'b',              "b", 1 },
		{ KEY_CTRL('u'),    "", 0 },
		/* clang-format on */
	};
	struct line line = {};

	CHECK_EQ(line_init(&line, 64, false), 0);
	type(&line, "one two");
	for (size_t i = 0; i < countof(STEPS); i++) {
		CHECK(line_key(&line, STEPS[i].key));
		CHECK(strcmp(line.text, STEPS[i].text) == 0);
		CHECK_EQ(line.at, STEPS[i].at);
	}
	line_done(&line);
	return true;
}

static bool characters_are_moved_over_and_deleted_whole(void)
{
	struct line line = {};

	CHECK_EQ(line_init(&line, 64, false), 0);
	CHECK(line_key(&line, 0xE4));
	CHECK(line_key(&line, 0x4E2D));
	CHECK(line_key(&line, 0x1F600));
	CHECK(strcmp(line.text, "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80") == 0);
	CHECK(line_key(&line, KEY_LEFT_));
	CHECK_EQ(line.at, 5);
	CHECK(line_key(&line, KEY_BACKSPACE_));
	CHECK(strcmp(line.text, "\xc3\xa4\xf0\x9f\x98\x80") == 0);
	line_done(&line);
	return true;
}

static bool what_does_not_fit_is_not_taken(void)
{
	struct line line = {};

	CHECK_EQ(line_init(&line, 3, false), 0);
	type(&line, "abcd");
	CHECK(strcmp(line.text, "abc") == 0);
	CHECK(line_key(&line, KEY_BACKSPACE_));
	CHECK(line_key(&line, 0x4E2D)); /* three bytes; room for one */
	CHECK(strcmp(line.text, "ab") == 0);
	line_set(&line, "\xc3\xa4\xc3\xb6");
	CHECK(strcmp(line.text, "\xc3\xa4") == 0);
	line_done(&line);
	return true;
}

static bool control_characters_are_not_text_and_in_a_paste_not_commands(void)
{
	struct line line = {};

	CHECK_EQ(line_init(&line, 16, false), 0);
	type(&line, "ab");
	CHECK(!line_key(&line, 0x1B));
	CHECK(line_key(&line, KEY_CTRL('u') | KEY_PASTED));
	CHECK(line_key(&line, '\n' | KEY_PASTED));
	CHECK(line_key(&line, 'c' | KEY_PASTED));
	CHECK(strcmp(line.text, "abc") == 0);
	CHECK(!line_key(&line, 0x9B));
	CHECK(!line_key(&line, 0xD800)); /* half a surrogate pair is no character */
	CHECK(strcmp(line.text, "abc") == 0);
	line_done(&line);
	return true;
}

static bool a_masked_line_shows_neither_text_nor_length(void)
{
	struct line line = {};
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 20, 1), 0);
	CHECK_EQ(line_init(&line, 64, true), 0);
	for (size_t n = 1; n < 30; n++) {
		type(&line, "s");
		line_draw(&line, &grid, 0, 0, 20, true);
		for (int x = 0; x < 20; x++)
			CHECK_EQ(grid_at(&grid, x, 0)->rune, x < 8 ? (uint32_t)'*' : (uint32_t)' ');
	}
	line_done(&line);
	grid_done(&grid);
	return true;
}

static bool the_cursor_is_seen_in_a_line_longer_than_its_room(void)
{
	struct line line = {};
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 12, 1), 0);
	CHECK_EQ(line_init(&line, 64, false), 0);
	type(&line, "abcdefghijklmnopqrstuvwxyz");
	line_draw(&line, &grid, 2, 0, 10, true);
	CHECK(grid.cursor_x >= 2 && grid.cursor_x < 12);
	CHECK_EQ(grid_at(&grid, grid.cursor_x - 1, 0)->rune, (uint32_t)'z');
	CHECK(line_key(&line, KEY_HOME_));
	line_draw(&line, &grid, 2, 0, 10, true);
	CHECK_EQ(grid.cursor_x, 2);
	line_done(&line);
	grid_done(&grid);
	return true;
}

static bool a_failed_allocation_is_reported(void)
{
	struct line line = {};

	fault_at(1);
	CHECK_EQ(line_init(&line, 64, false), -ENOMEM);
	CHECK(fault_end());
	line_done(&line);
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(keys_edit_as_in_readline);
	RUN(characters_are_moved_over_and_deleted_whole);
	RUN(what_does_not_fit_is_not_taken);
	RUN(control_characters_are_not_text_and_in_a_paste_not_commands);
	RUN(a_masked_line_shows_neither_text_nor_length);
	RUN(the_cursor_is_seen_in_a_line_longer_than_its_room);
	RUN(a_failed_allocation_is_reported);
	return tap_done();
}
