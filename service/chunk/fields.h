/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * fields: a builder's columns while they grow, and the shapes of their objects.
 *
 * Layer 3 (service/chunk), for the builder's own files only. A field keeps only the entries that are there: at[] appears
 * with the first gap, kinds[] with the second kind, so a key that one document of thousands has costs what one value costs.
 * Every field that a row touches is marked first, so that fields_undo() takes the row out again, whatever went wrong.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/column/strings.h"

/* Values in the order in which they came. */
struct lane {
	void *data; /* [n] of the lane's type */
	uint32_t n, room;
};

struct field {
	uint32_t present; /* entries; at[] and kinds[] have as many, if they are in use */
	uint64_t touched; /* the serial of the last row that marked it */
	enum kind kind;	  /* of all entries, unless mixed */
	bool mixed, gaps; /* kinds[], at[] are in use */
	bool element;
	bool reserved; /* never predicted: __rockset_type */
	uint32_t key_len;
	const char *key;    /* in the builder's memory for names */
	uint32_t next;	    /* the member that came after it last time, or CHUNK_NONE */
	uint32_t first;	    /* the first member of its last object, or CHUNK_NONE */
	uint32_t parent;    /* field; 0 of field 0 */
	uint32_t elements;  /* the field of its arrays' elements, or CHUNK_NONE */
	uint32_t entries;   /* of elements: how many there are */
	uint32_t shapes;    /* how many its objects have */
	uint32_t shape;	    /* the last one's index among all shapes, or CHUNK_NONE */
	struct lane kinds;  /* uint8_t */
	struct lane at;	    /* uint32_t: which entry */
	struct lane ints;   /* int64_t */
	struct lane floats; /* double */
	struct lane texts;  /* struct str */
	struct lane ends;   /* uint32_t, of each array */
};

/* The members of some objects of a field, in order. */
struct shape {
	uint32_t field;
	uint32_t number;  /* among the field's */
	uint32_t from, n; /* in the pool */
};

/* How a field was before the row. */
struct mark {
	uint32_t field, present, entries, ints, floats, texts, ends;
	uint32_t next, first, elements, shape;
};

/* Text that never moves: blocks, the newest first. */
struct text_block {
	struct text_block *older;
	size_t room, used;
	char data[];
};

struct fields {
	uint64_t key[2];		     /* of the hash tables */
	struct lane field;		     /* struct field */
	struct lane shape;		     /* struct shape */
	struct lane pool;		     /* uint32_t */
	struct lane marks;		     /* struct mark */
	uint32_t *field_table, *shape_table; /* [mask + 1] open addressing; CHUNK_NONE is empty */
	uint32_t field_mask, shape_mask;
	struct text_block *texts, *names;
	uint64_t serial; /* of the row */
	size_t size;	 /* bytes of lanes, texts and tables */
	struct {	 /* before the row */
		uint32_t fields, shapes, pool;
		struct text_block *texts, *names;
		size_t texts_used, names_used;
	} before;
};

/* Internal outcomes, above those of builder.h. */
enum {
	FIELDS_TWICE = 100, /* the entry is there already: two members have one name */
	FIELDS_FULL,	    /* a limit of columns or entries is reached */
};

/* Begin with the document's field (0). Returns 0 or -ENOMEM. */
[[nodiscard]] int fields_init(struct fields *fields);

/* Free what it owns. */
void fields_done(struct fields *fields);

/* Forget the entries. Keeps the fields and their memory; only the first keep if there are many and most were not used. */
void fields_clear(struct fields *fields, uint32_t keep);

/* Begin a row: what comes now can be undone. */
void fields_begin(struct fields *fields);

/* Take out what has come since fields_begin(). */
void fields_undo(struct fields *fields);

/* A field by index. Pointers are valid until the next field is made. */
static inline struct field *field_at(const struct fields *fields, uint32_t index)
{
	return (struct field *)fields->field.data + index;
}

/* Remember a field's state before the row changes it. Returns 0 or -ENOMEM. */
[[nodiscard]] int fields_mark(struct fields *fields, uint32_t index);

/* Find a member by name, or make it. Returns 0, FIELDS_FULL or -ENOMEM. */
[[nodiscard]] int fields_member(struct fields *fields, uint32_t parent, const char *key, size_t len,
				uint32_t *ret);

/* Find the field of a field's elements, or make it. Returns as fields_member(). */
[[nodiscard]] int fields_elements(struct fields *fields, uint32_t parent, uint32_t *ret);

/* The number of a shape among its field's, made if there is none. Returns 0 or -ENOMEM. */
[[nodiscard]] int fields_shape(struct fields *fields, uint32_t index, const uint32_t *member,
			       uint32_t n, uint32_t *ret);

/* Make room for more values of a lane, size bytes each. Returns 0 or -ENOMEM. */
[[nodiscard]] int fields_grow(struct fields *fields, struct lane *lane, size_t more, size_t size);

/* Add an entry of a kind without a value. Returns 0, FIELDS_TWICE or -ENOMEM. */
[[nodiscard]] int fields_put(struct fields *fields, uint32_t index, uint32_t entry, enum kind kind);

/* Add an entry with an int64; of an OBJECT its shape, which may be set later. Returns as fields_put(). */
[[nodiscard]] int fields_put_int(struct fields *fields, uint32_t index, uint32_t entry,
				 enum kind kind, int64_t value);

/* Add a FLOAT. Returns as fields_put(). */
[[nodiscard]] int fields_put_float(struct fields *fields, uint32_t index, uint32_t entry,
				   double value);

/* Add a STRING or BYTES, copied. Returns as fields_put(). */
[[nodiscard]] int fields_put_text(struct fields *fields, uint32_t index, uint32_t entry,
				  enum kind kind, const char *text, size_t len);

/* Add an ARRAY; its end is set later. Returns as fields_put(). */
[[nodiscard]] int fields_put_array(struct fields *fields, uint32_t index, uint32_t entry);

/* Room for len bytes of text that stay where they are; nullptr if there is no memory. */
[[nodiscard]] char *fields_text(struct fields *fields, size_t len);
