/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store-read: a store whose files were tampered with, used as if they were not; for the store's fuzzers.
 *
 * Damage may end a call, and may make a collection unusable; it must not end the process, nor touch another collection.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/document.h"
#include "service/snapshot/snapshot.h"
#include "service/store/catalog.h"
#include "tests/unit/store-fixture.h"

constexpr uint32_t STORE_READ_ROWS = 300; /* of a chunk */

/* Whether this may come of damage. */
static inline bool store_read_may_fail(int r)
{
	return r == 0 || r == -EBADMSG || r == -ENOKEY || r == -EMSGSIZE || r == CHUNK_DAMAGED;
}

/* Read documents of a chunk. */
static inline void store_read_chunk(const struct snapshot_chunk *at)
{
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf packed = buf_make(1 << 20);
	uint32_t rows = chunk_rows(at->chunk);
	int r = document_reader_new(at->chunk, &reader);

	if (!store_read_may_fail(r))
		abort();
	for (uint32_t i = 0; r == 0 && i < rows && i < STORE_READ_ROWS; i++) {
		buf_clear(&packed);
		if (!store_read_may_fail(document_read(reader, 0, i, &packed)))
			abort();
	}
}

/* Read all that a collection has. Returns how many documents it says it has, or -1 if it cannot be used. */
static inline int64_t store_read(struct fixture *f, const char *name)
{
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;
	size_t chunk = 0;
	uint32_t row = 0;
	int r = store_snapshot(f->store, "commons", name, &now);

	if (r) {
		if (!store_read_may_fail(r))
			abort();
		return -1;
	}
	for (size_t i = 0; i < snapshot_chunks(now); i++)
		store_read_chunk(snapshot_chunk(now, i));
	r = snapshot_find(now, "a1", 2, &chunk, &row);
	if (r < 0 && !store_read_may_fail(r))
		abort();
	if (r == 1 &&
	    (chunk >= snapshot_chunks(now) || row >= chunk_rows(snapshot_chunk(now, chunk)->chunk)))
		abort();
	return snapshot_documents(now);
}

/* A store with the collections "c", which is to be tampered with, and "other". */
static inline bool store_read_make(struct fixture *f)
{
	return fixture_init(f) && fixture_collection(f, "other", 0) == 0 &&
	       fixture_collection(f, "c", 0) == 0 &&
	       fixture_add(f, "other", "[{\"_id\":\"o\",\"v\":1}]", 1, nullptr) == 0 &&
	       fixture_add(f, "c", "[{\"_id\":\"a1\",\"v\":1},{\"_id\":\"a2\",\"v\":2}]", 2,
			   nullptr) == 0;
}

/* Open it again and use it: both collections, writes to them, and the keeper's work. */
static inline void store_read_again(struct fixture *f)
{
	int r = fixture_again(f);

	if (r > 0)
		return; /* the store says that it is damaged as a whole */
	if (r || fixture_count(f, "other") != 1)
		abort();
	int64_t before = store_read(f, "c");
	r = store_keep(f->store, STORE_KEEP_PURGE);
	if (!store_read_may_fail(r) || (r == 0 && store_read(f, "c") != before))
		abort();
	(void)!fixture_add(f, "c", "[{\"_id\":\"a1\",\"v\":3}]", 3, nullptr);
	(void)!fixture_delete(f, "c", "a2");
	(void)!store_read(f, "c");
	if (fixture_add(f, "other", "[{\"_id\":\"p\",\"v\":1}]", 4, nullptr) ||
	    fixture_count(f, "other") != 2)
		abort();
}
