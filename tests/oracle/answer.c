/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/answer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "service/value/value.h"

constexpr size_t RESULT_MAX = 64u << 20;
constexpr uint64_t DEADLINE_US = 60'000'000;
constexpr size_t SHOWN = 6; /* rows that are printed */

/* The parameters that queries may name: an int, a float, a bool, null, text, text with a NUL, a moment, an array. */
static size_t put_parameters(struct buf *out, struct sql_parameter *ret)
{
	static const char *const NAMES[] = { "pi", "pf", "pb", "pn", "ps", "pz", "pt", "pa" };
	size_t end[countof(NAMES) + 1] = {}, n = 0;

	value_put_int(out, 7);
	end[++n] = out->len;
	value_put_float(out, 2.5);
	end[++n] = out->len;
	value_put_bool(out, true);
	end[++n] = out->len;
	value_put_null(out);
	end[++n] = out->len;
	value_put_string(out, "Oslo", 4);
	end[++n] = out->len;
	value_put_string(out, "n\0l", 3);
	end[++n] = out->len;
	value_put_moment(out, VALUE_TIMESTAMP, 1'710'000'000'000'000);
	end[++n] = out->len;
	value_put_array(out);
	value_put_int(out, 1);
	value_put_string(out, "a", 1);
	value_put_end(out);
	end[++n] = out->len;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct sql_parameter) { NAMES[i], out->data + end[i],
						  end[i + 1] - end[i] };
	return n;
}

void answer_get(struct sql_session *session, enum sql_way way, size_t memory, const char *text,
		struct answer *ret)
{
	cleanup(sql_result_done) struct sql_result result = {};
	auto_buf struct buf packed = buf_make(1024);
	struct sql_parameter parameters[8];
	struct sql_query query = { .text = text,
				   .len = strlen(text),
				   .parameter = parameters,
				   .n_parameters = put_parameters(&packed, parameters),
				   .deadline_us = clock_mono_us() + DEADLINE_US,
				   .result_max = RESULT_MAX,
				   .rows_max = 10'000'000,
				   .memory = memory,
				   .way = way };
	size_t i, max;
	yyjson_val *row;

	*ret = (struct answer) {};
	ret->r = sql_run(session, &query, &result, &ret->error);
	if (ret->r)
		return;
	ret->spilled = result.figures.spilled_bytes > 0;
	ret->read =
		yyjson_read((const char *)result.rows.data, result.rows.len, YYJSON_READ_NOFLAG);
	yyjson_val *root = yyjson_doc_get_root(ret->read);
	ret->row = calloc(yyjson_arr_size(root) + 1, sizeof(yyjson_val *));
	if (!ret->read || !ret->row || yyjson_arr_size(root) != result.n_rows) {
		ret->r = -EBADMSG; /* what came is no JSON, or not as many rows as it says */
		return;
	}
	yyjson_arr_foreach(root, i, max, row)
	{
		ret->row[ret->n++] = row;
	}
}

void answer_done(struct answer *answer)
{
	yyjson_doc_free(answer->read);
	free(answer->row);
	*answer = (struct answer) {};
}

static int rank(yyjson_val *v)
{
	switch (yyjson_get_type(v)) {
	case YYJSON_TYPE_BOOL:
		return 1;
	case YYJSON_TYPE_NUM:
		return 2;
	case YYJSON_TYPE_STR:
		return 3;
	case YYJSON_TYPE_ARR:
		return 4;
	case YYJSON_TYPE_OBJ:
		return 5;
	default:
		return 0;
	}
}

static int order_text(yyjson_val *a, yyjson_val *b)
{
	size_t x = yyjson_get_len(a), y = yyjson_get_len(b);
	int r = memcmp(yyjson_get_str(a), yyjson_get_str(b), x < y ? x : y);

	return r ? r : (x > y) - (x < y);
}

/* Tell 1 from 1.0, and 0.0 from -0.0. */
static int order_kinds(yyjson_val *a, yyjson_val *b)
{
	if (yyjson_is_real(a) != yyjson_is_real(b))
		return yyjson_is_real(a) ? 1 : -1;
	return !!signbit(yyjson_get_num(b)) - !!signbit(yyjson_get_num(a));
}

/* By value, exactly. */
static int order_numbers(yyjson_val *a, yyjson_val *b)
{
	double x = yyjson_get_num(a), y = yyjson_get_num(b);

	if (x != y || (yyjson_is_real(a) && yyjson_is_real(b)))
		return (x > y) - (x < y);
	if (fabs(x) >= 0x1p63 &&
	    yyjson_is_real(a) !=
		    yyjson_is_real(
			    b)) /* only floats are, and the ints next to it, which are less */
		return yyjson_is_real(a) - yyjson_is_real(b);
	int64_t i = yyjson_is_real(a) ? (int64_t)x : yyjson_get_sint(a);
	int64_t j = yyjson_is_real(b) ? (int64_t)y : yyjson_get_sint(b);
	return (i > j) - (i < j);
}

/* NOLINTBEGIN(misc-no-recursion): documents are at most 40 levels deep. */

