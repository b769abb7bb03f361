/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * engine-fixture: a store in a temporary folder, with a few documents, for the tests of store, sql and engine.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/sql.h"
#include "service/store/catalog.h"
#include "service/store/documents.h"
#include "service/store/store.h"

struct fixture {
	char folder[32];
	struct store *store;
	struct store_reader *reader;
};

static inline void fixture_done(struct fixture *f)
{
	char path[64];

	f->reader = store_reader_free(f->reader);
	f->store = store_close(f->store);
	for (size_t i = 0; i < 3; i++) {
		static const char *const ENDS[] = { "", "-wal", "-shm" };

		(void)snprintf(path, sizeof(path), "%s/documents.sqlite%s", f->folder, ENDS[i]);
		(void)unlink(path);
	}
	(void)rmdir(f->folder);
}

/* Open, or open again, the store of a fixture. Returns whether that worked. */
static inline bool fixture_open(struct fixture *f)
{
	return store_open(f->folder, &f->store) == 0 &&
	       store_reader_new(f->store, &f->reader) == 0 && sql_attach(f->reader) == 0;
}

static inline bool fixture_init(struct fixture *f)
{
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/engine-XXXXXX");
	return mkdtemp(f->folder) && fixture_open(f);
}

/* Make a collection in commons. */
static inline int fixture_collection(struct fixture *f, const char *name)
{
	return catalog_collection_create(f->store, &(struct collection) { .workspace = "commons",
									  .name = name,
									  .created_by = "ann",
									  .created_us = 1 });
}

/* Add the documents of a JSON array. Returns what documents_add() does, or the first document's outcome. */
static inline int fixture_add(struct fixture *f, const char *name, const char *json)
{
	auto_buf struct buf room = buf_make(DOCUMENT_MAX);
	struct document doc[64] = {};
	yyjson_doc *read = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	yyjson_val *value;
	size_t i, max, n = 0;
	int r = read ? 0 : -1;

	yyjson_arr_foreach(yyjson_doc_get_root(read), i, max, value)
	{
		char id[32];
		int len = snprintf(id, sizeof(id), "id-%zu", i + 1);

		if (r == 0 && n < countof(doc))
			r = document_from_json(value, id, (size_t)len, 1700000000000000, &room,
					       &doc[n++]);
	}
	if (r == 0)
		r = documents_add(f->store, "commons", name, doc, n);
	for (i = 0; i < n; i++)
		document_done(&doc[i]);
	yyjson_doc_free(read);
	return r;
}

#define auto_fixture cleanup(fixture_done)
