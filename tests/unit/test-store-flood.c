/* SPDX-License-Identifier: Apache-2.0 */

/* _ids that somebody has made so that all have one hash: hash_stable() has no key. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/hash.h"
#include "service/segment/ids.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

constexpr size_t ID = 40;
constexpr uint32_t MANY = 40'000; /* their pairs would take minutes */
constexpr uint32_t SOME = 900;

__extension__ typedef unsigned __int128 product;

/*
 * The bytes 0 to 15 and 24 to 31 of an _id for which the bytes 16 to 23 do not count: the state after the first 16 bytes is
 * what it is multiplied by then, and there the text has the same, which makes 0.
 */
static void make_pattern(char id[ID])
{
	constexpr uint64_t s0 = 0xa0761d6478bd642f;
	constexpr uint64_t s1 = 0xe7037ed1a0b428db;
	uint64_t a, b, state = 0;
	bool plain = false;

	memset(id, 'c', ID);
	for (uint64_t n = 0; !plain; n++) {
		for (unsigned int i = 0; i < 8; i++)
			id[i] = (char)('a' + (n >> 4 * i & 15));
		memcpy(&a, id, sizeof(a));
		memcpy(&b, id + 8, sizeof(b));
		product p = (product)(a ^ s1) * (b ^ s0);
		state = (uint64_t)(p >> 64) ^ (uint64_t)p;
		plain = true;
		for (unsigned int i = 0; i < 8; i++) {
			auto c = (unsigned char)(state >> 8 * i);

			plain = plain && c >= '0' && c <= 'z' && c != '\\';
		}
	}
	memcpy(id + 24, &state, sizeof(state));
}

static void number(char id[ID], uint32_t n)
{
	char digits[16];

	(void)snprintf(digits, sizeof(digits), "%08u", n);
	memcpy(id + 16, digits, 8);
}

static bool ids_of_one_hash_are_told_apart(void)
{
	cleanup(ids_done) struct ids ids = {};
	cleanup(ids_index_free_at) struct ids_index *index = nullptr;
	auto_free char *text = malloc(MANY * ID);
	auto_free struct str *id = calloc(MANY, sizeof(*id));
	char pattern[ID];
	uint32_t first = 0, at[2] = {};

	CHECK(text && id);
	make_pattern(pattern);
	for (uint32_t i = 0; i < MANY; i++) {
		number(pattern, i % (MANY - 1)); /* the last is the first again */
		memcpy(text + i * ID, pattern, ID);
		id[i] = (struct str) { text + i * ID, ID };
	}
	CHECK(hash_stable(text, ID) == hash_stable(text + ID, ID));
	CHECK_EQ(ids_of_list(id, MANY, &ids), 0);
	CHECK_EQ(ids_index_new(&ids, &index), 0);
	CHECK_EQ(ids_index_find(index, ids.hash[7], &first), MANY);
	for (uint32_t i = 0; i < 2; i++)
		at[i] = ids_index_row(index, first + i);
	return at[0] == 0 && at[1] == MANY - 1;
}

/* SOME documents of one hash as a JSON array, numbers from one on. */
static const char *documents(uint32_t from, int value, struct buf *out)
{
	char pattern[ID];

	make_pattern(pattern);
	for (uint32_t i = from; i < from + SOME; i++) {
		number(pattern, i);
		buf_addf(out, "%s{\"_id\":\"%.40s\",\"v\":%d}", i > from ? "," : "[", pattern,
			 value);
	}
	buf_add_str(out, "]");
	return buf_text(out);
}

/* Whether document n has a value. */
static bool has(struct fixture *f, uint32_t n, const char *value)
{
	auto_buf struct buf got = buf_make(1 << 16);
	char id[ID + 1] = "";

	make_pattern(id);
	number(id, n);
	return fixture_get(f, "c", id, &got) == 0 && strstr(buf_text(&got), value);
}

static bool documents_of_one_hash_replace_each_other_only(void)
{
	auto_fixture struct fixture f = {};
	auto_buf struct buf a = buf_make(1 << 20), b = buf_make(1 << 20);
	char id[ID + 1] = "";

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "c", 0), 0);
	CHECK_EQ(fixture_add(&f, "c", documents(0, 1, &a), 1, nullptr), 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK_EQ(fixture_add(&f, "c", documents(SOME / 2, 2, &b), 2, nullptr), 0);
	CHECK_EQ(fixture_count(&f, "c"), SOME + SOME / 2);
	CHECK(has(&f, SOME / 2 - 1, "\"v\":1") && has(&f, SOME / 2, "\"v\":2"));
	CHECK_EQ(fixture_add(&f, "c", buf_text(&b), 3, nullptr), 0);
	CHECK_EQ(fixture_count(&f, "c"), SOME + SOME / 2);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK(has(&f, SOME - 1, "\"v\":2") && has(&f, SOME + 1, "\"v\":2") &&
	      has(&f, 0, "\"v\":1"));
	make_pattern(id);
	number(id, 3);
	CHECK_EQ(fixture_delete(&f, "c", id), 0);
	CHECK(!has(&f, 3, "v") && has(&f, 4, "v"));
	return fixture_count(&f, "c") == SOME + SOME / 2 - 1;
}

int main(void)
{
	RUN(ids_of_one_hash_are_told_apart);
	RUN(documents_of_one_hash_replace_each_other_only);
	return tap_done();
}
