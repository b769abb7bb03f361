/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/text.h"

constexpr size_t TEXT_FIRST = 4096; /* one record fits, so a secret is not left behind by growing */

struct field {
	enum field_kind kind;
	size_t key, text; /* offsets in the pool; a list's items follow one another */
	uint64_t number;  /* a number, a flag, or how many items a list has */
};

struct row {
	size_t first, n; /* its fields */
};

struct rows {
	struct buf pool; /* texts, each with its NUL */
	struct field *field;
	size_t n_fields, room_fields;
	struct row *row;
	size_t n_rows, room_rows;
};

int rows_new(struct rows **ret)
{
	cleanup(rows_free_at) struct rows *rows = calloc(1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;

	rows->pool = buf_make(ROWS_TEXT_MAX);
	if (!buf_reserve(&rows->pool, TEXT_FIRST))
		return -ENOMEM;

	*ret = TAKE(rows);
	return 0;
}

struct rows *rows_free(struct rows *rows)
{
	if (!rows)
		return nullptr;
	if (rows->pool.data)
		explicit_bzero(rows->pool.data, rows->pool.room);
	buf_done(&rows->pool);
	free(rows->field);
	free(rows->row);
	free(rows);
	return nullptr;
}

/* Make room for one more of size bytes. */
static int grow(void **array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return 0;

	size_t want = *room ? *room * 2 : 16; /* n is bounded by ROWS_MAX * ROW_FIELDS_MAX */
	void *bigger = reallocarray(*array, want, size);
	if (!bigger)
		return -ENOMEM;

	*array = bigger;
	*room = want;
	return 0;
}

/* Put a text into the pool. */
static int keep(struct rows *rows, const char *text, size_t *ret)
{
	size_t at = rows->pool.len;

	buf_add(&rows->pool, text, strlen(text) + 1);
	int r = buf_error(&rows->pool);
	rows->pool.error = 0; /* the contents are as before; the caller hears of it here */
	if (r)
		return r == -EMSGSIZE ? ROWS_FULL : r;

	*ret = at;
	return 0;
}

int rows_add_row(struct rows *rows)
{
	if (rows->n_rows == ROWS_MAX)
		return ROWS_FULL;

	int r = grow((void **)&rows->row, rows->n_rows, &rows->room_rows, sizeof(*rows->row));
	if (r)
		return r;

	rows->row[rows->n_rows++] = (struct row) { .first = rows->n_fields };
	return 0;
}

/* Add a value; text is nullptr for those that have none. */
static int add_field(struct rows *rows, const char *key, struct field field, const char *text)
{
	struct row *row = &rows->row[rows->n_rows - 1];

	if (row->n == ROW_FIELDS_MAX)
		return ROWS_FULL;

	int r = grow((void **)&rows->field, rows->n_fields, &rows->room_fields,
		     sizeof(*rows->field));
	if (r == 0)
		r = keep(rows, key, &field.key);
	if (r == 0 && text)
		r = keep(rows, text, &field.text);
	if (r)
		return r;

	rows->field[rows->n_fields++] = field;
	row->n++;
	return 0;
}

int rows_add_text(struct rows *rows, const char *key, const char *text)
{
	return add_field(rows, key, (struct field) { .kind = FIELD_TEXT }, text);
}

int rows_add_number(struct rows *rows, const char *key, uint64_t number)
{
	return add_field(rows, key, (struct field) { .kind = FIELD_NUMBER, .number = number },
			 nullptr);
}

int rows_add_flag(struct rows *rows, const char *key, bool flag)
{
	return add_field(rows, key, (struct field) { .kind = FIELD_FLAG, .number = flag }, nullptr);
}

int rows_add_list(struct rows *rows, const char *key)
{
	return add_field(rows, key, (struct field) { .kind = FIELD_LIST }, nullptr);
}

int rows_add_item(struct rows *rows, const char *text)
{
	struct field *list = &rows->field[rows->n_fields - 1];
	size_t at = 0;

	if (list->number == ROW_LIST_MAX)
		return ROWS_FULL;

	int r = keep(rows, text, &at);
	if (r)
		return r;

	if (list->number++ == 0)
		list->text = at;
	return 0;
}

static const char *pooled(const struct rows *rows, size_t at)
{
	return (const char *)rows->pool.data + at;
}

size_t rows_count(const struct rows *rows)
{
	return rows ? rows->n_rows : 0;
}

size_t rows_fields(const struct rows *rows, size_t i)
{
	return rows->row[i].n;
}

const char *rows_key(const struct rows *rows, size_t i, size_t j)
{
	return pooled(rows, rows->field[rows->row[i].first + j].key);
}

enum field_kind rows_kind(const struct rows *rows, size_t i, size_t j)
{
	return rows->field[rows->row[i].first + j].kind;
}

static const struct field *find(const struct rows *rows, size_t i, const char *key)
{
	for (size_t j = 0; i < rows_count(rows) && j < rows->row[i].n; j++)
		if (strcmp(rows_key(rows, i, j), key) == 0)
			return &rows->field[rows->row[i].first + j];
	return nullptr;
}

static const struct field *find_kind(const struct rows *rows, size_t i, const char *key,
				     enum field_kind kind)
{
	const struct field *field = find(rows, i, key);

	return field && field->kind == kind ? field : nullptr;
}

const char *rows_text(const struct rows *rows, size_t i, const char *key)
{
	const struct field *field = find_kind(rows, i, key, FIELD_TEXT);

	return field ? pooled(rows, field->text) : "";
}

uint64_t rows_number(const struct rows *rows, size_t i, const char *key)
{
	const struct field *field = find_kind(rows, i, key, FIELD_NUMBER);

	return field ? field->number : 0;
}

bool rows_flag(const struct rows *rows, size_t i, const char *key)
{
	const struct field *field = find_kind(rows, i, key, FIELD_FLAG);

	return field && field->number;
}

static const char *item_of(const struct rows *rows, const struct field *list, size_t n)
{
	const char *item = pooled(rows, list->text);

	while (n-- > 0)
		item += strlen(item) + 1;
	return item;
}

size_t rows_list_count(const struct rows *rows, size_t i, const char *key)
{
	const struct field *list = find_kind(rows, i, key, FIELD_LIST);

	return list ? (size_t)list->number : 0;
}

const char *rows_list_item(const struct rows *rows, size_t i, const char *key, size_t n)
{
	const struct field *list = find_kind(rows, i, key, FIELD_LIST);

	return list && n < list->number ? item_of(rows, list, n) : "";
}

bool rows_list_has(const struct rows *rows, size_t i, const char *key, const char *item)
{
	size_t n = rows_list_count(rows, i, key);

	for (size_t j = 0; j < n; j++)
		if (strcmp(rows_list_item(rows, i, key, j), item) == 0)
			return true;
	return false;
}

void rows_show(const struct rows *rows, size_t i, const char *key, struct buf *out)
{
	const struct field *field = find(rows, i, key);

	if (!field)
		return;
	switch (field->kind) {
	case FIELD_TEXT:
		buf_add_str(out, pooled(rows, field->text));
		return;
	case FIELD_NUMBER:
		buf_addf(out, "%" PRIu64, field->number);
		return;
	case FIELD_FLAG:
		buf_add_str(out, field->number ? "yes" : "no");
		return;
	case FIELD_LIST:
		for (size_t n = 0; n < field->number; n++)
			buf_addf(out, "%s%s", n ? ", " : "", item_of(rows, field, n));
		return;
	}
}

static void add_json_text(struct buf *out, const char *text)
{
	text_json(out, text, strlen(text));
}

static void add_json_value(const struct rows *rows, const struct field *field, struct buf *out)
{
	switch (field->kind) {
	case FIELD_TEXT:
		add_json_text(out, pooled(rows, field->text));
		return;
	case FIELD_NUMBER:
		buf_addf(out, "%" PRIu64, field->number);
		return;
	case FIELD_FLAG:
		buf_add_str(out, field->number ? "true" : "false");
		return;
	case FIELD_LIST:
		buf_add_str(out, "[");
		for (size_t n = 0; n < field->number; n++) {
			buf_add_str(out, n ? ", " : "");
			add_json_text(out, item_of(rows, field, n));
		}
		buf_add_str(out, "]");
		return;
	}
}

void rows_json(const struct rows *rows, size_t i, struct buf *out)
{
	buf_add_str(out, "{");
	for (size_t j = 0; j < rows_fields(rows, i); j++) {
		buf_add_str(out, j ? ", " : "");
		add_json_text(out, rows_key(rows, i, j));
		buf_add_str(out, ": ");
		add_json_value(rows, &rows->field[rows->row[i].first + j], out);
	}
	buf_add_str(out, "}");
}
