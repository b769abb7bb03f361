/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store-fixture: a store in a temporary folder, with its keys, and documents for it; for the store's own tests.
 */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/chunk/document.h"
#include "service/keys/keys.h"
#include "service/snapshot/snapshot.h"
#include "service/store/catalog.h"
#include "service/store/documents.h"
#include "service/store/store.h"
#include "service/value/value_json.h"

struct fixture {
	char folder[32];
	struct keys *keys;
	struct store *store;
	file_hook_fn *hook;
	void *hook_data;
	char damage[STORE_DAMAGE];
};

static inline int fixture_remove(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

static inline void fixture_close(struct fixture *f)
{
	f->store = store_close(f->store);
	f->keys = keys_close(f->keys);
}

static inline void fixture_done(struct fixture *f)
{
	fixture_close(f);
	if (f->folder[0])
		(void)nftw(f->folder, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}
#define auto_fixture cleanup(fixture_done)

/* Open, or open again, the store of a fixture. Returns what store_open() does. */
static inline int fixture_open(struct fixture *f)
{
	char keys[48], store[48];

	(void)snprintf(keys, sizeof(keys), "%s/keys", f->folder);
	(void)snprintf(store, sizeof(store), "%s/engine", f->folder);
	(void)mkdir(keys, 0700);
	(void)mkdir(store, 0700);
	int r = f->keys ? 0 : keys_open_file(keys, &f->keys);
	return r ? r
		 : store_open(store,
			      &(struct store_options) { .keys = f->keys,
							.hook = f->hook,
							.hook_data = f->hook_data,
							.ret_damage = f->damage },
			      &f->store);
}

/* Close and open again. */
static inline int fixture_again(struct fixture *f)
{
	fixture_close(f);
	return fixture_open(f);
}

static inline bool fixture_init(struct fixture *f)
{
	const char *where = getenv("TMPDIR");

	(void)snprintf(f->folder, sizeof(f->folder), "%.16s/store-XXXXXX", where ? where : "/tmp");
	return mkdtemp(f->folder) && fixture_open(f) == 0;
}

/* Make a collection in commons. */
static inline int fixture_collection(struct fixture *f, const char *name, int64_t retention_secs)
{
	return catalog_collection_create(f->store,
					 &(struct collection) { .workspace = "commons",
								.name = name,
								.created_by = "ann",
								.retention_secs = retention_secs,
								.created_us = 1 });
}

/* Add the documents of a JSON array as a batch with an id made of a number. status may be nullptr. */
static inline int fixture_add(struct fixture *f, const char *name, const char *json,
			      uint64_t number, enum document_status *status)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	enum document_status own[1000];
	uint8_t id[DOCUMENTS_ID] = {};
	yyjson_doc *read = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	yyjson_val *value;
	size_t i, max;
	int r = read ? builder_new(&builder) : -ENOMEM;

	yyjson_arr_foreach(yyjson_doc_get_root(read), i, max, value)
	{
		char text[32];
		int len = snprintf(text, sizeof(text), "id-%zu", i + 1);

		if (r == 0)
			r = builder_add_json(builder, value, text, (size_t)len, 1700000000000000);
	}
	yyjson_doc_free(read);
	memcpy(id, &number, sizeof(number));
	return r ? r : documents_add(f->store, "commons", name, builder, id, status ? status : own);
}

/* Delete one document. */
static inline int fixture_delete(struct fixture *f, const char *name, const char *id)
{
	struct str text = { id, (uint32_t)strlen(id) };
	enum document_status status = DOCUMENT_ADDED;

	return documents_delete(f->store, "commons", name, &text, 1, &status);
}

/* Add a document as JSON and a line end, by its id; nothing if there is none. Returns 0 or -errno. */
static inline int fixture_get(struct fixture *f, const char *name, const char *id, struct buf *out)
{
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;
	cleanup(document_reader_free_at) struct document_reader *reader = nullptr;
	auto_buf struct buf packed = buf_make(1 << 20);
	struct value value;
	size_t chunk = 0;
	uint32_t row = 0;
	int r = store_snapshot(f->store, "commons", name, &now);

	if (r)
		return r;
	r = snapshot_find(now, id, strlen(id), &chunk, &row);
	if (r <= 0)
		return r;
	r = document_reader_new(snapshot_chunk(now, chunk)->chunk, &reader);
	if (r == 0)
		r = document_read(reader, 0, row, &packed);
	if (r == 0 && !value_open(packed.data, packed.len, &value))
		r = -EBADMSG;
	if (r == 0)
		r = value_to_json(&value, VALUE_JSON_RESULT, out);
	buf_add_str(out, "\n");
	return r;
}

/* Documents in a collection by its snapshot, counted row by row; -1 if it cannot be read. */
static inline int64_t fixture_count(struct fixture *f, const char *name)
{
	cleanup(snapshot_unref_at) struct snapshot *now = nullptr;
	int64_t n = 0;

	if (store_snapshot(f->store, "commons", name, &now))
		return -1;
	for (size_t i = 0; i < snapshot_chunks(now); i++)
		n += chunk_rows(snapshot_chunk(now, i)->chunk) - snapshot_chunk(now, i)->n_deleted;
	return n == snapshot_documents(now) ? n : -1;
}
