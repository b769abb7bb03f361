/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/model/figure.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"

static int fill(struct rows *rows)
{
	int r = rows_add_row(rows);

	if (r == 0)
		r = rows_add_text(rows, "name", "ann");
	if (r == 0)
		r = rows_add_number(rows, "uid", 20000);
	if (r == 0)
		r = rows_add_flag(rows, "here", true);
	if (r == 0)
		r = rows_add_list(rows, "roles");
	if (r == 0)
		r = rows_add_item(rows, "admin");
	if (r == 0)
		r = rows_add_item(rows, "member");
	return r;
}

static bool values_come_back_by_name_and_kind(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;

	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(fill(rows), 0);
	CHECK_EQ(rows_count(rows), 1);
	CHECK_EQ(rows_fields(rows, 0), 4);
	CHECK(strcmp(rows_text(rows, 0, "name"), "ann") == 0);
	CHECK_EQ(rows_number(rows, 0, "uid"), 20000);
	CHECK(rows_flag(rows, 0, "here"));
	CHECK_EQ(rows_list_count(rows, 0, "roles"), 2);
	CHECK(strcmp(rows_list_item(rows, 0, "roles", 1), "member") == 0);
	CHECK(rows_list_has(rows, 0, "roles", "admin"));
	CHECK(!rows_list_has(rows, 0, "roles", "adm"));
	return true;
}

static bool what_is_not_there_is_empty(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;

	CHECK(strcmp(rows_text(nullptr, 0, "name"), "") == 0);
	CHECK_EQ(rows_count(nullptr), 0);
	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(fill(rows), 0);
	CHECK(strcmp(rows_text(rows, 1, "name"), "") == 0);
	CHECK(strcmp(rows_text(rows, SIZE_MAX, "name"), "") == 0);
	CHECK(strcmp(rows_text(rows, 0, "uid"), "") == 0); /* another kind */
	CHECK_EQ(rows_number(rows, 0, "name"), 0);
	CHECK(strcmp(rows_list_item(rows, 0, "roles", 2), "") == 0);
	CHECK(strcmp(rows_list_item(rows, 0, "name", 0), "") == 0);
	return true;
}

static bool a_record_is_valid_json_and_safe_on_a_terminal(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;
	auto_buf struct buf out = buf_make(4096);

	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(fill(rows), 0);
	CHECK_EQ(rows_add_text(rows, "bad",
			       "\x1b[2J\"\\\n\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81\xff"
			       "z"),
		 0);
	rows_json(rows, 0, &out);
	const char *text = buf_text(&out);
	CHECK(text);
	CHECK(strcmp(text,
		     "{\"name\": \"ann\", \"uid\": 20000, \"here\": true, "
		     "\"roles\": [\"admin\", \"member\"], "
		     "\"bad\": \"\\u001b[2J\\\"\\\\\\n\\u007f\\u009b\\u202e\\udb40\\udc41\\ufffdz\"}") ==
	      0);
	return true;
}

