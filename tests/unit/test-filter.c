/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/filter.h"

#include <stdint.h>
#include <string.h>

#include "service/column/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint32_t N = 65'536;

/* A filter of n hashes of 0 to distinct - 1. */
static struct buf make(uint32_t n, uint32_t distinct, enum filter_bits bits)
{
	auto_free uint64_t *hash = calloc(n + 1, sizeof(*hash));
	struct buf out = buf_make(1u << 20);

	for (uint32_t i = 0; hash && i < n; i++)
		hash[i] = hash_stable_int(i % distinct);
	if (hash)
		filter_write(&out, hash, n, bits);
	return out;
}

static bool it_has_what_went_in_and_little_else(void)
{
	static const struct {
		enum filter_bits bits;
		uint32_t one_in; /* hashes at most are in it wrongly */
	} KINDS[] = { { FILTER_BITS, 50 }, { FILTER_BITS_SURE, 400 } };

	for (size_t k = 0; k < countof(KINDS); k++) {
		auto_buf struct buf out = make(N, N, KINDS[k].bits);
		uint32_t wrong = 0;

		CHECK(filter_check(out.data, out.len));
		CHECK(out.len * 8 < N * (KINDS[k].bits + 1));
		for (uint32_t i = 0; i < N; i++)
			CHECK(filter_may_have(out.data, out.len, hash_stable_int(i)));
		for (uint32_t i = 0; i < N; i++)
			wrong += filter_may_have(out.data, out.len, hash_stable_int(N + i));
		CHECK(wrong < N / KINDS[k].one_in);
	}
	return true;
}

static bool duplicates_take_no_room(void)
{
	auto_buf struct buf out = make(N, 1000, FILTER_BITS);

	CHECK(filter_check(out.data, out.len));
	CHECK(out.len * 8 > 1000 * 9 && out.len * 8 < 1000 * 12);
	for (uint32_t i = 0; i < 1000; i++)
		CHECK(filter_may_have(out.data, out.len, hash_stable_int(i)));
	return true;
}

static bool the_empty_set_has_nothing(void)
{
	auto_buf struct buf out = make(0, 1, FILTER_BITS);

	CHECK_EQ(out.len, 0u);
	CHECK(filter_check(out.data, 0));
	CHECK(!filter_may_have(out.data, 0, 1));
	return true;
}

/* The format once more, by hand: FORMAT.md section 6 shows these bytes. */
static bool the_bytes_are_those_of_the_format(void)
{
	auto_buf struct buf out = buf_make(100);
	uint64_t hash = 0x46ff31029eb4e0b4;
	static const uint8_t WANT[32] = { 0,	0x08, 0, 0, 0, 0,    0x10, 0,	 0, 0, 0,
					  0x08, 0x10, 0, 0, 0, 0x10, 0,	   0,	 0, 0, 0x02,
					  0,	0,    0, 0, 0, 0x10, 0,	   0x04, 0, 0 };

	filter_write(&out, &hash, 1, FILTER_BITS);
	CHECK_EQ(out.len, 32u);
	CHECK(memcmp(out.data, WANT, 32) == 0);
	CHECK(!filter_check(WANT, 31));
	return true;
}

static bool a_failed_allocation_sticks(void)
{
	auto_buf struct buf out = buf_make(1u << 20);
	uint64_t hash = 1;

	fault_at(1);
	filter_write(&out, &hash, 1, FILTER_BITS);
	CHECK(fault_end());
	CHECK_EQ(buf_error(&out), -ENOMEM);
	CHECK_EQ(out.len, 0u);
	return true;
}

int main(void)
{
	RUN(it_has_what_went_in_and_little_else);
	RUN(duplicates_take_no_room);
	RUN(the_empty_set_has_nothing);
	RUN(the_bytes_are_those_of_the_format);
	RUN(a_failed_allocation_sticks);
	return tap_done();
}
