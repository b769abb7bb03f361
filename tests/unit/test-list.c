/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/model/rows.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/list.h"

static const struct list_column COLUMNS[] = {
	{ "NAME", "name", LIST_PLAIN, 6, 1 },
	{ "STATE", "state", LIST_STATE, 9, 0 },
	{},
};

/* Rows named first, first + 1, … */
static struct rows *named(size_t first, size_t n)
{
	struct rows *rows = nullptr;

	if (rows_new(&rows) != 0)
		return nullptr;
	for (size_t i = first; i < first + n; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		if (rows_add_row(rows) != 0 || rows_add_text(rows, "name", name) != 0 ||
		    rows_add_text(rows, "state", i % 2 ? "active" : "suspended") != 0)
			return rows_free(rows);
	}
	return rows;
}

static bool make(struct list *list, size_t n)
{
	struct rows *rows = named(0, n);

	if (!rows || list_init(list, COLUMNS, "name", "Nobody.") != 0)
		return false;
	list_take(list, &rows);
	return true;
}

static bool is_at(const struct list *list, const char *name)
{
	return strcmp(list_selected_text(list, "name"), name) == 0;
}

static bool press(struct list *list, const char *keys)
{
	bool all = true;

	for (; *keys; keys++)
		all &= list_key(list, (uint32_t)*keys);
	return all;
}

static bool keys_move_and_stop_at_the_ends(void)
{
	struct list list = {};
	struct grid grid = { .utf8 = true };

	CHECK(make(&list, 50));
	CHECK_EQ(grid_resize(&grid, 20, 11), 0);
	list_draw(&list, &grid, (struct area) { 0, 0, 20, 11 });
	CHECK(press(&list, "k") && is_at(&list, "n0"));
	CHECK(press(&list, "jj") && is_at(&list, "n2"));
	CHECK(list_key(&list, KEY_PAGE_DOWN) && is_at(&list, "n12"));
	CHECK(press(&list, "G") && is_at(&list, "n49"));
	CHECK(list_key(&list, KEY_DOWN_) && is_at(&list, "n49"));
	CHECK(list_key(&list, KEY_PAGE_UP) && is_at(&list, "n39"));
	CHECK(press(&list, "g") && is_at(&list, "n0"));
	CHECK(!list_key(&list, 'x'));
	list_done(&list);
	grid_done(&grid);
	return true;
}

static bool the_selected_row_is_always_on_the_screen_under_the_cursor(void)
{
	struct list list = {};
	struct grid grid = { .utf8 = true };

	CHECK(make(&list, 30));
	CHECK_EQ(grid_resize(&grid, 20, 6), 0);
	for (size_t i = 0; i < 200; i++) {
		(void)!list_key(&list, i % 7 == 0 ? KEY_PAGE_DOWN : i % 3 ? 'k' : 'j');
		grid_clear(&grid);
		list_draw(&list, &grid, (struct area) { 0, 0, 20, 6 });
		CHECK_EQ(grid_at(&grid, 0, grid.cursor_y)->style, STYLE_SELECTED);
		CHECK_EQ(grid_at(&grid, 1, grid.cursor_y)->rune,
			 (uint32_t)list_selected_text(&list, "name")[1]);
	}
	list_done(&list);
	grid_done(&grid);
	return true;
}

static bool a_filter_hides_what_does_not_match_and_escape_shows_all(void)
{
	struct list list = {};
	struct grid grid = { .utf8 = true };

	CHECK(make(&list, 30));
	CHECK_EQ(grid_resize(&grid, 20, 24), 0);
	CHECK(press(&list, "/N2")); /* case does not matter */
	CHECK(is_at(&list, "n2"));
	CHECK(list_key(&list, KEY_ENTER_));
	CHECK(press(&list, "n") && is_at(&list, "n20"));
	CHECK(press(&list, "G") && is_at(&list, "n29"));
	CHECK(press(&list, "N") && is_at(&list, "n28"));
	list_draw(&list, &grid, (struct area) { 0, 0, 20, 24 });
	CHECK_EQ(grid_at(&grid, 0, 23)->rune, (uint32_t)'/');
	CHECK(list_key(&list, KEY_ESCAPE_));
	CHECK(press(&list, "g") && is_at(&list, "n0"));
	CHECK(press(&list, "/zzz"));
	CHECK_EQ(list_selected(&list), LIST_NONE);
	CHECK(is_at(&list, ""));
	CHECK(list_key(&list, KEY_ESCAPE_));
	CHECK(!list_key(&list, KEY_ESCAPE_)); /* nothing left to undo: the view may close */
	list_done(&list);
	grid_done(&grid);
	return true;
}

static bool a_refresh_keeps_the_selection_on_the_same_thing(void)
{
	struct list list = {};

	CHECK(make(&list, 10));
	CHECK(press(&list, "jjjjj") && is_at(&list, "n5"));
	struct rows *fresh = named(3, 10);
	CHECK(fresh);
	list_take(&list, &fresh);
	CHECK(!fresh);
	CHECK(is_at(&list, "n5"));
	fresh = named(100, 2); /* gone: the nearest there is */
	list_take(&list, &fresh);
	CHECK(is_at(&list, "n101"));
	fresh = named(0, 0);
	list_take(&list, &fresh);
	CHECK_EQ(list_selected(&list), LIST_NONE);
	list_done(&list);
	return true;
}

static bool an_empty_list_says_so(void)
{
	struct list list = {};
	struct grid grid = { .utf8 = true };
	auto_buf struct buf out = buf_make(4096);

	CHECK(make(&list, 0));
	CHECK_EQ(grid_resize(&grid, 20, 3), 0);
	list_draw(&list, &grid, (struct area) { 0, 0, 20, 3 });
	grid_dump(&grid, &out);
	CHECK(strstr(buf_text(&out), "Nobody."));
	CHECK(press(&list, "jkgG"));
	CHECK_EQ(list_selected(&list), LIST_NONE);
	list_done(&list);
	grid_done(&grid);
	return true;
}

static bool columns_that_do_not_fit_are_left_out(void)
{
	struct list list = {};
	struct grid grid = { .utf8 = true };
	auto_buf struct buf out = buf_make(4096);

	CHECK(make(&list, 1));
	CHECK_EQ(grid_resize(&grid, 12, 2), 0);
	list_draw(&list, &grid, (struct area) { 0, 0, 12, 2 });
	grid_dump(&grid, &out);
	CHECK(strcmp(buf_text(&out), "NAME\nn0\n") == 0);
	list_done(&list);
	grid_done(&grid);
	return true;
}

static bool a_failed_allocation_is_reported(void)
{
	struct list list = {};

	fault_at(1);
	CHECK_EQ(list_init(&list, COLUMNS, "name", ""), -ENOMEM);
	CHECK(fault_end());
	list_done(&list);
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(keys_move_and_stop_at_the_ends);
	RUN(the_selected_row_is_always_on_the_screen_under_the_cursor);
	RUN(a_filter_hides_what_does_not_match_and_escape_shows_all);
	RUN(a_refresh_keeps_the_selection_on_the_same_thing);
	RUN(an_empty_list_says_so);
	RUN(columns_that_do_not_fit_are_left_out);
	RUN(a_failed_allocation_is_reported);
	return tap_done();
}
