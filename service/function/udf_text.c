/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>
#include <yyjson.h>

#include "common/crypto/crypto.h"
#include "common/utf8.h"
#include "service/expression/like.h"
#include "service/expression/substr.h"
#include "service/value/civil.h"
#include "service/value/value_json.h"

static void concat(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	if (udf_any_null(n, args))
		return;
	for (int i = 0; i < n; i++) {
		struct value value;

		udf_value(args[i], &value);
		udf_put_text(&value, &out);
	}
	udf_return_text(ctx, &out);
}

/* Where the next UTF-8 character of text ends. */
static size_t step(struct text text)
{
	size_t n = utf8_step(text.at, text.len);

	return n > 0 ? n : 1;
}

static struct str str_of(struct text text)
{
	return (struct str) { text.at, (uint32_t)text.len };
}

static void return_like(sqlite3_context *ctx, struct text text, struct text pattern,
			struct text escape)
{
	bool yes = false;
	int r = like_matches(str_of(text), str_of(pattern), str_of(escape), udf_limits(ctx), &yes);

	if (r < 0)
		sqlite3_result_error_nomem(ctx);
	else if (r > 0)
		sqlite3_result_error_code(ctx, SQLITE_INTERRUPT);
	else
		sqlite3_result_int(ctx, yes);
}

static void like_function(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, pattern, escape = {};

	if (udf_any_null(n, args) || sqlite3_value_type(args[0]) != SQLITE_TEXT)
		return; /* what is no string matches nothing, and its NOT matches nothing either */
	if (!udf_text(ctx, args[0], &text) || !udf_text(ctx, args[1], &pattern) ||
	    (n == 3 && !udf_text(ctx, args[2], &escape)))
		return;
	if (n == 3 && (escape.len == 0 || step(escape) != escape.len))
		udf_fail(ctx, "ESCAPE takes one character.");
	else
		return_like(ctx, text, pattern, escape);
}

/* rd_text: an argument that must be a text or a number; SQLite makes a text of the latter. */
static void text_or_number(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value;

	udf_value(args[0], &value);
	if (sqlite3_value_type(args[0]) == SQLITE_BLOB)
		udf_fail(ctx, "A string was expected here, not %s.", value_type_name(&value));
	else
		sqlite3_result_value(ctx, args[0]);
}

/* rd_substr(text, from[, n]); SQLite's own stops at a NUL. */
static void substr(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	if (udf_any_null(n, args))
		return;
	const char *at = (const char *)sqlite3_value_text(args[0]);
	struct str text = { at ? at : "", at ? (uint32_t)sqlite3_value_bytes(args[0]) : 0 };
	struct str part = substr_of(text, sqlite3_value_int64(args[1]),
				    n > 2 ? sqlite3_value_int64(args[2]) : SUBSTR_ALL);

	sqlite3_result_text64(ctx, part.at, part.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* rd_length: characters of a string, bytes, elements or members. */
static void length(sqlite3_context *ctx, int, sqlite3_value **args)
{
	struct value value, member;
	int64_t n = 0;

	udf_value(args[0], &value);
	if (value.tag == VALUE_NULL)
		return;
	if (value.tag == VALUE_ARRAY || value.tag == VALUE_OBJECT) {
		struct value_iter iter = value_iterate(&value);

		while (value_next(&iter, nullptr, &member))
			n++;
	} else if (value.tag == VALUE_STRING) {
		for (size_t i = 0; i < value.len; i++)
			n += (value.data[i] & 0xc0) != 0x80;
	} else if (value.tag == VALUE_BYTES) {
		auto_buf struct buf plain = buf_make(value.len);

		value_text(&value, &plain);
		n = (int64_t)plain.len;
	} else {
		udf_fail(ctx, "LENGTH takes a string, bytes, array or object, not %s.",
			 value_type_name(&value));
		return;
	}
	sqlite3_result_int64(ctx, n);
}

/* The next part of text up to a separator. Returns whether there was one; an empty separator cuts off a character. */
static bool next_part(struct text *text, struct text separator, bool *done, struct text *ret)
{
	if (*done)
		return false;
	if (separator.len == 0) {
		size_t n = text->len > 0 ? step(*text) : 0;

		*ret = (struct text) { text->at, n };
		text->at += n;
		text->len -= n;
		*done = text->len == 0;
		return n > 0;
	}
	const char *found = memmem(text->at, text->len, separator.at, separator.len);
	ret->at = text->at;
	ret->len = found ? (size_t)(found - text->at) : text->len;
	*done = !found;
	if (found) {
		text->len -= ret->len + separator.len;
		text->at += ret->len + separator.len;
	}
	return true;
}

static void split(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text text, separator, part;
	bool done = false;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    !udf_text(ctx, args[1], &separator))
		return;
	value_put_array(&out);
	while (next_part(&text, separator, &done, &part))
		value_put_string(&out, part.at, part.len);
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

static void split_part(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text, separator, part;
	bool done = false;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    !udf_text(ctx, args[1], &separator))
		return;
	int64_t want = sqlite3_value_int64(args[2]);
	while (next_part(&text, separator, &done, &part))
		if (--want == 0) {
			sqlite3_result_text64(ctx, part.at, part.len, SQLITE_TRANSIENT,
					      SQLITE_UTF8);
			return;
		}
}

static void pad(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	bool left = udf_data(ctx) != nullptr;
	struct text text, fill = { " ", 1 };
	int64_t have = 0;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    (n == 3 && !udf_text(ctx, args[2], &fill)))
		return;
	int64_t want = sqlite3_value_int64(args[1]);
	if (want < 0 || want > 1'000'000 || fill.len == 0) {
		udf_fail(ctx,
			 "LPAD and RPAD take a length of 0 to 1000000 and something to fill with.");
		return;
	}
	size_t keep = 0;
	while (keep < text.len && have < want) {
		keep += step((struct text) { text.at + keep, text.len - keep });
		have++;
	}
	if (!left)
		buf_add(&out, text.at, keep);
	for (struct text at = fill; have < want; have++) {
		size_t s = step(at);

		buf_add(&out, at.at, s);
		at = (struct text) { at.at + s, at.len - s };
		if (at.len == 0)
			at = fill;
	}
	if (left)
		buf_add(&out, text.at, keep);
	udf_return_text(ctx, &out);
}

