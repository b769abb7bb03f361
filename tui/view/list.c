/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/list.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/figure.h"
#include "tui/model/rows.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/line.h"

constexpr size_t COLUMNS_MAX = 12;
constexpr size_t FILTER_MAX = 128;

int list_init(struct list *list, const struct list_column *column, const char *identity,
	      const char *empty)
{
	*list = (struct list) { .column = column, .identity = identity, .empty = empty, .page = 1 };
	return line_init(&list->filter, FILTER_MAX, false);
}

void list_done(struct list *list)
{
	list->rows = rows_free(list->rows);
	line_done(&list->filter);
}

/* Put a value into text, as it is shown. */
static void show(const struct list *list, size_t i, const struct list_column *column,
		 struct buf *text)
{
	char figure[FIGURE_TEXT];

	if (column->form == LIST_TIME) {
		figure_time(rows_text(list->rows, i, column->key), figure);
		buf_add_str(text, figure);
		return;
	}
	rows_show(list->rows, i, column->key, text);
}

static bool matches(const struct list *list, size_t i)
{
	if (list->filter.len == 0)
		return true;
	for (size_t c = 0; list->column[c].key; c++) {
		auto_buf struct buf cell = buf_make(4096);

		show(list, i, &list->column[c], &cell);
		const char *text = buf_text(&cell);
		if (text && strcasestr(text, list->filter.text))
			return true;
	}
	return false;
}

/* The next matching row from i on, going by step (1 or -1); LIST_NONE if there is none. */
static size_t next_match(const struct list *list, size_t i, int step)
{
	for (; i < rows_count(list->rows); i += (size_t)step) /* below 0 is above the count */
		if (matches(list, i))
			return i;
	return LIST_NONE;
}

size_t list_selected(const struct list *list)
{
	return list->selected < rows_count(list->rows) && matches(list, list->selected)
		       ? list->selected
		       : LIST_NONE;
}

const char *list_selected_text(const struct list *list, const char *key)
{
	return rows_text(list->rows, list_selected(list), key);
}

static void move(struct list *list, int lines)
{
	int step = lines < 0 ? -1 : 1;

	for (int left = lines * step; left > 0; left--) {
		size_t next = next_match(list, list->selected + (size_t)step, step);

		if (next == LIST_NONE)
			return;
		list->selected = next;
	}
}

/* Select the first match from the selection on, else the last before it. */
static void settle(struct list *list)
{
	size_t at = next_match(list, list->selected, 1);

	if (at == LIST_NONE && rows_count(list->rows) > 0)
		at = next_match(list, rows_count(list->rows) - 1, -1);
	if (at != LIST_NONE)
		list->selected = at;
}

static bool same_identity(const struct list *list, const struct rows *a, size_t i,
			  const struct rows *b, size_t j)
{
	return strcmp(rows_text(a, i, list->identity), rows_text(b, j, list->identity)) == 0 &&
	       rows_number(a, i, list->identity) == rows_number(b, j, list->identity);
}

void list_take(struct list *list, struct rows **rows)
{
	struct rows *fresh = TAKE(*rows);
	struct rows *old = list->rows;

	for (size_t i = 0; list->selected < rows_count(old) && i < rows_count(fresh); i++) {
		if (same_identity(list, old, list->selected, fresh, i)) {
			list->selected = i;
			break;
		}
	}
	list->rows = fresh;
	(void)rows_free(old);
	if (list->selected >= rows_count(fresh))
		list->selected = rows_count(fresh) ? rows_count(fresh) - 1 : 0;
	settle(list);
}

static void go_up(struct list *list)
{
	move(list, -1);
}

static void go_down(struct list *list)
{
	move(list, 1);
}

static void page_up(struct list *list)
{
	move(list, -list->page);
}

static void page_down(struct list *list)
{
	move(list, list->page);
}

static void go_first(struct list *list)
{
	list->selected = 0;
	settle(list);
}

static void go_last(struct list *list)
{
	list->selected = rows_count(list->rows) ? rows_count(list->rows) - 1 : 0;
	settle(list);
}

static void start_filter(struct list *list)
{
	list->typing = true;
}

static const struct {
	uint32_t key;
	void (*act)(struct list *list);
} KEYS[] = {
	{ KEY_UP_, go_up },
	{ 'k', go_up },
	{ KEY_DOWN_, go_down },
	{ 'j', go_down },
	{ 'n', go_down },
	{ 'N', go_up },
	{ KEY_PAGE_UP, page_up },
	{ KEY_CTRL('u'), page_up },
	{ KEY_PAGE_DOWN, page_down },
	{ KEY_CTRL('d'), page_down },
	{ KEY_HOME_, go_first },
	{ 'g', go_first },
	{ KEY_END_, go_last },
	{ 'G', go_last },
	{ '/', start_filter },
};

/* A key while the filter is typed. Moving works there, too. */
static bool filter_key(struct list *list, uint32_t key)
{
	if (key == KEY_ENTER_ || key == KEY_ESCAPE_) {
		if (key == KEY_ESCAPE_)
			line_set(&list->filter, "");
		list->typing = false;
	} else if (key == KEY_UP_ || key == KEY_DOWN_) {
		move(list, key == KEY_UP_ ? -1 : 1);
	} else if (!line_key(&list->filter, key)) {
		return false;
	}
	settle(list);
	return true;
}

