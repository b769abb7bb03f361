/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes that are written and read anywhere, in much memory and in little, and what happens when something goes wrong. */

#include "service/crew/scratch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/crew/query.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/disk-fixture.h"
#include "tests/unit/sealed-file.h"

constexpr size_t MUCH = 64u << 20;
constexpr size_t LITTLE = 40u << 10; /* two blocks */
constexpr size_t LARGE = 64 * SCRATCH_BLOCK;
static const char MARK[] = "the text that is in clear";

static struct disk disk;
static struct exec *exec;
static atomic_bool cancel;

static struct exec_query *begin(size_t memory)
{
	struct exec_query *query = nullptr;
	struct query_limits limits = { UINT64_MAX, &cancel, memory };

	return exec_query_new(exec, &limits, &query) ? nullptr : query;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Fill with blocks that differ, each with MARK in it. */
static int fill(struct scratch *scratch, size_t len)
{
	uint8_t block[SCRATCH_BLOCK];
	int r = 0;

	for (size_t i = 0; r == 0 && i < len / sizeof(block); i++) {
		memset(block, (int)i + 1, sizeof(block));
		memcpy(block + 100, MARK, sizeof(MARK));
		r = scratch_write(scratch, i * sizeof(block), block, sizeof(block));
	}
	return r;
}

/* Read a block's first byte. Returns what scratch_read() does. */
static int first_byte(struct scratch *scratch, uint64_t block, uint8_t *ret)
{
	size_t len;

	return scratch_read(scratch, block * SCRATCH_BLOCK, ret, 1, &len);
}

/* Do the same to a scratch and to plain memory. */
static bool same_as_memory(size_t memory, bool spills)
{
	constexpr size_t room = 300'000;
	cleanup(exec_query_free_at) struct exec_query *query = begin(memory);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr;
	auto_free uint8_t *want = calloc(1, room), *got = malloc(room), *data = malloc(room + 3000);
	uint32_t random = 7;
	size_t size = 0, len;

	CHECK(query && want && got && data);
	CHECK_EQ(scratch_new(query, &scratch), 0);
	for (size_t i = 0; i < room + 3000; i++)
		data[i] = (uint8_t)next_random(&random);
	for (int i = 0; i < 3000; i++) {
		size_t at = next_random(&random) % room;
		size_t n = 1 + next_random(&random) % (i % 3 == 0 ? 20'000 : 3000);

		n = n < room - at ? n : room - at;
		if (i % 100 == 99) {
			size = at < size ? at : size;
			memset(want + size, 0, room - size);
			CHECK_EQ(scratch_truncate(scratch, at), 0);
		} else if (i % 2 == 0) {
			size = at + n > size ? at + n : size;
			memcpy(want + at, data + i, n);
			CHECK_EQ(scratch_write(scratch, at, data + i, n), 0);
		}
		CHECK_EQ(scratch_size(scratch), size);
		at = next_random(&random) % room;
		CHECK_EQ(scratch_read(scratch, at, got, n, &len), 0);
		CHECK_EQ(len, at >= size ? 0 : n < size - at ? n : size - at);
		CHECK(memcmp(got, want + at, len) == 0);
	}
	CHECK_EQ(query->spilled > 0, spills);
	CHECK(query->budget.used <= memory);
	scratch_free_at(&scratch);
	CHECK_EQ(query->budget.used, 0u);
	CHECK_EQ(query->scratched, 0u);
	return true;
}

static bool what_is_written_anywhere_comes_back_from_memory_and_from_disk(void)
{
	CHECK(same_as_memory(MUCH, false));
	CHECK(same_as_memory(LITTLE, true));
	return same_as_memory(400u << 10, true);
}

static bool what_was_cut_off_is_zeros_when_the_end_moves_on(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr;
	static uint8_t data[2 * SCRATCH_BLOCK], none[sizeof(data)];
	size_t len;

	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(fill(scratch, LARGE), 0);
	CHECK_EQ(scratch_truncate(scratch, 5000), 0);
	CHECK_EQ(scratch_write(scratch, LARGE, "x", 1), 0);
	CHECK_EQ(scratch_read(scratch, 5000, data, sizeof(data), &len), 0);
	CHECK_EQ(len, sizeof(data));
	CHECK(memcmp(data, none, sizeof(data)) == 0);
	CHECK_EQ(scratch_read(scratch, 4999, data, 1, &len), 0);
	CHECK_EQ(data[0], 2);
	return true;
}

static bool all_scratches_of_a_query_share_its_memory(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(1u << 20);
	cleanup(scratch_free_at) struct scratch *a = nullptr, *b = nullptr;
	uint8_t byte;

	CHECK_EQ(scratch_new(query, &a), 0);
	CHECK_EQ(scratch_new(query, &b), 0);
	CHECK_EQ(fill(a, 2u << 20), 0);
	CHECK_EQ(fill(b, 2u << 20), 0);
	CHECK(query->scratched <= (1u << 20) / SCRATCH_SHARE + 2 * SCRATCH_BLOCK);
	CHECK(query->scratched > (1u << 20) / SCRATCH_SHARE - 2 * SCRATCH_BLOCK);
	for (uint64_t i = 0; i < 512; i++) {
		CHECK_EQ(first_byte(i % 2 ? a : b, i, &byte), 0);
		CHECK_EQ(byte, (uint8_t)(i + 1));
	}
	return true;
}

static bool nothing_is_on_disk_in_clear(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr;
	size_t bytes;

	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(fill(scratch, LARGE), 0);
	CHECK_EQ(sealed_file_marks(disk.path, MARK, &bytes), 0u);
	CHECK(bytes > LARGE / 2);
	scratch_free_at(&scratch);
	CHECK_EQ(sealed_file_marks(disk.path, MARK, &bytes), 0u);
	CHECK_EQ(bytes, 0u);
	return true;
}

static bool the_same_bytes_look_different_each_time_they_leave(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr;
	static uint8_t before[SCRATCH_BLOCK], after[SCRATCH_BLOCK];

	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(fill(scratch, LARGE), 0);
	auto_close int fd = sealed_file_first(disk.path);
	CHECK_EQ(pread(fd, before, sizeof(before), 0), (ssize_t)sizeof(before));
	CHECK_EQ(fill(scratch, LARGE), 0);
	CHECK_EQ(pread(fd, after, sizeof(after), 0), (ssize_t)sizeof(after));
	CHECK(memcmp(before, after, sizeof(before)) != 0);
	return true;
}

/* Whether a block that is not what was written last is an error that stays. */
static bool is_damaged(struct exec_query *query, struct scratch *scratch, uint64_t block)
{
	uint8_t byte = 0;

	CHECK_EQ(first_byte(scratch, block, &byte), PIPE_DAMAGED);
	CHECK_EQ(byte, 0);
	CHECK(strstr(query->error, "damaged"));
	CHECK_EQ(first_byte(scratch, block + 1, &byte), PIPE_DAMAGED);
	CHECK_EQ(scratch_write(scratch, 0, "x", 1), PIPE_DAMAGED);
	return true;
}

static bool a_flipped_bit_is_an_error(void)
{
	for (size_t bit = 0; bit < 8 * SCRATCH_BLOCK; bit += 1231) {
		cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
		cleanup(scratch_free_at) struct scratch *scratch = nullptr;
		off_t at = (off_t)(3 * SCRATCH_BLOCK + bit / 8);
		uint8_t byte;

		CHECK_EQ(scratch_new(query, &scratch), 0);
		CHECK_EQ(fill(scratch, 8 * SCRATCH_BLOCK), 0);
		auto_close int fd = sealed_file_first(disk.path);
		CHECK_EQ(pread(fd, &byte, 1, at), 1);
		byte ^= (uint8_t)(1u << bit % 8);
		CHECK_EQ(pwrite(fd, &byte, 1, at), 1);
		CHECK(is_damaged(query, scratch, 3));
	}
	return true;
}

static bool a_block_of_another_place_or_of_an_earlier_time_is_an_error(void)
{
	for (int earlier = 0; earlier < 2; earlier++) {
		cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
		cleanup(scratch_free_at) struct scratch *scratch = nullptr;
		uint8_t block[SCRATCH_BLOCK];

		CHECK_EQ(scratch_new(query, &scratch), 0);
		CHECK_EQ(fill(scratch, 8 * SCRATCH_BLOCK), 0);
		auto_close int fd = sealed_file_first(disk.path);
		CHECK_EQ(pread(fd, block, sizeof(block), earlier ? 0 : SCRATCH_BLOCK),
			 (ssize_t)sizeof(block));
		if (earlier)
			CHECK_EQ(fill(scratch, 8 * SCRATCH_BLOCK), 0);
		CHECK_EQ(pwrite(fd, block, sizeof(block), 0), (ssize_t)sizeof(block));
		CHECK(is_damaged(query, scratch, 0));
	}
	return true;
}

static bool a_file_that_was_cut_is_an_error(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr;

	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(fill(scratch, 8 * SCRATCH_BLOCK), 0);
	auto_close int fd = sealed_file_first(disk.path);
	CHECK_EQ(ftruncate(fd, 2 * SCRATCH_BLOCK + 5), 0);
	return is_damaged(query, scratch, 2);
}

static bool a_full_disk_is_a_sentence(void)
{
	for (size_t nth = 1; nth < 20; nth += 6) {
		cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
		cleanup(scratch_free_at) struct scratch *scratch = nullptr;

		CHECK_EQ(scratch_new(query, &scratch), 0);
		disk.steps[FILE_WRITE] = 0;
		disk.fail_step = FILE_WRITE;
		disk.fail_nth = nth;
		disk.fail_with = -ENOSPC;
		int r = fill(scratch, LARGE);
		disk.fail_nth = 0;
		CHECK_EQ(r, PIPE_TOO_LARGE);
		CHECK(strstr(query->error, "no room"));
		CHECK_EQ(fill(scratch, 1), 0); /* nothing to do */
		CHECK_EQ(fill(scratch, LARGE), PIPE_TOO_LARGE);
		scratch_free_at(&scratch);
		CHECK_EQ(query->budget.used, 0u);
	}
	return true;
}

static bool it_stops_when_the_query_does(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *scratch = nullptr, *other = nullptr;
	uint8_t byte;

	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(scratch_new(query, &other), 0);
	CHECK_EQ(fill(scratch, LARGE), 0);
	cancel = true;
	CHECK_EQ(first_byte(scratch, 1, &byte), PIPE_CANCELLED);
	CHECK_EQ(fill(scratch, LARGE), PIPE_CANCELLED);
	CHECK_EQ(scratch_truncate(scratch, 0), PIPE_CANCELLED);
	cancel = false;
	query->limits.deadline_us = 1;
	CHECK_EQ(fill(other, LARGE), PIPE_TIMEOUT);
	return true;
}

static bool what_memory_cannot_even_list_is_refused(void)
{
	cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
	cleanup(scratch_free_at) struct scratch *far = nullptr, *farthest = nullptr;

	CHECK_EQ(scratch_new(query, &far), 0);
	CHECK_EQ(scratch_new(query, &farthest), 0);
	CHECK_EQ(scratch_write(far, (uint64_t)1 << 40, "x", 1), PIPE_TOO_LARGE);
	CHECK(strstr(query->error, "more memory"));
	CHECK_EQ(scratch_size(far), 0u);
	CHECK_EQ(scratch_write(farthest, UINT64_MAX - 3, "x", 1), -EFBIG);
	cleanup(exec_query_free_at) struct exec_query *none = begin(1000);
	struct scratch *refused = nullptr;
	CHECK_EQ(scratch_new(none, &refused), PIPE_TOO_LARGE);
	CHECK(!refused);
	return true;
}

static bool without_a_folder_all_of_it_has_to_fit(void)
{
	struct exec *other = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, LITTLE };
	struct exec_query *query = nullptr;
	struct scratch *scratch = nullptr;

	CHECK_EQ(exec_new(1, MUCH, nullptr, &other), 0);
	CHECK(!exec_spills(other) && exec_spills(exec));
	CHECK_EQ(exec_query_new(other, &limits, &query), 0);
	CHECK_EQ(scratch_new(query, &scratch), 0);
	CHECK_EQ(fill(scratch, LARGE), PIPE_TOO_LARGE);
	CHECK(strstr(query->error, "more memory"));
	scratch_free_at(&scratch);
	exec_query_free_at(&query);
	exec_free(other);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(exec_query_free_at) struct exec_query *query = begin(LITTLE);
		cleanup(scratch_free_at) struct scratch *scratch = nullptr;

		fault_at(n);
		int r = scratch_new(query, &scratch);
		CHECK(r == 0 || !scratch);
		r = r ? r : fill(scratch, LARGE);
		bool hit = fault_end();
		scratch_free_at(&scratch);
		CHECK_EQ(query->budget.used, 0u);
		if (!hit)
			return r == 0;
		CHECK(r == 0 || r == -ENOMEM || r == -EIO); /* the cipher's library has one error */
	}
}

int main(void)
{
	if (!disk_make(&disk) || exec_new_in(1, MUCH, &disk.folder, &exec))
		return 1;
	RUN(what_is_written_anywhere_comes_back_from_memory_and_from_disk);
	RUN(what_was_cut_off_is_zeros_when_the_end_moves_on);
	RUN(all_scratches_of_a_query_share_its_memory);
	RUN(nothing_is_on_disk_in_clear);
	RUN(the_same_bytes_look_different_each_time_they_leave);
	RUN(a_flipped_bit_is_an_error);
	RUN(a_block_of_another_place_or_of_an_earlier_time_is_an_error);
	RUN(a_file_that_was_cut_is_an_error);
	RUN(a_full_disk_is_a_sentence);
	RUN(it_stops_when_the_query_does);
	RUN(what_memory_cannot_even_list_is_refused);
	RUN(without_a_folder_all_of_it_has_to_fit);
	RUN(every_failed_allocation_is_survived);
	exec_free(exec);
	disk_done(&disk);
	return tap_done();
}