static void affix(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	bool end = udf_data(ctx) != nullptr;
	struct text text, part;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text) ||
	    !udf_text(ctx, args[1], &part))
		return;
	udf_return_bool(ctx,
			part.len <= text.len && memcmp(text.at + (end ? text.len - part.len : 0),
						       part.at, part.len) == 0);
}

/* Whether a byte belongs to a word: letters, digits, and all that is not ASCII. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       ((unsigned char)c & 0x80);
}

/* TOKENIZE(text[, locale]): its words, ASCII letters made small. The locale changes nothing yet. */
static void tokenize(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX), word = buf_make(UDF_RESULT_MAX);
	struct text text;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text))
		return;
	value_put_array(&out);
	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.at[i] : ' ';

		if (is_word(c)) {
			c = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
			buf_add(&word, &c, 1);
		} else if (word.len > 0) {
			value_put_string(&out, (const char *)word.data, word.len);
			buf_clear(&word);
		}
	}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

/* Where the character that is n characters after the one at from ends; text.len if there are not so many. */
static size_t after(struct text text, size_t from, int64_t n)
{
	for (; n > 0 && from < text.len; n--)
		from += step((struct text) { text.at + from, text.len - from });
	return n > 0 ? text.len + 1 : from;
}

/* NGRAMS(text, min[, max]): all runs of min to max characters. */
static void ngrams(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	constexpr int64_t longest = 100;
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text text;
	size_t work = 0;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text))
		return;
	int64_t min = sqlite3_value_int64(args[1]);
	int64_t max = n == 3 ? sqlite3_value_int64(args[2]) : min;
	if (min < 1 || max < min || max > longest) {
		udf_fail(ctx, "NGRAMS takes lengths of 1 to 100 characters, the smaller first.");
		return;
	}
	value_put_array(&out);
	for (int64_t size = min; size <= max && !buf_error(&out); size++)
		for (size_t at = 0; at < text.len && !buf_error(&out); at = after(text, at, 1)) {
			size_t end = after(text, at, size);

			if (end > text.len)
				break;
			if (udf_worked(ctx, &work, (size_t)size * 4))
				return;
			value_put_string(&out, text.at + at, end - at);
		}
	value_put_end(&out);
	udf_return_packed(ctx, &out);
}

int udf_register_text(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_concat", -1, concat, nullptr },
		{ "rd_like", 2, like_function, nullptr },
		{ "rd_like", 3, like_function, nullptr },
		{ "rd_substr", 2, substr, nullptr },
		{ "rd_substr", 3, substr, nullptr },
		{ "rd_text", 1, text_or_number, nullptr },
		{ "rd_length", 1, length, nullptr },
		{ "rd_tokenize", 1, tokenize, nullptr },
		{ "rd_tokenize", 2, tokenize, nullptr },
		{ "rd_ngrams", 2, ngrams, nullptr },
		{ "rd_ngrams", 3, ngrams, nullptr },
		{ "rd_split", 2, split, nullptr },
		{ "rd_split_part", 3, split_part, nullptr },
		{ "rd_lpad", -1, pad, &yes },
		{ "rd_rpad", -1, pad, nullptr },
		{ "rd_starts_with", 2, affix, nullptr },
		{ "rd_ends_with", 2, affix, &yes },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
