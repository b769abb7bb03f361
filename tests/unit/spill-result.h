/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spill-result: what a plan yields in so much memory, and whether it is the same in less.
 *
 * For tests/unit/test-exec-spill*.c.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "service/crew/query.h"
#include "tests/lib/tap.h"
#include "tests/unit/spill-fixture.h"

/* What a plan yields. */
struct result {
	int r;
	uint64_t spilled;
	size_t held;	 /* bytes still counted when the pipe is closed */
	struct buf text; /* its rows, a line each */
	char error[256];
};

static inline void result_done(struct result *result)
{
	buf_done(&result->text);
}

#define auto_result cleanup(result_done)

static inline int put_rows(struct pipe *pipe, const struct plan *plan, struct buf *out)
{
	uint32_t width = plan->n_outputs + (plan->grouped ? plan->n_aggregates : 0);
	const struct cell *cell;
	int r;

	while ((r = pipe_next(pipe, &cell)) == 0) {
		for (uint32_t i = 0; i < width; i++) {
			char value[128];

			put_cell(&cell[i], value, sizeof(value));
			if (cell[i].kind == KIND_ARRAY)
				buf_addf(out, " array %u", cell[i].s.len);
			buf_addf(out, " %s", value);
		}
		buf_add_str(out, "\n");
	}
	return r;
}

/* Run a plan twice, rewinding in between, with so much memory. Both times must give the same. */
static inline void run_in(struct exec *in, const struct plan *plan, size_t memory,
			  struct result *ret)
{
	struct query_limits limits = { UINT64_MAX, &disk.cancel, memory };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	auto_buf struct buf again = buf_make(64u << 20);
	struct query_figures figures;

	*ret = (struct result) { .text = buf_make(64u << 20) };
	disk.writes = 0;
	ret->r = exec_query_new(in, &limits, &query);
	if (ret->r)
		return;
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	ret->r = pipe_open(query, plan, &pipe);
	ret->r = ret->r ? ret->r : put_rows(pipe, plan, &ret->text);
	if (ret->r == PIPE_END) {
		pipe_rewind(pipe);
		ret->r = put_rows(pipe, plan, &again);
		if (again.len != ret->text.len ||
		    (again.len && memcmp(again.data, ret->text.data, again.len) != 0))
			ret->r = -EILSEQ;
	}
	pipe_close_at(&pipe);
	ret->held = query->budget.used;
	exec_query_figures(query, &figures);
	ret->spilled = figures.spilled_bytes;
	(void)snprintf(ret->error, sizeof(ret->error), "%s", exec_query_error(query));
}

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of a text, sorted. */
static inline bool sort_lines(struct buf *text)
{
	const char *lines = buf_text(text);
	size_t n = 0;
	auto_free char *copy = lines ? strdup(lines) : nullptr;
	auto_free const char **line = calloc(text->len + 1, sizeof(*line));

	if (!copy || !line)
		return false;
	for (char *at = strtok(copy, "\n"); at; at = strtok(nullptr, "\n"))
		line[n++] = at;
	qsort(line, n, sizeof(*line), by_text);
	buf_clear(text);
	for (size_t i = 0; i < n; i++)
		buf_addf(text, "%s\n", line[i]);
	return buf_error(text) == 0;
}

/* Whether a plan gives the same with little memory as with much, having been on disk. */
static inline bool same_in(const struct plan *plan, size_t memory, bool in_order)
{
	auto_result struct result much = {}, little = {};

	run_in(exec, plan, MUCH, &much);
	run_in(exec, plan, memory, &little);
	if (little.r != PIPE_END)
		printf("# %d: %s\n", little.r, little.error);
	CHECK_EQ(much.r, PIPE_END);
	CHECK_EQ(little.r, PIPE_END);
	CHECK_EQ(much.held, 0u);
	CHECK_EQ(little.held, 0u);
	CHECK_EQ(much.spilled, 0u);
	CHECK(little.spilled > 0);
	CHECK(in_order || (sort_lines(&much.text) && sort_lines(&little.text)));
	CHECK(much.text.len > 0);
	CHECK_EQ(much.text.len, little.text.len);
	CHECK(memcmp(much.text.data, little.text.data, much.text.len) == 0);
	CHECK_EQ(files(), 0);
	return true;
}
