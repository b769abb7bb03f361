/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/join.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/run.h"
#include "service/exec/split.h"
#include "service/vector/packed_row.h"
#include "service/vector/rows.h"

constexpr uint32_t CODES_MAX = 65'535; /* rows that codes of a dictionary can name */
constexpr size_t LOOK_EVERY = 4096;    /* rows put into a table between two looks at the limits */

struct join_table {
	struct exec_query *query;
	struct rows rows; /* key, then the fields */
	uint32_t *column; /* [n_fields] of the plan: its column in rows; 0: not of this source */
	struct dictionary *dictionary; /* [n_fields] entry nullptr: none */
	uint8_t **kind;		       /* [n_fields] of those the rows' kinds [rows]; or nullptr */
	uint32_t n_fields;
	uint64_t *hash; /* [rows] */
	uint32_t *next; /* [rows] another key with the same slot */
	uint32_t *same; /* [rows] the next with the same key */
	uint32_t *slot; /* [mask + 1] */
	uint64_t mask;
	size_t counted; /* bytes of the last four */
	bool unique;	/* no key has two rows */
};

/* The plan that reads the collection, and the memory of its parts. */
struct inner {
	struct plan plan;
	struct field *field;
	struct node *node;
	struct node **output;
	struct rows *part; /* [n_parts] by chunk */
	uint32_t n_parts;
	struct prepared prepared;
	struct run run;
	size_t before; /* bytes of the query's that were used already */
	pthread_mutex_t lock;
	_Atomic(struct split *) split; /* once there is one, rows go there */
};

static void inner_done(struct inner *inner)
{
	run_done(&inner->run);
	prepared_done(&inner->prepared);
	pthread_mutex_destroy(&inner->lock);
	for (uint32_t i = 0; inner->part && i < inner->n_parts; i++)
		rows_done(&inner->part[i]);
	free(inner->part);
	split_free(inner->split);
	free(inner->field);
	free(inner->node);
	free(inner->output);
}

/* Empty a table, for other rows or none. */
static void empty(struct join_table *table)
{
	rows_done(&table->rows);
	budget_give(table->rows.room.budget, table->counted);
	table->counted = 0;
	free(TAKE(table->hash));
	free(TAKE(table->next));
	free(TAKE(table->same));
	free(TAKE(table->slot));
}

static struct join_table *join_free(struct join_table *table)
{
	if (!table)
		return nullptr;
	for (uint32_t i = 0; table->dictionary && i < table->n_fields; i++)
		free((void *)(uintptr_t)table->dictionary[i].entry);
	for (uint32_t i = 0; table->kind && i < table->n_fields; i++)
		free(table->kind[i]);
	free(table->kind);
	free(table->dictionary);
	empty(table);
	free(table->column);
	free(table);
	return nullptr;
}
CLEANUP_FN(struct join_table, join_free)

void join_done(struct joined *joined)
{
	join_free_at(&joined->table);
	split_free_at(&joined->split);
}

/* Make the inner plan: the key and all fields of this source as outputs. */
static int make_plan(const struct plan *plan, uint32_t number, struct inner *inner,
		     struct join_table *table)
{
	const struct join *join = &plan->join[number];
	uint32_t n = 0;

