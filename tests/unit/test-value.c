/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/value/civil.h"
#include "service/value/value.h"
#include "service/value/value_json.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr size_t ROOM = 1u << 20;

/* Pack a JSON text. Returns what value_from_json() does, or -1 if the text is no JSON. */
static int pack(const char *json, struct buf *out)
{
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	int r = doc ? value_from_json(yyjson_doc_get_root(doc), out) : -1;

	yyjson_doc_free(doc);
	return r;
}

/* Whether packing a text and writing it again gives want. */
static bool becomes(const char *json, const char *want, enum value_json_form form)
{
	auto_buf struct buf packed = buf_make(ROOM), text = buf_make(ROOM);
	struct value value;

	CHECK_EQ(pack(json, &packed), 0);
	CHECK(value_read(packed.data, packed.len, &value));
	CHECK_EQ(value.size, packed.len);
	CHECK_EQ(value_to_json(&value, form, &text), 0);
	const char *got = buf_text(&text);
	CHECK(got);
	if (strcmp(got, want) != 0)
		printf("# %s became %s\n", json, got);
	return strcmp(got, want) == 0;
}

static bool json_comes_back_as_it_was(void)
{
	static const char *const TEXTS[] = {
		"null",
		"true",
		"false",
		"0",
		"-1",
		"9007199254740993",
		"-9223372036854775808",
		"9223372036854775807",
		"0.1",
		"1.5e+300",
		"-0.0",
		"\"\"",
		"\"a\\u0000b\"",
		"[]",
		"{}",
		"[1,[2,[3,{}]],\"x\"]",
		"{\"a\":1,\"b\":{\"c\":[null,true]},\"\":2}",
		"{\"\xc3\xa9\":\"\xe2\x82\xac\"}",
	};

	for (size_t i = 0; i < countof(TEXTS); i++)
		CHECK(becomes(TEXTS[i], TEXTS[i], VALUE_JSON_RESULT));
	return true;
}

static bool numbers_beyond_int64_become_floats(void)
{
	CHECK(becomes("9223372036854775808", "9.223372036854776e+18", VALUE_JSON_RESULT));
	return becomes("18446744073709551615", "1.8446744073709552e+19", VALUE_JSON_RESULT);
}

static bool of_two_equal_names_the_last_counts(void)
{
	auto_buf struct buf many = buf_make(ROOM), want = buf_make(ROOM);

	CHECK(becomes("{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}", VALUE_JSON_RESULT));
	buf_add_str(&many, "{\"k0\":-1");
	buf_add_str(&want, "{");
	for (int i = 0; i < 100; i++) {
		buf_addf(&many, ",\"k%d\":%d", i, i);
		buf_addf(&want, "%s\"k%d\":%d", i ? "," : "", i, i);
	}
	buf_add_str(&many, "}");
	buf_add_str(&want, "}");
	return becomes(buf_text(&many), buf_text(&want), VALUE_JSON_RESULT);
}

static bool typed_values_come_back_typed(void)
{
	static const char *const SAME[] = {
		"{\"__rockset_type\":\"DATE\",\"value\":\"2024-02-29\"}",
		"{\"__rockset_type\":\"DATETIME\",\"value\":\"2024-02-29T01:02:03.5\"}",
		"{\"__rockset_type\":\"TIME\",\"value\":\"23:59:59\"}",
		"{\"__rockset_type\":\"TIMESTAMP\",\"value\":1700000000000000}",
		"{\"__rockset_type\":\"MICROSECOND_INTERVAL\",\"value\":-5}",
		"{\"__rockset_type\":\"MONTH_INTERVAL\",\"value\":7}",
		"{\"__rockset_type\":\"BYTES\",\"encoding\":\"base64\",\"value\":\"AP8A\"}",
	};

	for (size_t i = 0; i < countof(SAME); i++)
		CHECK(becomes(SAME[i], SAME[i], VALUE_JSON_EXACT));
	CHECK(becomes("{\"__rockset_type\":\"timestamp\",\"value\":\"2024-01-02T03:04:05+01:00\"}",
		      "\"2024-01-02T02:04:05.000000Z\"", VALUE_JSON_RESULT));
	return true;
}

