/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "common/utf8.h"

constexpr int WIDTH_MAX = 1000;
constexpr int PRECISION_MAX = 100;

/* One conversion, %[n$][flags][width][.precision]letter. */
struct conversion {
	int argument; /* from 1; 0: the next */
	bool left, plus, blank, zero, group;
	int width, precision; /* precision -1: none given */
	char letter;
};

/* Read digits. Returns whether the number is at most max; none is 0. */
static bool read_number(const char **at, int max, int *ret)
{
	*ret = 0;
	while (**at >= '0' && **at <= '9' && *ret <= max)
		*ret = *ret * 10 + (*(*at)++ - '0');
	return *ret <= max;
}

static bool read_flag(char c, struct conversion *to)
{
	const struct {
		char flag;
		bool *at;
	} FLAGS[] = { { '-', &to->left },
		      { '+', &to->plus },
		      { ' ', &to->blank },
		      { '0', &to->zero },
		      { ',', &to->group } };

	for (size_t i = 0; i < countof(FLAGS); i++)
		if (FLAGS[i].flag == c) {
			*FLAGS[i].at = true;
			return true;
		}
	return false;
}

/* Read what follows a %. Returns whether it is a conversion; *at is behind it then. */
static bool read_conversion(const char **at, struct conversion *ret)
{
	const char *in = *at;
	int number;

	*ret = (struct conversion) { .precision = -1 };
	if (read_number(&in, 100, &number) && *in == '$' && number > 0) {
		ret->argument = number;
		in++;
	} else {
		in = *at;
	}
	while (read_flag(*in, ret))
		in++;
	if (!read_number(&in, WIDTH_MAX, &ret->width))
		return false;
	if (*in == '.') {
		in++;
		if (!read_number(&in, PRECISION_MAX, &ret->precision))
			return false;
	}
	ret->letter = *in;
	*at = in + 1;
	return *in && strchr("sdfFeEgGxXob%n", *in);
}

/* Append digits[len] with a comma before every third from the end of the whole part. */
static void put_grouped(const char *digits, size_t len, struct buf *out)
{
	size_t whole = strspn(digits, "0123456789");

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && i < whole && (whole - i) % 3 == 0)
			buf_add_str(out, ",");
		buf_add(out, digits + i, 1);
	}
}

/* Append a number, its sign apart from its digits, as the flags say. */
static void put_padded(const struct conversion *how, bool minus, const char *digits,
		       struct buf *out)
{
	auto_buf struct buf text = buf_make(4096);
	const char *sign = minus ? "-" : how->plus ? "+" : how->blank ? " " : "";
	size_t width = (size_t)how->width;

	if (how->group)
		put_grouped(digits, strlen(digits), &text);
	else
		buf_add_str(&text, digits);
	size_t len = strlen(sign) + text.len, pad = len < width ? width - len : 0;
	bool zero = how->zero && !how->left;

	for (size_t i = 0; i < pad && !zero && !how->left; i++)
		buf_add_str(out, " ");
	buf_add_str(out, sign);
	for (size_t i = 0; i < pad && zero; i++)
		buf_add_str(out, "0");
	buf_add(out, text.data, text.len);
	for (size_t i = 0; i < pad && how->left; i++)
		buf_add_str(out, " ");
	if (buf_error(&text))
		out->error = buf_error(&text);
}

static void put_float(const struct conversion *how, double x, struct buf *out)
{
	char digits[512]; /* a double has at most 309 digits before the point */
	double size = fabs(x);
	int precision = how->precision < 0 ? 6 : how->precision;

	switch (how->letter) {
	case 'e':
		(void)snprintf(digits, sizeof(digits), "%.*e", precision, size);
		break;
	case 'E':
		(void)snprintf(digits, sizeof(digits), "%.*E", precision, size);
		break;
	case 'g':
		(void)snprintf(digits, sizeof(digits), "%.*g", precision, size);
		break;
	case 'G':
		(void)snprintf(digits, sizeof(digits), "%.*G", precision, size);
		break;
	default:
		(void)snprintf(digits, sizeof(digits), "%.*f", precision, size);
		break;
	}
	put_padded(how, signbit(x) && !isnan(x), digits, out);
}

