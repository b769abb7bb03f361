/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "service/value/value.h"
#include "service/value/value_json.h"

constexpr size_t NAMES_MAX = 2000; /* column names reported; more are in the rows all the same */

struct name {
	const char *text;
	size_t len;
};

struct reply {
	struct arena *arena;
	const struct bound *bound;
	const char **label; /* [n_columns] each column's name, made unique */
	struct name *names; /* in the order in which they were seen */
	size_t n_names, room, next;
	size_t n_spreads;
};

/* A name that no column before this one has. */
static const char *unique(struct reply *reply, size_t column)
{
	const char *name = reply->bound->columns[column].name;
	size_t same = 0;

	for (size_t i = 0; i < column; i++)
		same += reply->bound->columns[i].name &&
			strcmp(reply->bound->columns[i].name, name) == 0;
	if (same == 0)
		return name;
	size_t len = strlen(name) + 24;
	char *text = arena_get(reply->arena, len);
	if (text)
		(void)snprintf(text, len, "%s:%zu", name, same);
	return text;
}

int reply_new(struct arena *arena, const struct bound *bound, struct reply **ret)
{
	struct reply *reply = arena_get(arena, sizeof(*reply));

	if (!reply)
		return -ENOMEM;
	*reply = (struct reply) { .arena = arena, .bound = bound };
	reply->label = arena_get(arena, (bound->n_columns + 1) * sizeof(*reply->label));
	if (!reply->label)
		return -ENOMEM;
	for (size_t i = 0; i < bound->n_columns; i++) {
		reply->n_spreads += bound->columns[i].spread;
		if (bound->columns[i].spread)
			continue;
		reply->label[i] = unique(reply, i);
		if (!reply->label[i])
			return -ENOMEM;
	}
	*ret = reply;
	return 0;
}

/* Remember a name. Rows are alike, so it is looked for first after the one seen last. */
static int note(struct reply *reply, const char *text, size_t len)
{
	for (size_t i = 0; i < reply->n_names; i++) {
		size_t at = (reply->next + i) % reply->n_names;

		if (reply->names[at].len == len && memcmp(reply->names[at].text, text, len) == 0) {
			reply->next = at + 1;
			return 0;
		}
	}
	if (reply->n_names == NAMES_MAX)
		return 0;
	if (reply->n_names == reply->room) {
		size_t room = reply->room ? 2 * reply->room : 32;
		struct name *grown = arena_get(reply->arena, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		if (reply->n_names > 0)
			memcpy(grown, reply->names, reply->n_names * sizeof(*grown));
		reply->names = grown;
		reply->room = room;
	}
	char *copy = arena_text(reply->arena, text, len);
	if (!copy)
		return -ENOMEM;
	reply->names[reply->n_names++] = (struct name) { copy, len };
	reply->next = reply->n_names;
	return 0;
}

static int put_value(sqlite3_stmt *stmt, int column, struct buf *out)
{
	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_INTEGER:
		buf_addf(out, "%" PRIi64, (int64_t)sqlite3_column_int64(stmt, column));
		return 0;
	case SQLITE_FLOAT:
		value_float_json(sqlite3_column_double(stmt, column), out);
		return 0;
	case SQLITE_TEXT: {
		const char *text = (const char *)sqlite3_column_text(stmt, column);

		if (!text)
			return -ENOMEM;
		buf_add_json(out, text, (size_t)sqlite3_column_bytes(stmt, column));
		return 0;
	}
	case SQLITE_BLOB: {
		const uint8_t *data = sqlite3_column_blob(stmt, column);
		struct value value;

		if (!data || !value_open(data, (size_t)sqlite3_column_bytes(stmt, column), &value))
			return -EIO;
		return value_to_json(&value, VALUE_JSON_RESULT, out);
	}
	default:
		buf_add_str(out, "null");
		return 0;
	}
}

