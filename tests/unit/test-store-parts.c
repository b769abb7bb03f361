/* SPDX-License-Identifier: Apache-2.0 */

/* What the store is made of, each by itself: sets of rows, frames, footers, pages, recent batches. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/segment/footer.h"
#include "service/segment/gone.h"
#include "service/segment/ids.h"
#include "service/segment/pages.h"
#include "service/store/frame.h"
#include "service/store/recent.h"
#include "tests/lib/tap.h"

static bool a_set_of_rows_comes_back_from_its_blob(void)
{
	static const uint32_t STEPS[] = { 60'000, 977, 3 }; /* few rows, and many */

	for (size_t i = 0; i < countof(STEPS); i++) {
		cleanup(gone_unref_at) struct gone *gone = nullptr, *again = nullptr;
		auto_buf struct buf blob = buf_make(1 << 16);
		uint32_t n = 0;

		CHECK_EQ(gone_copy(nullptr, &gone), 0);
		for (uint32_t row = 5; row < CHUNK_ROWS; row += STEPS[i], n++)
			CHECK(gone_add(gone, row));
		CHECK(!gone_add(gone, 5));
		CHECK_EQ(gone_count(gone), n);
		gone_write(gone, &blob);
		CHECK_EQ(gone_read(blob.data, blob.len, CHUNK_ROWS, &again), 0);
		CHECK_EQ(gone_count(again), n);
		CHECK(memcmp(gone_words(gone), gone_words(again), GONE_WORDS * 8) == 0);
		again = gone_unref(again);
		CHECK_EQ(gone_read(blob.data, blob.len, 5, &again), -EBADMSG);
		CHECK_EQ(gone_read(blob.data, blob.len - 1, CHUNK_ROWS, &again), -EBADMSG);
		CHECK_EQ(gone_read(blob.data, 0, CHUNK_ROWS, &again), -EBADMSG);
		for (uint32_t to = 0; to < 300; to += 7) {
			uint32_t count = 0;

			for (uint32_t row = 3; row < to; row++)
				count += gone_has(gone_words(gone), row);
			CHECK_EQ(gone_between(gone_words(gone), to < 3 ? to : 3, to), count);
		}
	}
	return true;
}

static bool a_set_is_changed_by_copying(void)
{
	cleanup(gone_unref_at) struct gone *a = nullptr, *b = nullptr;

	CHECK_EQ(gone_copy(nullptr, &a), 0);
	CHECK(gone_is_own(a) && gone_add(a, 1));
	b = gone_ref(a);
	CHECK(!gone_is_own(a));
	b = gone_unref(b);
	CHECK(gone_is_own(a));
	CHECK_EQ(gone_copy(a, &b), 0);
	CHECK(gone_add(b, 2));
	return gone_count(a) == 1 && gone_count(b) == 2 && !gone_has(gone_words(a), 2);
}

static bool a_frames_tail_comes_back_and_nothing_else_does(void)
{
	static const bool REPLACED[11] = { [0] = true, [7] = true, [10] = true };
	uint8_t bytes[32] = "chunk";
	const uint8_t *bits = nullptr;
	size_t len = 0;
	uint32_t rows = 0;

	frame_write_tail(REPLACED, 11, bytes + 5);
	CHECK_EQ(frame_tail(11), 6u);
	CHECK(frame_read_tail(bytes, 11, &len, &rows, &bits));
	CHECK_EQ(len, 5u);
	CHECK_EQ(rows, 11u);
	CHECK(bits[0] == 0x81 && bits[1] == 0x04);
	for (size_t cut = 0; cut < 11; cut++)
		if (frame_read_tail(bytes, cut, &len, &rows, &bits))
			CHECK(len + frame_tail(rows) == cut);
	memset(bytes, 0xff, sizeof(bytes));
	return !frame_read_tail(bytes, sizeof(bytes), &len, &rows, &bits);
}

static bool a_list_of_ids_comes_back_or_is_refused(void)
{
	static const struct str IDS[] = { { "a", 1 }, { "bcd", 3 }, { "", 0 } };
	auto_buf struct buf out = buf_make(100);
	struct str *id = nullptr;
	size_t n = 0;

	frame_write_ids(IDS, 3, &out);
	CHECK_EQ(frame_read_ids(out.data, out.len, &id, &n), 0);
	CHECK(n == 3 && id[1].len == 3 && memcmp(id[1].at, "bcd", 3) == 0);
	free(id);
	for (size_t cut = 0; cut < out.len; cut++) {
		auto_free uint8_t *copy = malloc(cut + 1);

		CHECK(copy);
		memcpy(copy, out.data, cut);
		CHECK_EQ(frame_read_ids(copy, cut, &id, &n), -EBADMSG);
	}
	return true;
}

