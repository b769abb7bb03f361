/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "service/exec/pipe.h"
#include "service/exec/stage.h"
#include "service/vector/packed_row.h"

/*
 * A split join, seen from the rows: those of the stage before it go to disk; later they come back, a slice at a time, and go
 * on as if that stage had just made them.
 */

/* The fields of a stage before a split join, for some of its entries. */
struct kept {
	const struct vector **field; /* [n] */
	const uint32_t *list;	     /* [n] which they are */
	uint32_t n;
};

static int load_kept(struct stage *stage, const struct set *selection, struct kept *kept)
{
	int r = 0;

	for (uint32_t i = 0; i < kept->n && r == 0; i++)
		r = eval_field(stage->eval, kept->list[i], selection, &kept->field[i]);
	return r;
}

/* An entry as a packed row. A row without fields is a NULL, for no record is empty. */
static int pack_entry(const struct kept *kept, uint32_t entry, struct buf *out)
{
	const struct slim nothing = { .kind = KIND_NULL };

	buf_clear(out);
	for (uint32_t i = 0; i < kept->n; i++) {
		struct cell cell;

		vector_cell(kept->field[i], entry, &cell);
		struct slim slim = slim_of(&cell);
		packed_row_put(out, &slim);
	}
	if (kept->n == 0)
		packed_row_put(out, &nothing);
	return buf_error(out) == -EMSGSIZE ? -EDQUOT : buf_error(out);
}

/* Put an entry where its key belongs, unless it can come to nothing. */
static int divert_entry(const struct scan *scan, uint32_t number, const struct kept *kept,
			const struct cell *key, uint32_t entry, struct buf *row)
{
	struct split *split = scan->joined[number].split;
	uint32_t part = split_part(split, key);
	bool may_meet = key->kind > KIND_NULL && split_pieces(split, part) > 0;

	if (!may_meet && !scan->prepared->plan->join[number].left)
		return 0;
	int r = pack_entry(kept, entry, row);
	return r ? r : split_divert(split, scan->morsel, part, row);
}

static int divert_entries(const struct scan *scan, uint32_t number, const struct kept *kept,
			  const struct vector *key, const struct set *selection)
{
	auto_buf struct buf row = buf_make(PACKED_ROW_MAX);
	uint32_t i;

	SET_EACH(selection, i)
	{
		struct cell cell;

		vector_cell(key, i, &cell);
		int r = divert_entry(scan, number, kept, &cell, i, &row);
		if (r)
			return r;
	}
	return 0;
}

int stage_divert(struct stage *stage, uint32_t number, const struct set *selection)
{
	struct scan *scan = stage->scan;
	const struct vector *key;
	struct kept kept = {};

	kept.list = split_fields(scan->joined[number].split, &kept.n);
	auto_free const struct vector **field = calloc(kept.n + 1, sizeof(*field));
	kept.field = field;
	int r = field ? 0 : -ENOMEM;
	r = r ? r : eval_value(stage->eval, scan->prepared->outer_key[number], selection, &key);
	r = r ? r : load_kept(stage, selection, &kept);
	if (r)
		return scan_failed(scan, stage->eval, r);
	return scan_failed(scan, nullptr, divert_entries(scan, number, &kept, key, selection));
}

/* --- on the way back ----------------------------------------------------------------------------- */

/* Rows that have come back. */
struct restored {
	struct split *split;
	struct rows rows;
	struct spill_reader reader;
	struct slim *row; /* [width] */
	uint64_t from;	  /* number of the first in its slice */
};

static void restored_done(struct restored *restored)
{
	rows_done(&restored->rows);
	spill_reader_done(&restored->reader);
	free(restored->row);
}

static int load_restored(void *userdata, uint32_t field, const struct set *, struct vector *ret)
{
	const struct restored *restored = userdata;
	const struct rows *rows = &restored->rows;
	uint32_t column = split_column(restored->split, field);
	struct set all = set_first((uint32_t)rows->n);

	ret->full = true;
	if (column == SPLIT_NONE) { /* nobody needs it from here on */
		vector_set_kind(ret, KIND_MISSING);
		return 0;
	}
	for (uint32_t i = 0; i < rows->n; i++) {
		struct cell cell;

		slim_cell(&rows->at[(size_t)i * rows->width + column], &cell);
		vector_put(ret, i, &cell);
	}
	vector_settle(ret, &all);
	return 0;
}

/* Read as many rows as a batch has. Returns 0 (none: there are no more), -EBADMSG, -EDQUOT, -ENOMEM or another -errno. */
static int read_batch(struct restored *restored)
{
	struct rows *rows = &restored->rows;
	uint8_t *data;
	size_t len;
	int r = 0;

	restored->from += rows->n;
	rows_clear(rows);
	while (rows->n < COLUMN_BLOCK && r == 0) {
		r = spill_next(&restored->reader, &data, &len);
		if (r == 0 && !packed_row_get(data, len, restored->row, rows->width))
			r = -EBADMSG;
		r = r ? r : rows_add_slims(rows, restored->row);
	}
	return r == SPILL_NO_MORE ? 0 : r;
}

/* The rows of a batch that take part. */
static struct set takes_part(const struct stretch *stretch, const uint64_t *marks, uint64_t from,
			     uint32_t n)
{
	struct set set = set_first(n);

	for (uint32_t i = 0; i < n && stretch->rest && marks; i++)
		if (marks[(from + i) / 64] >> ((from + i) % 64) & 1)
			set.word[i / 64] &= ~(UINT64_C(1) << (i % 64));
	return set;
}

/* Run a slice's rows through the join and what comes after it. */
static int run_slice(struct scan *scan, struct stage *stage, struct restored *restored)
{
	static const struct batch_ops RESTORED = { .load = load_restored };
	const struct stretch *stretch = scan->stretch;
	struct stage *to = stage + 1;
	uint64_t *marks = split_marks(restored->split, scan->morsel - stretch->from);

	for (;;) {
		int r = query_check(scan->query);

		r = r ? r : read_batch(restored);
		auto n = (uint32_t)restored->rows.n;
		if (r || n == 0)
			return scan_failed(scan, nullptr, r);
		struct set set = takes_part(stretch, marks, restored->from, n);
		if (!set_any(&set))
			continue;
		stage->batch = (struct batch) { &RESTORED, restored, n };
		stage->selection = set;
		to->marks = stretch->mark ? marks : nullptr;
		to->marks_from = restored->from;
		eval_begin(stage->eval, &stage->batch);
		r = stage_join(stage, &set);
		if (r)
			return r;
	}
}

int stage_restore(struct scan *scan)
{
	const struct stretch *stretch = scan->stretch;
	const struct prepared *p = scan->prepared;
	struct stage *stage = &scan->stage[stretch->join + (p->plan->unnest ? 1u : 0u)];
	cleanup(restored_done) struct restored restored = {
		.split = scan->joined[stretch->join].split
	};
	struct batch before = stage->batch;
	uint32_t width;

	(void)split_fields(restored.split, &width);
	width += width == 0;
	restored.row = calloc(width, sizeof(*restored.row));
	if (!restored.row)
		return -ENOMEM;
	rows_init(&restored.rows, width, &scan->query->budget);
	split_reader(restored.split, scan->morsel - stretch->from, &restored.reader);
	scan->stage[0].block = 0;
	for (uint32_t i = 0; i < p->n_conjuncts; i++)
		scan->verdict[i] = PRUNE_SOME;
	int r = run_slice(scan, stage, &restored);
	stage->batch = before;
	stage[1].marks = nullptr;
	return r;
}
