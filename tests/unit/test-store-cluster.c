/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk_key.h"
#include "service/snapshot/cluster.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

/* --- a plan -------------------------------------------------------------------------------- */

constexpr uint32_t SOURCES = 5;
constexpr uint32_t ROWS = 700; /* of each */

/* What of a document is the key. */
enum shape : uint8_t {
	NUMBERS,      /* all different */
	FEW,	      /* five values */
	LONG_STRINGS, /* that differ far behind */
	TIMES,	      /* each source has a range of its own */
	SHAPES,
};

static int put(struct builder *builder, enum shape shape, uint32_t n)
{
	uint32_t mixed = n * 2'654'435'761u;
	char json[160];

	if (shape == NUMBERS)
		(void)snprintf(json, sizeof(json), "{\"k\":%u}", mixed);
	else if (shape == FEW)
		(void)snprintf(json, sizeof(json), "{\"k\":\"%u\"}", mixed >> 8 & 3);
	else if (shape == LONG_STRINGS)
		(void)snprintf(json, sizeof(json),
			       "{\"k\":\"https://example.org/a/long/way/%010u/%u\"}",
			       mixed >> 16 & 63, mixed);
	else
		(void)snprintf(json, sizeof(json), "{\"k\":%u}", n);
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	int len = snprintf(json, sizeof(json), "%u", n);
	int r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), json, (size_t)len, 1)
		    : -ENOMEM;
	yyjson_doc_free(doc);
	return r;
}

static int make_sources(enum shape shape, struct cluster_source *source)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = builder_new(&builder);

	for (uint32_t i = 0; r == 0 && i < SOURCES; i++) {
		auto_buf struct buf bytes = buf_make(1 << 24);

		builder_clear(builder);
		for (uint32_t row = 0; r == 0 && row < ROWS; row++)
			r = put(builder, shape, i * ROWS + row);
		if (r == 0)
			r = builder_pack(builder, &bytes);
		if (r == 0)
			r = chunk_open(&bytes.data, bytes.len, &source[i].chunk);
	}
	return r;
}

static void drop_sources(struct cluster_source *source)
{
	for (uint32_t i = 0; i < SOURCES; i++)
		chunk_unref(source[i].chunk);
}

/* The ranges of new chunks, as the plan's rows give them. */
struct ranges {
	const struct cluster_source *source;
	const uint8_t *where;
	uint8_t min[CLUSTER_SOURCES_MAX][CHUNK_KEY_BYTES],
		max[CLUSTER_SOURCES_MAX][CHUNK_KEY_BYTES];
	uint32_t rows[CLUSTER_SOURCES_MAX];
};

static void on_row(void *userdata, uint32_t row, const uint8_t *key, size_t)
{
	struct ranges *ranges = userdata;
	uint8_t target = ranges->where[row];

	if (target >= CLUSTER_SOURCES_MAX)
		return;
	if (ranges->rows[target]++ == 0 || memcmp(key, ranges->min[target], CHUNK_KEY_BYTES) < 0)
		memcpy(ranges->min[target], key, CHUNK_KEY_BYTES);
	if (memcmp(key, ranges->max[target], CHUNK_KEY_BYTES) > 0)
		memcpy(ranges->max[target], key, CHUNK_KEY_BYTES);
}

static bool is_clustered(const struct cluster *cluster, const struct cluster_source *source,
			 uint32_t want_rows, uint32_t rows_max)
{
	auto_free struct ranges *ranges = calloc(1, sizeof(*ranges));
	uint32_t rows = 0;

	CHECK(ranges);
	for (uint32_t i = 0; i < SOURCES; i++) {
		ranges->where = cluster_where(cluster, i);
		CHECK_EQ(chunk_key_each(source[i].chunk, "k", on_row, ranges), 0);
	}
	for (uint32_t t = 0; t < cluster_targets(cluster); t++) {
		uint32_t counted = 0;

		for (uint32_t i = 0; i < SOURCES; i++)
			counted += cluster_rows(cluster, i, t);
		CHECK_EQ(counted, ranges->rows[t]);
		CHECK(counted > 0 && counted <= rows_max);
		rows += counted;
		if (t > 0)
			CHECK(memcmp(ranges->max[t - 1], ranges->min[t], CHUNK_KEY_BYTES) <= 0);
	}
	CHECK_EQ(rows, want_rows);
	return true;
}

