/* SPDX-License-Identifier: Apache-2.0 */
#include "common/buf.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static bool grows_and_reads_back(void)
{
	auto_buf struct buf buf = buf_make(1u << 20);

	for (int i = 0; i < 1000; i++)
		buf_addf(&buf, "%03d,", i);
	CHECK_EQ(buf_error(&buf), 0);
	CHECK_EQ(buf.len, 4000u);
	CHECK(strncmp(buf_text(&buf) + 3996, "999,", 5) == 0);
	return true;
}

static bool the_cap_holds_and_contents_stay(void)
{
	auto_buf struct buf buf = buf_make(4);

	buf_add_str(&buf, "abcd");
	CHECK_EQ(buf_error(&buf), 0);
	buf_add_str(&buf, "e");
	CHECK_EQ(buf_error(&buf), -EMSGSIZE);
	CHECK_EQ(buf.len, 4u);
	CHECK(memcmp(buf.data, "abcd", 4) == 0);
	buf_clear(&buf);
	buf_add_str(&buf, "wxyz");
	CHECK(strcmp(buf_text(&buf), "wxyz") == 0);
	return true;
}

static bool json_strings_are_escaped_and_mended(void)
{
	auto_buf struct buf buf = buf_make(1000);

	buf_add_json(&buf, "a\"\\\n\x01\x1b\x7f\xc3\xa9\xff", 10);
	CHECK(strcmp(buf_text(&buf), "\"a\\\"\\\\\\n\\u0001\\u001b\\u007f\xc3\xa9\xef\xbf\xbd\"") ==
	      0);
	return true;
}

static bool dropping_moves_the_rest_to_the_front(void)
{
	auto_buf struct buf buf = buf_make(100);

	buf_add_str(&buf, "hello world");
	buf_drop(&buf, 6);
	CHECK(strcmp(buf_text(&buf), "world") == 0);
	buf_drop(&buf, 100);
	CHECK_EQ(buf.len, 0u);
	return true;
}

static bool every_failed_allocation_is_remembered(void)
{
	for (size_t n = 1;; n++) {
		auto_buf struct buf buf = buf_make(1u << 20);

		fault_at(n);
		for (int i = 0; i < 100; i++)
			buf_add(&buf, "0123456789abcdef", 16);
		if (!fault_end())
			return buf_error(&buf) == 0 && buf.len == 1600;
		CHECK_EQ(buf_error(&buf), -ENOMEM);
		CHECK(!buf_text(&buf));
	}
}

int main(void)
{
	RUN(grows_and_reads_back);
	RUN(the_cap_holds_and_contents_stay);
	RUN(json_strings_are_escaped_and_mended);
	RUN(dropping_moves_the_rest_to_the_front);
	RUN(every_failed_allocation_is_remembered);
	return tap_done();
}