static bool each_limit_is_reached_and_refused(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;

	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(rows_add_row(rows), 0);
	for (size_t i = 0; i + 1 < ROW_FIELDS_MAX; i++)
		CHECK_EQ(rows_add_number(rows, "n", i), 0);
	CHECK_EQ(rows_add_list(rows, "list"), 0);
	for (size_t i = 0; i < ROW_LIST_MAX; i++)
		CHECK_EQ(rows_add_item(rows, "x"), 0);
	CHECK_EQ(rows_add_item(rows, "x"), ROWS_FULL);
	CHECK_EQ(rows_list_count(rows, 0, "list"), ROW_LIST_MAX);
	CHECK_EQ(rows_add_number(rows, "n", 0), ROWS_FULL);
	CHECK_EQ(rows_fields(rows, 0), ROW_FIELDS_MAX);
	for (size_t i = 1; i < ROWS_MAX; i++)
		CHECK_EQ(rows_add_row(rows), 0);
	CHECK_EQ(rows_add_row(rows), ROWS_FULL);
	CHECK_EQ(rows_count(rows), ROWS_MAX);

	auto_free char *large = malloc(ROWS_TEXT_MAX + 1);
	CHECK(large);
	memset(large, 'a', ROWS_TEXT_MAX);
	large[ROWS_TEXT_MAX] = '\0';
	CHECK_EQ(rows_add_text(rows, "t", large), ROWS_FULL);
	CHECK_EQ(rows_add_text(rows, "t", "small"), 0); /* a refusal breaks nothing */
	CHECK(strcmp(rows_text(rows, ROWS_MAX - 1, "t"), "small") == 0);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(rows_free_at) struct rows *rows = nullptr;

		fault_at(n);
		int r = rows_new(&rows);
		if (r == 0)
			r = fill(rows);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool a_call_survives_every_failed_allocation(void)
{
	for (size_t n = 1;; n++) {
		auto_call struct call call = {};

		fault_at(n);
		int r = call_set_text(&call, 0, "ann");
		if (r == 0)
			r = call_set_text(&call, 0, "ben");
		if (r == 0)
			r = call_add_item(&call, "admin");
		if (!fault_end())
			return r == 0 && strcmp(call.text[0], "ben") == 0 && call.n_list == 1;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool cleans(const char *from, size_t len, const char *to)
{
	auto_buf struct buf out = buf_make(4096);

	text_clean(&out, from, len);
	const char *text = buf_text(&out);
	return text && strcmp(text, to) == 0;
}

static bool unfit_bytes_are_written_in_hexadecimal(void)
{
	CHECK(cleans("plain", 5, "plain"));
	CHECK(cleans("\x1b]0;x\a", 6, "\\x1b]0;x\\x07"));
	CHECK(cleans("a\0b", 3, "a\\x00b"));
	CHECK(cleans("\xc2\x9b", 2, "\\xc2\\x9b"));	     /* CSI as one C1 character */
	CHECK(cleans("\xe2\x80\xae", 3, "\\xe2\\x80\\xae")); /* right-to-left override */
	CHECK(cleans("\xff\xc3", 2, "\\xff\\xc3"));
	CHECK(cleans("\xc3\xa4\xe4\xb8\xad", 5, "\xc3\xa4\xe4\xb8\xad"));
	return true;
}

static bool no_byte_gets_through_that_is_a_control(void)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		char text[2] = { (char)byte, 'x' };
		auto_buf struct buf out = buf_make(64);

		text_clean(&out, text, sizeof(text));
		for (size_t i = 0; i < out.len; i++)
			CHECK(out.data[i] >= 0x20 && out.data[i] < 0x7F);
	}
	return true;
}

static bool width_is_counted_in_columns(void)
{
	CHECK_EQ(text_width("abc"), 3);
	CHECK_EQ(text_width("\xe4\xb8\xad"), 2);
	CHECK_EQ(text_width("a\xcc\x88"), 1); /* a and a combining diaeresis */
	CHECK_EQ(text_width("\x1b"), 4);
	return true;
}

static bool figures_read_well(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} BYTES[] = { { 0, "0 B" },	   { 1023, "1023 B" },	      { 1024, "1.0 KiB" },
		      { 1536, "1.5 KiB" }, { 8ull << 30, "8.0 GiB" }, { UINT64_MAX, "15.9 EiB" } };
	static const struct {
		uint64_t seconds;
		const char *text;
	} TIMES[] = { { 0, "0 s" },	     { 59, "59 s" },	   { 60, "1 min" }, { 3600, "1 h" },
		      { 3660, "1 h 1 min" }, { 90000, "1 d 1 h" }, { 86400, "1 d" } };
	char text[FIGURE_TEXT];

	for (size_t i = 0; i < countof(BYTES); i++) {
		figure_bytes(BYTES[i].bytes, text);
		CHECK(strcmp(text, BYTES[i].text) == 0);
	}
	for (size_t i = 0; i < countof(TIMES); i++) {
		figure_duration(TIMES[i].seconds, text);
		CHECK(strcmp(text, TIMES[i].text) == 0);
	}
	figure_time("2026-11-24T03:24:40.5Z", text);
	CHECK(strcmp(text, "2026-11-24 03:24:40") == 0);
	figure_time("", text);
	CHECK(strcmp(text, "-") == 0);
	figure_time("never", text);
	CHECK(strcmp(text, "never") == 0);
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(values_come_back_by_name_and_kind);
	RUN(what_is_not_there_is_empty);
	RUN(a_record_is_valid_json_and_safe_on_a_terminal);
	RUN(each_limit_is_reached_and_refused);
	RUN(every_failed_allocation_is_survived);
	RUN(a_call_survives_every_failed_allocation);
	RUN(unfit_bytes_are_written_in_hexadecimal);
	RUN(no_byte_gets_through_that_is_a_control);
	RUN(width_is_counted_in_columns);
	RUN(figures_read_well);
	return tap_done();
}