static bool is_except(const struct column *column, const struct value *key)
{
	for (size_t i = 0; i < column->n_except; i++)
		if (value_is_text(key, column->except[i], strlen(column->except[i])))
			return true;
	return false;
}

/* Whether an earlier spread of the same row has this member already. */
static bool is_shadowed(const struct reply *reply, sqlite3_stmt *stmt, size_t column,
			const char *name, size_t len)
{
	for (size_t i = 0; i < column; i++) {
		struct value object, member;

		if (!reply->bound->columns[i].spread ||
		    sqlite3_column_type(stmt, (int)i) != SQLITE_BLOB)
			continue;
		if (value_open(sqlite3_column_blob(stmt, (int)i),
			       (size_t)sqlite3_column_bytes(stmt, (int)i), &object) &&
		    value_field(&object, name, len, &member))
			return true;
	}
	return false;
}

/* Put a comma before every member but the first. */
static void separate(bool *first, struct buf *out)
{
	if (!*first)
		buf_add_str(out, ",");
	*first = false;
}

/* The members of an object as columns. */
static int put_spread(struct reply *reply, sqlite3_stmt *stmt, size_t column, bool *first,
		      struct buf *out)
{
	const struct column *about = &reply->bound->columns[column];
	struct value object, key, member;

	if (sqlite3_column_type(stmt, (int)column) != SQLITE_BLOB)
		return 0; /* nothing was joined, or no object: no columns */
	if (!value_open(sqlite3_column_blob(stmt, (int)column),
			(size_t)sqlite3_column_bytes(stmt, (int)column), &object) ||
	    object.tag != VALUE_OBJECT)
		return 0;
	struct value_iter iter = value_iterate(&object);
	while (value_next(&iter, &key, &member)) {
		auto_buf struct buf plain = buf_make(key.len + 1);
		const char *name = (const char *)key.data;
		size_t len = key.len;

		if (key.escaped) {
			value_text(&key, &plain);
			if (buf_error(&plain))
				return buf_error(&plain);
			name = (const char *)plain.data;
			len = plain.len;
		}
		if (is_except(about, &key) ||
		    (reply->n_spreads > 1 && is_shadowed(reply, stmt, column, name, len)))
			continue;
		separate(first, out);
		buf_add_json(out, name, len);
		buf_add_str(out, ":");
		int r = value_to_json(&member, VALUE_JSON_RESULT, out);
		if (r == 0)
			r = note(reply, name, len);
		if (r)
			return r;
	}
	return 0;
}

int reply_add(struct reply *reply, sqlite3_stmt *stmt, struct buf *out)
{
	size_t n = reply->bound->n_columns;
	bool first = true;
	int r = 0;

	buf_add_str(out, "{");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct column *column = &reply->bound->columns[i];

		if (column->spread) {
			r = put_spread(reply, stmt, i, &first, out);
			continue;
		}
		if (reply->n_spreads > 0)
			r = note(reply, reply->label[i], strlen(reply->label[i]));
		if (column->undefined >= 0 && sqlite3_column_type(stmt, (int)i) == SQLITE_NULL &&
		    sqlite3_column_int(stmt, (int)n + column->undefined))
			continue;
		separate(&first, out);
		buf_add_json(out, reply->label[i], strlen(reply->label[i]));
		buf_add_str(out, ":");
		if (r == 0)
			r = put_value(stmt, (int)i, out);
	}
	buf_add_str(out, "}");
	return r;
}

int reply_columns(struct reply *reply, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < reply->bound->n_columns; i++)
		if (reply->label[i])
			r = note(reply, reply->label[i], strlen(reply->label[i]));
	buf_add_str(out, "[");
	for (size_t i = 0; r == 0 && i < reply->n_names; i++) {
		buf_add_str(out, i ? ",{\"name\":" : "{\"name\":");
		buf_add_json(out, reply->names[i].text, reply->names[i].len);
		buf_add_str(out, ",\"type\":\"\"}");
	}
	buf_add_str(out, "]");
	return r ? r : buf_error(out);
}
