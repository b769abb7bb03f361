/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/stage.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/pipe.h"

/* --- rows ------------------------------------------------------------------------------------- */

static int rows_load(void *userdata, uint32_t field, const struct set *selection,
		     struct vector *ret)
{
	struct stage *stage = userdata;

	return source_load(&stage->scan->source, field, stage->block, selection, ret);
}

static bool rows_coded(void *userdata, uint32_t field, const struct set *selection)
{
	struct stage *stage = userdata;

	return source_coded(&stage->scan->source, field, selection);
}

static int rows_contains(void *userdata, uint32_t field, const struct cell *what,
			 const struct set *selection, struct truth *ret)
{
	struct stage *stage = userdata;

	return source_contains(&stage->scan->source, field, stage->block, what, selection, ret);
}

static int rows_find(void *userdata, uint32_t field, const struct str *needle,
		     const struct set *selection, struct truth *ret)
{
	struct stage *stage = userdata;

	return source_find(&stage->scan->source, field, stage->block, needle, selection, ret);
}

static int rows_moments(void *userdata, uint32_t field, struct vector *ret)
{
	struct stage *stage = userdata;

	return source_moments(&stage->scan->source, field, stage->block, ret);
}

static int rows_between(void *userdata, uint32_t field, const struct span *span,
			const struct set *selection, struct truth *ret)
{
	struct stage *stage = userdata;

	return source_between(&stage->scan->source, field, stage->block, span, selection, ret);
}

/* --- UNNEST and joins ------------------------------------------------------------------------- */

/* A field that the stage before has, too. */
static int load_before(struct stage *stage, uint32_t field, struct vector *ret)
{
	struct stage *before = stage - 1;
	const struct vector *value;
	int r = eval_field(before->eval, field, &before->selection, &value);

	if (r == 0)
		vector_gather(value, stage->index, stage->batch.n, ret);
	return r;
}

static int element_load(void *userdata, uint32_t field, const struct set *selection,
			struct vector *ret)
{
	struct stage *stage = userdata;

	if (!stage->scan->prepared->field[field].in_element)
		return load_before(stage, field, ret);
	if (!stage->empty)
		return source_load(&stage->scan->source, field, stage->block, selection, ret);
	vector_set_kind(ret, KIND_NULL);
	return 0;
}

static int joined_load(void *userdata, uint32_t field, const struct set *, struct vector *ret)
{
	struct stage *stage = userdata;
	const struct prepared *p = stage->scan->prepared;

	if (prepared_stage(p, &p->field[field]) < stage->number)
		return load_before(stage, field, ret);
	uint32_t join = stage->number - 1u - (p->plan->unnest ? 1u : 0u);
	join_load(stage->scan->joined[join].table, field, stage->inner, stage->batch.n, ret);
	return 0;
}

int stage_init(struct scan *scan, uint32_t number)
{
	static const struct batch_ops ROWS = { rows_load, rows_coded,	rows_contains,
					       rows_find, rows_moments, rows_between };
	static const struct batch_ops ELEMENTS = { .load = element_load };
	static const struct batch_ops JOINED = { .load = joined_load };
	const struct prepared *p = scan->prepared;
	struct stage *stage = &scan->stage[number];
	bool elements = number == 1 && p->plan->unnest;

	stage->scan = scan;
	stage->number = number;
	stage->batch.ops = number == 0 ? &ROWS : elements ? &ELEMENTS : &JOINED;
	stage->batch.userdata = stage;
	int r = eval_new(&p->program, p->n_fields, &stage->eval);
	if (r == 0)
		eval_limit(stage->eval, &scan->query->limits);
	return r;
}