static bool a_footer_comes_back_or_is_refused(void)
{
	auto_buf struct buf out = buf_make(1000);
	struct footer_chunk chunk[2] = { { 0, 3, (const uint8_t *)"head", 4 },
					 { 3, 2, (const uint8_t *)"other", 5 } };
	struct footer_chunk got[2];

	footer_begin(&out, 2);
	footer_add(&out, &chunk[0]);
	footer_add(&out, &chunk[1]);
	buf_add(&out, "\0\0\0", 3); /* the rest of the page */
	CHECK(footer_read(out.data, out.len, 5, 2, got));
	CHECK(got[1].page == 3 && got[1].pages == 2 && got[1].head_len == 5);
	CHECK(memcmp(got[1].head, "other", 5) == 0);
	CHECK(!footer_read(out.data, out.len, 4, 2, got)); /* beyond the footer */
	CHECK(!footer_read(out.data, out.len, 5, 1, got));
	for (size_t cut = 0; cut < out.len - 3; cut++)
		CHECK(!footer_read(out.data, cut, 5, 2, got));
	out.data[out.len - 1] = 1;
	return !footer_read(out.data, out.len, 5, 2, got);
}

/* Blobs of all sizes: each is where it was said to be, none overlaps, and little room is lost. */
static bool blobs_lie_close_and_small_ones_in_one_page(void)
{
	static const uint32_t SIZES[] = { 100,	  70'000, 30'000,  40'000, 200'000, 5,	 65'536,
					  10'000, 65'537, 131'000, 20'000, 1,	    500, 63'000 };
	struct pages pages = pages_make();
	struct blob blob[140];
	uint64_t sum = 0;
	bool good = true;

	for (size_t i = 0; i < countof(blob); i++) {
		uint32_t len = SIZES[i % countof(SIZES)];
		auto_free uint8_t *data = malloc(len);

		CHECK(data);
		memset(data, (int)i, len);
		CHECK_EQ(pages_add(&pages, data, len, &blob[i]), 0);
		sum += len;
	}
	for (size_t i = 0; i < countof(blob); i++) {
		const uint8_t *at = pages.data.data + blob[i].page * SEALED_PAGE + blob[i].offset;

		good &= blob[i].offset + blob[i].len <= blob[i].pages * SEALED_PAGE;
		good &= blob[i].len > SEALED_PAGE || blob[i].pages == 1;
		for (uint32_t k = 0; k < blob[i].len; k++)
			good &= at[k] == (uint8_t)i;
	}
	good &= pages.data.len < sum + sum / 10;
	if (!good)
		printf("# %zu bytes for %llu\n", pages.data.len, (unsigned long long)sum);
	pages_done(&pages);
	return good;
}

static bool recent_batches_are_found_until_they_are_old_or_undone(void)
{
	struct recent recent = {};
	uint8_t id[RECENT_ID] = {}, bits[2] = { 0xa5, 1 };

	for (uint32_t i = 1; i <= 5000; i++) {
		memcpy(id, &i, sizeof(i));
		recent_add(&recent, id, i, 9, bits);
	}
	const struct recent_batch *last = recent_find(&recent, id);
	CHECK(last && last->position == 5000 && last->replaced[0] == 0xa5);
	memcpy(id, &(uint32_t) { 1 }, 4);
	CHECK(!recent_find(&recent, id));
	memcpy(id, &(uint32_t) { 4000 }, 4);
	CHECK(recent_find(&recent, id));
	recent_cut(&recent, 3999);
	CHECK(!recent_find(&recent, id));
	recent_done(&recent);
	return true;
}

static bool ids_that_come_again_are_told_and_others_found(void)
{
	static const struct str IDS[] = {
		{ "x", 1 }, { "y", 1 }, { "x", 1 }, { "z", 1 }, { "x", 1 }
	};
	cleanup(ids_done) struct ids ids = {};
	cleanup(ids_index_free_at) struct ids_index *index = nullptr;
	uint32_t first = 0;

	CHECK_EQ(ids_of_list(IDS, 5, &ids), 0);
	CHECK_EQ(ids_index_new(&ids, &index), 0);
	CHECK(ids_index_may_have(index, ids.hash[3]));
	CHECK_EQ(ids_index_find(index, ids.hash[0], &first), 3u);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(ids_index_row(index, first + i), 2 * i);
	CHECK_EQ(ids_index_find(index, ids.hash[3], &first), 1u);
	CHECK_EQ(ids_index_row(index, first), 3u);
	return ids_index_find(index, ~ids.hash[3], &first) == 0;
}

int main(void)
{
	RUN(a_set_of_rows_comes_back_from_its_blob);
	RUN(a_set_is_changed_by_copying);
	RUN(a_frames_tail_comes_back_and_nothing_else_does);
	RUN(a_list_of_ids_comes_back_or_is_refused);
	RUN(a_footer_comes_back_or_is_refused);
	RUN(blobs_lie_close_and_small_ones_in_one_page);
	RUN(recent_batches_are_found_until_they_are_old_or_undone);
	RUN(ids_that_come_again_are_told_and_others_found);
	return tap_done();
}
