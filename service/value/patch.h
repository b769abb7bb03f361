/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * patch: change a document by a list of operations: RFC 6902 plus INCREMENT.
 *
 * Layer 2 (service/value). Pure functions, safe from any thread. Operation names are read in any case.
 */

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/value/value.h"

constexpr size_t PATCH_OPERATIONS_MAX = 1000; /* bounds the work one document can ask for */

enum patch_outcome : uint8_t {
	PATCH_OK = 0,
	PATCH_MALFORMED,   /* not a list of operations, an unknown op, a missing or wrong member */
	PATCH_NO_TARGET,   /* path or from names nothing, or an index out of range */
	PATCH_TEST_FAILED, /* a TEST found another value */
	PATCH_NOT_NUMBER,  /* INCREMENT of or by something else than a number, or out of range */
	PATCH_TOO_LARGE,   /* the result would be too large, too deep or not a document */
	PATCH_FIXED,	   /* it would change _id or _event_time */
	PATCH_OUTCOME_COUNT,
};

/* A sentence for people on each outcome. */
[[nodiscard]] const char *patch_outcome_text(enum patch_outcome outcome);

/*
 * Apply all operations in order, or none.
 *
 * operations  the JSON array
 * old         the document
 * out         empty; the new packed document
 * ret_index   set on an outcome to the operation it is about, from 0
 *
 * Returns 0, an outcome, or -ENOMEM.
 */
[[nodiscard]] int patch_apply(yyjson_val *operations, const struct value *old, struct buf *out,
			      size_t *ret_index);