static bool new_chunks_are_full_and_have_ranges_to_themselves(void)
{
	for (enum shape shape = 0; shape < SHAPES; shape++) {
		static const uint32_t MOST[] = { 1, 97, ROWS, 5 * ROWS, CHUNK_ROWS };
		struct cluster_source source[SOURCES] = {};

		CHECK_EQ(make_sources(shape, source), 0);
		for (size_t i = 1; i < countof(MOST); i++) {
			cleanup(cluster_free_at) struct cluster *cluster = nullptr;
			uint32_t want = (SOURCES * ROWS + MOST[i] - 1) / MOST[i];

			CHECK_EQ(cluster_new(source, SOURCES, "k", MOST[i], &cluster), 0);
			CHECK_EQ(cluster_targets(cluster), want);
			CHECK(is_clustered(cluster, source, SOURCES * ROWS, MOST[i]));
		}
		cleanup(cluster_free_at) struct cluster *cluster = nullptr;
		CHECK_EQ(cluster_new(source, SOURCES, "k", MOST[0], &cluster), -EOVERFLOW);
		drop_sources(source);
	}
	return true;
}

static bool deleted_rows_go_nowhere(void)
{
	struct cluster_source source[SOURCES] = {};
	cleanup(cluster_free_at) struct cluster *cluster = nullptr, *none = nullptr;
	auto_free uint64_t *odd = calloc(CHUNK_ROWS / 64, 8), *all = calloc(CHUNK_ROWS / 64, 8);

	CHECK(odd && all);
	memset(odd, 0x55, CHUNK_ROWS / 8);
	memset(all, 0xff, CHUNK_ROWS / 8);
	CHECK_EQ(make_sources(FEW, source), 0);
	source[1].deleted = odd;
	source[3].deleted = all;
	CHECK_EQ(cluster_new(source, SOURCES, "k", 100, &cluster), 0);
	CHECK(is_clustered(cluster, source, 3 * ROWS + ROWS / 2, 100));
	CHECK(cluster_where(cluster, 1)[0] >= cluster_targets(cluster));
	for (uint32_t i = 0; i < SOURCES; i++)
		source[i].deleted = all;
	CHECK_EQ(cluster_new(source, SOURCES, "k", 100, &none), 0);
	CHECK_EQ(cluster_targets(none), 0u);
	drop_sources(source);
	return true;
}

static bool a_chunk_that_overlaps_no_other_stays_as_it_is(void)
{
	struct cluster_source source[SOURCES] = {};
	cleanup(cluster_free_at) struct cluster *cluster = nullptr, *other = nullptr;

	CHECK_EQ(make_sources(TIMES, source), 0);
	source[0].whole = source[2].whole = source[4].whole = true;
	CHECK_EQ(cluster_new(source, SOURCES, "k", ROWS, &cluster), 0);
	CHECK_EQ(cluster_targets(cluster), SOURCES);
	for (uint32_t i = 0; i < SOURCES; i++)
		CHECK_EQ(cluster_copied(cluster, i), i % 2 ? CHUNK_NONE : i);
	CHECK(is_clustered(cluster, source, SOURCES * ROWS, ROWS));
	drop_sources(source);
	CHECK_EQ(make_sources(NUMBERS, source), 0);
	CHECK_EQ(cluster_new(source, SOURCES, "k", ROWS, &other), 0);
	for (uint32_t i = 0; i < SOURCES; i++)
		CHECK_EQ(cluster_copied(other, i), CHUNK_NONE);
	drop_sources(source);
	return true;
}

static bool every_failed_allocation_of_a_plan_is_passed_on(void)
{
	struct cluster_source source[SOURCES] = {};

	CHECK_EQ(make_sources(LONG_STRINGS, source), 0);
	for (size_t n = 1;; n++) {
		cleanup(cluster_free_at) struct cluster *cluster = nullptr;

		fault_at(n);
		int r = cluster_new(source, SOURCES, "k", 100, &cluster);
		bool hit = fault_end();

		/* qsort() can do without the memory it asks for. */
		CHECK(r == 0 || (hit && r == -ENOMEM));
		CHECK((r == 0) == (cluster != nullptr));
		if (!hit)
			break;
	}
	drop_sources(source);
	return true;
}

/* --- a store ------------------------------------------------------------------------------- */

constexpr uint32_t BATCHES = 8;
constexpr uint32_t MANY =
	9'000; /* documents in a batch, which is sealed by itself: together more than a chunk */

static int create(struct fixture *f, const char *clustering_key)
{
	return catalog_collection_create(f->store,
					 &(struct collection) { .workspace = "commons",
								.name = "c",
								.created_by = "ann",
								.clustering_key = clustering_key,
								.created_us = 1 });
}

static int64_t key_of(uint32_t n)
{
	return n * 7919 % 72'007;
}