bool list_key(struct list *list, uint32_t key)
{
	if (list->typing)
		return filter_key(list, key);
	if (key == KEY_ESCAPE_ && list->filter.len > 0)
		return filter_key(list, key);
	for (size_t i = 0; i < countof(KEYS); i++) {
		if (KEYS[i].key != key)
			continue;
		KEYS[i].act(list);
		return true;
	}
	return false;
}

/* Share the width among the columns that fit. Returns how many those are. */
static size_t lay_out(const struct list *list, int width, int ret[COLUMNS_MAX])
{
	int used = 0;
	int grow = 0;
	size_t n = 0;

	for (; list->column[n].key && n < COLUMNS_MAX; n++) {
		int gap = n ? 1 : 0;

		if (n > 0 && used + gap + list->column[n].min > width)
			break;
		ret[n] = list->column[n].min;
		used += gap + ret[n];
		grow += list->column[n].grow;
	}

	int left = width - used;
	for (size_t i = 0; i < n && left > 0 && grow > 0; i++) {
		int share = left * list->column[i].grow / grow;

		ret[i] += share;
		left -= share;
		grow -= list->column[i].grow;
	}
	return n;
}

static enum style state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} STATES[] = {
		{ "active", STYLE_GOOD },    { "ACTIVE", STYLE_GOOD }, { "suspended", STYLE_WARN },
		{ "SUSPENDED", STYLE_WARN }, { "expired", STYLE_DIM }, { "EXPIRED", STYLE_DIM },
		{ "deny", STYLE_BAD },	     { "failed", STYLE_BAD },
	};

	for (size_t i = 0; i < countof(STATES); i++)
		if (strcmp(STATES[i].state, state) == 0)
			return STATES[i].style;
	return STYLE_NORMAL;
}

static void draw_row(const struct list *list, struct grid *to, struct area in, size_t i, size_t n,
		     const int width[])
{
	bool selected = i == list->selected;
	int x = in.x;

	if (selected)
		grid_fill(to, in, STYLE_SELECTED);
	for (size_t c = 0; c < n; c++) {
		auto_buf struct buf cell = buf_make(4096);

		show(list, i, &list->column[c], &cell);
		const char *text = buf_text(&cell);
		enum style style = list->column[c].form == LIST_STATE && text ? state_style(text)
									      : STYLE_NORMAL;
		(void)grid_text(to, x, in.y, width[c], selected ? STYLE_SELECTED : style,
				text ? text : "");
		x += width[c] + 1;
	}
	if (selected)
		grid_cursor(to, in.x, in.y);
}

static void draw_filter(const struct list *list, struct grid *to, struct area in)
{
	int used = grid_text(to, in.x, in.y, in.w, STYLE_HEAD, "/");

	if (list->typing)
		line_draw(&list->filter, to, in.x + used, in.y, in.w - used, true);
	else
		(void)grid_text(to, in.x + used, in.y, in.w - used, STYLE_NORMAL,
				list->filter.text);
}

/* How many matching rows stand before row i. */
static size_t matches_before(const struct list *list, size_t i)
{
	size_t n = 0;

	for (size_t j = next_match(list, 0, 1); j < i; j = next_match(list, j + 1, 1))
		n++;
	return n;
}

/* Scroll as little as needed to show the selected row. Returns the first row to show. */
static size_t scroll(struct list *list, int lines)
{
	size_t at = list_selected(list) == LIST_NONE ? 0 : matches_before(list, list->selected);
	auto page = (size_t)(lines > 0 ? lines : 1);

	list->page = (int)page;
	if (list->top > at)
		list->top = at;
	if (at >= list->top + page)
		list->top = at - page + 1;

	size_t first = next_match(list, 0, 1);
	for (size_t n = 0; n < list->top && first != LIST_NONE; n++)
		first = next_match(list, first + 1, 1);
	return first;
}

void list_draw(struct list *list, struct grid *to, struct area in)
{
	bool filter = list->typing || list->filter.len > 0;
	int width[COLUMNS_MAX] = {};
	size_t n = lay_out(list, in.w, width);
	int lines = in.h - 1 - filter;
	int x = in.x;

	for (size_t c = 0; c < n; x += width[c++] + 1)
		(void)grid_text(to, x, in.y, width[c], STYLE_HEAD, list->column[c].title);

	size_t i = scroll(list, lines);
	if (list->rows && i == LIST_NONE)
		(void)grid_text(to, in.x, in.y + 1, in.w, STYLE_DIM,
				filter ? "Nothing matches; Esc shows all." : list->empty);
	for (int y = 0; y < lines && i != LIST_NONE; y++, i = next_match(list, i + 1, 1))
		draw_row(list, to, (struct area) { in.x, in.y + 1 + y, in.w, 1 }, i, n, width);
	if (filter)
		draw_filter(list, to, (struct area) { in.x, in.y + in.h - 1, in.w, 1 });
}
