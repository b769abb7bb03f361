/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bytes.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "tests/lib/tap.h"

/* The encoding spelled out a second time, by hand. */
static const uint8_t SAMPLE[] = { 0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e, 0x0d, 0x0c,
				  0x0b, 0x0a, 0x09, 0x08, 2,	0,    0,    0,	  'h',	'i' };

static void write_sample(struct buf *out)
{
	write_u8(out, 0x01);
	write_u16(out, 0x0203);
	write_u32(out, 0x04050607);
	write_u64(out, 0x08090a0b0c0d0e0f);
	write_str(out, "hi");
}

static bool fields_are_little_endian_and_counted(void)
{
	auto_buf struct buf buf = buf_make(100);

	write_sample(&buf);
	CHECK_EQ(buf.len, sizeof(SAMPLE));
	CHECK(memcmp(buf.data, SAMPLE, sizeof(SAMPLE)) == 0);
	return true;
}

/* Decode the sample from its first len bytes. */
static bool read_sample(size_t len)
{
	struct reader in = reader_make(SAMPLE, len);
	char text[3];
	bool same = read_u8(&in) == 1;

	same &= read_u16(&in) == 0x0203;
	same &= read_u32(&in) == 0x04050607;
	same &= read_u64(&in) == 0x08090a0b0c0d0e0f;
	read_str(&in, text, sizeof(text));
	same &= strcmp(text, "hi") == 0;
	return reader_end(&in) && same;
}

static bool every_truncation_is_refused(void)
{
	CHECK(read_sample(sizeof(SAMPLE)));
	for (size_t len = 0; len < sizeof(SAMPLE); len++)
		CHECK(!read_sample(len));
	return true;
}

static bool leftover_bytes_are_refused(void)
{
	struct reader in = reader_make(SAMPLE, 2);

	CHECK_EQ(read_u8(&in), 1);
	CHECK(!reader_end(&in));
	return true;
}

/* Read one counted text of len bytes into room for 3 characters. */
static bool text_is_taken(const char *bytes, uint32_t len)
{
	auto_buf struct buf buf = buf_make(100);
	char text[4];

	write_bytes(&buf, bytes, len);
	struct reader in = reader_make(buf.data, buf.len);
	read_str(&in, text, sizeof(text));
	return reader_end(&in) && strlen(text) == len;
}

static bool texts_that_are_long_hold_nul_or_are_not_utf8_are_refused(void)
{
	CHECK(text_is_taken("abc", 3));
	CHECK(text_is_taken("", 0));
	CHECK(!text_is_taken("abcd", 4));
	CHECK(!text_is_taken("a\0b", 3));
	CHECK(!text_is_taken("\xff", 1));
	return true;
}

static bool a_huge_count_is_refused(void)
{
	static const uint8_t HUGE[] = { 0xff, 0xff, 0xff, 0xff, 1 };
	struct reader in = reader_make(HUGE, sizeof(HUGE));

	CHECK_EQ(read_bytes(&in, SIZE_MAX).len, 0u);
	CHECK(!reader_end(&in));
	return true;
}

int main(void)
{
	RUN(fields_are_little_endian_and_counted);
	RUN(every_truncation_is_refused);
	RUN(leftover_bytes_are_refused);
	RUN(texts_that_are_long_hold_nul_or_are_not_utf8_are_refused);
	RUN(a_huge_count_is_refused);
	return tap_done();
}
