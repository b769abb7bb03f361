/* SPDX-License-Identifier: Apache-2.0 */

/* Writers, readers and the keeper at the same time. */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/column.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

constexpr size_t WRITERS = 3;
constexpr int ROUNDS = 16;
constexpr int AGAIN = 50;  /* documents that each batch writes anew */
constexpr int MORE = 1500; /* documents that are new in each batch */

struct writer {
	struct fixture *f;
	size_t number;
	int failed;
};

static atomic_bool writing;

/* One batch: the documents aN-0 … of this writer with v = round, and new ones. */
static int write_round(struct writer *writer, struct builder *builder, int round)
{
	auto_free enum document_status *status = calloc(AGAIN + MORE, sizeof(*status));
	uint8_t id[DOCUMENTS_ID] = { (uint8_t)writer->number, (uint8_t)round, 1 };
	int r = status ? 0 : -ENOMEM;

	builder_clear(builder);
	for (int i = 0; r == 0 && i < AGAIN + MORE; i++) {
		char json[128];
		int len = i < AGAIN ? snprintf(json, sizeof(json), "{\"_id\":\"a%zu-%d\",\"v\":%d}",
					       writer->number, i, round)
				    : snprintf(json, sizeof(json),
					       "{\"_id\":\"b%zu-%d-%d\",\"v\":-1}", writer->number,
					       round, i);
		yyjson_doc *doc = yyjson_read(json, (size_t)len, YYJSON_READ_NOFLAG);

		r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), "x", 1, 1) : -ENOMEM;
		yyjson_doc_free(doc);
	}
	return r ? r : documents_add(writer->f->store, "commons", "c", builder, id, status);
}

static void *write_all(void *argument)
{
	struct writer *writer = argument;
	struct builder *builder = nullptr;

	writer->failed = builder_new(&builder);
	for (int round = 1; !writer->failed && round <= ROUNDS; round++) {
		char id[32];

		writer->failed = write_round(writer, builder, round);
		(void)snprintf(id, sizeof(id), "b%zu-%d-%d", writer->number, round, AGAIN);
		if (!writer->failed && round % 2)
			writer->failed = fixture_delete(writer->f, "c", id);
	}
	builder_free(builder);
	return nullptr;
}

/* v of a document in a snapshot; -1 if it is not there, -2 on an error. */
static int64_t v_of(const struct snapshot *now, const char *id)
{
	size_t chunk;
	uint32_t row;
	int r = snapshot_find(now, id, strlen(id), &chunk, &row);

	if (r <= 0)
		return r ? -2 : -1;
	struct chunk *in = snapshot_chunk(now, chunk)->chunk;
	cleanup(column_close) struct column column = {};
	if (column_open(in, chunk_child(in, 0, "v", 1), LANES_VALUES, &column))
		return -2;
	return column_int(&column, row);
}

/* Whether each writer's batches are seen as a whole. */
static bool is_whole(struct fixture *f)
{
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;

	CHECK_EQ(store_snapshot(f->store, "commons", "c", &now), 0);
	for (size_t w = 0; w < WRITERS; w++) {
		int64_t first = -1;

		for (int i = 0; i < AGAIN; i += 7) {
			char id[32];

			(void)snprintf(id, sizeof(id), "a%zu-%d", w, i);
			int64_t v = v_of(now, id);
			first = i == 0 ? v : first;
			CHECK_EQ(v, first);
		}
	}
	return true;
}

static void *read_all(void *argument)
{
	struct fixture *f = argument;
	bool good = true;

	while (good && atomic_load(&writing))
		good = is_whole(f);
	return good ? argument : nullptr;
}

static bool is_whole_while_the_keeper_rewrites(const char *clustering_key)
{
	auto_fixture struct fixture f = {};
	struct writer writer[WRITERS];
	pthread_t thread[WRITERS], reader;
	void *good = nullptr;

	CHECK(fixture_init(&f) && store_start_keeper(f.store) == 0);
	CHECK_EQ(catalog_collection_create(f.store,
					   &(struct collection) { .workspace = "commons",
								  .name = "c",
								  .created_by = "ann",
								  .clustering_key = clustering_key,
								  .created_us = 1 }),
		 0);
	atomic_store(&writing, true);
	CHECK_EQ(pthread_create(&reader, nullptr, read_all, &f), 0);
	for (size_t i = 0; i < WRITERS; i++) {
		writer[i] = (struct writer) { .f = &f, .number = i };
		CHECK_EQ(pthread_create(&thread[i], nullptr, write_all, &writer[i]), 0);
	}
	for (int i = 0; i < 12; i++)
		CHECK_EQ(store_keep(f.store, i % 4 == 3 ? STORE_KEEP_PURGE
					     : i % 2	? STORE_KEEP_SEAL
							: STORE_KEEP_DUE),
			 0);
	for (size_t i = 0; i < WRITERS; i++) {
		CHECK_EQ(pthread_join(thread[i], nullptr), 0);
		CHECK_EQ(writer[i].failed, 0);
	}
	atomic_store(&writing, false);
	CHECK_EQ(pthread_join(reader, &good), 0);
	CHECK(good);
	int64_t want = (int64_t)WRITERS * (AGAIN + ROUNDS * MORE - ROUNDS / 2);
	CHECK_EQ(fixture_count(&f, "c"), want);
	CHECK_EQ(fixture_again(&f), 0);
	CHECK_EQ(fixture_count(&f, "c"), want);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	CHECK_EQ(fixture_count(&f, "c"), want);
	return is_whole(&f);
}

static bool batches_are_seen_as_a_whole_while_the_keeper_rewrites_everything(void)
{
	return is_whole_while_the_keeper_rewrites(nullptr);
}

static bool so_they_are_while_it_clusters_everything(void)
{
	return is_whole_while_the_keeper_rewrites("v\n_id");
}

int main(void)
{
	RUN(batches_are_seen_as_a_whole_while_the_keeper_rewrites_everything);
	RUN(so_they_are_while_it_clusters_everything);
	return tap_done();
}
