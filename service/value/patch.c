/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/patch.h"

#include <errno.h>
#include <math.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yyjson.h>

#include "common/buf.h"
#include "service/value/value_json.h"

constexpr size_t MEMORY_MAX = 128u << 20; /* of one document while it is being changed */
constexpr size_t TEXT_MAX = 64u << 20;	  /* of it as JSON */
constexpr size_t BLOCK = 16;		  /* keeps what follows a block's size aligned */

/* One operation, checked. Texts are borrowed. */
struct operation {
	const char *path, *from;
	size_t path_len, from_len;
	yyjson_val *value;
};

typedef int apply_fn(yyjson_mut_doc *doc, const struct operation *op);

static const char *const OUTCOMES[PATCH_OUTCOME_COUNT] = {
	[PATCH_OK] = "",
	[PATCH_MALFORMED] = "is not a valid patch operation",
	[PATCH_NO_TARGET] = "names a path that does not exist in the document",
	[PATCH_TEST_FAILED] = "tests for a value that the document does not have",
	[PATCH_NOT_NUMBER] = "increments or adds something that is not a number",
	[PATCH_TOO_LARGE] = "would make the document too large or nested too deeply",
	[PATCH_FIXED] = "would change `_id` or `_event_time`, which cannot be changed",
};

const char *patch_outcome_text(enum patch_outcome outcome)
{
	return outcome < PATCH_OUTCOME_COUNT ? OUTCOMES[outcome] : "";
}

/* Allocator with a budget, so that repeated COPY cannot eat the machine. The size stands before each block. */
static void *budget_malloc(void *ctx, size_t size)
{
	size_t *left = ctx, whole;

	if (ckd_add(&whole, size, BLOCK) || whole > *left)
		return nullptr;
	uint8_t *block = malloc(whole);
	if (!block)
		return nullptr;
	*left -= whole;
	memcpy(block, &whole, sizeof(whole));
	return block + BLOCK;
}

static void budget_free(void *ctx, void *ptr)
{
	size_t *left = ctx, whole;

	if (!ptr)
		return;
	memcpy(&whole, (uint8_t *)ptr - BLOCK, sizeof(whole));
	*left += whole;
	free((uint8_t *)ptr - BLOCK);
}

static void *budget_realloc(void *ctx, void *ptr, size_t old_size, size_t size)
{
	void *grown = budget_malloc(ctx, size);

	if (!grown)
		return nullptr;
	memcpy(grown, ptr, old_size < size ? old_size : size);
	budget_free(ctx, ptr);
	return grown;
}

/* How deep a value is nested, counted up to limit; recursion ends there. */
static size_t depth_of(yyjson_mut_val *value, size_t limit) /* NOLINT(misc-no-recursion) */
{
	size_t deepest = 0, i, max;
	yyjson_mut_val *key, *member;

	if (!yyjson_mut_is_ctn(value) || limit == 0)
		return 0;
	if (yyjson_mut_is_arr(value)) {
		yyjson_mut_arr_foreach(value, i, max, member)
		{
			size_t depth = depth_of(member, limit - 1);

			deepest = depth > deepest ? depth : deepest;
		}
	} else {
		yyjson_mut_obj_foreach(value, i, max, key, member)
		{
			size_t depth = depth_of(member, limit - 1);

			deepest = depth > deepest ? depth : deepest;
		}
	}
	return deepest + 1;
}

static size_t levels_of(const char *path, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += path[i] == '/';
	return n;
}

/* Put a value (of doc) at a path as ADD does. */
static int put(yyjson_mut_doc *doc, const char *path, size_t len, yyjson_mut_val *value)
{
	if (!value)
		return PATCH_TOO_LARGE;
	if (levels_of(path, len) + depth_of(value, VALUE_JSON_DEPTH_MAX + 1) > VALUE_JSON_DEPTH_MAX)
		return PATCH_TOO_LARGE;
	if (len == 0) {
		yyjson_mut_doc_set_root(doc, value);
		return 0;
	}
	if (yyjson_mut_doc_ptr_addx(doc, path, len, value, false, nullptr, nullptr))
		return 0;
	return PATCH_NO_TARGET;
}

static int apply_add(yyjson_mut_doc *doc, const struct operation *op)
{
	return put(doc, op->path, op->path_len, yyjson_val_mut_copy(doc, op->value));
}

