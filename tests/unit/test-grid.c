/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/view/grid.h"

/* Whether the grid shows exactly this. */
static bool shows(const struct grid *grid, const char *want)
{
	auto_buf struct buf out = buf_make(65536);

	grid_dump(grid, &out);
	const char *text = buf_text(&out);
	return text && strcmp(text, want) == 0;
}

static bool text_is_cut_with_an_ellipsis(void)
{
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 6, 2), 0);
	CHECK_EQ(grid_text(&grid, 0, 0, 6, STYLE_NORMAL, "abcdef"), 6);
	CHECK_EQ(grid_text(&grid, 0, 1, 6, STYLE_NORMAL, "abcdefg"), 6);
	CHECK(shows(&grid, "abcdef\nabcde…\n"));
	grid_done(&grid);
	return true;
}

static bool wide_characters_take_two_cells_and_are_not_split(void)
{
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 5, 3), 0);
	(void)!grid_text(&grid, 0, 0, 5, STYLE_NORMAL, "中文");
	(void)!grid_text(&grid, 0, 1, 5, STYLE_NORMAL, "中文中");
	(void)!grid_text(&grid, 0, 2, 5, STYLE_NORMAL, "中文");
	(void)!grid_text(&grid, 1, 2, 1, STYLE_NORMAL, "x"); /* over the right half of the first */
	CHECK(shows(&grid, "中文\n中文…\n x文\n"));
	CHECK_EQ(grid_at(&grid, 1, 0)->width, 0);
	grid_done(&grid);
	return true;
}

static bool combining_characters_join_the_one_before(void)
{
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 4, 1), 0);
	CHECK_EQ(grid_text(&grid, 0, 0, 4, STYLE_NORMAL,
			   "a\xcc\x88"
			   "b"),
		 2);
	CHECK(shows(&grid, "a\xcc\x88"
			   "b\n"));
	CHECK_EQ(grid_text(&grid, 0, 0, 4, STYLE_NORMAL, "\xcc\x88"), 0); /* nothing to join */
	grid_done(&grid);
	return true;
}

static bool escape_sequences_become_visible_text(void)
{
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 20, 1), 0);
	(void)!grid_text(&grid, 0, 0, 20, STYLE_NORMAL, "a\x1b[31mb\xc2\x9b");
	CHECK(shows(&grid, "a\\x1b[31mb\\xc2\\x9b\n"));
	for (int x = 0; x < 20; x++)
		CHECK(grid_at(&grid, x, 0)->rune >= ' ' && grid_at(&grid, x, 0)->rune < 0x7F);
	grid_done(&grid);
	return true;
}

static bool only_ascii_is_drawn_where_there_is_no_more(void)
{
	struct grid grid = {};

	CHECK_EQ(grid_resize(&grid, 8, 4), 0);
	grid_box(&grid, (struct area) { 0, 0, 8, 3 }, "T");
	(void)!grid_text(&grid, 0, 3, 4, STYLE_NORMAL, "ä中xyz");
	CHECK(shows(&grid, "+- T --+\n|      |\n+------+\n??x~\n"));
	grid_done(&grid);
	return true;
}

static bool what_lies_outside_is_cut_off(void)
{
	struct grid grid = { .utf8 = true };

	CHECK_EQ(grid_resize(&grid, 4, 2), 0);
	grid_box(&grid, (struct area) { -2, -1, 10, 10 }, "title");
	grid_fill(&grid, (struct area) { 3, 1, 100, 100 }, STYLE_BAR);
	(void)!grid_text(&grid, -3, 0, 4, STYLE_NORMAL, "abcdefgh");
	(void)!grid_text(&grid, 2, 5, 4, STYLE_NORMAL, "abcdefgh");
	(void)!grid_text(&grid, 3, 1, 100, STYLE_NORMAL, "中");
	grid_gauge(&grid, 0, 1, 100, 1, 2);
	grid_cursor(&grid, 100, -100);
	CHECK_EQ(grid.cursor_x, 3);
	CHECK_EQ(grid.cursor_y, 0);
	grid_done(&grid);
	return true;
}

static bool gauges_fill_in_proportion_and_never_overflow(void)
{
	struct grid grid = {};

	CHECK_EQ(grid_resize(&grid, 4, 5), 0);
	grid_gauge(&grid, 0, 0, 4, 0, 10);
	grid_gauge(&grid, 0, 1, 4, 5, 10);
	grid_gauge(&grid, 0, 2, 4, UINT64_MAX, 10);
	grid_gauge(&grid, 0, 3, 4, UINT64_MAX, UINT64_MAX);
	grid_gauge(&grid, 0, 4, 4, 7, 0);
	CHECK(shows(&grid, "....\n##..\n####\n####\n....\n"));
	grid_done(&grid);
	return true;
}

static bool a_failed_resize_leaves_the_grid_as_it_was(void)
{
	struct grid grid = {};

	CHECK_EQ(grid_resize(&grid, 4, 1), 0);
	(void)!grid_text(&grid, 0, 0, 4, STYLE_NORMAL, "abcd");
	fault_at(1);
	CHECK_EQ(grid_resize(&grid, 80, 24), -ENOMEM);
	CHECK(fault_end());
	CHECK(shows(&grid, "abcd\n"));
	CHECK_EQ(grid_resize(&grid, 100000, -5), 0);
	CHECK_EQ(grid.width, GRID_WIDTH_MAX);
	CHECK_EQ(grid.height, 1);
	grid_done(&grid);
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(text_is_cut_with_an_ellipsis);
	RUN(wide_characters_take_two_cells_and_are_not_split);
	RUN(combining_characters_join_the_one_before);
	RUN(escape_sequences_become_visible_text);
	RUN(only_ascii_is_drawn_where_there_is_no_more);
	RUN(what_lies_outside_is_cut_off);
	RUN(gauges_fill_in_proportion_and_never_overflow);
	RUN(a_failed_resize_leaves_the_grid_as_it_was);
	return tap_done();
}
