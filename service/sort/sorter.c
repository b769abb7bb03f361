/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sort/sorter.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/group/top.h"
#include "service/sort/sorter_internal.h"
#include "service/vector/packed_row.h"

constexpr uint32_t LOOK_EVERY = 4096; /* rows between two looks at the clock */
constexpr long WAIT_NS = 1'000'000;

int sorter_new(struct exec_query *query, const struct sorter_plan *plan, struct sorter **ret)
{
	cleanup(sorter_free_at) struct sorter *sorter = calloc(1, sizeof(*sorter));

	if (!sorter)
		return -ENOMEM;
	sorter->query = query;
	sorter->plan = *plan;
	sorter->share =
		query->budget.limit / 4 / plan->workers; /* rows grow by doubling: up to half */
	sorter->collected = calloc(plan->workers, sizeof(*sorter->collected));
	if (!sorter->collected)
		return -ENOMEM;
	pthread_mutex_init(&sorter->tight, nullptr);
	for (unsigned int w = 0; w < plan->workers; w++) {
		rows_init(&sorter->collected[w].rows, plan->width + 1, &query->budget);
		sorter->collected[w].piece = buf_make(PACKED_ROW_MAX);
	}
	*ret = TAKE(sorter);
	return 0;
}

struct sorter *sorter_free(struct sorter *sorter)
{
	if (!sorter)
		return nullptr;
	sorter_close(sorter);
	for (unsigned int w = 0; sorter->collected && w < sorter->plan.workers; w++) {
		struct collected *from = &sorter->collected[w];

		budget_give(&sorter->query->budget, from->list_size * 2 * sizeof(*from->list));
		rows_done(&from->rows);
		free(from->list);
		vector_free(from->position);
		free(from->column);
		free(from->cell);
		spill_free(from->spill);
		buf_done(&from->piece);
	}
	if (sorter->collected)
		pthread_mutex_destroy(&sorter->tight);
	free(sorter->collected);
	spill_free(sorter->merged);
	free(sorter);
	return nullptr;
}

/* --- order --------------------------------------------------------------------------------------- */

uint64_t sorter_prefix(const struct sorter *sorter, const struct slim *row)
{
	const struct order_by *order = sorter->plan.order;
	struct cell cell;

	if (sorter->plan.n_order == 0)
		return row[sorter->plan.width].bits;
	slim_cell(&row[order->column], &cell);
	if (cell.kind <= KIND_NULL)
		return order->nulls_last ? UINT64_MAX : 0;
	uint64_t prefix = cell_prefix(&cell);
	return order->descending ? ~prefix : prefix;
}

int sorter_compare(const struct sorter *sorter, const struct slim *a, const struct slim *b)
{
	for (uint32_t i = 0; i < sorter->plan.n_order; i++) {
		struct order_by one = sorter->plan.order[i];
		struct cell p, q;

		slim_cell(&a[one.column], &p);
		slim_cell(&b[one.column], &q);
		one.column = 0;
		int r = top_compare(&one, 1, &p, &q);
		if (r)
			return r;
	}
	uint64_t p = a[sorter->plan.width].bits, q = b[sorter->plan.width].bits;
	return (p > q) - (p < q);
}

struct sorting {
	const struct sorter *sorter;
	const struct rows *rows;
};

static int by_order(const void *a, const void *b, void *userdata)
{
	const struct sorting *sorting = userdata;
	const struct sorted *x = a, *y = b;
	const struct rows *rows = sorting->rows;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return sorter_compare(sorting->sorter, rows->at + (size_t)x->row * rows->width,
			      rows->at + (size_t)y->row * rows->width);
}

void sorter_sort(const struct sorter *sorter, struct collected *from)
{
	struct sorting sorting = { sorter, &from->rows };
	const struct rows *rows = &from->rows;

	for (size_t i = 0; i < rows->n; i++)
		from->list[i] = (struct sorted) { sorter_prefix(sorter, rows->at + i * rows->width),
						  (uint32_t)i };
	if (rows->n > 1)
		qsort_r(from->list, rows->n, sizeof(*from->list), by_order, &sorting);
}

/* --- runs ---------------------------------------------------------------------------------------- */

int sorter_write(const struct sorter *sorter, struct spill *spill, uint32_t part,
		 const struct slim *row, struct buf *piece)
{
	buf_clear(piece);
	for (uint32_t i = 0; i <= sorter->plan.width; i++)
		packed_row_put(piece, &row[i]);
	int r = buf_error(piece);
	return r == -EMSGSIZE ? -EDQUOT : r ? r : spill_add(spill, part, piece->data, piece->len);
}

/* Empty a thread's memory. */
static void forget(struct sorter *sorter, struct collected *from)
{
	budget_give(&sorter->query->budget, from->list_size * 2 * sizeof(*from->list));
	free(from->list);
	from->list = nullptr;
	from->list_size = 0;
	rows_done(&from->rows);
}

int sorter_put_out(struct sorter *sorter, struct collected *from)
{
	struct folder *folder = sorter->query->exec->spill_folder;
	int64_t limit = sorter->plan.limit;
	const struct rows *rows = &from->rows;
	uint32_t part = 0;
	int r = from->spill ? 0 : spill_new(folder, 0, nullptr, &from->spill);

	r = r ? r : spill_part(from->spill, &part);
	if (r)
		return r;
	sorter_sort(sorter, from);
	for (size_t i = 0; i < rows->n && r == 0 && (limit < 0 || i < (size_t)limit); i++) {
		r = i % LOOK_EVERY == 0 ? query_check(sorter->query) : 0;
		r = r ? r
		      : sorter_write(sorter, from->spill, part,
				     rows->at + (size_t)from->list[i].row * rows->width,
				     &from->piece);
	}
	r = r ? r : spill_flush(from->spill, part);
	if (r)
		return r;
	from->runs++;
	forget(sorter, from);
	return 0;
}