static int apply_replace(yyjson_mut_doc *doc, const struct operation *op)
{
	yyjson_mut_val *value = yyjson_val_mut_copy(doc, op->value);

	if (op->path_len == 0)
		return put(doc, op->path, 0, value);
	if (!value ||
	    levels_of(op->path, op->path_len) + depth_of(value, VALUE_JSON_DEPTH_MAX + 1) >
		    VALUE_JSON_DEPTH_MAX)
		return PATCH_TOO_LARGE;
	return yyjson_mut_doc_ptr_replacen(doc, op->path, op->path_len, value) ? 0
									       : PATCH_NO_TARGET;
}

static int apply_remove(yyjson_mut_doc *doc, const struct operation *op)
{
	return op->path_len > 0 && yyjson_mut_doc_ptr_removen(doc, op->path, op->path_len)
		       ? 0
		       : PATCH_NO_TARGET;
}

static int apply_copy(yyjson_mut_doc *doc, const struct operation *op)
{
	yyjson_mut_val *found = yyjson_mut_doc_ptr_getn(doc, op->from, op->from_len);

	if (!found)
		return PATCH_NO_TARGET;
	if (levels_of(op->path, op->path_len) + depth_of(found, VALUE_JSON_DEPTH_MAX + 1) >
	    VALUE_JSON_DEPTH_MAX)
		return PATCH_TOO_LARGE;
	return put(doc, op->path, op->path_len, yyjson_mut_val_mut_copy(doc, found));
}

static int apply_move(yyjson_mut_doc *doc, const struct operation *op)
{
	/* RFC 6902 section 4.4: a value cannot be moved into itself. */
	if (op->path_len > op->from_len && op->path[op->from_len] == '/' &&
	    memcmp(op->path, op->from, op->from_len) == 0)
		return PATCH_NO_TARGET;
	if (op->path_len == op->from_len && memcmp(op->path, op->from, op->from_len) == 0)
		return yyjson_mut_doc_ptr_getn(doc, op->from, op->from_len) ? 0 : PATCH_NO_TARGET;
	yyjson_mut_val *found = op->from_len > 0
					? yyjson_mut_doc_ptr_removen(doc, op->from, op->from_len)
					: nullptr;
	return found ? put(doc, op->path, op->path_len, found) : PATCH_NO_TARGET;
}

static int apply_test(yyjson_mut_doc *doc, const struct operation *op)
{
	yyjson_mut_val *found = yyjson_mut_doc_ptr_getn(doc, op->path, op->path_len);
	yyjson_mut_val *value = yyjson_val_mut_copy(doc, op->value);

	if (!found)
		return PATCH_NO_TARGET;
	if (!value || depth_of(value, VALUE_JSON_DEPTH_MAX + 1) > VALUE_JSON_DEPTH_MAX)
		return PATCH_TOO_LARGE;
	return yyjson_mut_equals(found, value) ? 0 : PATCH_TEST_FAILED;
}

static int apply_increment(yyjson_mut_doc *doc, const struct operation *op)
{
	yyjson_mut_val *found = yyjson_mut_doc_ptr_getn(doc, op->path, op->path_len);
	int64_t sum;

	if (!found)
		return PATCH_NO_TARGET;
	if (!yyjson_mut_is_num(found) || !yyjson_is_num(op->value))
		return PATCH_NOT_NUMBER;
	if (yyjson_mut_is_int(found) && yyjson_is_int(op->value)) {
		if ((yyjson_is_uint(op->value) && yyjson_get_uint(op->value) > INT64_MAX) ||
		    ckd_add(&sum, yyjson_mut_get_sint(found), yyjson_get_sint(op->value)))
			return PATCH_NOT_NUMBER;
		yyjson_mut_set_sint(found, sum);
		return 0;
	}
	double total = yyjson_mut_get_num(found) + yyjson_get_num(op->value);
	if (!isfinite(total))
		return PATCH_NOT_NUMBER;
	yyjson_mut_set_real(found, total);
	return 0;
}

static const struct {
	const char *name;
	apply_fn *apply;
	bool value, from; /* which members it needs */
} OPERATIONS[] = {
	{ "ADD", apply_add, true, false },
	{ "REPLACE", apply_replace, true, false },
	{ "REMOVE", apply_remove, false, false },
	{ "COPY", apply_copy, false, true },
	{ "MOVE", apply_move, false, true },
	{ "TEST", apply_test, true, false },
	{ "INCREMENT", apply_increment, true, false },
};

