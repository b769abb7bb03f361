/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * builder: documents being taken apart into columns, until they are written as a chunk.
 *
 * Layer 3 (service/chunk). Belongs to one thread. Strings and names are copied into the builder's memory.
 * The first two members of every document are _id (STRING) and _event_time (TIMESTAMP); a member _meta of a client's is dropped.
 * Of two members with one name the last wins and stands where it stood. Integers beyond int64 become floats.
 */

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/chunk/column.h"
#include "service/value/value.h"

constexpr size_t BUILDER_ID_MAX = 1024;
constexpr size_t BUILDER_BYTES_MAX = 1u << 30; /* memory of one builder */
constexpr size_t BUILDER_DOCUMENT_MAX = 40u << 20;
constexpr unsigned int BUILDER_DEPTH_MAX = 40;

/* What is wrong with a document; nothing of it is kept then. */
enum builder_outcome : uint8_t {
	BUILDER_OK = 0,
	BUILDER_NOT_OBJECT,
	BUILDER_BAD_ID,		/* _id is not a string of 1 to BUILDER_ID_MAX bytes */
	BUILDER_BAD_EVENT_TIME, /* _event_time is no timestamp, ISO 8601 text with an offset, or µs */
	BUILDER_EVENT_SECONDS, /* … or an int that is a date from 1990 to 2100 if read as seconds, */
	BUILDER_EVENT_MILLIS,  /* or as milliseconds */
	BUILDER_TOO_DEEP,
	BUILDER_BAD_TYPE, /* a __rockset_type that is unknown or does not fit its value */
	BUILDER_TOO_LARGE,
	BUILDER_FULL, /* CHUNK_ROWS or BUILDER_BYTES_MAX reached: write it, then add to a new one */
};

struct builder;

/* Make an empty builder. Returns 0 or -ENOMEM. */
[[nodiscard]] int builder_new(struct builder **ret);

/* Forget the documents, keep columns and memory for more of the same kind. */
void builder_clear(struct builder *builder);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct builder *builder_free(struct builder *builder);
CLEANUP_FN(struct builder, builder_free)

/*
 * Add a document that came as JSON.
 *
 * json     of a document that yyjson has read: its texts are UTF-8
 * id       [id_len] its _id if it has none
 * now_us   its _event_time if it has none
 *
 * Returns 0, an outcome above, or -ENOMEM. Cost: about 1 µs for 500 bytes.
 */
[[nodiscard]] int builder_add_json(struct builder *builder, yyjson_val *json, const char *id,
				   size_t id_len, uint64_t now_us);

/* Add a document that is a packed object with _id and _event_time. Returns as builder_add_json(); of two members with one name, BUILDER_BAD_TYPE. */
[[nodiscard]] int builder_add_value(struct builder *builder, const struct value *document);

/*
 * Add documents of a chunk, column by column.
 *
 * deleted  a bit set [CHUNK_ROWS / 64] of rows to leave out, or nullptr
 * from     first row
 * rows     how many to look at
 *
 * Returns 0, BUILDER_FULL (nothing was added), CHUNK_DAMAGED shifted out of the way as -EBADMSG, or -errno.
 */
[[nodiscard]] int builder_add_chunk(struct builder *builder, struct chunk *chunk,
				    const uint64_t *deleted, uint32_t from, uint32_t rows);

/* Documents so far. */
[[nodiscard]] uint32_t builder_rows(const struct builder *builder);

/* The _id of a row; borrowed until the builder changes. */
[[nodiscard]] struct str builder_id(const struct builder *builder, uint32_t row);

/* Bytes that they take in memory, roughly. */
[[nodiscard]] size_t builder_size(const struct builder *builder);

/* Blobs of fewer bytes wait and come last, column by column, so that a sink can put neighbours into one extent. */
constexpr size_t BUILDER_BLOB_SMALL = 1u << 16;

/* Takes the body's blobs. */
struct chunk_sink {
	/* Keep data[len], len > 0; say where in *ret. Returns 0 or -errno. */
	int (*add)(void *userdata, const void *data, size_t len, struct blob *ret);
	void *userdata;
};

/*
 * Write the documents as a chunk.
 *
 * effort  STRINGS_FAST leaves out filters, orders and grams as well
 * head    the head is appended to it
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int builder_write(struct builder *builder, enum strings_effort effort,
				struct chunk_sink *sink, struct buf *head);

/*
 * Write the documents as one run of bytes that chunk_open() opens, with STRINGS_FAST.
 *
 * Returns 0 or -errno; a failure of out sticks to it.
 */
[[nodiscard]] int builder_pack(struct builder *builder, struct buf *out);
