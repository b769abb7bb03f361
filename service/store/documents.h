/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * documents: a collection's documents: add, change, delete, expire.
 *
 * Layer 2 (service/store). A document is a packed object (value.h) whose first two members are _id and _event_time.
 * Threads: as the store that is handed in; document_* are pure.
 */

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/store/catalog.h"
#include "service/value/value.h"

constexpr size_t DOCUMENT_ID_MAX = 1024;      /* bytes; keeps the primary key's index small */
constexpr size_t DOCUMENT_MAX = 40u << 20;    /* packed; Rockset's limit for one document */
constexpr size_t DOCUMENTS_BATCH_MAX = 20000; /* Rockset's limit for a request */

enum document_outcome : uint8_t {
	DOCUMENT_OK = 0,
	DOCUMENT_NOT_OBJECT,
	DOCUMENT_BAD_ID,	 /* _id is not a string of 1 to DOCUMENT_ID_MAX bytes */
	DOCUMENT_BAD_EVENT_TIME, /* _event_time is no timestamp, ISO 8601 text or µs */
	DOCUMENT_TOO_DEEP,
	DOCUMENT_BAD_TYPE, /* a __rockset_type that is unknown or does not fit its value */
	DOCUMENT_TOO_LARGE,
	DOCUMENT_FIXED, /* a change of _id or _event_time, which are final */
	DOCUMENT_OUTCOME_COUNT,
};

/* A sentence for people on each outcome. */
[[nodiscard]] const char *document_outcome_text(enum document_outcome outcome);

enum document_status : uint8_t {
	DOCUMENT_ADDED,
	DOCUMENT_REPLACED,
	DOCUMENT_DELETED,
	DOCUMENT_PATCHED,
	DOCUMENT_ERROR,	 /* not stored; the caller knows why */
	DOCUMENT_ABSENT, /* to be changed or deleted, but not there */
};

struct document {
	char *id; /* [id_len], owned */
	size_t id_len;
	uint8_t *packed; /* [len], owned */
	size_t len;
	enum document_status
		status; /* in: DOCUMENT_ERROR to leave it out; out: what became of it */
};

/*
 * Make a document of JSON.
 *
 * id        [id_len] its _id if the JSON has none
 * now_us    its _event_time if the JSON has none
 * room      scratch space, cleared first
 * ret       set only on success; document_done() frees it
 *
 * Returns 0, an outcome above, or -ENOMEM.
 */
[[nodiscard]] int document_from_json(yyjson_val *json, const char *id, size_t id_len,
				     uint64_t now_us, struct buf *room, struct document *ret);

/* Free what it owns. */
void document_done(struct document *document);

/*
 * Add documents, or replace those with the same _id; one transaction, durable on return.
 *
 * doc  [n] those with status DOCUMENT_ERROR are left out; the status of the others is set to ADDED or REPLACED
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION, CATALOG_BUILT_IN or -errno; nothing is stored then.
 */
[[nodiscard]] int documents_add(struct store *store, const char *workspace, const char *name,
				struct document *doc, size_t n);

/* Delete documents by id; status becomes DELETED, also if there was none. Returns as documents_add(). */
[[nodiscard]] int documents_delete(struct store *store, const char *workspace, const char *name,
				   struct document *doc, size_t n);

/*
 * Make the new form of a document.
 *
 * index  of the request, as in doc[]
 * old    the document as it is now
 * out    the new packed object, with the same _id and _event_time
 *
 * Returns 0, a positive value (this one stays as it is, status DOCUMENT_ERROR), or -errno (nothing is changed at all).
 */
typedef int documents_change_fn(void *userdata, size_t index, const struct value *old,
				struct buf *out);

/* Change documents by id, in order, in one transaction; status becomes PATCHED, ERROR or ABSENT. Returns as documents_add(). */
[[nodiscard]] int documents_change(struct store *store, const char *workspace, const char *name,
				   struct document *doc, size_t n, documents_change_fn *fn,
				   void *userdata);

/*
 * Delete what is older than its collection keeps it.
 *
 * really  false: only count
 * ret     how many documents that is
 *
 * Returns 0 or -errno; nothing is deleted then.
 */
[[nodiscard]] int documents_expire(struct store *store, uint64_t now_us, bool really, int64_t *ret);