	inner->field = calloc(plan->n_fields + 1, sizeof(*inner->field));
	inner->node = calloc(plan->n_fields + 1, sizeof(*inner->node));
	inner->output = calloc(plan->n_fields + 2, sizeof(struct node *));
	table->column = calloc(plan->n_fields + 1, sizeof(*table->column));
	table->dictionary = calloc(plan->n_fields + 1, sizeof(*table->dictionary));
	table->kind = calloc(plan->n_fields + 1, sizeof(uint8_t *));
	table->n_fields = plan->n_fields;
	if (!inner->field || !inner->node || !inner->output || !table->column ||
	    !table->dictionary || !table->kind)
		return -ENOMEM;
	inner->output[n++] = join->inner_key;
	for (uint32_t i = 0; i < plan->n_fields; i++) {
		bool ours = plan->field[i].source == number + 1;

		inner->field[i] = plan->field[i];
		inner->field[i].source = ours ? 0 : UINT32_MAX;
		if (!ours)
			continue;
		inner->node[i] = (struct node) { .op = OP_FIELD, .field = i };
		table->column[i] = n;
		inner->output[n++] = &inner->node[i];
	}
	inner->plan = (struct plan) {
		.snapshot = join->snapshot,
		.field = inner->field,
		.n_fields = plan->n_fields,
		.filter = join->inner_filter,
		.output = inner->output,
		.n_outputs = n,
		.limit = -1,
	};
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------- */

/* Bytes that the query has left for the join. */
static size_t room_of(const struct inner *inner)
{
	const struct budget *budget = &inner->run.query->budget;

	return inner->before < budget->limit ? budget->limit - inner->before : 0;
}

/* Whether so much has been read that it had better go to disk: a table takes up to three times that while it is made. */
static bool is_tight(const struct inner *inner)
{
	const struct exec_query *query = inner->run.query;
	size_t used = atomic_load_explicit(&query->budget.used, memory_order_relaxed);

	return query->exec->spill_folder && used > inner->before &&
	       used - inner->before > room_of(inner) / 3;
}

/* Have rows go to disk from now on. */
static int begin_split(struct inner *inner)
{
	struct split *split = nullptr;
	int r = 0;

	pthread_mutex_lock(&inner->lock);
	if (!atomic_load(&inner->split)) {
		r = split_new(inner->run.query, inner->plan.n_outputs, room_of(inner), &split);
		if (r == 0)
			atomic_store(&inner->split, split);
	}
	pthread_mutex_unlock(&inner->lock);
	return r;
}

struct part_sink {
	struct inner *inner;
	struct rows *rows;
	const struct vector **column; /* [width] */
	struct slim *row;	      /* [width] */
	struct buf piece;
};

/* Put rows that have been kept on disk. */
static int put_rows(struct split *split, struct rows *rows, struct buf *piece)
{
	int r = 0;

	for (size_t i = 0; i < rows->n && r == 0; i++)
		r = split_add(split, rows->at + i * rows->width, piece);
	rows_done(rows);
	return r;
}

/* Put entries on disk. */
static int put_entries(struct part_sink *sink, const struct set *selection)
{
	uint32_t width = sink->rows->width, i;
	int r = 0;

	SET_EACH(selection, i)
	{
		for (uint32_t c = 0; c < width; c++) {
			struct cell cell;

			vector_cell(sink->column[c], i, &cell);
			sink->row[c] = slim_of(&cell);
		}
		r = r ? r : split_add(sink->inner->split, sink->row, &sink->piece);
	}
	return r;
}

/* Keep entries, in memory as long as there is enough. */
static int keep_entries(struct part_sink *sink, const struct set *selection)
{
	struct inner *inner = sink->inner;

	if (atomic_load_explicit(&inner->split, memory_order_acquire))
		return put_entries(sink, selection);
	int r = rows_add(sink->rows, sink->column, selection);
	if ((r && r != -EDQUOT) || (r == 0 && !is_tight(inner)))
		return r;
	bool kept = r == 0;
	r = begin_split(inner);
	r = r ? r : put_rows(inner->split, sink->rows, &sink->piece);
	return r || kept ? r : put_entries(sink, selection);
}

/* Keep the rows whose key is not NULL. */
static int keep_rows(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct part_sink *sink = userdata;
	struct set left = *selection;

	for (uint32_t i = 0; i < sink->rows->width; i++) {
		int r = eval_value(eval, sink->inner->prepared.output[i], &left, &sink->column[i]);

		if (r)
			return r;
		struct set null = vector_nulls(sink->column[i], &left);
		if (i == 0)
			left = set_minus(&left, &null);
	}
	return keep_entries(sink, &left);
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int, uint32_t at)
{
	struct inner *inner = userdata;
	auto_free const struct vector **column = calloc(inner->plan.n_outputs, sizeof(*column));
	auto_free struct slim *row = calloc(inner->plan.n_outputs, sizeof(*row));
	struct part_sink sink = { inner, &inner->part[at], column, row, buf_make(PACKED_ROW_MAX) };
	int r = column && row ? scan_run(scan, keep_rows, &sink) : -ENOMEM;

	buf_done(&sink.piece);
	return r;
}

static int read_all(struct exec_query *query, struct inner *inner)
{
	int r = prepared_init(&inner->prepared, &inner->plan);

	r = r ? r : run_init(&inner->run, query, &inner->prepared, inner->plan.snapshot);
	r = r ? r : run_list(&inner->run);
	if (r)
		return r;
	inner->before = atomic_load(&query->budget.used);
	inner->part = calloc(inner->run.n_chunks + 1, sizeof(*inner->part));
	if (!inner->part)
		return -ENOMEM;
	inner->n_parts = inner->run.n_chunks;
	for (uint32_t i = 0; i < inner->n_parts; i++)
		rows_init(&inner->part[i], inner->plan.n_outputs, &query->budget);
	return run_chunks(&inner->run, 0, inner->n_parts, read_chunk, inner);
}

static size_t count_rows(const struct inner *inner)
{
	size_t n = 0;

	for (uint32_t i = 0; i < inner->n_parts; i++)
		n += inner->part[i].n;
	return n;
}

/* What a row takes in the table's chains and slots, at most. */
constexpr size_t CHAINS_BYTES = sizeof(uint64_t) + 2 * sizeof(uint32_t) + 4 * sizeof(uint32_t);

/* Whether all rows can be put together in memory. */
static bool fits(const struct inner *inner)
{
	const struct budget *budget = &inner->run.query->budget;
	size_t row = inner->plan.n_outputs * sizeof(struct slim) + CHAINS_BYTES;
	size_t used = atomic_load(&budget->used), n = count_rows(inner);

	return n <= JOIN_ROWS_MAX && used <= budget->limit && n <= (budget->limit - used) / row;
}

/* Put what is still in memory on disk, too. */
static int split_rest(struct inner *inner)
{
	auto_buf struct buf piece = buf_make(PACKED_ROW_MAX);
	int r = 0;

	for (uint32_t i = 0; i < inner->n_parts && r == 0; i++)
		r = put_rows(inner->split, &inner->part[i], &piece);
	return r ? r : split_end(inner->split);
}

/* Put the parts' rows one after the other; their strings are taken over. */
static int put_together(struct join_table *table, struct inner *inner)
{
	size_t width = inner->plan.n_outputs;
	struct rows *rows = &table->rows;
	int r = rows_reserve(rows, count_rows(inner));

	if (r)
		return r;
	for (uint32_t i = 0; i < inner->n_parts; i++) {
		struct rows *part = &inner->part[i];

		if (part->n > 0)
			memcpy(rows->at + rows->n * width, part->at,
			       part->n * width * sizeof(*rows->at));
		rows->n += part->n;
		pile_join(&rows->room, &part->room);
		rows_done(part);
	}
	return 0;
}

/* --- the table ----------------------------------------------------------------------------------- */

/* Where a chain names the first row of a key, which is a cell_join_key(), or its end. */
static uint32_t *find(const struct join_table *table, uint32_t *at, uint64_t hash,
		      const struct cell *key)
{
	for (; *at != JOIN_NONE; at = &table->next[*at]) {
		struct cell other;

		if (table->hash[*at] != hash)
			continue;
		slim_cell(&table->rows.at[(size_t)*at * table->rows.width], &other);
		other = cell_join_key(&other);
		if (cell_compare(key, &other) == 0)
			break;
	}
	return at;
}

static int make_slots(struct join_table *table)
{
	size_t n = table->rows.n, slots = stdc_bit_ceil(n * 2 + 2);
	size_t bytes = n * CHAINS_BYTES;
	int r = budget_take(table->rows.room.budget, bytes);

	if (r)
		return r;
	table->counted = bytes;
	table->mask = slots - 1;
	table->hash = calloc(n + 1, sizeof(*table->hash));
	table->next = calloc(n + 1, sizeof(*table->next));
	table->same = calloc(n + 1, sizeof(*table->same));
	table->slot = calloc(table->mask + 1, sizeof(*table->slot));
	if (!table->same || !table->hash || !table->next || !table->slot)
		return -ENOMEM;
	memset(table->slot, 0xff, (table->mask + 1) * sizeof(*table->slot));
	static_assert(JOIN_NONE == UINT32_MAX);
	table->unique = true;
	for (size_t row = n; row > 0; row--) { /* backwards, so that chains ascend */
		struct cell key;

		r = row % LOOK_EVERY == 0 ? query_check(table->query) : 0;
		if (r)
			return r;
		slim_cell(&table->rows.at[(row - 1) * table->rows.width], &key);
		key = cell_join_key(&key);
		uint64_t hash = cell_hash(table->query->exec->key, &key);
		uint32_t *at = find(table, &table->slot[hash & table->mask], hash, &key);
		table->hash[row - 1] = hash;
		table->same[row - 1] = *at;
		table->unique &= *at == JOIN_NONE;
		table->next[row - 1] = *at == JOIN_NONE ? JOIN_NONE : table->next[*at];
		*at = (uint32_t)row - 1;
	}
	return 0;
}

/* Let a field be a dictionary if it has nothing but strings and NULL. */
static int make_dictionary(struct join_table *table, uint32_t number, uint32_t field)
{
	const struct rows *rows = &table->rows;
	auto_free struct str *entry = calloc(rows->n + 1, sizeof(*entry));
	auto_free uint8_t *kind = calloc(rows->n + 1, sizeof(*kind));

	if (!entry || !kind)
		return -ENOMEM;
	for (size_t row = 0; row < rows->n; row++) {
		struct cell cell;

		slim_cell(&rows->at[row * rows->width + table->column[field]], &cell);
		if (cell.kind > KIND_NULL && cell.kind != KIND_STRING)
			return 0;
		kind[row] = cell.kind;
		entry[row] = cell.kind == KIND_STRING ? cell.s : (struct str) {};
	}
	/* Apart from those of chunks, which count up, and of memos, which count down. */
	uint64_t id = (UINT64_C(1) << 62) + ((uint64_t)number << 32) + field;
	table->dictionary[field] =
		(struct dictionary) { .entry = TAKE(entry), .n = (uint32_t)rows->n, .id = id };
	table->kind[field] = TAKE(kind);
	return 0;
}

/* With few rows what comes after works with codes. */
static int make_dictionaries(struct join_table *table, uint32_t number)
{
	int r = 0;

	for (uint32_t f = 0; f < table->n_fields && table->rows.n < CODES_MAX && r == 0; f++)
		if (table->column[f] > 0)
			r = make_dictionary(table, number, f);
	return r;
}

/* Make the table of what has been read, or split it. */
static int make_table(struct join_table *table, uint32_t number, struct inner *inner)
{
	int r = 0;

	if (!inner->split && !fits(inner))
		r = begin_split(inner);
	if (r)
		return r;
	if (inner->split)
		return split_rest(inner);
	r = put_together(table, inner);
	r = r ? r : make_slots(table);
	return r ? r : make_dictionaries(table, number);
}

int join_build(struct exec_query *query, const struct plan *plan, uint32_t number,
	       struct joined *ret)
{
	cleanup(join_free_at) struct join_table *table = calloc(1, sizeof(*table));
	cleanup(inner_done) struct inner inner = {};

