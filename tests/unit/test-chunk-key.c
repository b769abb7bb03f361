/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/chunk_key.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/chunk-fixture.h"

/* Documents of which each comes before the next by a, and by o.p if a is the same. */
static const char *const ASCENDING[] = {
	"{}",
	"{\"a\":null,\"o\":{\"p\":1}}",
	"{\"a\":-1e300}",
	"{\"a\":-9223372036854775807}",
	"{\"a\":-9007199254740993}",
	"{\"a\":-9007199254740992}",
	"{\"a\":-2.5}",
	"{\"a\":-2}",
	"{\"a\":0}",
	"{\"a\":0.001}",
	"{\"a\":1,\"o\":7}",
	"{\"a\":1.0,\"o\":{\"p\":[1]}}",
	"{\"a\":9007199254740992.0}",
	"{\"a\":9007199254740993}",
	"{\"a\":9223372036854775806}",
	"{\"a\":9223372036854775807}",
	"{\"a\":9223372036854775808}",
	"{\"a\":\"\"}",
	"{\"a\":\"\\u0000\"}",
	"{\"a\":\"\\u0000a\"}",
	"{\"a\":\"\\u0001\"}",
	"{\"a\":\"a\",\"o\":{\"p\":\"z\"}}",
	"{\"a\":\"a\\u0000\"}",
	"{\"a\":\"a\\u0001\"}",
	"{\"a\":\"aa\",\"o\":{\"p\":1}}",
	"{\"a\":\"aa\",\"o\":{\"p\":\"1\"}}",
	"{\"a\":\"\xc3\xa4\"}",
	"{\"a\":false}",
	"{\"a\":true}",
	"{\"a\":{\"__rockset_type\":\"date\",\"value\":\"1969-12-31\"}}",
	"{\"a\":{\"__rockset_type\":\"date\",\"value\":\"2020-01-01\"}}",
	"{\"a\":[9]}",
	"{\"a\":{}}",
};

struct seen {
	uint8_t key[CHUNK_KEY_BYTES];
	size_t len;
	uint32_t n, wrong;
};

static void on_key(void *userdata, uint32_t row, const uint8_t *key, size_t len)
{
	struct seen *seen = userdata;

	if (row != seen->n || (row > 0 && memcmp(seen->key, key, CHUNK_KEY_BYTES) >= 0)) {
		printf("# %s\n", ASCENDING[row]);
		seen->wrong++;
	}
	memcpy(seen->key, key, CHUNK_KEY_BYTES);
	seen->len = len;
	seen->n++;
}

static struct chunk *chunk_of(const char *const *json, size_t n)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	struct chunk *chunk = nullptr;
	int r = builder_new(&builder);

	for (size_t i = 0; r == 0 && i < n; i++) {
		char id[24];

		(void)snprintf(id, sizeof(id), "%zu", i);
		r = add_text(builder, json[i], id);
		if (r)
			printf("# %s: %d\n", json[i], r);
	}
	if (r == 0)
		r = pack_chunk(builder, &chunk);
	return r ? nullptr : chunk;
}

static bool keys_sort_as_values_do(void)
{
	cleanup(chunk_unref_at) struct chunk *chunk = chunk_of(ASCENDING, countof(ASCENDING));
	struct seen seen = {};

	CHECK(chunk);
	CHECK_EQ(chunk_key_each(chunk, "a\no.p", on_key, &seen), 0);
	CHECK_EQ(seen.n, (uint32_t)countof(ASCENDING));
	return seen.wrong == 0;
}

/* Counts a kind of key instead of comparing. */
static void on_same(void *userdata, uint32_t, const uint8_t *key, size_t len)
{
	struct seen *seen = userdata;

	seen->n += seen->len == len && memcmp(seen->key, key, CHUNK_KEY_BYTES) == 0;
	memcpy(seen->key, key, CHUNK_KEY_BYTES);
	seen->len = len;
}

static bool what_is_not_there_and_what_is_too_long_is_equal(void)
{
	static const char *const LONG[] = {
		"{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123456789x\"}",
		"{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123456789y\"}",
	};
	cleanup(chunk_unref_at) struct chunk *chunk = chunk_of(LONG, countof(LONG));
	struct seen seen = {};

	CHECK(chunk);
	CHECK_EQ(chunk_key_each(chunk, "a", on_same, &seen), 0);
	CHECK(seen.n == 1 && seen.len == CHUNK_KEY_BYTES);
	seen = (struct seen) {};
	CHECK_EQ(chunk_key_each(chunk, "b\na.b\n_id.x\n", on_same, &seen), 0);
	return seen.n == 1 && seen.len == 4;
}

static bool every_failed_allocation_is_passed_on(void)
{
	cleanup(chunk_unref_at) struct chunk *chunk = chunk_of(ASCENDING, countof(ASCENDING));

	CHECK(chunk);
	for (size_t n = 1;; n++) {
		struct seen seen = {};

		fault_at(n);
		int r = chunk_key_each(chunk, "a", on_same, &seen);
		bool hit = fault_end();

		CHECK_EQ(r, hit ? -ENOMEM : 0);
		if (!hit)
			return n > 1;
	}
}

int main(void)
{
	RUN(keys_sort_as_values_do);
	RUN(what_is_not_there_and_what_is_too_long_is_equal);
	RUN(every_failed_allocation_is_passed_on);
	return tap_done();
}