static bool bad_typed_values_are_refused(void)
{
	static const char *const BAD[] = {
		"{\"__rockset_type\":\"date\",\"value\":\"2023-02-29\"}",
		"{\"__rockset_type\":\"date\",\"value\":5}",
		"{\"__rockset_type\":\"nothing\",\"value\":5}",
		"{\"__rockset_type\":7}",
		"{\"__rockset_type\":\"time\",\"value\":\"24:00:00\"}",
		"{\"__rockset_type\":\"bytes\",\"value\":\"?\"}",
		"{\"__rockset_type\":\"timestamp\",\"value\":18446744073709551615}",
	};

	for (size_t i = 0; i < countof(BAD); i++) {
		auto_buf struct buf packed = buf_make(ROOM);

		CHECK_EQ(pack(BAD[i], &packed), VALUE_JSON_BAD_TYPE);
	}
	return true;
}

static bool forty_levels_are_the_limit(void)
{
	for (int levels = 39; levels <= 42; levels++) {
		auto_buf struct buf json = buf_make(ROOM), packed = buf_make(ROOM);

		for (int i = 0; i < levels; i++)
			buf_add_str(&json, "[");
		for (int i = 0; i < levels; i++)
			buf_add_str(&json, "]");
		CHECK_EQ(pack(buf_text(&json), &packed), levels <= 40 ? 0 : VALUE_JSON_TOO_DEEP);
	}
	return true;
}

static bool bytes_order_is_value_order(void)
{
	/* Ascending, as the format promises. */
	static const char *const ASCENDING[] = {
		"null",
		"false",
		"true",
		"-9223372036854775808",
		"-9007199254740993",
		"-1.5",
		"-1",
		"-0.5",
		"0",
		"1e-300",
		"0.5",
		"1",
		"1.5",
		"2",
		"1000",
		"9007199254740993",
		"9223372036854775807",
		"1e300",
		"\"\"",
		"\"a\"",
		"\"a\\u0000\"",
		"\"a\\u0000b\"",
		"\"aa\"",
		"\"b\"",
		"\"\xc3\xa9\"",
		"[]",
		"[null]",
		"[1]",
		"[1,1]",
		"[2]",
		"[\"a\"]",
		"[[1]]",
		"{}",
		"{\"a\":1}",
		"{\"a\":2}",
		"{\"b\":0}",
	};

	for (size_t i = 0; i + 1 < countof(ASCENDING); i++) {
		auto_buf struct buf a = buf_make(ROOM), b = buf_make(ROOM);

		CHECK_EQ(pack(ASCENDING[i], &a), 0);
		CHECK_EQ(pack(ASCENDING[i + 1], &b), 0);
		size_t n = a.len < b.len ? a.len : b.len;
		int order = memcmp(a.data, b.data, n);
		if (!(order < 0 || (order == 0 && a.len < b.len)))
			printf("# %s, %s\n", ASCENDING[i], ASCENDING[i + 1]);
		CHECK(order < 0 || (order == 0 && a.len < b.len));
	}
	return true;
}

static const char SAMPLE[] =
	"{\"a\":[1,2.5,\"x\\u0000y\",{\"b\":null}],\"c\":9007199254740993,\"d\":{}}";

/* Walk a value and write it: whatever the bytes, nothing is read beyond them. */
static void walk(const uint8_t *data, size_t len)
{
	auto_free uint8_t *copy = malloc(len + !len);
	auto_buf struct buf text = buf_make(ROOM);
	struct value value, member;

	if (!copy)
		return;
	memcpy(copy, data, len);
	if (value_read(copy, len, &value))
		(void)!value_to_json(&value, VALUE_JSON_EXACT, &text);
	if (value_open(copy, len, &value)) {
		(void)!value_to_json(&value, VALUE_JSON_RESULT, &text);
		(void)!value_field(&value, "c", 1, &member);
		(void)!value_element(&value, 3, &member);
	}
}

static bool every_truncation_is_refused(void)
{
	auto_buf struct buf packed = buf_make(ROOM);
	struct value value;

	CHECK_EQ(pack(SAMPLE, &packed), 0);
	for (size_t len = 0; len < packed.len; len++) {
		CHECK(!value_read(packed.data, len, &value));
		walk(packed.data, len);
	}
	return true;
}

