/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * batch: up to 1024 entries whose fields can be had as vectors: a block of a chunk, or rows put together by UNNEST or joins.
 *
 * Layer 5 (service/vector). Who makes a batch has the operations; who evaluates over it need not know what it is.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/vector/cell.h"
#include "service/vector/set.h"
#include "service/vector/vector.h"

enum {
	BATCH_CANNOT = 100, /* there is no short cut here: load the field and go on */
};

/* Ints of a kind: low to high, both included. */
struct span {
	enum kind kind;
	int64_t low, high;
};

/* All return 0, an outcome of pipe.h, or -errno; the last four BATCH_CANNOT too; all but load may be nullptr. */
struct batch_ops {
	/* Get a field's values, at least of the selected entries. ret is reset. */
	int (*load)(void *userdata, uint32_t field, const struct set *selection,
		    struct vector *ret);
	/* Whether loading a field would give a dictionary; nullptr: it may. */
	bool (*coded)(void *userdata, uint32_t field, const struct set *selection);
	/* Which arrays have this element: OP_ARRAY_CONTAINS. */
	int (*contains)(void *userdata, uint32_t field, const struct cell *what,
			const struct set *selection, struct truth *ret);
	/* Which strings contain needle. */
	int (*find)(void *userdata, uint32_t field, const struct str *needle,
		    const struct set *selection, struct truth *ret);
	/* Strings in ISO 8601 as µs since 1970 in ret's ints; all entries must be such strings. */
	int (*moments)(void *userdata, uint32_t field, struct vector *ret);
	/* Which values are in a span; all that are not NULL must be of its kind. */
	int (*between)(void *userdata, uint32_t field, const struct span *span,
		       const struct set *selection, struct truth *ret);
};

struct batch {
	const struct batch_ops *ops;
	void *userdata;
	uint32_t n;
};
