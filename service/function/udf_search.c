/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/utf8.h"

/*
 * What SQLite has, too, but at a cost that is the product of the lengths: replace, trim and instr. The arguments are texts or
 * numbers, which the binder sees to; SQLite makes texts of numbers.
 */

/* An argument as text. Returns false if memory is short. */
static bool text_of(sqlite3_value *arg, struct text *ret)
{
	const char *at = (const char *)sqlite3_value_text(arg);

	*ret = (struct text) { at ? at : "", at ? (size_t)sqlite3_value_bytes(arg) : 0 };
	return at != nullptr;
}

static size_t step(struct text text)
{
	size_t n = utf8_step(text.at, text.len);

	return n > 0 ? n : 1;
}

/* rd_replace(text, what, with) */
static void replace(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text text, what, with;

	if (udf_any_null(n, args))
		return;
	if (!text_of(args[0], &text) || !text_of(args[1], &what) || !text_of(args[2], &with)) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	while (what.len > 0 && !buf_error(&out)) {
		const char *found = memmem(text.at, text.len, what.at, what.len);

		if (!found)
			break;
		auto before = (size_t)(found - text.at);
		buf_add(&out, text.at, before);
		buf_add(&out, with.at, with.len);
		text = (struct text) { found + what.len, text.len - before - what.len };
	}
	buf_add(&out, text.at, text.len);
	udf_return_text(ctx, &out);
}

/* rd_instr(text, what): the character, from 1, at which what is first; 0: nowhere. */
static void instr(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, what;
	int64_t at = 1;

	if (udf_any_null(n, args))
		return;
	if (!text_of(args[0], &text) || !text_of(args[1], &what)) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	const char *found = what.len > 0 ? memmem(text.at, text.len, what.at, what.len) : text.at;
	for (const char *c = text.at; found && c < found; c++)
		at += ((unsigned char)*c & 0xc0) != 0x80;
	sqlite3_result_int64(ctx, found ? at : 0);
}

/* The characters that are trimmed off: those of one byte in a table, the others in order. */
struct trimmed {
	bool byte[256];
	uint32_t *other; /* [n_others] their bytes, the first one uppermost */
	size_t n_others;
};

static void trimmed_done(struct trimmed *set)
{
	free(set->other);
}

static uint32_t bytes_of(const char *at, size_t len)
{
	uint32_t bytes = 0;

	for (size_t i = 0; i < len; i++)
		bytes = bytes << 8 | (unsigned char)at[i];
	return bytes;
}

static int by_bytes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Returns false if memory is short. */
static bool trimmed_init(struct trimmed *set, struct text text)
{
	size_t room = 0;

	for (struct text at = text; at.len > 0;) {
		size_t n = step(at);

		room += n > 1;
		set->byte[(unsigned char)at.at[0]] |= n == 1;
		at = (struct text) { at.at + n, at.len - n };
	}
	if (room == 0)
		return true;
	set->other = calloc(room, sizeof(*set->other));
	if (!set->other)
		return false;
	for (struct text at = text; at.len > 0;) {
		size_t n = step(at);

		if (n > 1)
			set->other[set->n_others++] = bytes_of(at.at, n);
		at = (struct text) { at.at + n, at.len - n };
	}
	qsort(set->other, set->n_others, sizeof(*set->other), by_bytes);
	return true;
}

static bool is_trimmed(const struct trimmed *set, const char *at, size_t len)
{
	uint32_t bytes = bytes_of(at, len);

	if (len == 1)
		return set->byte[(unsigned char)*at];
	return set->n_others > 0 &&
	       bsearch(&bytes, set->other, set->n_others, sizeof(*set->other), by_bytes) != nullptr;
}

/* Where the last character of a text begins. */
static size_t last(struct text text)
{
	size_t at = text.len - 1;

	while (at > 0 && text.len - at < 4 && ((unsigned char)text.at[at] & 0xc0) == 0x80)
		at--;
	return utf8_step(text.at + at, text.len - at) == text.len - at ? at : text.len - 1;
}

enum ends : uintptr_t {
	LEFT = 1,
	RIGHT = 2,
	BOTH = 3
};

/* rd_trim, rd_ltrim, rd_rtrim(text[, characters]) */
static void trim(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	cleanup(trimmed_done) struct trimmed set = {};
	auto ends = (uintptr_t)udf_data(ctx);
	struct text text, characters = { " ", 1 };

	if (udf_any_null(n, args))
		return;
	if (!text_of(args[0], &text) || (n > 1 && !text_of(args[1], &characters)) ||
	    !trimmed_init(&set, characters)) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	while (text.len > 0 && (ends & LEFT) && is_trimmed(&set, text.at, step(text))) {
		size_t s = step(text);

		text = (struct text) { text.at + s, text.len - s };
	}
	while (text.len > 0 && (ends & RIGHT)) {
		size_t at = last(text);

		if (!is_trimmed(&set, text.at + at, text.len - at))
			break;
		text.len = at;
	}
	sqlite3_result_text64(ctx, text.at, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int udf_register_search(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_replace", 3, replace, nullptr },	{ "rd_instr", 2, instr, nullptr },
		{ "rd_trim", 1, trim, (void *)BOTH },	{ "rd_trim", 2, trim, (void *)BOTH },
		{ "rd_ltrim", 1, trim, (void *)LEFT },	{ "rd_ltrim", 2, trim, (void *)LEFT },
		{ "rd_rtrim", 1, trim, (void *)RIGHT }, { "rd_rtrim", 2, trim, (void *)RIGHT },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
