/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * exec-fixture: plans written short, run over a few documents, their rows as text.
 *
 * For tests/unit/test-exec*.c. Nodes live in a static array that plan_begin() empties.
 */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/exec/pipe.h"
#include "tests/lib/snapshots.h"

static struct node nodes[200];
static struct node *node_args[400];
static struct field plan_fields[20];
static struct str plan_keys[20][3];
static size_t n_nodes, n_node_args;
static uint32_t n_plan_fields;

/* Forget the nodes and fields of the test before. */
static inline void plan_begin(void)
{
	n_nodes = n_node_args = 0;
	n_plan_fields = 0;
}

/* A node with arguments. */
static inline struct node *make_node(enum operation op, size_t n, struct node *const *arg)
{
	struct node *node = &nodes[n_nodes++];

	*node = (struct node) { .op = op, .arg = &node_args[n_node_args], .n_args = n };
	for (size_t i = 0; i < n; i++)
		node_args[n_node_args++] = arg[i];
	return node;
}

#define NODE(op, ...)                                                                    \
	make_node(op, sizeof((struct node *[]) { __VA_ARGS__ }) / sizeof(struct node *), \
		  (struct node *[]) { __VA_ARGS__ })

/* A field "a.b" of a source, or of an element. */
static inline struct node *field_of(const char *path, uint32_t source, bool in_element)
{
	struct node *node = make_node(OP_FIELD, 0, nullptr);
	struct str *key = plan_keys[n_plan_fields];
	uint32_t n = 0;

	while (*path) {
		size_t len = strcspn(path, ".");

		key[n++] = (struct str) { path, (uint32_t)len };
		path += len + (path[len] == '.');
	}
	plan_fields[n_plan_fields] = (struct field) { key, n, source, in_element };
	node->field = n_plan_fields++;
	return node;
}

static inline struct node *field(const char *path)
{
	return field_of(path, 0, false);
}

static inline struct node *constant(struct cell cell)
{
	struct node *node = make_node(OP_CONSTANT, 0, nullptr);

	node->constant = cell;
	return node;
}

static inline struct node *number(int64_t i)
{
	return constant((struct cell) { .kind = KIND_INT, .i = i });
}

static inline struct node *real(double f)
{
	return constant((struct cell) { .kind = KIND_FLOAT, .f = f });
}

static inline struct node *text(const char *s)
{
	return constant((struct cell) { .kind = KIND_STRING, .s = { s, (uint32_t)strlen(s) } });
}

static inline struct node *null(void)
{
	return constant((struct cell) { .kind = KIND_NULL });
}

static inline void put_cell(const struct cell *cell, char *out, size_t size)
{
	if (cell->kind <= KIND_NULL)
		(void)snprintf(out, size, cell->kind == KIND_NULL ? "null" : "missing");
	else if (cell->kind == KIND_TRUE || cell->kind == KIND_FALSE)
		(void)snprintf(out, size, cell->kind == KIND_TRUE ? "true" : "false");
	else if (KINDS_INTS >> cell->kind & 1)
		(void)snprintf(out, size, "%" PRIi64, cell->i);
	else if (cell->kind == KIND_FLOAT)
		(void)snprintf(out, size, "%.17g%s", cell->f,
			       cell->f == (double)(int64_t)cell->f ? ".0" : "");
	else if (cell->kind == KIND_STRING)
		(void)snprintf(out, size, "%.*s", (int)cell->s.len, cell->s.at);
	else
		(void)snprintf(out, size, "<%d>", cell->kind);
}

static inline int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort the |-separated rows of a text, for plans whose order is open. */
static inline void sort_rows(char *rows)
{
	static char copy[8192], *line[512];
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", rows);
	for (char *at = strtok(copy, "|"); at && n < countof(line); at = strtok(nullptr, "|"))
		line[n++] = at;
	qsort(line, n, sizeof(*line), compare_lines);
	rows[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(rows, i ? "|" : "");
		strcat(rows, line[i]);
	}
}

/* Run a plan: rows as "a b|c d" in ret, or "error N: sentence". Returns what the pipe said last. */
static inline int run_plan(struct exec *exec, const struct plan *plan, char ret[8192])
{
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	struct query_limits limits = { UINT64_MAX, nullptr, 64u << 20 };
	uint32_t width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0);
	const struct cell *cell;
	size_t len = 0;
	int r = exec_query_new(exec, &limits, &query);

	ret[0] = '\0';
	if (r)
		return r;
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	r = pipe_open(query, plan, &pipe);
	for (bool first = true; r == 0; first = false) {
		r = pipe_next(pipe, &cell);
		for (uint32_t i = 0; r == 0 && i < width && len < 8000; i++) {
			len += (size_t)snprintf(ret + len, 8192 - len, "%s",
						i	? " "
						: first ? ""
							: "|");
			put_cell(&cell[i], ret + len, 8192 - len);
			len += strlen(ret + len);
		}
	}
	if (r != PIPE_END)
		(void)snprintf(ret, 8192, "error %d: %s", r, exec_query_error(query));
	return r;
}
