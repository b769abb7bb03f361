/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * documents: a collection's documents: add, change, delete, expire.
 *
 * Layer 4 (service/store). Threads: any. Each call is one batch: durable on return, and then visible as a whole.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/column/strings.h"
#include "service/store/catalog.h"
#include "service/value/value.h"

constexpr size_t DOCUMENT_ID_MAX = BUILDER_ID_MAX;
constexpr size_t DOCUMENT_MAX = BUILDER_DOCUMENT_MAX;
constexpr size_t DOCUMENTS_BATCH_MAX = 20000; /* Rockset's limit for a request */
constexpr size_t DOCUMENTS_ID = 16;	      /* bytes of a batch's id */

/* A sentence for people on why a builder has refused a document. */
[[nodiscard]] const char *document_outcome_text(enum builder_outcome outcome);

enum document_status : uint8_t {
	DOCUMENT_ADDED,
	DOCUMENT_REPLACED,
	DOCUMENT_DELETED,
	DOCUMENT_PATCHED,
	DOCUMENT_ERROR,	 /* not stored; the caller knows why */
	DOCUMENT_ABSENT, /* to be changed, but not there */
};

/*
 * Add a builder's documents, or replace those with the same _id; of two in the builder with one _id the later stays.
 *
 * builder   1 or more documents; left as it is
 * batch_id  DOCUMENTS_ID bytes, different for every batch; with the id of a recent batch nothing is stored, and the
 *           answer is what it was the first time
 * status    [builder_rows()] set to ADDED or REPLACED
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION, CATALOG_BUILT_IN, or -errno: nothing is stored then
 *   (-EBADMSG: what is stored is damaged, see store_damage()).
 */
[[nodiscard]] int documents_add(struct store *store, const char *workspace, const char *name,
				struct builder *builder, const uint8_t *batch_id,
				enum document_status *status);

/*
 * Delete documents by _id.
 *
 * id      [n]
 * status  [n] those that are DOCUMENT_ERROR are left out; the others become DELETED, also if there was none
 *
 * Returns as documents_add().
 */
[[nodiscard]] int documents_delete(struct store *store, const char *workspace, const char *name,
				   const struct str *id, size_t n, enum document_status *status);

/*
 * Make the new form of a document.
 *
 * index  of the request, as in id[]
 * old    the document as it is now
 * out    empty; the new packed object, with the same _id and _event_time
 *
 * Returns 0, a positive value (this one stays as it is, status DOCUMENT_ERROR), or -errno (nothing is changed at all).
 */
typedef int documents_change_fn(void *userdata, size_t index, const struct value *old,
				struct buf *out);

/*
 * Change documents by _id, in order; nobody else changes the collection meanwhile.
 *
 * id      [n] may have one _id several times: each change sees the one before
 * status  [n] those that are DOCUMENT_ERROR are left out; the others become PATCHED, ERROR or ABSENT
 *
 * Returns as documents_add().
 */
[[nodiscard]] int documents_change(struct store *store, const char *workspace, const char *name,
				   const struct str *id, size_t n, enum document_status *status,
				   documents_change_fn *fn, void *userdata);

/*
 * Delete what is older than its collection keeps it.
 *
 * really  false: only count
 * ret     how many documents that is
 *
 * Returns 0 or -errno; some may have been deleted then.
 */
[[nodiscard]] int documents_expire(struct store *store, uint64_t now_us, bool really, int64_t *ret);