/* An order to sort by; kinds: also of what is 1 and what is 1.0. */
static int order(yyjson_val *a, yyjson_val *b, bool kinds)
{
	int r = rank(a) - rank(b);

	if (r)
		return r;
	if (yyjson_is_bool(a))
		return yyjson_get_bool(a) - yyjson_get_bool(b);
	if (yyjson_is_num(a))
		return order_numbers(a, b) || !kinds ? order_numbers(a, b) : order_kinds(a, b);
	if (yyjson_is_str(a))
		return order_text(a, b);
	if (yyjson_is_arr(a)) {
		yyjson_arr_iter x = yyjson_arr_iter_with(a), y = yyjson_arr_iter_with(b);

		while (r == 0 && yyjson_arr_iter_has_next(&x) && yyjson_arr_iter_has_next(&y))
			r = order(yyjson_arr_iter_next(&x), yyjson_arr_iter_next(&y), kinds);
		return r ? r : (int)yyjson_arr_size(a) - (int)yyjson_arr_size(b);
	}
	if (!yyjson_is_obj(a))
		return 0;
	yyjson_obj_iter x = yyjson_obj_iter_with(a), y = yyjson_obj_iter_with(b);
	while (r == 0 && yyjson_obj_iter_has_next(&x) && yyjson_obj_iter_has_next(&y)) {
		yyjson_val *k = yyjson_obj_iter_next(&x), *l = yyjson_obj_iter_next(&y);

		r = order_text(k, l);
		if (r == 0)
			r = order(yyjson_obj_iter_get_val(k), yyjson_obj_iter_get_val(l), kinds);
	}
	return r ? r : (int)yyjson_obj_size(a) - (int)yyjson_obj_size(b);
}

static bool same_number(yyjson_val *a, yyjson_val *b, const struct tolerance *t)
{
	if (yyjson_is_int(a) && yyjson_is_int(b))
		return order_numbers(a, b) == 0;
	if (yyjson_is_real(a) != yyjson_is_real(b) && !t->loose)
		return false;
	double x = yyjson_get_num(a), y = yyjson_get_num(b), size = fmax(fabs(x), fabs(y));
	if (!t->loose && x == 0 && y == 0)
		return signbit(x) == signbit(y);
	return x == y || fabs(x - y) <= size * t->relative;
}

static bool same(yyjson_val *a, yyjson_val *b, const struct tolerance *t)
{
	if (rank(a) != rank(b))
		return false;
	if (yyjson_is_num(a))
		return same_number(a, b, t);
	if (!yyjson_is_ctn(a))
		return order(a, b, true) == 0;
	if (yyjson_get_len(a) != yyjson_get_len(b))
		return false;
	if (yyjson_is_arr(a)) {
		yyjson_arr_iter x = yyjson_arr_iter_with(a), y = yyjson_arr_iter_with(b);

		while (yyjson_arr_iter_has_next(&x))
			if (!same(yyjson_arr_iter_next(&x), yyjson_arr_iter_next(&y), t))
				return false;
		return true;
	}
	yyjson_obj_iter x = yyjson_obj_iter_with(a), y = yyjson_obj_iter_with(b);
	while (yyjson_obj_iter_has_next(&x)) {
		yyjson_val *k = yyjson_obj_iter_next(&x), *l = yyjson_obj_iter_next(&y);

		if (order_text(k, l) != 0 ||
		    !same(yyjson_obj_iter_get_val(k), yyjson_obj_iter_get_val(l), t))
			return false;
	}
	return true;
}

/* NOLINTEND(misc-no-recursion) */

static int order_rows(const void *a, const void *b)
{
	yyjson_val *const *x = a, *const *y = b;
	int r = order(*x, *y, false);

	return r ? r : order(*x, *y, true);
}

static yyjson_val **sorted(const struct answer *a)
{
	yyjson_val **rows = calloc(a->n + 1, sizeof(yyjson_val *));

	if (rows && a->n > 0) {
		memcpy(rows, a->row, a->n * sizeof(yyjson_val *));
		qsort(rows, a->n, sizeof(yyjson_val *), order_rows);
	}
	return rows;
}

bool answer_within(const struct answer *part, const struct answer *whole,
		   const struct tolerance *tolerance)
{
	auto_free yyjson_val **a = sorted(part), **b = sorted(whole);
	size_t j = 0;

	for (size_t i = 0; a && b && i < part->n; i++, j++) {
		while (j < whole->n && !same(a[i], b[j], tolerance))
			j++;
		if (j == whole->n)
			return false;
	}
	return a && b;
}

bool answer_same(const struct answer *a, const struct answer *b, const struct tolerance *tolerance)
{
	return a->n == b->n && answer_within(a, b, tolerance);
}

bool answer_ordered(const struct answer *a, const struct answer *b, const char (*key)[8], size_t n,
		    const struct tolerance *tolerance)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		for (size_t k = 0; k < n; k++)
			if (!same(yyjson_obj_get(a->row[i], key[k]),
				  yyjson_obj_get(b->row[i], key[k]), tolerance))
				return false;
	return true;
}

static void print_row(yyjson_val *row)
{
	char *text = yyjson_val_write(row, YYJSON_WRITE_NOFLAG, nullptr);

	printf("#   %.300s\n", text ? text : "?");
	free(text);
}

/* Print the rows of one that are not in the other. */
static void print_more(const struct answer *answer, const struct answer *other)
{
	const struct tolerance strict = { false, 0 };
	auto_free yyjson_val **a = sorted(answer), **b = sorted(other);
	size_t shown = 0;

	for (size_t i = 0, j = 0; a && b && i < answer->n && shown < SHOWN; i++) {
		while (j < other->n && order_rows(&b[j], &a[i]) < 0)
			j++;
		if (j < other->n && same(a[i], b[j], &strict)) {
			j++;
			continue;
		}
		print_row(a[i]);
		shown++;
	}
}

void answer_print(const char *title, const struct answer *answer, const struct answer *other)
{
	if (answer->r) {
		printf("# %s: %d %s\n", title, answer->r, answer->error.message);
		return;
	}
	printf("# %s: %zu rows\n", title, answer->n);
	if (other && other->r == 0) {
		print_more(answer, other);
		return;
	}
	for (size_t i = 0; i < answer->n && i < SHOWN; i++)
		print_row(answer->row[i]);
}
