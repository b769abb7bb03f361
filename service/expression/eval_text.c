/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "service/expression/eval_internal.h"
#include "service/expression/like.h"
#include "service/expression/substr.h"
#include "service/value/civil.h"
#include "service/value/value_json.h"

constexpr size_t RESULT_MAX = 64u << 20; /* as service/sql has it for one value */

static int like_cells(struct eval *eval, const struct step *step, const struct vector *const *arg,
		      const struct set *selection, struct truth *ret)
{
	struct str escape = {};
	uint32_t i;

	SET_EACH(selection, i)
	{
		struct cell text, pattern;

		vector_cell(arg[0], i, &text);
		vector_cell(arg[1], i, &pattern);
		bool null = text.kind != KIND_STRING || pattern.kind <= KIND_NULL;
		if (step->n_args > 2) {
			struct cell cell;

			vector_cell(arg[2], i, &cell);
			null |= cell.kind <= KIND_NULL;
			if (!null && cell.kind != KIND_STRING)
				return PIPE_UNSUITED;
			escape = cell.s;
			if (!null && (escape.len == 0 || like_step(escape) != escape.len))
				return eval_fail(eval, step, "ESCAPE takes one character.");
		}
		if (!null && pattern.kind != KIND_STRING)
			return PIPE_UNSUITED;
		bool yes = false;
		int r = eval_work(eval, null ? 0 : (size_t)text.s.len + pattern.s.len);
		if (r == 0 && !null)
			r = like_matches(text.s, pattern.s, escape, eval->limits, &yes);
		if (r)
			return r;
		truth_put(ret, i, yes, null);
	}
	return 0;
}

/* %needle% on a vector of strings. */
static int find_in(struct eval *eval, const struct vector *text, const struct str *needle,
		   const struct set *selection, struct truth *ret)
{
	uint32_t i;

	SET_EACH(selection, i)
	{
		bool null = text->kinds[i] != KIND_STRING;
		struct str s = null ? (struct str) {} : vector_str(text, i);
		int r = eval_work(eval, s.len);

		if (r)
			return r;
		truth_put(ret, i,
			  !null && s.len >= needle->len &&
				  strings_find(s.at, s.len, needle->at, needle->len),
			  null);
	}
	return 0;
}

int eval_like(struct eval *eval, const struct step *step, const struct set *selection,
	      struct truth *ret)
{
	const struct batch *batch = eval->batch;
	const struct vector *arg[3];
	int r = BATCH_CANNOT;

	if (step->needle.len > 0 && arg_step(eval, step, 0)->op == OP_FIELD && !eval->inside &&
	    batch->ops->find)
		r = batch->ops->find(batch->userdata, step->field, &step->needle, selection, ret);
	if (r != BATCH_CANNOT)
		return r;
	r = 0;
	for (uint32_t a = 0; a < step->n_args && a < countof(arg) && r == 0; a++)
		r = arg_value(eval, step, a, selection, &arg[a]);
	if (r)
		return r;
	if (step->needle.len == 0)
		return like_cells(eval, step, arg, selection, ret);
	return find_in(eval, arg[0], &step->needle, selection, ret);
}

/* Whether an array has an element that is exactly this: by packed bytes, as rd_array_contains(). */
static bool has_element(const struct str *array, const struct buf *want)
{
	struct value list, member;

	if (!value_open((const uint8_t *)array->at, array->len, &list))
		return false;
	struct value_iter iter = value_iterate(&list);
	while (value_next(&iter, nullptr, &member))
		if (member.size == want->len && memcmp(member.at, want->data, want->len) == 0)
			return true;
	return false;
}

int eval_array_contains(struct eval *eval, const struct step *step, const struct set *selection,
			struct truth *ret)
{
	auto_buf struct buf want = buf_make(RESULT_MAX);
	const struct batch *batch = eval->batch;
	const struct cell *what = &arg_step(eval, step, 1)->node->constant;
	const struct vector *array;
	uint32_t i;
	int r = BATCH_CANNOT;

	if (arg_step(eval, step, 1)->op != OP_CONSTANT)
		return PIPE_UNSUITED;
	if (arg_step(eval, step, 0)->op == OP_FIELD && batch->ops->contains &&
	    what->kind > KIND_NULL)
		r = batch->ops->contains(batch->userdata, step->field, what, selection, ret);
	if (r != BATCH_CANNOT)
		return r;
	r = arg_value(eval, step, 0, selection, &array);
	if (r)
		return r;
	cell_pack(what, &want);
	if (buf_error(&want))
		return buf_error(&want);
	SET_EACH(selection, i)
	{
		struct cell cell;

		vector_cell(array, i, &cell);
		r = eval_work(eval, cell.s.len);
		if (r)
			return r;
		if (cell.kind > KIND_NULL && cell.kind != KIND_ARRAY)
			return eval_fail(eval, step, "An array was expected here, not %s.",
					 cell_type_name(cell.kind));
		bool null = cell.kind <= KIND_NULL || what->kind <= KIND_NULL;
		truth_put(ret, i, !null && has_element(&cell.s, &want), null);
	}
	return 0;
}

static int length_cell(struct eval *eval, const struct step *step, const struct cell *arg,
		       struct cell *ret, struct pile *)
{
	struct value value, member;