/* Write documents n to n + count - 1, each with a key k and v. */
static int write_many(struct fixture *f, uint32_t n, uint32_t count, int64_t v)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	auto_buf struct buf packed = buf_make(1 << 12);
	auto_free enum document_status *status = calloc(count, sizeof(*status));
	uint8_t id[DOCUMENTS_ID] = {};
	int r = status ? builder_new(&builder) : -ENOMEM;

	for (uint32_t i = n; r == 0 && i < n + count; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "i%u", i);
		struct value value;

		buf_clear(&packed);
		value_put_object(&packed);
		value_put_key(&packed, "_id", 3);
		value_put_string(&packed, name, (size_t)len);
		value_put_key(&packed, "_event_time", 11);
		value_put_moment(&packed, VALUE_TIMESTAMP, 1);
		value_put_key(&packed, "o", 1);
		value_put_object(&packed);
		value_put_key(&packed, "k", 1);
		value_put_int(&packed, key_of(i));
		value_put_end(&packed);
		value_put_key(&packed, "v", 1);
		value_put_int(&packed, v);
		value_put_end(&packed);
		r = value_open(packed.data, packed.len, &value) ? builder_add_value(builder, &value)
								: -EINVAL;
	}
	memcpy(id, &n, sizeof(n));
	memcpy(id + 8, &v, sizeof(v));
	return r ? r : documents_add(f->store, "commons", "c", builder, id, status);
}

/* Whether chunks have ranges of o.k to themselves, by their statistics. */
static bool has_ranges(struct fixture *f, size_t least_chunks)
{
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;

	CHECK_EQ(store_snapshot(f->store, "commons", "c", &now), 0);
	size_t n = snapshot_chunks(now);
	CHECK(n >= least_chunks);
	for (size_t i = 0; i < n; i++) {
		const struct snapshot_chunk *view = snapshot_chunk(now, i);
		const struct chunk_column *column[2];

		if (view->segment == 0)
			continue;
		for (size_t k = 0; k < i; k++) {
			struct chunk *chunk[2] = { view->chunk, snapshot_chunk(now, k)->chunk };

			for (size_t e = 0; e < 2; e++)
				column[e] = chunk_column(
					chunk[e],
					chunk_child(chunk[e], chunk_child(chunk[e], 0, "o", 1), "k",
						    1));
			CHECK(column[0]->int_max < column[1]->int_min ||
			      column[1]->int_max < column[0]->int_min);
		}
	}
	return true;
}

static bool reads(struct fixture *f, uint32_t n, int64_t v)
{
	auto_buf struct buf got = buf_make(1 << 12);
	char id[16], want[128] = "";

	(void)snprintf(id, sizeof(id), "i%u", n);
	if (v >= 0)
		(void)snprintf(
			want, sizeof(want),
			"{\"_id\":\"%s\",\"_event_time\":\"1970-01-01T00:00:00.000001Z\",\"o\":{\"k\":%lld},\"v\":%lld}\n",
			id, (long long)key_of(n), (long long)v);
	CHECK_EQ(fixture_get(f, "c", id, &got), 0);
	const char *text = buf_text(&got);
	if (!text || strcmp(text, want) != 0)
		printf("# got %s# want %s", text ? text : "nothing", want);
	return text && strcmp(text, want) == 0;
}

/* What comes while a segment is written. */
struct meanwhile {
	struct fixture *f;
	int64_t v;	      /* of what is written; 0: nothing any more */
	uint32_t from, count; /* what is written */
	int files;	      /* begun since v was set */
	int r;
};

/* At the first write to the second segment's file, which is a merge's: delete some documents and write others anew. */
static int on_step(void *userdata, enum file_step step, const char *name, size_t)
{
	struct meanwhile *meanwhile = userdata;
	int64_t v = meanwhile->v;

	if (v == 0 || !strstr(name, ".segment.new"))
		return 0;
	meanwhile->files += step == FILE_CREATE;
	if (step != FILE_WRITE || meanwhile->files < 2)
		return 0;
	meanwhile->v = 0;
	meanwhile->r = write_many(meanwhile->f, meanwhile->from, meanwhile->count, v);
	for (uint32_t n = 100; meanwhile->r == 0 && n < 60'000; n += 9973) {
		char id[16];

		(void)snprintf(id, sizeof(id), "i%u", n);
		meanwhile->r = fixture_delete(meanwhile->f, "c", id);
	}
	return 0;
}

