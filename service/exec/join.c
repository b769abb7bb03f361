/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/join.h"

#include <errno.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/run.h"
#include "service/vector/rows.h"

constexpr uint32_t CODES_MAX = 65'535; /* rows that codes of a dictionary can name */

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
	bool unique; /* no key has two rows */
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
};

static void inner_done(struct inner *inner)
{
	run_done(&inner->run);
	prepared_done(&inner->prepared);
	for (uint32_t i = 0; inner->part && i < inner->n_parts; i++)
		rows_done(&inner->part[i]);
	free(inner->part);
	free(inner->field);
	free(inner->node);
	free(inner->output);
}

struct join_table *join_free(struct join_table *table)
{
	if (!table)
		return nullptr;
	for (uint32_t i = 0; table->dictionary && i < table->n_fields; i++)
		free((void *)(uintptr_t)table->dictionary[i].entry);
	for (uint32_t i = 0; table->kind && i < table->n_fields; i++)
		free(table->kind[i]);
	free(table->kind);
	free(table->dictionary);
	rows_done(&table->rows);
	free(table->column);
	free(table->hash);
	free(table->next);
	free(table->same);
	free(table->slot);
	free(table);
	return nullptr;
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

struct part_sink {
	const struct prepared *prepared;
	struct rows *rows;
};

/* Keep the rows whose key is not NULL. */
static int keep_rows(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct part_sink *sink = userdata;
	uint32_t width = sink->rows->width;
	auto_free const struct vector **column = calloc(width, sizeof(*column));
	struct set left = *selection;

	if (!column)
		return -ENOMEM;
	for (uint32_t i = 0; i < width; i++) {
		int r = eval_value(eval, sink->prepared->output[i], &left, &column[i]);

		if (r)
			return r;
		struct set null = vector_nulls(column[i], &left);
		if (i == 0)
			left = set_minus(&left, &null);
	}
	return rows_add(sink->rows, column, &left);
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int, uint32_t at)
{
	struct inner *inner = userdata;
	struct part_sink sink = { &inner->prepared, &inner->part[at] };

	return scan_run(scan, keep_rows, &sink);
}

static int read_all(struct exec_query *query, struct inner *inner)
{
	int r = prepared_init(&inner->prepared, &inner->plan);

	r = r ? r : run_init(&inner->run, query, &inner->prepared, inner->plan.snapshot);
	r = r ? r : run_list(&inner->run);
	if (r)
		return r;
	inner->part = calloc(inner->run.n_chunks + 1, sizeof(*inner->part));
	if (!inner->part)
		return -ENOMEM;
	inner->n_parts = inner->run.n_chunks;
	for (uint32_t i = 0; i < inner->n_parts; i++)
		rows_init(&inner->part[i], inner->plan.n_outputs, &query->budget);
	return run_chunks(&inner->run, 0, inner->n_parts, read_chunk, inner);
}

/* Put the parts' rows one after the other; their strings are taken over. */
static int put_together(struct join_table *table, struct inner *inner)
{
	size_t n = 0, width = inner->plan.n_outputs;

	for (uint32_t i = 0; i < inner->n_parts; i++)
		n += inner->part[i].n;
	if (n > JOIN_ROWS_MAX)
		return -EDQUOT;
	struct rows *rows = &table->rows;
	int r = budget_take(rows->room.budget, n * width * sizeof(*rows->at));
	if (r)
		return r;
	rows->size = n; /* counted from here on */
	rows->at = calloc(n + 1, width * sizeof(*rows->at));
	if (!rows->at)
		return -ENOMEM;
	for (uint32_t i = 0; i < inner->n_parts; i++) {
		struct rows *part = &inner->part[i];

		if (part->n > 0)
			memcpy(rows->at + rows->n * width, part->at,
			       part->n * width * sizeof(*rows->at));
		rows->n += part->n;
		pile_join(&rows->room, &part->room);
	}
	return 0;
}

/* Where a chain names the first row of a key, or its end. */
static uint32_t *find(const struct join_table *table, uint32_t *at, uint64_t hash,
		      const struct cell *key)
{
	for (; *at != JOIN_NONE; at = &table->next[*at]) {
		struct cell other;

		if (table->hash[*at] != hash)
			continue;
		slim_cell(&table->rows.at[(size_t)*at * table->rows.width], &other);
		if (cell_compare(key, &other) == 0)
			break;
	}
	return at;
}

static int make_slots(struct join_table *table)
{
	size_t n = table->rows.n;

	table->mask = stdc_bit_ceil(n * 2 + 2) - 1;
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

		slim_cell(&table->rows.at[(row - 1) * table->rows.width], &key);
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

int join_build(struct exec_query *query, const struct plan *plan, uint32_t number,
	       struct join_table **ret)
{
	cleanup(join_free_at) struct join_table *table = calloc(1, sizeof(*table));
	cleanup(inner_done) struct inner inner = {};

	if (!table)
		return -ENOMEM;
	table->query = query;
	int r = make_plan(plan, number, &inner, table);
	rows_init(&table->rows, inner.plan.n_outputs, &query->budget);
	r = r ? r : read_all(query, &inner);
	r = r ? r : put_together(table, &inner);
	r = r ? r : make_slots(table);
	r = r ? r : make_dictionaries(table, number);
	if (r == 0)
		*ret = TAKE(table);
	return query_result(query, r);
}

uint32_t join_first(const struct join_table *table, const struct cell *key)
{
	if (key->kind <= KIND_NULL || table->rows.n == 0)
		return JOIN_NONE;
	uint64_t hash = cell_hash(table->query->exec->key, key);
	return *find(table, &table->slot[hash & table->mask], hash, key);
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
