/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * memo: what a step comes to for each entry of a dictionary, worked out when an entry is first met.
 *
 * Layer 5 (service/expression). Part of eval; struct memo is in eval_internal.h.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/eval_internal.h"

/* Whether a vector's entries can be looked up: they are strings of its dictionary, NULL or MISSING. */
[[nodiscard]] bool memo_suits(const struct vector *field, const struct set *selection);

/* Evaluate a step through its field's dictionary. Returns as eval_value(). */
[[nodiscard]] int memo_value(struct eval *eval, uint32_t step, const struct vector *field,
			     const struct set *selection, struct vector *ret);

/* Free what it owns. */
void memo_done(struct memo *memo);
