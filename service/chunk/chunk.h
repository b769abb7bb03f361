/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * chunk: up to 65,536 documents as columns. Immutable; everything that is stored and everything that is read is a chunk.
 *
 * Layer 3 (service/chunk). A chunk is a head (which columns there are, with statistics) and a body (their bytes, in blobs).
 * The body is in memory (what has just come in: the very bytes of its log frame) or in extents of a segment file.
 * Columns form a tree. Column 0 is the document. An object's members are columns with the object's entries; an array's
 * elements are one column with an entry for each element of each of the parent's arrays, in order.
 * Format: FORMAT.md section 7. Trust: chunk_open() checks the head, column_open() each column's bytes.
 * Threads: any; reference counted.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/column/kind.h"
#include "service/column/strings.h"

constexpr uint32_t CHUNK_ROWS = 65'536;
constexpr uint32_t CHUNK_COLUMNS_MAX =
	1u << 20; /* paths; a document has at most as many as fit 40 MiB */
constexpr uint32_t CHUNK_ENTRIES_MAX = 1u << 28; /* elements of one array path, all rows together */
constexpr uint32_t CHUNK_NONE = UINT32_MAX;

enum {
	CHUNK_OK = 0,
	CHUNK_DAMAGED, /* the bytes are not a chunk; or their page is not what was written (chunk_damage says where) */
	CHUNK_TOO_NEW,
};

/* Where bytes of the body are. */
struct blob {
	uint32_t page, pages; /* the extent, in a file; 0, 0 in memory */
	uint32_t offset;      /* in the extent, or in the body */
	uint32_t len;	      /* 0: there is no such blob */
};

/* The blobs of a column. */
enum chunk_lane : uint8_t {
	LANE_KINDS, /* ints: each entry's kind; absent if they are all one */
	LANE_ROWS, /* ints: of a sparse column, the entries that are not MISSING, ascending; the other lanes have only those */
	LANE_INTS, /* ints: values of KINDS_INTS; of an OBJECT the number of its shape (absent if all have shape 0). Entries of other kinds hold a filler */
	LANE_FLOATS,  /* floats */
	LANE_STRINGS, /* strings: STRING and BYTES */
	LANE_ENDS, /* ints: where each array ends among the elements, running on over entries that are no arrays */
	LANE_FILTER, /* filter: hashes (column_hash) of all values but null, booleans, arrays and objects */
	LANE_ORDER, /* ints: of a column of many different strings, the positions in LANE_STRINGS sorted by column_hash_text(KIND_STRING), then by position */
	LANE_GRAMS, /* filter: hashes (column_hash_gram) of all 3-byte runs of all strings */
	LANE_COUNT,
};

struct chunk_column {
	uint32_t parent; /* column; 0 also for column 0 itself */
	struct str key;	 /* member's name; empty for elements and column 0 */
	bool element;	 /* entries are the elements of parent's arrays */
	bool sparse;
	uint32_t n;		  /* entries */
	uint32_t present;	  /* entries that are not MISSING */
	uint32_t nulls;		  /* entries that are NULL */
	kind_set kinds;		  /* kinds that occur */
	int64_t int_min, int_max; /* over entries of KINDS_INTS; 1, 0 if there are none */
	double float_min,
		float_max; /* over FLOAT entries that are no NaN; 1, 0 if there are none */
	bool has_nan;
	uint64_t text_min,
		text_max; /* the first 8 bytes of the smallest and largest STRING, big-endian, zero-filled */
	struct blob lane[LANE_COUNT];
};

/* An object's members in the order in which the document had them. */
struct chunk_shape {
	const uint32_t *column; /* [n] children of the object's column */
	uint32_t n;
};

struct chunk;

/* Pages that were needed, and of those how many came from disk. */
struct page_count {
	uint64_t read, missed;
};

/* Bytes of a body that are in use. */
struct chunk_pinned {
	const uint8_t *data;
	void *pin;		 /* for unpin(); nullptr: nothing to let go */
	struct page_count pages; /* none in memory */
};

/* How a chunk gets at its body when that is in a file. */
struct chunk_body {
	/*
	 * Pin the extent that a blob lies in, having checked that it does. Data of what is returned is the blob's first byte,
	 * valid until unpin(). Returns 0, CHUNK_DAMAGED or -errno.
	 */
	int (*pin)(void *userdata, const struct blob *blob, struct chunk_pinned *ret);
	void (*unpin)(void *userdata, void *pin);
	void (*release)(void *userdata); /* when the chunk goes; may be nullptr */
	void *userdata;
};

/*
 * Open a chunk whose body is in memory.
 *
 * bytes  [len] what chunk_write() made: head and body; given away on success (freed with free())
 *
 * Returns 0, CHUNK_DAMAGED, CHUNK_TOO_NEW or -ENOMEM.
 */
[[nodiscard]] int chunk_open(uint8_t **bytes, size_t len, struct chunk **ret);

/* Open a chunk whose body is elsewhere. head is copied. body is given away on success. Returns as chunk_open(). */
[[nodiscard]] int chunk_open_body(const uint8_t *head, size_t len, const struct chunk_body *body,
				  struct chunk **ret);

/* Take part in a chunk's life. Returns chunk. */
struct chunk *chunk_ref(struct chunk *chunk);

/* Leave it; the last one out frees it. nullptr is a no-op. Always returns nullptr. */
struct chunk *chunk_unref(struct chunk *chunk);
CLEANUP_FN(struct chunk, chunk_unref)

/* Rows, 1 to CHUNK_ROWS. */
[[nodiscard]] uint32_t chunk_rows(const struct chunk *chunk);

/* Columns; parents come before children. */
[[nodiscard]] uint32_t chunk_columns(const struct chunk *chunk);

/* A column's description, index < chunk_columns(). */
[[nodiscard]] const struct chunk_column *chunk_column(const struct chunk *chunk, uint32_t index);

/* A column's child of that name, or CHUNK_NONE. Cost: a hash lookup. */
[[nodiscard]] uint32_t chunk_child(const struct chunk *chunk, uint32_t parent, const char *key,
				   size_t len);

/* The column of a column's array elements, or CHUNK_NONE. */
[[nodiscard]] uint32_t chunk_elements(const struct chunk *chunk, uint32_t parent);

/* The shapes that a column's objects have; their number is in *ret_n. */
[[nodiscard]] const struct chunk_shape *chunk_shapes(const struct chunk *chunk, uint32_t column,
						     uint32_t *ret_n);

/* Bytes of the head and the body. */
[[nodiscard]] uint64_t chunk_size(const struct chunk *chunk);

/* The chunk's head as it was written, for copying it elsewhere: blobs in it still point where they did. */
[[nodiscard]] const uint8_t *chunk_head(const struct chunk *chunk, size_t *ret_len);

/* Pin a blob. Returns 0, CHUNK_DAMAGED or -errno. */
[[nodiscard]] int chunk_pin(struct chunk *chunk, const struct blob *blob, struct chunk_pinned *ret);

/* Let go of it. */
void chunk_unpin(struct chunk *chunk, void *pin);