/* Have room in the list for more rows; each is counted twice, for sorting takes as much again. */
static int grow_list(struct sorter *sorter, struct collected *from, uint32_t more)
{
	size_t size = from->list_size ? from->list_size : 1024, n = from->rows.n + more;
	struct budget *budget = &sorter->query->budget;

	if (n <= from->list_size)
		return 0;
	if (n > UINT32_MAX)
		return -EDQUOT;
	while (size < n)
		size *= 2;
	size_t grow = 2 * (size - from->list_size) * sizeof(*from->list);
	int r = budget_take(budget, grow);
	if (r)
		return r;
	struct sorted *grown = reallocarray(from->list, size, sizeof(*grown));
	if (!grown) {
		budget_give(budget, grow);
		return -ENOMEM;
	}
	from->list = grown;
	from->list_size = size;
	return 0;
}

static size_t bytes_of(const struct collected *from)
{
	return rows_bytes(&from->rows) + from->list_size * 2 * sizeof(*from->list);
}

/* What adds rows: selected entries of from->column, or from->cell. */
typedef int add_fn(struct collected *from, const struct set *selection);

static int add_columns(struct collected *from, const struct set *selection)
{
	return rows_add(&from->rows, from->column, selection);
}

static int add_cells(struct collected *from, const struct set *)
{
	return rows_add_cells(&from->rows, from->cell);
}

/* Add rows once. What a try that has failed has left is given back. */
static int try(struct sorter *sorter, struct collected *from, add_fn *fn,
	       const struct set *selection, uint32_t n)
{
	int r = grow_list(sorter, from, n);

	r = r ? r : fn(from, selection);
	if (r == -EDQUOT && from->rows.n == 0)
		forget(sorter, from);
	return r;
}

/* There is no room though this thread has nothing: wait until others that are adding have written what they have. */
static int wait_and_add(struct sorter *sorter, struct collected *from, add_fn *fn,
			const struct set *selection, uint32_t n)
{
	int r;

	atomic_fetch_sub(&sorter->adding, 1);
	pthread_mutex_lock(&sorter->tight);
	atomic_fetch_add(&sorter->adding, 1);
	for (;;) {
		bool last = atomic_load(&sorter->adding) == 1;

		r = query_check(sorter->query);
		r = r ? r : try(sorter, from, fn, selection, n);
		if (r != -EDQUOT || last)
			break;
		(void)nanosleep(&(struct timespec) { .tv_nsec = WAIT_NS }, nullptr);
	}
	pthread_mutex_unlock(&sorter->tight);
	return r;
}

/* Add rows; what is there already goes to disk if there is no room, or when it has become enough. */
static int add(struct sorter *sorter, struct collected *from, add_fn *fn,
	       const struct set *selection, uint32_t n)
{
	bool may_write = sorter->query->exec->spill_folder != nullptr;

	atomic_fetch_add(&sorter->adding, 1);
	int r = try(sorter, from, fn, selection, n);
	if (r == -EDQUOT && may_write) {
		r = from->rows.n > 0 ? sorter_put_out(sorter, from) : 0;
		r = r ? r : try(sorter, from, fn, selection, n);
	}
	if (r == -EDQUOT && may_write)
		r = wait_and_add(sorter, from, fn, selection, n);
	if (r == 0 && may_write && bytes_of(from) > sorter->share)
		r = sorter_put_out(sorter, from);
	atomic_fetch_sub(&sorter->adding, 1);
	return r;
}

/* What a thread needs to add. */
static int begin(struct sorter *sorter, struct collected *from)
{
	if (from->cell)
		return 0;
	from->column = calloc(sorter->plan.width + 1, sizeof(*from->column));
	int r = from->column ? vector_new(&from->position) : -ENOMEM;
	if (r)
		return r;
	from->cell = calloc(sorter->plan.width + 1, sizeof(*from->cell));
	return from->cell ? 0 : -ENOMEM;
}

int sorter_add(struct sorter *sorter, unsigned int worker, const struct vector *const *column,
	       const struct set *selection, uint64_t position)
{
	struct collected *from = &sorter->collected[worker];
	uint32_t n = set_count(selection);
	int r = begin(sorter, from);

	if (r || n == 0)
		return r;
	vector_set_kind(from->position, KIND_INT);
	for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
		from->position->ints[i] = (int64_t)(position + i);
	for (uint32_t c = 0; c < sorter->plan.width; c++)
		from->column[c] = column[c];
	from->column[sorter->plan.width] = from->position;
	return add(sorter, from, add_columns, selection, n);
}

int sorter_add_cells(struct sorter *sorter, unsigned int worker, const struct cell *cell,
		     uint64_t position)
{
	struct collected *from = &sorter->collected[worker];
	uint32_t width = sorter->plan.width;
	int r = begin(sorter, from);

	if (r)
		return r;
	memcpy(from->cell, cell, width * sizeof(*cell));
	from->cell[width] = (struct cell) { .kind = KIND_INT, .i = (int64_t)position };
	return add(sorter, from, add_cells, nullptr, 1);
}