	*ret = (struct cell) { .kind = KIND_INT };
	if (arg->kind == KIND_STRING) {
		for (uint32_t i = 0; i < arg->s.len; i++)
			ret->i += (arg->s.at[i] & 0xc0) != 0x80;
	} else if (arg->kind == KIND_BYTES) {
		ret->i = arg->s.len;
	} else if (arg->kind == KIND_ARRAY || arg->kind == KIND_OBJECT) {
		if (!value_open((const uint8_t *)arg->s.at, arg->s.len, &value))
			return 0;
		struct value_iter iter = value_iterate(&value);
		while (value_next(&iter, nullptr, &member))
			ret->i++;
	} else {
		return eval_fail(eval, step,
				 "LENGTH takes a string, bytes, array or object, not %s.",
				 cell_type_name(arg->kind));
	}
	return 0;
}

int eval_length(struct eval *eval, const struct step *step, const struct set *selection,
		struct vector *ret)
{
	return eval_each(eval, step, selection, length_cell, ret);
}

/* A string, or an int as SQLite writes it; room for its digits in number. */
static bool as_text(const struct cell *cell, char number[24], struct str *ret)
{
	if (cell->kind == KIND_STRING) {
		*ret = cell->s;
		return true;
	}
	if (cell->kind != KIND_INT)
		return false;
	int n = snprintf(number, 24, "%" PRIi64, cell->i);
	*ret = (struct str) { number, (uint32_t)n };
	return true;
}

/* LOWER, UPPER: ASCII letters only, as SQLite's. */
static int case_cell(struct eval *, const struct step *step, const struct cell *arg,
		     struct cell *ret, struct pile *room)
{
	char number[24];
	struct str text;
	char first = step->op == OP_LOWER ? 'A' : 'a';

	if (!as_text(arg, number, &text))
		return PIPE_UNSUITED;
	char *out = pile_take(room, text.len + 1);
	if (!out)
		return pile_error(room, text.len + 1);
	for (uint32_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		out[i] = (char)(c >= first && c < first + 26 ? c ^ 0x20 : c);
	}
	*ret = (struct cell) { .kind = KIND_STRING, .s = { out, text.len } };
	return 0;
}

int eval_case(struct eval *eval, const struct step *step, const struct set *selection,
	      struct vector *ret)
{
	return eval_each(eval, step, selection, case_cell, ret);
}

static int substr_cell(struct eval *, const struct step *step, const struct cell *arg,
		       struct cell *ret, struct pile *room)
{
	char number[24];
	struct str text;

	if (!as_text(&arg[0], number, &text) || arg[1].kind != KIND_INT ||
	    (step->n_args > 2 && arg[2].kind != KIND_INT))
		return PIPE_UNSUITED;
	*ret = (struct cell) { .kind = KIND_STRING,
			       .s = substr_of(text, arg[1].i,
					      step->n_args > 2 ? arg[2].i : SUBSTR_ALL) };
	return arg[0].kind == KIND_INT ? pile_copy(room, &ret->s) : 0;
}

int eval_substr(struct eval *eval, const struct step *step, const struct set *selection,
		struct vector *ret)
{
	return eval_each(eval, step, selection, substr_cell, ret);
}

/* Append a value as people write it, as udf_put_text() of service/function. */
static int put_text(const struct cell *cell, struct buf *out)
{
	char text[CIVIL_TEXT];

	if (cell->kind == KIND_STRING || cell->kind == KIND_BYTES) {
		buf_add(out, cell->s.at, cell->s.len);
		return 0;
	}
	if (cell->kind == KIND_DATE) {
		civil_date_text(cell->i, text);
	} else if (cell->kind == KIND_DATETIME) {
		civil_datetime_text(cell->i, text);
	} else if (cell->kind == KIND_TIME) {
		civil_time_text(cell->i, text);
	} else if (cell->kind == KIND_TIMESTAMP) {
		civil_timestamp_text(cell->i, text);
	} else {
		auto_buf struct buf packed = buf_make(RESULT_MAX);
		struct value value;

		cell_pack(cell, &packed);
		if (buf_error(&packed))
			return buf_error(&packed);
		return value_open(packed.data, packed.len, &value) &&
				       value_to_json(&value, VALUE_JSON_RESULT, out) == 0
			       ? 0
			       : PIPE_UNSUITED;
	}
	buf_add_str(out, text);
	return 0;
}

static int concat_cell(struct eval *, const struct step *step, const struct cell *arg,
		       struct cell *ret, struct pile *room)
{
	auto_buf struct buf out = buf_make(RESULT_MAX);
	int r = 0;

	for (uint32_t i = 0; i < step->n_args && r == 0; i++)
		r = put_text(&arg[i], &out);
	if (r || buf_error(&out))
		return r ? r : buf_error(&out) == -EMSGSIZE ? PIPE_UNSUITED : buf_error(&out);
	*ret = (struct cell) { .kind = KIND_STRING,
			       .s = { (const char *)out.data, (uint32_t)out.len } };
	return pile_copy(room, &ret->s);
}

int eval_concat(struct eval *eval, const struct step *step, const struct set *selection,
		struct vector *ret)
{
	return eval_each(eval, step, selection, concat_cell, ret);
}
