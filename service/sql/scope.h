/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * scope: what names can mean at a place of a query.
 *
 * Layer 6 (service/sql). Plain data in the binder's arena; only the binder includes it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/sql/bind.h"
#include "service/syntax/ast.h"

struct draft;
struct snapshot;

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

/* A step from a value to what is inside it: to a member by name, or to whatever an expression says. */
struct step {
	const struct token *name; /* or nullptr, and */
	const struct expr *key;
};

/* One item of FROM. */
struct source {
	const char *sql;	      /* "s0" */
	const char *alias;	      /* what the client calls it, or nullptr */
	const char *workspace, *name; /* of a collection named without an alias */
	struct column *columns;	      /* their sql is without "s0." */
	size_t n_columns;
	const char *whole;	   /* what the alias alone means: "doc", "value"; or nullptr */
	struct snapshot *snapshot; /* of a collection; borrowed from bound */
	struct draft *draft; /* the pipe that yields it, alone or joined to others; or nullptr */
	uint32_t index;	     /* which of the pipe's sources it is */
	bool element;	     /* it is what the pipe unnests */
	bool joined; /* with other tables: a sub-select of just what is asked for, so that SQLite can index it */
	const struct from_item *item;
	const char *body, *on; /* SQL */
	struct source *next;
};

struct scope {
	struct source *sources;
	struct vec using;		   /* names joined by USING */
	const struct select_item *aliases; /* usable as names, or nullptr */
	struct draft
		*grouped; /* the pipe that groups, so that aggregates are its columns; or nullptr */
	struct expr *const
		*argument; /* [n_arguments] expressions that are ?1, ?2, … here; or nullptr */
	size_t n_arguments;
	struct scope *outer;
};

/* A name's meaning: SQL for the part of it that is a column, and how many of its words that took. */
struct resolved {
	struct source *source;
	const char *base;  /* without "s0." */
	const char *base2; /* if the first does not have the field */
	size_t used;
	enum sql_type type;
	kind_set kinds;			 /* of a column that is no collection's: 0: any */
	const struct select_item *alias; /* a select item's alias: then nothing else is set */
};
