/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/batch_text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t DEPTH_MAX = 1024; /* of brackets in one document; deeper ones are refused anyway */

/* Where in the text one is. */
struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *in)
{
	while (in->at < in->end && memchr(" \t\r\n", *in->at, 4))
		in->at++;
}

/* Go past this byte, and blanks before it. Returns whether it is there. */
static bool take(struct cursor *in, char byte)
{
	skip_blanks(in);
	if (in->at == in->end || *in->at != byte)
		return false;
	in->at++;
	return true;
}

/* Go past a string whose first quote is next. Returns whether it ends. */
static bool skip_string(struct cursor *in)
{
	for (in->at++; in->at < in->end; in->at++) {
		if (*in->at == '"') {
			in->at++;
			return true;
		}
		if (*in->at == '\\' && in->at + 1 < in->end)
			in->at++;
	}
	return false;
}

/* Go past brackets and what is between them. Returns whether each is closed by its like. */
static bool skip_brackets(struct cursor *in)
{
	char open[DEPTH_MAX];
	size_t depth = 0;

	while (in->at < in->end) {
		char byte = *in->at;

		if (byte == '"') {
			if (!skip_string(in))
				return false;
			continue;
		}
		in->at++;
		if (byte == '{' || byte == '[') {
			if (depth == DEPTH_MAX)
				return false;
			open[depth++] = byte == '{' ? '}' : ']';
		} else if (byte == '}' || byte == ']') {
			if (depth == 0 || open[--depth] != byte)
				return false;
			if (depth == 0)
				return true;
		}
	}
	return false;
}

/* Go past a value, and blanks before it. Returns whether it ends. */
static bool skip_value(struct cursor *in)
{
	skip_blanks(in);
	if (in->at == in->end)
		return false;
	if (*in->at == '"')
		return skip_string(in);
	if (*in->at == '{' || *in->at == '[')
		return skip_brackets(in);
	const char *start = in->at;
	while (in->at < in->end && !memchr(",]} \t\r\n", *in->at, 7))
		in->at++;
	return in->at > start;
}

/* Go to what follows the bracket of the list `data`. Returns whether there is one. */
static bool find_data(struct cursor *in)
{
	static const char NAME[] = "\"data\"";

	if (!take(in, '{'))
		return false;
	do {
		skip_blanks(in);
		const char *name = in->at;
		if (in->at == in->end || *name != '"' || !skip_string(in))
			return false;
		bool found = (size_t)(in->at - name) == sizeof(NAME) - 1 &&
			     memcmp(name, NAME, sizeof(NAME) - 1) == 0;
		if (!take(in, ':'))
			return false;
		if (found)
			return take(in, '[');
		if (!skip_value(in))
			return false;
	} while (take(in, ','));
	return false;
}

/* Append a document, or null if it is none. Returns what bad does. */
static int mend_one(const char *at, size_t len, size_t index, struct buf *out,
		    batch_text_bad_fn *bad, void *userdata)
{
	yyjson_read_err error = {};
	char why[160];
	yyjson_doc *doc =
		yyjson_read_opts((char *)(uintptr_t)at, len, YYJSON_READ_NOFLAG, nullptr, &error);

	if (doc || error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
		yyjson_doc_free(doc);
		buf_add(out, at, len);
		return 0;
	}
	(void)snprintf(why, sizeof(why), "The document is not valid JSON: %.80s at its byte %zu.",
		       error.msg ? error.msg : "error", error.pos);
	buf_add_str(out, "null");
	return bad(userdata, index, why);
}

int batch_text_mend(const char *text, size_t len, struct buf *out, batch_text_bad_fn *bad,
		    void *userdata)
{
	struct cursor in = { .at = text, .end = text + len };
	size_t index = 0;

	if (!find_data(&in))
		return 1;
	buf_add(out, text, (size_t)(in.at - text));
	skip_blanks(&in);
	while (in.at < in.end && *in.at != ']') {
		const char *start;

		if (index > 0 && !take(&in, ','))
			return 1;
		skip_blanks(&in);
		start = in.at;
		if (!skip_value(&in))
			return 1;
		if (index > 0)
			buf_add_str(out, ",");
		int r = mend_one(start, (size_t)(in.at - start), index++, out, bad, userdata);
		if (r)
			return r;
		skip_blanks(&in);
	}
	buf_add(out, in.at, (size_t)(in.end - in.at));
	return 0;
}