static void put_int(const struct conversion *how, int64_t x, struct buf *out)
{
	char digits[32];
	uint64_t size = x < 0 ? -(uint64_t)x : (uint64_t)x;

	if (how->letter == 'x')
		(void)snprintf(digits, sizeof(digits), "%" PRIx64, (uint64_t)x);
	else if (how->letter == 'X')
		(void)snprintf(digits, sizeof(digits), "%" PRIX64, (uint64_t)x);
	else if (how->letter == 'o')
		(void)snprintf(digits, sizeof(digits), "%" PRIo64, (uint64_t)x);
	else
		(void)snprintf(digits, sizeof(digits), "%" PRIu64, size);
	put_padded(how, x < 0 && how->letter == 'd', digits, out);
}

/* Append a value as text, cut to precision characters and padded to width. */
static void put_string(const struct conversion *how, const struct value *value, struct buf *out)
{
	auto_buf struct buf text = buf_make(UDF_RESULT_MAX);
	size_t end = 0;
	int n = 0;

	udf_put_text(value, &text);
	while (end < text.len && (how->precision < 0 || n < how->precision)) {
		size_t step = utf8_step((const char *)text.data + end, text.len - end);

		end += step > 0 ? step : 1;
		n++;
	}
	for (int i = n; i < how->width && !how->left; i++)
		buf_add_str(out, " ");
	buf_add(out, text.data, end);
	for (int i = n; i < how->width && how->left; i++)
		buf_add_str(out, " ");
	if (buf_error(&text))
		out->error = buf_error(&text);
}

/* One converted argument. Returns false, with the query failed, if its type does not go with the letter. */
static bool put_argument(sqlite3_context *ctx, const struct conversion *how, sqlite3_value *arg,
			 struct buf *out)
{
	struct value value;

	udf_value(arg, &value);
	if (value.tag == VALUE_NULL || how->letter == 's' || how->letter == 'b') {
		put_string(how, &value, out);
		return true;
	}
	bool whole = strchr("dxXo", how->letter) != nullptr;
	if (value.tag != VALUE_NUMBER || (whole && !value.is_int)) {
		udf_fail(ctx, "FORMAT: `%%%c` does not go with a value of type %s.", how->letter,
			 value_type_name(&value));
		return false;
	}
	if (whole)
		put_int(how, value.i, out);
	else
		put_float(how, value.f, out);
	return true;
}

/* Fail if the last argument has no place in the format. Returns whether it has. */
static bool all_placed(sqlite3_context *ctx, const char *format, int n, int used)
{
	if (used >= n - 1)
		return true;
	udf_fail(ctx,
		 "FORMAT: `%.40s` has no place for argument %d; places are like %%s and %%d%s.",
		 format, used + 1, strstr(format, "{}") ? ", not {}" : "");
	return false;
}

/* FORMAT(format, argument, …) */
static void format(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);
	struct conversion how;
	struct text text;
	size_t work = 0;
	int next = 1, used = 0;

	if (udf_any_null(1, args) || !udf_text(ctx, args[0], &text))
		return;
	for (const char *at = text.at; *at && !buf_error(&out);) {
		if (*at != '%') {
			buf_add(&out, at++, 1);
			continue;
		}
		at++;
		if (!read_conversion(&at, &how)) {
			udf_fail(ctx, "FORMAT: what follows the %% in `%.40s` is no conversion.",
				 text.at);
			return;
		}
		if (how.letter == '%' || how.letter == 'n') {
			buf_add_str(&out, how.letter == '%' ? "%" : "\n");
			continue;
		}
		int argument = how.argument > 0 ? how.argument : next++;
		used = argument > used ? argument : used;
		if (argument >= n) {
			udf_fail(ctx, "FORMAT: `%.40s` wants more than %d arguments.", text.at,
				 n - 1);
			return;
		}
		if (udf_worked(ctx, &work, udf_size(args[argument])))
			return;
		if (!put_argument(ctx, &how, args[argument], &out))
			return;
	}
	if (all_placed(ctx, text.at, n, used))
		udf_return_text(ctx, &out);
}

int udf_register_format(sqlite3 *db)
{
	static const struct udf FUNCTIONS[] = {
		{ "rd_format", -1, format, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
