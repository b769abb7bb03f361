/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/shortcut.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool is_row_count(const struct plan *plan, uint32_t i)
{
	return plan->aggregate[i].kind == AGGREGATE_COUNT && !plan->aggregate[i].arg;
}

/* Whether statistics could do. */
static bool suits(const struct plan *plan)
{
	if (!plan->grouped || plan->n_outputs > 0 || plan->filter || plan->unnest ||
	    plan->n_joins > 0 || plan->n_aggregates == 0)
		return false;
	for (uint32_t i = 0; i < plan->n_aggregates; i++) {
		const struct aggregate *a = &plan->aggregate[i];
		bool extreme = a->kind == AGGREGATE_MIN || a->kind == AGGREGATE_MAX;

		if (!is_row_count(plan, i) &&
		    ((!extreme && a->kind != AGGREGATE_COUNT) || a->arg->op != OP_FIELD))
			return false;
	}
	return true;
}

/* The least and greatest of a chunk's field. Returns false if its statistics do not tell. */
static bool bounds_of(const struct chunk_column *about, bool max, struct cell *ret)
{
	kind_set values = about->kinds & (kind_set)~KINDS_NULLS;

	*ret = (struct cell) { .kind = KIND_NULL };
	if (values == 0)
		return true;
	if ((values & (values - 1)) != 0 || about->has_nan)
		return false;
	ret->kind = (enum kind)stdc_trailing_zeros((unsigned int)values);
	if (KINDS_INTS >> ret->kind & 1)
		ret->i = max ? about->int_max : about->int_min;
	else if (ret->kind == KIND_FLOAT)
		ret->f = max ? about->float_max : about->float_min;
	else
		return ret->kind == KIND_TRUE || ret->kind == KIND_FALSE;
	return true;
}

/* Take one chunk into an aggregate. Returns false if rows must be read. */
static bool take_chunk(const struct plan *plan, uint32_t i, const struct snapshot_chunk *at,
		       const struct chunk_column *about, struct cell *cell)
{
	const struct aggregate *a = &plan->aggregate[i];
	struct cell one;

	if (is_row_count(plan, i)) {
		cell->i += (int64_t)chunk_rows(at->chunk) - at->n_deleted;
		return true;
	}
	if (!about)
		return true;
	if (at->n_deleted > 0)
		return false;
	if (a->kind == AGGREGATE_COUNT) {
		cell->i += (int64_t)about->present - about->nulls;
		return !about->has_nan;
	}
	bool max = a->kind == AGGREGATE_MAX;
	if (!bounds_of(about, max, &one))
		return false;
	if (one.kind == KIND_NULL)
		return true;
	int order = cell->kind == KIND_NULL ? 0 : cell_compare(&one, cell);
	if (cell->kind == KIND_NULL || (max ? order > 0 : order < 0))
		*cell = one;
	return true;
}

int shortcut_take(struct pipe *pipe)
{
	const struct plan *plan = pipe->plan;
	struct scan *scan;

	if (!suits(plan))
		return PIPE_END;
	if (pipe->given > 0)
		return PIPE_END;
	int r = run_scan(&pipe->run, 0, &scan);
	for (uint32_t i = 0; i < plan->n_aggregates; i++)
		pipe->cell[i] = (struct cell) { .kind = plan->aggregate[i].kind == AGGREGATE_COUNT
								? KIND_INT
								: KIND_NULL };
	size_t n = snapshot_chunks(plan->snapshot);
	for (size_t c = 0; c < n && r == 0; c++) {
		const struct snapshot_chunk *at = snapshot_chunk(plan->snapshot, c);
		bool skip;

		r = scan_open(scan, at, &skip);
		atomic_fetch_add_explicit(&pipe->run.query->chunks_skipped, 1,
					  memory_order_relaxed);
		for (uint32_t i = 0; i < plan->n_aggregates && r == 0; i++) {
			const struct chunk_column *about =
				is_row_count(plan, i) ? nullptr
						      : source_about(scan_source(scan),
								     plan->aggregate[i].arg->field);

			if (!take_chunk(plan, i, at, about, &pipe->cell[i]))
				r = PIPE_END;
		}
	}
	if (r <= 0 || r == PIPE_END)
		scan_close(scan);
	return r;
}
