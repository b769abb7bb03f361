/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/wal.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "tests/lib/tap.h"

/* A segment of three records, made by hand. */
static void make_segment(struct buf *out)
{
	static const char *const ENTRIES[] = { "one", "", "and three" };

	buf_add(out, "rdtwal1\n", 8);
	write_u64(out, 4096);
	for (uint32_t i = 0; i < countof(ENTRIES); i++) {
		auto_buf struct buf body = buf_make(64);

		write_u64(&body, 4096 + i);
		buf_add_str(&body, ENTRIES[i]);
		write_u32(out, (uint32_t)strlen(ENTRIES[i]));
		write_u32(out, crc32c(body.data, body.len));
		buf_add(out, body.data, body.len);
	}
}

/* How many records are read from a segment, and how it ends. */
static size_t read_all(const uint8_t *data, size_t len, int *ret_end)
{
	struct bytes rest = { data, len }, entry;
	size_t n = 0;

	*ret_end = wal_header_read(&rest, 4096);
	while (*ret_end == WAL_RECORD) {
		*ret_end = wal_record_read(&rest, 4096 + n, &entry);
		n += *ret_end == WAL_RECORD;
	}
	return n;
}

static bool a_segment_is_written_as_the_format_says(void)
{
	auto_buf struct buf by_hand = buf_make(1024), ours = buf_make(1024);
	char path[WAL_NAME_MAX];
	int end;

	make_segment(&by_hand);
	wal_header_write(&ours, 4096);
	wal_record_write(&ours, 4096, "one", 3);
	wal_record_write(&ours, 4097, "", 0);
	wal_record_write(&ours, 4098, "and three", 9);
	CHECK_EQ(ours.len, by_hand.len);
	CHECK(memcmp(ours.data, by_hand.data, ours.len) == 0);
	CHECK_EQ(read_all(ours.data, ours.len, &end), 3u);
	CHECK_EQ(end, WAL_END);
	wal_path(8191, path);
	CHECK(strcmp(path, "wal/00000000000000004096.seg") == 0);
	return true;
}

static bool a_segment_cut_anywhere_yields_its_whole_records(void)
{
	static const size_t ENDS[] = { 16, 35, 51, 76 };
	auto_buf struct buf segment = buf_make(1024);
	int end;

	make_segment(&segment);
	CHECK_EQ(segment.len, ENDS[3]);
	for (size_t len = 0; len <= segment.len; len++) {
		size_t whole = 0;
		bool at_end = len == 0;

		for (size_t i = 0; i < countof(ENDS); i++) {
			whole += i > 0 && len >= ENDS[i];
			at_end |= len == ENDS[i];
		}
		CHECK_EQ(read_all(segment.data, len, &end), whole);
		CHECK_EQ(end, at_end ? WAL_END : WAL_TORN);
	}
	return true;
}

static bool no_flipped_bit_of_a_segment_is_read(void)
{
	auto_buf struct buf segment = buf_make(1024);
	int end;

	make_segment(&segment);
	for (size_t bit = 0; bit < 8 * segment.len; bit++) {
		segment.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(read_all(segment.data, segment.len, &end) < 3);
		CHECK_EQ(end, WAL_TORN);
		segment.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return true;
}

static bool a_record_out_of_its_place_is_not_read(void)
{
	auto_buf struct buf segment = buf_make(1024);
	int end;

	wal_header_write(&segment, 4096);
	wal_record_write(&segment, 4096, "one", 3);
	wal_record_write(&segment, 4096, "one", 3);
	CHECK_EQ(read_all(segment.data, segment.len, &end), 1u);
	CHECK_EQ(end, WAL_TORN);
	return true;
}

static bool an_entry_too_long_for_a_record_is_refused(void)
{
	static uint8_t entry[UINT16_MAX + 1];
	auto_buf struct buf out = buf_make(WAL_SEGMENT_MAX);

	wal_record_write(&out, 0, entry, UINT16_MAX);
	CHECK_EQ(buf_error(&out), 0);
	wal_record_write(&out, 1, entry, UINT16_MAX + 1);
	CHECK_EQ(buf_error(&out), -EMSGSIZE);
	return true;
}

int main(void)
{
	RUN(a_segment_is_written_as_the_format_says);
	RUN(a_segment_cut_anywhere_yields_its_whole_records);
	RUN(no_flipped_bit_of_a_segment_is_read);
	RUN(a_record_out_of_its_place_is_not_read);
	RUN(an_entry_too_long_for_a_record_is_refused);
	return tap_done();
}
