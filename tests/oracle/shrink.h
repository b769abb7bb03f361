/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * shrink: make a query that shows a difference as short as can be.
 */

#include "common/base.h"
#include "common/buf.h"

/* Whether a query still shows it. */
typedef bool shrink_fn(void *userdata, const char *text);

/* Leave out words and parentheses of text, as long as fn agrees. What is left goes into out. */
void shrink(const char *text, shrink_fn *fn, void *userdata, struct buf *out);
