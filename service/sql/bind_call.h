/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bind_call: print calls of functions, ours and the dialect's.
 *
 * Layer 6 (service/sql). Only bind*.c include it.
 */

#include <stddef.h>

#include "service/sql/bind_internal.h"

/* Print a function's name and "(". at is what it stands for, and the place of the error if it fails. */
void put_function(struct binder *b, struct buf *out, const char *function, const struct token *at);

/* The same for an aggregate, which TRY() leaves alone. */
void put_aggregate(struct binder *b, struct buf *out, const char *function, const struct token *at);

/* Print arguments, the first one from, with commas. */
void print_args(struct binder *b, struct buf *out, const struct expr *e, size_t from,
		struct scope *scope);

/* Print function(a, b, …) with all arguments. */
void print_call_of(struct binder *b, struct buf *out, const char *function, const struct expr *e,
		   struct scope *scope);

/* Print a call of one of the dialect's functions. */
void print_call(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);