static bool holds(struct fixture *f, int64_t v)
{
	CHECK_EQ(fixture_count(f, "c"), (int64_t)BATCHES * MANY - 7);
	for (uint32_t n = 100; n < 60'000; n += 9973)
		CHECK(reads(f, n, -1));
	for (uint32_t n = 7; n < BATCHES * MANY; n += 997)
		CHECK(reads(f, n, n >= 17'000 && n < 19'000 ? v : n % 9973 == 100 ? -1 : 1));
	return true;
}

/* Seal batches one by one and merge them, while what meanwhile says comes. */
static bool merge_with(struct fixture *f, struct meanwhile *meanwhile)
{
	f->hook = on_step;
	f->hook_data = meanwhile;
	CHECK(fixture_init(f));
	CHECK_EQ(create(f, "o.k\nv"), 0);
	for (uint32_t i = 0; i < BATCHES; i++) {
		CHECK_EQ(write_many(f, i * MANY, MANY, 1), 0);
		meanwhile->v = i + 1 < BATCHES ? 0 : 2;
		CHECK_EQ(store_keep(f->store, STORE_KEEP_SEAL), 0);
	}
	return true;
}

static bool is_key(void *userdata, const struct collection *collection)
{
	const char **want = userdata;

	if (collection->clustering_key && strcmp(collection->clustering_key, *want) == 0)
		*want = nullptr;
	return true;
}

/* Whether the catalog says so. */
static bool has_key(struct fixture *f, const char *key)
{
	return catalog_collections(f->store, "commons", "c", is_key, &key) == 0 && !key;
}

static bool a_merge_gives_each_chunk_a_range_and_carries_over_what_came_meanwhile(void)
{
	auto_fixture struct fixture f = {};
	struct meanwhile meanwhile = { .f = &f, .from = 17'000, .count = 2000 };

	CHECK(merge_with(&f, &meanwhile));
	CHECK(meanwhile.v == 0 && meanwhile.r == 0);
	CHECK(has_ranges(&f, 2));
	CHECK(holds(&f, 2));
	CHECK_EQ(fixture_again(&f), 0);
	CHECK(has_key(&f, "o.k\nv") && has_ranges(&f, 2) && holds(&f, 2));
	meanwhile.v = 3;
	meanwhile.files = 0;
	CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	CHECK(meanwhile.v == 0 && meanwhile.r == 0);
	return holds(&f, 3);
}

static bool what_fills_memory_during_a_merge_is_sealed_in_between(void)
{
	auto_fixture struct fixture f = {};
	struct meanwhile meanwhile = { .f = &f, .from = BATCHES * MANY, .count = CHUNK_ROWS - 1 };
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;

	CHECK(merge_with(&f, &meanwhile));
	CHECK(meanwhile.v == 0 && meanwhile.r == 0);
	CHECK_EQ(store_snapshot(f.store, "commons", "c", &now), 0);
	CHECK_EQ(snapshot_chunks(now), 3u);
	for (size_t i = 0; i < snapshot_chunks(now); i++)
		CHECK(snapshot_chunk(now, i)->segment != 0);
	now = snapshot_unref(now);
	CHECK_EQ(fixture_count(&f, "c"), (int64_t)BATCHES * MANY - 7 + CHUNK_ROWS - 1);
	CHECK(reads(&f, BATCHES * MANY, 2) && reads(&f, 100, -1));
	CHECK_EQ(fixture_again(&f), 0);
	CHECK_EQ(fixture_count(&f, "c"), (int64_t)BATCHES * MANY - 7 + CHUNK_ROWS - 1);
	return reads(&f, BATCHES * MANY, 2) && reads(&f, 100, -1);
}

static bool every_failed_allocation_of_the_keeper_is_survived(void)
{
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(create(&f, "x"), 0);
	for (size_t n = 1;; n++) {
		CHECK_EQ(fixture_add(&f, "c", "[{\"_id\":\"x\",\"x\":2},{\"_id\":\"y\",\"x\":[1]}]",
				     n, nullptr),
			 0);
		fault_at(n);
		int r = store_keep(f.store, STORE_KEEP_PURGE);
		bool hit = fault_end();

		CHECK_EQ(fixture_count(&f, "c"), 2);
		if (!hit)
			return r == 0;
		CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	}
}

int main(void)
{
	RUN(new_chunks_are_full_and_have_ranges_to_themselves);
	RUN(deleted_rows_go_nowhere);
	RUN(a_chunk_that_overlaps_no_other_stays_as_it_is);
	RUN(every_failed_allocation_of_a_plan_is_passed_on);
	RUN(a_merge_gives_each_chunk_a_range_and_carries_over_what_came_meanwhile);
	RUN(what_fills_memory_during_a_merge_is_sealed_in_between);
	RUN(every_failed_allocation_of_the_keeper_is_survived);
	return tap_done();
}
