/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * engine-fixture: a store in a temporary folder, with its keys, threads and a session, for the tests of sql and engine.
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
#include "service/crew/exec.h"
#include "service/keys/keys.h"
#include "service/sql/sql.h"
#include "service/store/catalog.h"
#include "service/store/documents.h"
#include "service/store/store.h"

struct fixture {
	char folder[32];
	struct keys *keys;
	struct store *store;
	struct exec *exec;
	struct sql_session *session;
	struct builder *builder; /* for a call's documents */
};

static inline int fixture_remove(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

/* Close everything; the folder stays. */
static inline void fixture_close(struct fixture *f)
{
	f->session = sql_session_free(f->session);
	f->builder = builder_free(f->builder);
	f->exec = exec_free(f->exec);
	f->store = store_close(f->store);
	f->keys = keys_close(f->keys);
}

static inline void fixture_done(struct fixture *f)
{
	fixture_close(f);
	if (f->folder[0])
		(void)nftw(f->folder, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Open, or open again, the store of a fixture. Returns whether that worked. */
static inline bool fixture_open(struct fixture *f)
{
	char keys[48], store[48];

	(void)snprintf(keys, sizeof(keys), "%s/keys", f->folder);
	(void)snprintf(store, sizeof(store), "%s/engine", f->folder);
	(void)mkdir(keys, 0700);
	(void)mkdir(store, 0700);
	if (keys_open_file(keys, &f->keys))
		return false;
	const struct store_options options = { .keys = f->keys };
	return store_open(store, &options, &f->store) == 0 &&
	       exec_new(2, 4 * SQL_MEMORY_MAX, store, &f->exec) == 0 &&
	       sql_session_new(f->store, f->exec, &f->session) == 0 &&
	       builder_new(&f->builder) == 0;
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

/* Store a builder's documents under a new batch's id. Returns what documents_add() does. */
static inline int fixture_store(struct fixture *f, const char *name, struct builder *builder)
{
	static uint64_t number;
	uint8_t id[DOCUMENTS_ID] = {};
	enum document_status *status = calloc(builder_rows(builder) + 1, sizeof(*status));

	number++;
	memcpy(id, &number, sizeof(number));
	int r = status ? documents_add(f->store, "commons", name, builder, id, status) : -ENOMEM;
	free(status);
	return r;
}

/* Add the documents of a JSON array. Returns what documents_add() does, or the first document's outcome. */
static inline int fixture_add(struct fixture *f, const char *name, const char *json)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	yyjson_doc *read = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	yyjson_val *value;
	size_t i, max;
	int r = read ? builder_new(&builder) : -1;

	yyjson_arr_foreach(yyjson_doc_get_root(read), i, max, value)
	{
		char id[32];
		int len = snprintf(id, sizeof(id), "id-%zu", i + 1);

		if (r == 0)
			r = builder_add_json(builder, value, id, (size_t)len, 1700000000000000);
	}
	if (r == 0)
		r = fixture_store(f, name, builder);
	yyjson_doc_free(read);
	return r;
}

#define auto_fixture cleanup(fixture_done)
