/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

#include "service/function/regex.h"

static void free_cached(void *regex)
{
	(void)regex_free(regex);
}

/*
 * The compiled pattern of args[1]. SQLite keeps it as long as the pattern stays the same.
 *
 * Returns nullptr, with the query failed, if it cannot be had.
 */
static struct regex *pattern_arg(sqlite3_context *ctx, sqlite3_value **args)
{
	struct regex *regex = sqlite3_get_auxdata(ctx, 1);
	char message[REGEX_MESSAGE];
	struct text pattern;

	if (regex)
		return regex;
	if (!udf_text(ctx, args[1], &pattern))
		return nullptr;
	int r = regex_new(pattern.at, pattern.len, &regex, message);
	if (r == REGEX_BAD_PATTERN)
		udf_fail(ctx, "The regular expression is not valid: %s.", message);
	else if (r)
		sqlite3_result_error_nomem(ctx);
	if (r)
		return nullptr;
	sqlite3_set_auxdata(ctx, 1, regex, free_cached);
	regex = sqlite3_get_auxdata(ctx, 1); /* gone, if there was no memory to keep it */
	if (!regex)
		sqlite3_result_error_nomem(ctx);
	return regex;
}

/* Whether the query is to end. */
static bool is_over(void *userdata)
{
	return udf_expired(userdata);
}

/* What every function here begins with. Returns false if there is nothing more to do. */
static bool begin(sqlite3_context *ctx, int n, sqlite3_value **args, struct regex **ret,
		  struct regex_scan *ret_scan)
{
	struct text text;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text))
		return false;
	*ret_scan = (struct regex_scan) {
		.text = text.at, .len = text.len, .stop = is_over, .stop_data = ctx
	};
	*ret = pattern_arg(ctx, args);
	return *ret != nullptr;
}

enum found {
	FOUND,
	NONE,
	FAILED, /* the query has failed: give no result */
};

/* Find the next match. */
static enum found next(sqlite3_context *ctx, struct regex *regex, struct regex_scan *scan)
{
	if (udf_expired(ctx))
		return FAILED;
	switch (regex_next(regex, scan)) {
	case REGEX_OK:
		return FOUND;
	case REGEX_NO_MATCH:
		return NONE;
	case REGEX_STOPPED:
		return FAILED;
	case REGEX_RUNAWAY:
		udf_fail(ctx,
			 "The regular expression takes more than %u steps on one of the texts; "
			 "avoid nested repetitions such as (a+)+, or make it more specific.",
			 REGEX_STEPS_MAX);
		return FAILED;
	case REGEX_BAD_TEXT:
		udf_fail(ctx, "The regular expression met a text that is not valid UTF-8.");
		return FAILED;
	default:
		sqlite3_result_error_nomem(ctx);
		return FAILED;
	}
}

static void regexp_like(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct regex_scan scan;
	struct regex *regex;

	if (!begin(ctx, n, args, &regex, &scan))
		return;
	enum found found = next(ctx, regex, &scan);
	if (found != FAILED)
		udf_return_bool(ctx, found == FOUND);
}

/* The group asked for in args[2], or 0. Returns false, with the query failed, if there is none such. */
static bool group_arg(sqlite3_context *ctx, int n, sqlite3_value **args, const struct regex *regex,
		      uint32_t *ret)
{
	int64_t group = n == 3 ? sqlite3_value_int64(args[2]) : 0;

	if (group < 0 || group > regex_groups(regex)) {
		udf_fail(ctx, "The regular expression has %u groups; there is no group %lld.",
			 regex_groups(regex), (long long)group);
		return false;
	}
	*ret = (uint32_t)group;
	return true;
}