void stage_done(struct stage *stage)
{
	eval_free(stage->eval);
	free(stage->heads.row);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as there are stages. */

static int advance(struct stage *stage, const struct set *selection);

/* Run a batch that has been put together. */
static int run_batch(struct stage *stage, uint32_t n, const struct set *selection)
{
	int r = stage->number > 0 ? query_check(stage->scan->query)
				  : 0; /* one row may have many partners */

	if (r)
		return scan_failed(stage->scan, nullptr, r);
	stage->batch.n = n;
	eval_begin(stage->eval, &stage->batch);
	return advance(stage, selection);
}

/* Whether all selected rows have something that can be taken apart. */
static int check_arrays(struct stage *stage, const struct vector *array,
			const struct set *selection)
{
	uint32_t i;

	if (array->uniform && (array->kind == KIND_ARRAY || array->kind == KIND_NULL))
		return 0;
	SET_EACH(selection, i)
	{
		auto kind = (enum kind)array->kinds[i];
		char text[80];

		if (kind == KIND_OBJECT)
			return PIPE_UNSUITED;
		if (kind <= KIND_NULL || kind == KIND_ARRAY)
			continue;
		(void)snprintf(text, sizeof(text), "UNNEST takes an array or object, not %s.",
			       cell_type_name(kind));
		query_fail(stage->scan->query, stage->scan->prepared->plan->unnest_at, text);
		return PIPE_FAILED;
	}
	return 0;
}

/* The elements of one of their blocks that belong to selected rows: *row is the first row that may have some. */
static struct set block_elements(struct stage *to, const uint32_t *ends, uint32_t rows,
				 const struct set *selection, uint32_t *row)
{
	uint32_t from = to->block * COLUMN_BLOCK, end = from + COLUMN_BLOCK;
	struct set set = {};

	memset(to->index, 0, sizeof(to->index));
	for (; *row < rows && ends[*row] < end; ++*row) {
		uint32_t a = ends[*row] > from ? ends[*row] : from;
		uint32_t b = ends[*row + 1] < end ? ends[*row + 1] : end;

		for (uint32_t e = a; e < b && set_has(selection, *row); e++) {
			to->index[e - from] = (uint16_t)*row;
			set_add(&set, e - from);
		}
		if (ends[*row + 1] > end)
			break; /* goes on in the next block */
	}
	return set;
}

static int unnest(struct stage *stage, const struct set *selection)
{
	const struct prepared *p = stage->scan->prepared;
	struct stage *to = stage + 1;
	uint32_t ends[COLUMN_BLOCK + 1] = {}, row = 0;
	const struct chunk_column *about = source_about(&stage->scan->source, p->array);
	int r = 0;

	if (about) {
		cleanup(vector_free_at) struct vector *array = nullptr;
		const struct set none = {};

		r = vector_new(&array);
		r = r ? r : source_load(&stage->scan->source, p->array, stage->block, &none, array);
		r = r ? r : check_arrays(stage, array, selection);
		r = r ? r : source_ends(&stage->scan->source, p->array, stage->block, ends);
	}
	uint32_t n = stage->batch.n;
	to->empty = false;
	for (uint32_t b = ends[0] / COLUMN_BLOCK;
	     r == 0 && ends[n] > ends[0] && b * COLUMN_BLOCK < ends[n]; b++) {
		to->block = b;
		struct set set = block_elements(to, ends, n, selection, &row);
		if (set_any(&set))
			r = run_batch(to, COLUMN_BLOCK, &set);
	}
	if (r || !p->plan->unnest_keeps_empty)
		return r;
	struct set set = {};
	uint32_t i;
	SET_EACH(selection, i)
	if (ends[i] == ends[i + 1])
		set_add(&set, i);
	for (i = 0; i < COLUMN_BLOCK; i++)
		to->index[i] = (uint16_t)i;
	to->empty = true;
	return set_any(&set) ? run_batch(to, n, &set) : 0;
}

constexpr uint32_t UNKNOWN = JOIN_NONE - 1;

/* Make heads fit a dictionary. */
static int begin_heads(struct heads *heads, const struct dictionary *dictionary)
{
	if (heads->dictionary == dictionary->id)
		return 0;
	heads->dictionary = 0;
	if (heads->size < dictionary->n) {
		free(heads->row);
		heads->size = 0;
		heads->row = calloc(dictionary->n, sizeof(*heads->row));
		if (!heads->row)
			return -ENOMEM;
		heads->size = dictionary->n;
	}
	for (uint32_t i = 0; i < dictionary->n; i++)
		heads->row[i] = UNKNOWN;
	heads->dictionary = dictionary->id;
	return 0;
}

/* The first partner of an entry. */
static uint32_t first_partner(struct stage *to, const struct join_table *table,
			      const struct vector *key, uint32_t i)
{
	bool coded = key->dictionary && key->kinds[i] == KIND_STRING;
	struct cell cell;

	if (coded && to->heads.row[key->codes[i]] != UNKNOWN)
		return to->heads.row[key->codes[i]];
	vector_cell(key, i, &cell);
	uint32_t row = join_first(table, &cell);
	if (coded)
		to->heads.row[key->codes[i]] = row;
	return row;
}

/* Partners of entries whose keys are codes, each having one at most: no branch depends on the row. Returns how many there are. */
static uint32_t join_codes(struct stage *to, const struct join_table *table,
			   const struct vector *key, const struct set *selection, bool left)
{
	uint32_t n = 0, i;

	SET_EACH(selection, i)
	{
		uint32_t row = to->heads.row[key->codes[i]];

		if (row == UNKNOWN)
			row = first_partner(to, table, key, i);
		to->index[n] = (uint16_t)i;
		to->inner[n] = row;
		n += (row != JOIN_NONE) | left;
	}
	return n;
}

/* Remember that an entry has met a partner. */
static void mark(const struct stage *to, uint32_t entry)
{
	uint64_t row = to->marks_from + entry;

	to->marks[row / 64] |= UINT64_C(1) << (row % 64);
}

/* Partners of any entries, as many as there are; full batches are run on the way. Returns as a sink; what is left is *ret_n entries. */
static int join_any(struct stage *to, const struct join_table *table, const struct vector *key,
		    const struct set *selection, bool left, uint32_t *ret_n)
{
	uint32_t n = 0, i;
	int r = 0;

	SET_EACH(selection, i)
	{
		uint32_t row = first_partner(to, table, key, i);

		if (row == JOIN_NONE && !left)
			continue;
		if (row != JOIN_NONE && to->marks)
			mark(to, i);
		do {
			to->index[n] = (uint16_t)i;
			to->inner[n++] = row;
			if (n == COLUMN_BLOCK) {
				struct set all = set_first(n);

				r = run_batch(to, n, &all);
				n = 0;
			}
			row = row == JOIN_NONE ? row : join_next(table, row);
		} while (row != JOIN_NONE && r == 0);
		if (r)
			return r;
	}
	*ret_n = n;
	return 0;
}

int stage_join(struct stage *stage, const struct set *selection)
{
	const struct prepared *p = stage->scan->prepared;
	struct stage *to = stage + 1;
	uint32_t number = to->number - 1u - (p->plan->unnest ? 1u : 0u), n = 0;
	const struct stretch *stretch = stage->scan->stretch;
	const struct joined *joined = &stage->scan->joined[number];
	const struct join_table *table = joined->table;
	bool here = stretch && stretch->join == number; /* a part of a split table is there */
	bool left = here ? stretch->left : p->plan->join[number].left;
	const struct vector *key;

	if (joined->split && !here)
		return stage_divert(stage, number, selection);
	int r = eval_value(stage->eval, p->outer_key[number], selection, &key);

	if (r == 0 && key->dictionary)
		r = begin_heads(&to->heads, key->dictionary);
	if (r)
		return scan_failed(stage->scan, stage->eval, r);
	if (key->dictionary && key->uniform && !key->nulls && join_is_unique(table))
		n = join_codes(to, table, key, selection, left);
	else
		r = join_any(to, table, key, selection, left, &n);
	struct set all = set_first(n);
	return r || n == 0 ? r : run_batch(to, n, &all);
}

/* Apply a stage's filters, then go on to the next or the sink. */
static int advance(struct stage *stage, const struct set *selection)
{
	struct scan *scan = stage->scan;
	const struct prepared *p = scan->prepared;

	stage->selection = *selection;
	for (uint32_t i = 0; i < p->n_conjuncts && !scan->filtered; i++) {
		if (p->conjunct[i].stage != stage->number || scan->verdict[i] == PRUNE_ALL)
			continue;
		int r = eval_filter(stage->eval, p->conjunct[i].step, &stage->selection);

		if (r)
			return scan_failed(scan, stage->eval, r);
		if (!set_any(&stage->selection))
			return 0;
	}
	if (stage->number + 1 == p->n_stages) {
		int r = scan->sink(scan->userdata, stage->eval, scan->stage[0].block,
				   &stage->selection);

		return r == SCAN_ENOUGH ? r : scan_failed(scan, stage->eval, r);
	}
	return stage->number == 0 && p->plan->unnest ? unnest(stage, &stage->selection)
						     : stage_join(stage, &stage->selection);
}

/* NOLINTEND(misc-no-recursion) */

int stage_block(struct scan *scan, uint32_t block, uint32_t n, const struct set *rows)
{
	scan->stage[0].block = block;
	return run_batch(&scan->stage[0], n, rows);
}
