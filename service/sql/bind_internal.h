/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bind_internal: what the parts of the binder share.
 *
 * Layer 6 (service/sql). Only bind*.c include it. Printing functions append to out and do nothing useful once b->r is set.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/bind.h"
#include "service/sql/scope.h"

constexpr size_t BIND_TEXT_MAX = 8u << 20; /* the query as printed; a few times what came in */

struct binder {
	struct arena *arena;
	struct store *store;
	sqlite3 *db;		     /* for values that are known now */
	sqlite3 *calls;		     /* for functions that pipes have SQLite evaluate */
	pthread_mutex_t *calls_lock; /* held by whoever has it evaluate */
	const struct sql_query *ask;
	struct evaluation *evaluations;
	struct sql_error *error;
	uint64_t now_us;
	int r;		      /* sticky */
	unsigned int printed; /* expressions, to ask the limits now and then */
	bool trying;	      /* inside TRY() */
	bool calling;	      /* for evaluate.h, whose callers know the place */
	struct place at;      /* of the expression that is made a node */
	unsigned int next_source, next_cte;
	struct bound_cte *ctes;
	struct vec collections, parameters, plans, sites;
};

/* What a query yields, while it is being bound. */
struct output {
	struct column *columns;
	size_t n;
};

/* Whether to go on printing: nothing has failed, and the query is neither cancelled nor past its deadline. */
[[nodiscard]] bool bind_goes_on(struct binder *b);

/* Append to a list. */
void vec_add(struct binder *b, struct vec *vec, const void *item);

/* Zeroed memory, or nullptr with b->r set. */
[[nodiscard]] void *bind_node(struct binder *b, size_t size);

/* Text made with printf(3), in the arena; "" with b->r set on failure. At most 4095 bytes. */
[[nodiscard, gnu::format(printf, 2, 3)]] const char *bind_text(struct binder *b, const char *format,
							       ...);

/* What a buffer holds, in the arena; "" with b->r set on failure. */
[[nodiscard]] const char *bind_keep(struct binder *b, struct buf *buf);

/* Append a text as an SQL literal. */
void put_literal(struct buf *out, const char *text, size_t len);

/* Print an expression as a value. */
void print_value(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Print an expression as a condition: 0, 1 or NULL. */
void print_condition(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Whether a type is a date, a datetime or a timestamp. */
[[nodiscard]] bool is_moment(enum sql_type type);

/* Print 1 where the expression is a field that the document does not have, else 0. */
void print_undefined(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Whether print_undefined() could print anything but 0. */
[[nodiscard]] bool may_be_undefined(struct binder *b, const struct expr *e, struct scope *scope);

/* Print ORDER BY's items, without the words. */
void print_order(struct binder *b, struct buf *out, const struct order_item *order,
		 struct scope *scope);

/* What is known of an expression's type. */
[[nodiscard]] enum sql_type type_of(struct binder *b, const struct expr *e, struct scope *scope);

/* Find what a name means. b->r is set if it means nothing. */
void resolve(struct binder *b, const struct expr *e, struct scope *scope, struct resolved *ret);

/*
 * The SQL of what steps lead to from a resolved name: from base through e's words from used on, then the steps.
 *
 * e         the name; nullptr: base itself
 * function  "rd_get", or "rd_undef": whether that leads nowhere
 * step      [n_steps]
 */
[[nodiscard]] const char *resolved_sql(struct binder *b, const struct resolved *at,
				       const struct expr *e, const char *function,
				       const struct step *step, size_t n_steps,
				       struct scope *scope);

/* Print the keys of steps, each after a comma. */
void print_steps(struct binder *b, struct buf *out, const struct step *step, size_t n_steps,
		 struct scope *scope);

/* Bind FROM into a new scope's sources. */
void bind_from(struct binder *b, const struct core *core, struct scope *scope);

/* Print FROM, after everything that asks its sources for something has been printed. */
void print_from(struct binder *b, struct buf *out, const struct scope *scope);

/* Refuse aggregates and window functions that stand where they cannot. order is of this SELECT, or nullptr. grouping: it makes groups. */
void check_aggregates(struct binder *b, const struct core *core, const struct order_item *order,
		      bool grouping);

/*
 * Refuse what a SELECT that makes groups (by GROUP BY, or with aggregates only) selects, orders or tests by and that its rows need not
 * agree on. The _id of a collection stands for all its fields. order is of this SELECT, or nullptr. (bind_group.c)
 */
void check_groups(struct binder *b, const struct core *core, const struct order_item *order,
		  struct scope *scope);

/* Refuse a whole number in GROUP BY or ORDER BY that is not one of so many columns. */
void check_ordinal(struct binder *b, const struct expr *e, size_t columns);

/* Bind a query and print it. hidden: add columns that tell undefined from null. */
void bind_query(struct binder *b, struct buf *out, const struct query *query, struct scope *outer,
		int64_t row_limit, bool hidden, struct output *ret);