/* Whether text is a JSON pointer: empty, or begins with a slash. Source: RFC 6901 section 3. */
static bool is_pointer(yyjson_val *text)
{
	return yyjson_is_str(text) && (yyjson_get_len(text) == 0 || yyjson_get_str(text)[0] == '/');
}

static int apply_one(yyjson_mut_doc *doc, yyjson_val *json)
{
	const char *name = yyjson_get_str(yyjson_obj_get(json, "op"));
	yyjson_val *path = yyjson_obj_get(json, "path");
	yyjson_val *from = yyjson_obj_get(json, "from");
	yyjson_val *value = yyjson_obj_get(json, "value");
	size_t i = 0;

	while (name && i < countof(OPERATIONS) && strcasecmp(name, OPERATIONS[i].name) != 0)
		i++;
	if (!name || i == countof(OPERATIONS) || !is_pointer(path) ||
	    (OPERATIONS[i].value && !value) || (OPERATIONS[i].from && !is_pointer(from)))
		return PATCH_MALFORMED;

	struct operation op = { .path = yyjson_get_str(path),
				.path_len = yyjson_get_len(path),
				.from = yyjson_get_str(from),
				.from_len = yyjson_get_len(from),
				.value = value };
	return OPERATIONS[i].apply(doc, &op);
}

/* The document as JSON that can be changed, in memory of alc. */
static int open_document(const struct value *old, const yyjson_alc *alc, yyjson_mut_doc **ret)
{
	auto_buf struct buf text = buf_make(TEXT_MAX);
	int r = value_to_json(old, VALUE_JSON_EXACT, &text);

	if (r == 0)
		r = buf_error(&text);
	if (r)
		return r == -EMSGSIZE ? PATCH_TOO_LARGE : r;
	yyjson_doc *read =
		yyjson_read_opts((char *)text.data, text.len, YYJSON_READ_NOFLAG, alc, nullptr);
	if (!read)
		return -ENOMEM; /* it is our own text */
	*ret = yyjson_doc_mut_copy(read, alc);
	yyjson_doc_free(read);
	return *ret ? 0 : -ENOMEM;
}

static bool same_member(const struct value *a, const struct value *b, const char *name)
{
	struct value x, y;
	size_t len = strlen(name);

	return value_field(a, name, len, &x) && value_field(b, name, len, &y) && x.size == y.size &&
	       memcmp(x.at, y.at, x.size) == 0;
}

/* Pack the changed document, if it may be one. */
static int close_document(yyjson_mut_doc *doc, const struct value *old, const yyjson_alc *alc,
			  struct buf *out)
{
	struct value packed;

	if (!yyjson_mut_is_obj(yyjson_mut_doc_get_root(doc)))
		return PATCH_FIXED;
	yyjson_doc *read = yyjson_mut_doc_imut_copy(doc, alc);
	if (!read)
		return PATCH_TOO_LARGE;
	int r = value_from_json(yyjson_doc_get_root(read), out);
	yyjson_doc_free(read);
	if (r == -EMSGSIZE || r == VALUE_JSON_TOO_DEEP)
		return PATCH_TOO_LARGE;
	if (r == VALUE_JSON_BAD_TYPE)
		return PATCH_MALFORMED;
	if (r)
		return r;
	if (!value_open(out->data, out->len, &packed) || !same_member(&packed, old, "_id") ||
	    !same_member(&packed, old, "_event_time"))
		return PATCH_FIXED;
	return 0;
}

int patch_apply(yyjson_val *operations, const struct value *old, struct buf *out, size_t *ret_index)
{
	size_t left = MEMORY_MAX, i, max;
	yyjson_alc alc = { budget_malloc, budget_realloc, budget_free, &left };
	yyjson_mut_doc *doc = nullptr;
	yyjson_val *json;

	*ret_index = 0;
	if (!yyjson_is_arr(operations) || yyjson_arr_size(operations) > PATCH_OPERATIONS_MAX)
		return PATCH_MALFORMED;
	int r = open_document(old, &alc, &doc);
	if (r)
		return r;
	yyjson_arr_foreach(operations, i, max, json)
	{
		if (r == 0) {
			*ret_index = i;
			r = apply_one(doc, json);
		}
	}
	if (r == 0)
		r = close_document(doc, old, &alc, out);
	yyjson_mut_doc_free(doc);
	return r;
}
