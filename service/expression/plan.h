/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * plan: what a pipe is to do, as plain data in the caller's arena. service/sql makes it, pipe.h runs it.
 *
 * Layer 5 (service/expression). A pipe reads one collection (or joins further ones to it by hash), filters, and yields rows, groups,
 * or the first rows in an order. A node is an expression over the pipe's fields. Conditions are TRUE, FALSE or NULL; a NULL or
 * MISSING argument makes a comparison, an arithmetic operation or a function NULL (three-valued logic as in SQL).
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/crew/exec.h"
#include "service/expression/op.h"
#include "service/vector/cell.h"

struct snapshot;

/* Members to follow from a document: "user", "name". n 0: the document itself. Arrays are not entered. */
struct field {
	const struct str *key; /* [n] */
	uint32_t n;
	uint32_t
		source; /* 0: the scanned collection; i + 1: join i. Of an unnest: fields of the element if in_element */
	bool in_element;
};

/*
 * A function that is not known here: service/sql evaluates it (by SQLite).
 *
 * ret   borrows memory of userdata until the node's lock is given back
 *
 * Returns 0, a positive value (the query ends with an error; ret is a string, its sentence), or -errno. Threads: any, one at a time.
 */
typedef int call_fn(void *userdata, const struct cell *arg, size_t n_args, struct cell *ret);

struct node {
	enum operation op;
	struct place at;      /* in the query's text, for errors */
	uint32_t field;	      /* OP_FIELD: index of the plan's fields */
	struct cell constant; /* OP_CONSTANT */
	struct node **arg;    /* [n_args] */
	size_t n_args;
	enum unit unit;
	int64_t width_us;
	enum native native; /* of OP_CALL, as the next */
	call_fn *call;
	void *userdata;
	pthread_mutex_t *lock; /* held while call() runs */
	bool condition;	       /* arguments of kinds other than TRUE/FALSE/NULL cannot come out */
};

enum aggregate_kind : uint8_t {
	AGGREGATE_COUNT, /* of values that are not NULL; arg nullptr: of rows */
	AGGREGATE_SUM, /* as rd_sum(): int, float or interval; overflow is an error of the query */
	AGGREGATE_AVG,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_COUNT_DISTINCT,
	AGGREGATE_ANY_TRUE, /* BOOL_OR */
	AGGREGATE_ALL_TRUE, /* BOOL_AND */
};

struct aggregate {
	enum aggregate_kind kind;
	struct place at; /* as a node's */
	struct node *arg;
};

struct order_by {
	uint32_t column;	     /* of the output */
	bool descending, nulls_last; /* nulls_last whatever the direction is */
};

/* Join by equality: rows of the pipe so far, with those of another collection whose key is equal. */
struct join {
	struct snapshot *snapshot;
	struct node *outer_key, *inner_key; /* inner_key is over fields of this source only */
	struct node *inner_filter;	    /* over fields of this source only; or nullptr */
	bool left;			    /* keep rows without a partner, its fields NULL */
};

struct plan {
	struct snapshot *snapshot; /* borrowed; as all snapshots in joins */
	const struct field *field; /* [n_fields] everything that nodes refer to */
	uint32_t n_fields;
	const struct field *unnest; /* an array: one row for each of its elements; or nullptr */
	struct place unnest_at;	    /* as a node's */
	bool unnest_keeps_empty;
	const struct join *join; /* [n_joins] */
	uint32_t n_joins;
	struct node *filter; /* or nullptr */

	bool grouped; /* output: the keys, then the aggregates; else the values of each row */
	struct node **output; /* [n_outputs] keys if grouped, else values */
	uint32_t n_outputs;
	const struct aggregate *aggregate; /* [n_aggregates] */
	uint32_t n_aggregates;
	bool distinct; /* of ungrouped output rows */

	const struct order_by
		*order; /* [n_order]; ties are in the order of chunks and rows, of groups in any */
	uint32_t n_order;
	int64_t limit; /* rows at most; -1: all */
};
