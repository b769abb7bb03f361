/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * segment: several chunks in one sealed file.
 *
 * Layer 4 (service/segment). Format: FORMAT.md section 8. Each chunk's blobs lie in neighbouring pages, and what its head says of
 * pages is counted from the first of them: so a chunk is moved from file to file by copying pages. The last extent, the
 * footer, has the heads.
 * Threads: a writer belongs to one; a segment to any, reference counted.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/builder.h"
#include "service/disk/sealed.h"
#include "service/segment/part.h"

struct cache;
struct folder;
struct segment;

constexpr uint32_t SEGMENT_CHUNKS_MAX = 64;
constexpr size_t SEGMENT_FOOTER_MAX = 256u << 20;

/* What the catalog says of a segment. */
struct segment_row {
	int64_t n;	 /* its number; never used twice in a store */
	int64_t place;	 /* its rank in the collection: oldest documents first */
	int64_t key;	 /* number of the data key it is sealed under */
	uint32_t pages;	 /* of the file */
	uint32_t footer; /* the footer's first page */
	uint32_t chunks;
	uint64_t rows;
};

/* What all segments of a store share. */
struct segments {
	struct folder *folder;
	struct cache *cache;					 /* of their pages */
	atomic_uint_least64_t next_file_key;			 /* for the cache; from 1 */
	void (*on_damage)(void *userdata, const char *sentence); /* called by any thread */
	void *userdata;
};

/* Whose a segment is, and what it is sealed under. */
struct segment_owner {
	const char *uuid, *name; /* the collection's; the name is for sentences on damage */
	int64_t key_number;
	const uint8_t *key; /* [SEALED_KEY] */
};

/* Write the name of a segment's file. */
void segment_name(int64_t n, char ret[32]);

struct segment_writer;

/*
 * Begin a segment's file.
 *
 * segments  borrowed until the writer is freed
 * n         the number it will have
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int segment_writer_new(struct segments *segments, const struct segment_owner *owner,
				     int64_t n, struct segment_writer **ret);

/* Free, and remove the file unless it was finished. nullptr is a no-op. Always returns nullptr. */
struct segment_writer *segment_writer_free(struct segment_writer *writer);
CLEANUP_FN(struct segment_writer, segment_writer_free)

/* Append a builder's documents as a chunk. Returns 0 or -errno. */
[[nodiscard]] int segment_add(struct segment_writer *writer, struct builder *builder);

/* Append a copy of a chunk of another segment. Returns 0, -EBADMSG (it is damaged) or another -errno. */
[[nodiscard]] int segment_add_copy(struct segment_writer *writer, const struct part *part);

/* Chunks so far. */
[[nodiscard]] uint32_t segment_writer_chunks(const struct segment_writer *writer);

/* Bytes written so far. */
[[nodiscard]] uint64_t segment_writer_bytes(const struct segment_writer *writer);

/* Write the rest, make the file durable under its name, and say what the catalog has to know. Returns 0 or -errno. */
[[nodiscard]] int segment_finish(struct segment_writer *writer, struct segment_row *ret);

/*
 * Open a segment.
 *
 * segments  borrowed until the last of its chunks is left
 * owner     with the key of row->key
 * ret       [row->chunks] its chunks; set only on success, each is the caller's
 *
 * Returns 0, -EBADMSG (on_damage() was told what is wrong) or another -errno.
 */
[[nodiscard]] int segment_open(struct segments *segments, const struct segment_owner *owner,
			       const struct segment_row *row, struct part **ret);

/* Remove a segment's file; those who have it open keep it. Returns 0 or -errno. */
[[nodiscard]] int segment_remove(struct segments *segments, int64_t n);

/* Leave it. nullptr is a no-op. Always returns nullptr. */
struct segment *segment_unref(struct segment *segment);

/* What the catalog says of it. */
[[nodiscard]] const struct segment_row *segment_row(const struct segment *segment);

/* Its number. */
[[nodiscard]] int64_t segment_number(const struct segment *segment);
