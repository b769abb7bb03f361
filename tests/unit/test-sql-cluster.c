/* SPDX-License-Identifier: Apache-2.0 */

/* What a clustering key spares a query. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/sql-fixture.h"

constexpr uint32_t BATCHES = 8;
constexpr uint32_t MANY = 17'000; /* documents in a batch: together more than two chunks */
constexpr uint32_t TENANTS = 1000;

static int write_batch(struct builder *builder, const char *name, uint32_t batch)
{
	auto_buf struct buf packed = buf_make(1 << 12);
	int r = 0;

	builder_clear(builder);
	for (uint32_t i = batch * MANY; r == 0 && i < (batch + 1) * MANY; i++) {
		struct value value;
		char text[32];
		int len = snprintf(text, sizeof(text), "%u", i);

		buf_clear(&packed);
		value_put_object(&packed);
		value_put_key(&packed, "_id", 3);
		value_put_string(&packed, text, (size_t)len);
		value_put_key(&packed, "_event_time", 11);
		value_put_moment(&packed, VALUE_TIMESTAMP, 1);
		value_put_key(&packed, "tenant", 6);
		len = snprintf(text, sizeof(text), "tenant-%04u", i % TENANTS);
		value_put_string(&packed, text, (size_t)len);
		value_put_key(&packed, "size", 4);
		value_put_int(&packed, i / TENANTS);
		value_put_end(&packed);
		r = value_open(packed.data, packed.len, &value) ? builder_add_value(builder, &value)
								: -1;
	}
	return r ? r : fixture_store(&f, name, builder);
}

static bool load(const char *name, const char *key)
{
	CHECK_EQ(catalog_collection_create(f.store, &(struct collection) { .workspace = "commons",
									   .name = name,
									   .created_by = "ann",
									   .clustering_key = key,
									   .created_us = 1 }),
		 0);
	for (uint32_t i = 0; i < BATCHES; i++) {
		CHECK_EQ(write_batch(f.builder, name, i), 0);
		CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	}
	return true;
}

/* Run a query, whose only row is at least so; *ret_skipped is how many chunks it did not read. */
static bool skips(const char *text, const char *want, uint64_t *ret_skipped)
{
	cleanup(sql_result_done) struct sql_result result = {};

	CHECK_EQ(run(text, &result, 60'000'000), 0);
	const char *rows = buf_text(&result.rows);
	if (!rows || strcmp(rows, want) != 0)
		printf("# %s\n# gave %s\n# want %s\n", text, rows ? rows : "nothing", want);
	CHECK(rows && strcmp(rows, want) == 0);
	*ret_skipped = result.figures.chunks_skipped;
	return true;
}

static bool chunks_without_the_value_are_skipped_and_the_answer_is_the_same(void)
{
	static const char *const CONDITIONS[][2] = {
		{ "tenant = 'tenant-0123'", "[{\"n\":136,\"s\":9180}]" },
		{ "tenant IN ('tenant-0123', 'tenant-0124')", "[{\"n\":272,\"s\":18360}]" },
	};

	CHECK(load("clustered", "tenant\nsize") && load("plain", nullptr));
	for (size_t i = 0; i < countof(CONDITIONS); i++) {
		char text[128];
		uint64_t skipped = 0, plain = 0;

		(void)snprintf(text, sizeof(text),
			       "SELECT COUNT(*) n, SUM(size) s FROM clustered WHERE %s",
			       CONDITIONS[i][0]);
		CHECK(skips(text, CONDITIONS[i][1], &skipped));
		(void)snprintf(text, sizeof(text),
			       "SELECT COUNT(*) n, SUM(size) s FROM plain WHERE %s",
			       CONDITIONS[i][0]);
		CHECK(skips(text, CONDITIONS[i][1], &plain));
		CHECK_EQ(skipped, 2u);
		CHECK_EQ(plain, 0u);
	}
	return true;
}

int main(void)
{
	if (!sql_fixture_init()) {
		printf("Bail out! no fixture\n");
		return 1;
	}
	RUN(chunks_without_the_value_are_skipped_and_the_answer_is_the_same);
	fixture_done(&f);
	return tap_done();
}
