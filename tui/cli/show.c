/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cli/show.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "tui/cli/verb.h"
#include "tui/model/figure.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"

constexpr size_t COLUMNS_MAX = 32;
constexpr size_t CELL_MAX = 1u << 20;

/* Put one value into cell, cleaned. */
static void show_value(struct buf *cell, const struct rows *rows, size_t i,
		       const struct column *column)
{
	auto_buf struct buf raw = buf_make(CELL_MAX);
	char figure[FIGURE_TEXT];

	switch (column->form) {
	case FORM_PLAIN:
		rows_show(rows, i, column->key, &raw);
		break;
	case FORM_BYTES:
		figure_bytes(rows_number(rows, i, column->key), figure);
		buf_add_str(&raw, figure);
		break;
	case FORM_SECONDS:
		figure_duration(rows_number(rows, i, column->key), figure);
		buf_add_str(&raw, figure);
		break;
	case FORM_TIME:
		figure_time(rows_text(rows, i, column->key), figure);
		buf_add_str(&raw, figure);
		break;
	}
	text_clean(cell, (const char *)raw.data, raw.len);
}

static void pad(struct buf *out, size_t from, size_t to)
{
	for (; from < to; from++)
		buf_add_str(out, " ");
}

static size_t width_of(struct buf *cell)
{
	const char *text = buf_text(cell);

	return text ? text_width(text) : 0;
}

static size_t column_width(const struct rows *rows, const struct column *column)
{
	size_t width = text_width(column->title);

	for (size_t i = 0; i < rows_count(rows); i++) {
		auto_buf struct buf cell = buf_make(CELL_MAX);

		show_value(&cell, rows, i, column);
		size_t w = width_of(&cell);
		width = w > width ? w : width;
	}
	return width;
}

void show_table(struct buf *out, const struct rows *rows, const struct column *columns)
{
	size_t width[COLUMNS_MAX];

	for (size_t c = 0; columns[c].key; c++) {
		width[c] = column_width(rows, &columns[c]);
		buf_add_str(out, columns[c].title);
		if (columns[c + 1].key)
			pad(out, text_width(columns[c].title), width[c] + 2);
	}
	buf_add_str(out, "\n");
	for (size_t i = 0; i < rows_count(rows); i++) {
		for (size_t c = 0; columns[c].key; c++) {
			auto_buf struct buf cell = buf_make(CELL_MAX);

			show_value(&cell, rows, i, &columns[c]);
			buf_add(out, cell.data, cell.len);
			if (columns[c + 1].key)
				pad(out, width_of(&cell), width[c] + 2);
		}
		buf_add_str(out, "\n");
	}
}

/* Whether a record's value says nothing: a size of 0, a time that never came. */
static bool is_unknown(const struct rows *rows, const struct column *column)
{
	return (column->form == FORM_BYTES && rows_number(rows, 0, column->key) == 0) ||
	       (column->form == FORM_TIME && *rows_text(rows, 0, column->key) == '\0');
}

void show_record(struct buf *out, const struct rows *rows, const struct column *columns)
{
	size_t width = 0;

	for (size_t c = 0; columns[c].key; c++)
		if (strlen(columns[c].title) > width)
			width = strlen(columns[c].title);
	for (size_t c = 0; columns[c].key; c++) {
		auto_buf struct buf cell = buf_make(CELL_MAX);

		if (is_unknown(rows, &columns[c]))
			continue;
		show_value(&cell, rows, 0, &columns[c]);
		if (cell.len == 0)
			continue;
		buf_add_str(out, columns[c].title);
		buf_add_str(out, *columns[c].title ? ":" : " ");
		pad(out, strlen(columns[c].title), width + 1);
		buf_add(out, cell.data, cell.len);
		buf_add_str(out, "\n");
	}
}

void show_json_list(struct buf *out, const struct rows *rows)
{
	buf_add_str(out, "[");
	for (size_t i = 0; i < rows_count(rows); i++) {
		buf_add_str(out, i ? ",\n " : "");
		rows_json(rows, i, out);
	}
	buf_add_str(out, "]\n");
}

void show_text(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		text_clean(out, text, len);
		buf_add_str(out, "\n");
		text += len + (text[len] == '\n');
	}
}