static bool every_flipped_bit_is_survived(void)
{
	auto_buf struct buf packed = buf_make(ROOM);

	CHECK_EQ(pack(SAMPLE, &packed), 0);
	for (size_t bit = 0; bit < 8 * packed.len; bit++) {
		packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		walk(packed.data, packed.len);
		packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}

static bool members_and_elements_are_found(void)
{
	auto_buf struct buf packed = buf_make(ROOM);
	struct value value, list, member;

	CHECK_EQ(pack(SAMPLE, &packed), 0);
	CHECK(value_open(packed.data, packed.len, &value));
	CHECK(value_field(&value, "c", 1, &member));
	CHECK_EQ(member.i, INT64_C(9007199254740993));
	CHECK(!value_field(&value, "e", 1, &member));
	CHECK(value_field(&value, "a", 1, &list));
	CHECK(value_element(&list, 3, &member));
	CHECK(value_is_text(&member, "x\0y", 3));
	CHECK(!value_element(&list, 0, &member));
	return !value_element(&list, 5, &member);
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		auto_buf struct buf packed = buf_make(ROOM);
		yyjson_doc *doc = yyjson_read(SAMPLE, strlen(SAMPLE), YYJSON_READ_NOFLAG);

		fault_at(n);
		int r = value_from_json(yyjson_doc_get_root(doc), &packed);
		bool hit = fault_end();
		yyjson_doc_free(doc);
		if (!hit)
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool times_are_read_and_written(void)
{
	static const struct {
		const char *text;
		int64_t us;
	} GOOD[] = { { "1970-01-01", 0 },
		     { "1969-12-31T23:59:59.999999Z", -1 },
		     { "2024-02-29 12:00", 1709208000000000 },
		     { "2024-02-29T12:00:00-0130", 1709213400000000 },
		     { "0001-01-01", CIVIL_DAY_MIN * CIVIL_DAY_US } };
	static const char *const BAD[] = { "",
					   "2024",
					   "2024-13-01",
					   "2024-02-30",
					   "2024-1-1",
					   "2024-01-01T",
					   "2024-01-01T25:00",
					   "2024-01-01T00:00:60",
					   "2024-01-01Z",
					   "2024-01-01T00:00+24",
					   "0000-01-01",
					   "2024-01-01T00:00.",
					   "9999-12-31T23:00-02" };
	char text[CIVIL_TEXT];
	int64_t us;

	for (size_t i = 0; i < countof(GOOD); i++) {
		CHECK(civil_parse(GOOD[i].text, strlen(GOOD[i].text), &us, nullptr, nullptr));
		CHECK_EQ(us, GOOD[i].us);
	}
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!civil_parse(BAD[i], strlen(BAD[i]), &us, nullptr, nullptr));
	for (int64_t day = CIVIL_DAY_MIN; day <= CIVIL_DAY_MAX; day += 37) {
		struct civil c = civil_from_us(day * CIVIL_DAY_US + 1);

		CHECK_EQ(civil_days(c.year, c.month, c.day), day);
		CHECK_EQ(civil_to_us(&c), day * CIVIL_DAY_US + 1);
	}
	civil_timestamp_text(-1, text);
	CHECK(strcmp(text, "1969-12-31T23:59:59.999999Z") == 0);
	civil_datetime_text(1709208000100000, text);
	return strcmp(text, "2024-02-29T12:00:00.1") == 0;
}

int main(void)
{
	RUN(json_comes_back_as_it_was);
	RUN(numbers_beyond_int64_become_floats);
	RUN(of_two_equal_names_the_last_counts);
	RUN(typed_values_come_back_typed);
	RUN(bad_typed_values_are_refused);
	RUN(forty_levels_are_the_limit);
	RUN(bytes_order_is_value_order);
	RUN(every_truncation_is_refused);
	RUN(every_flipped_bit_is_survived);
	RUN(members_and_elements_are_found);
	RUN(every_failed_allocation_is_survived);
	RUN(times_are_read_and_written);
	return tap_done();
}
