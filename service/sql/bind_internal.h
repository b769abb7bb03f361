/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bind_internal: what the parts of the binder share.
 *
 * Layer 3 (service/sql). Only bind*.c include it. Printing functions append to out and do nothing useful once b->r is set.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/sql/bind.h"

constexpr size_t BIND_TEXT_MAX = 8u << 20; /* the query as printed; a few times what came in */

/* A list that grows in the arena. */
struct vec {
	const void **item;
	size_t n, room;
};

/* A common table expression in sight. */
struct bound_cte {
	const char *name, *sql;
	struct column *columns;
	size_t n_columns;
	struct bound_cte *outer;
};

/* One item of FROM. */
struct source {
	const char *sql;	      /* "s0" */
	const char *alias;	      /* what the client calls it, or nullptr */
	const char *workspace, *name; /* of a collection named without an alias */
	struct column *columns;	      /* their sql is without "s0." */
	size_t n_columns;
	const char *whole; /* what the alias alone means: "doc", "value"; or nullptr */
	bool is_collection, built_in;
	int64_t n; /* of the collection */
	bool pruned; /* in a join: a sub-select of just what is asked for, so that SQLite can index it */
	struct vec request; /* that */
	const struct from_item *item;
	const char *where;     /* of a pruned one: its own " WHERE …", or nullptr */
	const char *body, *on; /* SQL */
	struct source *next;
};

struct scope {
	struct source *sources;
	struct vec using;		   /* names joined by USING */
	const struct select_item *aliases; /* usable as names, or nullptr */
	struct scope *outer;
};

struct binder {
	struct arena *arena;
	struct store_reader *reader;
	struct sql_error *error;
	uint64_t now_us;
	int r;	     /* sticky */
	bool trying; /* inside TRY() */
	unsigned int next_source, next_cte;
	struct bound_cte *ctes;
	struct vec collections, parameters;
};

/* What a query yields, while it is being bound. */
struct output {
	struct column *columns;
	size_t n;
};

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

/* Print 1 where the expression is a field that the document does not have, else 0. */
void print_undefined(struct binder *b, struct buf *out, const struct expr *e, struct scope *scope);

/* Whether print_undefined() could print anything but 0. */
[[nodiscard]] bool may_be_undefined(struct binder *b, const struct expr *e, struct scope *scope);

/* Print ORDER BY's items, without the words. */
void print_order(struct binder *b, struct buf *out, const struct order_item *order,
		 struct scope *scope);

/* What is known of an expression's type. */
[[nodiscard]] enum sql_type type_of(struct binder *b, const struct expr *e, struct scope *scope);

/* A name's meaning: SQL for the part of it that is a column, and how many of its words that took. */
struct resolved {
	const struct source *source;
	const char *base;  /* without "s0." */
	const char *base2; /* if the first does not have the field */
	size_t used;
	enum sql_type type;
	const struct select_item *alias; /* a select item's alias: then nothing else is set */
};

/* Find what a name means. b->r is set if it means nothing. */
void resolve(struct binder *b, const struct expr *e, struct scope *scope, struct resolved *ret);

/*
 * The SQL of a resolved name's field: base and then the words from used on.
 *
 * function  "rd_get", or "rd_undef"
 * more      SQL of further keys, each after a comma, or ""; not for a pruned source
 */
[[nodiscard]] const char *resolved_sql(struct binder *b, const struct resolved *at,
				       const struct expr *e, const char *function,
				       const char *more);

/* Bind FROM into a new scope's sources. */
void bind_from(struct binder *b, const struct from_item *from, struct scope *scope);

/* Print FROM, after everything that asks its sources for something has been printed. */
void print_from(struct binder *b, struct buf *out, const struct scope *scope);

/* Bind a query and print it. hidden: add columns that tell undefined from null. */
void bind_query(struct binder *b, struct buf *out, const struct query *query, struct scope *outer,
		int64_t row_limit, bool hidden, struct output *ret);