/* REGEXP_EXTRACT(text, pattern[, group]): of the first match. */
static void regexp_extract(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct regex_scan scan;
	struct regex *regex;
	uint32_t group;
	size_t start, end;

	if (!begin(ctx, n, args, &regex, &scan) || !group_arg(ctx, n, args, regex, &group) ||
	    next(ctx, regex, &scan) != FOUND)
		return;
	if (regex_group(regex, group, &start, &end))
		sqlite3_result_text64(ctx, scan.text + start, end - start, SQLITE_TRANSIENT,
				      SQLITE_UTF8);
}

/* REGEXP_EXTRACT_ALL(text, pattern[, group]): of each match. */
static void regexp_extract_all(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct regex_scan scan;
	struct regex *regex;
	uint32_t group;
	size_t start, end;
	enum found found;

	if (!begin(ctx, n, args, &regex, &scan) || !group_arg(ctx, n, args, regex, &group))
		return;
	value_put_array(&out);
	while ((found = next(ctx, regex, &scan)) == FOUND) {
		if (regex_group(regex, group, &start, &end))
			value_put_string(&out, scan.text + start, end - start);
		else
			value_put_null(&out);
	}
	value_put_end(&out);
	if (found == NONE)
		udf_return_packed(ctx, &out);
}

/* Append a replacement: $1 and \1 stand for a group, \\ and \$ for themselves. */
static void put_replacement(const struct regex *regex, const struct regex_scan *scan,
			    struct text with, struct buf *out)
{
	for (size_t i = 0; i < with.len; i++) {
		bool special = (with.at[i] == '$' || with.at[i] == '\\') && i + 1 < with.len;
		char after = special ? with.at[i + 1] : '\0';
		size_t start, end;

		if (special && after >= '0' && after <= '9') {
			i++;
			if (regex_group(regex, (uint32_t)(after - '0'), &start, &end))
				buf_add(out, scan->text + start, end - start);
		} else {
			i += with.at[i] == '\\' && (after == '\\' || after == '$');
			buf_add(out, with.at + i, 1);
		}
	}
}

/* REGEXP_REPLACE(text, pattern[, replacement]): every match. */
static void regexp_replace(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct text with = { .at = "" };
	struct regex_scan scan;
	struct regex *regex;
	size_t kept = 0;
	enum found found;

	if (!begin(ctx, n, args, &regex, &scan) || (n == 3 && !udf_text(ctx, args[2], &with)))
		return;
	while ((found = next(ctx, regex, &scan)) == FOUND) {
		buf_add(&out, scan.text + kept, scan.start - kept);
		put_replacement(regex, &scan, with, &out);
		kept = scan.end;
	}
	buf_add(&out, scan.text + kept, scan.len - kept);
	if (found == NONE)
		udf_return_text(ctx, &out);
}

/* REGEXP_SPLIT(text, pattern): what lies between the matches; an empty match splits nothing off. */
static void regexp_split(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct regex_scan scan;
	struct regex *regex;
	size_t kept = 0;
	enum found found;

	if (!begin(ctx, n, args, &regex, &scan))
		return;
	value_put_array(&out);
	while ((found = next(ctx, regex, &scan)) == FOUND) {
		if (scan.start == scan.end)
			continue;
		value_put_string(&out, scan.text + kept, scan.start - kept);
		kept = scan.end;
	}
	value_put_string(&out, scan.text + kept, scan.len - kept);
	value_put_end(&out);
	if (found == NONE)
		udf_return_packed(ctx, &out);
}

int udf_register_regex(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_regexp_like", 2, regexp_like, nullptr },
		{ "rd_regexp_extract", 2, regexp_extract, nullptr },
		{ "rd_regexp_extract", 3, regexp_extract, nullptr },
		{ "rd_regexp_extract_all", 2, regexp_extract_all, nullptr },
		{ "rd_regexp_extract_all", 3, regexp_extract_all, nullptr },
		{ "rd_regexp_replace", 2, regexp_replace, nullptr },
		{ "rd_regexp_replace", 3, regexp_replace, nullptr },
		{ "rd_regexp_split", 2, regexp_split, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