	pthread_mutex_init(&inner.lock, nullptr);
	if (!table)
		return -ENOMEM;
	table->query = query;
	int r = make_plan(plan, number, &inner, table);
	rows_init(&table->rows, inner.plan.n_outputs, &query->budget);
	r = r ? r : read_all(query, &inner);
	r = r ? r : make_table(table, number, &inner);
	if (r)
		return query_result(query, r);
	ret->table = TAKE(table);
	ret->split = inner.split;
	inner.split = nullptr;
	return 0;
}

int join_fill(struct joined *joined, uint32_t part, uint32_t piece)
{
	struct join_table *table = joined->table;
	int r = 0;

	empty(table);
	if (piece != SPLIT_NONE)
		r = split_read(joined->split, part, piece, &table->rows);
	r = r ? r : make_slots(table);
	if (r)
		empty(table);
	return query_result(table->query, r);
}

uint32_t join_first(const struct join_table *table, const struct cell *key)
{
	if (key->kind <= KIND_NULL || table->rows.n == 0)
		return JOIN_NONE;
	struct cell same = cell_join_key(key);
	uint64_t hash = cell_hash(table->query->exec->key, &same);
	return *find(table, &table->slot[hash & table->mask], hash, &same);
}

bool join_is_unique(const struct join_table *table)
{
	return table->unique;
}

uint32_t join_next(const struct join_table *table, uint32_t row)
{
	return table->same[row];
}

/* Strings and NULL of few rows: the row is the code. */
static void load_codes(const struct join_table *table, uint32_t field, const uint32_t *row,
		       uint32_t n, struct vector *ret)
{
	const uint8_t *kind = table->kind[field];
	bool nulls = false;

	for (uint32_t i = 0; i < n; i++) {
		ret->kinds[i] = row[i] == JOIN_NONE ? KIND_NULL : kind[row[i]];
		ret->codes[i] = (uint16_t)row[i]; /* of NULL anything */
		nulls |= ret->kinds[i] <= KIND_NULL;
	}
	ret->uniform = true;
	ret->kind = KIND_STRING;
	ret->nulls = nulls;
	ret->dictionary = &table->dictionary[field];
}

void join_load(const struct join_table *table, uint32_t field, const uint32_t *row, uint32_t n,
	       struct vector *ret)
{
	struct set all = set_first(n);

	ret->full = true;
	if (table->kind[field]) {
		load_codes(table, field, row, n, ret);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct cell cell = { .kind = KIND_NULL };

		if (row[i] != JOIN_NONE)
			slim_cell(&table->rows.at[(size_t)row[i] * table->rows.width +
						  table->column[field]],
				  &cell);
		vector_put(ret, i, &cell);
	}
	vector_settle(ret, &all);
}
