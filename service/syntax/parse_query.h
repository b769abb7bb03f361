/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * parse_query: the queries that the grammar's actions make.
 *
 * Layer 6 (service/syntax). For grammar.y. See parse_internal.h about what happens once the query is refused.
 */

#include "service/syntax/ast.h"
#include "service/syntax/parse_internal.h"
#include "service/syntax/parse_tree.h"

/* The whole: what p->query is to be. */
void tree_statement(struct parser *p, struct query *query, bool explain);

/* Refuse a statement that is known and not run. */
void tree_unavailable(struct parser *p, const struct token *at);

/* A query of cores; ctes and limits may be nullptr. */
[[nodiscard]] struct query *tree_query(struct parser *p, const struct list *ctes,
				       const struct list *cores, struct order_item *order,
				       const struct limits *limits);

/* name (columns) AS (query); columns may be nullptr. */
[[nodiscard]] struct cte *tree_cte(struct parser *p, const struct token *name,
				   const struct list *columns, struct query *query);

/* LIMIT and OFFSET. */
[[nodiscard]] struct limits *tree_limits(struct parser *p, struct expr *limit, struct expr *offset);

/* Add a core, joined to those before it. */
void tree_add_core(struct parser *p, struct list *cores, enum set_kind set, struct core *core);

/* INTERSECT or EXCEPT; with ALL they are refused at that token. */
[[nodiscard]] enum set_kind tree_setop(struct parser *p, const struct token *at, enum set_kind set,
				       bool all);

/* A query in brackets. */
[[nodiscard]] struct core *tree_nested(struct parser *p, struct query *query);

/* A SELECT; what is copied from core, its columns, and the sets it groups by or nullptr. */
[[nodiscard]] struct core *tree_select(struct parser *p, const struct core *core,
				       const struct list *items, const struct list *sets);

/* A column; alias may be nullptr. */
[[nodiscard]] struct select_item *tree_item(struct parser *p, struct expr *expr,
					    const struct token *alias);

/* A star; of and except may be nullptr. */
[[nodiscard]] struct select_item *tree_star(struct parser *p, const struct token *at,
					    struct expr *of, const struct list *except);

/* ORDER BY. */
[[nodiscard]] struct order_item *tree_order(struct parser *p, const struct list *sorts);

/* One thing to order by; nulls is NULLS_… of ast.h. */
[[nodiscard]] struct order_item *tree_sort(struct parser *p, struct expr *expr, bool down,
					   int nulls);

/* --- FROM (parse_from.c) --- */

/* A collection, its workspace before it. */
[[nodiscard]] struct from_item *tree_collection(struct parser *p, const struct expr *path);

/* (query) */
[[nodiscard]] struct from_item *tree_derived(struct parser *p, const struct token *at,
					     struct query *query);

/* UNNEST(expr AS element, value) WITH ORDINALITY; the names may be nullptr. */
[[nodiscard]] struct from_item *tree_unnest(struct parser *p, const struct token *at,
					    struct expr *expr, const struct token *element,
					    const struct token *value, bool ordinality);

/*
 * Give an item what follows it; both may be nullptr. A word that other dialects join with, like SEMI, is no alias before JOIN unless
 * AS or quotes say that it is one: the query would mean something else without a word.
 */
[[nodiscard]] struct from_item *tree_table(struct parser *p, struct from_item *item,
					   const struct token *alias, struct expr *sample);

/* LATERAL item: what UNNEST does anyway. A sub-select would take the names of others for its own, and is refused. */
[[nodiscard]] struct from_item *tree_lateral(struct parser *p, const struct token *at,
					     struct from_item *item);

/* Add an item, joined to those before it; on and using may be nullptr. */
void tree_join(struct parser *p, struct list *tables, enum join_kind join, struct from_item *item,
	       struct expr *on, const struct list *using);

/* All of FROM. */
[[nodiscard]] struct from_item *tree_from(struct parser *p, const struct list *tables);

/* Make the samples that a core's FROM asks for conditions of WHERE, or sub-selects where it joins. */
void tree_sampled(struct parser *p, struct core *core);

/* DESCRIBE collection. */
[[nodiscard]] struct core *tree_describe(struct parser *p, const struct expr *path);

/* --- GROUP BY (parse_group.c): a set is a list of struct expr *, a grouping a list of sets --- */

/* Add a set to a grouping. */
void tree_add_set(struct parser *p, struct list *sets, struct list *set);

/* ROLLUP (a, b): (a, b), (a), () */
[[nodiscard]] struct list *tree_rollup(struct parser *p, const struct list *parts);

/* CUBE (a, b): (a, b), (a), (b), () */
[[nodiscard]] struct list *tree_cube(struct parser *p, const struct token *at,
				     const struct list *parts);

/* The sets that come of several groupings. */
[[nodiscard]] struct list *tree_group(struct parser *p, bool distinct,
				      const struct list *groupings);

/* Give a core the sets it groups by: several become a UNION ALL of a core for each. Returns the core to use instead. */
[[nodiscard]] struct core *tree_grouped(struct parser *p, struct core *core,
					const struct list *sets);
