/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/pipe_internal.h"
#include "service/exec/shortcut.h"
#include "service/group/group_list.h"
#include "service/group/groups.h"
#include "service/group/local.h"
#include "service/group/small.h"
#include "service/group/top.h"

/*
 * Groups, and distinct rows, which are groups without aggregates. Each COUNT(DISTINCT x) is a grouping of its own, by the
 * keys and x; in the end its groups are counted.
 */

struct grouping {
	struct layout layout; /* the first: of all aggregates; the others: none */
	struct groups *groups;
	uint32_t n_keys;
	uint32_t aggregate; /* of the others: which it is for */
	struct local *local[CREW_MAX];
	struct raw_pool pool;
};

struct state {
	struct pipe *pipe;
	struct grouping *grouping; /* [n] */
	uint32_t n;
	uint32_t n_aggregates;
	bool made, short_cut;
	struct group_list list;
	struct record
		*only; /* without keys: the only group, a copy; it is there even if no row is */
};

/* One chunk on its way through a thread. */
struct chunk_sink {
	struct state *state;
	unsigned int worker;
	const struct vector **key;   /* [n_keys + 1] */
	const struct vector **value; /* [n_aggregates] */
};

static int bad_kind(const struct state *state, const struct bad_value *bad)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "SUM and AVG cannot take a value of type %s.",
		       cell_type_name(bad->kind));
	query_fail(state->pipe->query, state->pipe->plan->aggregate[bad->aggregate].at, text);
	return PIPE_FAILED;
}

/* The keys of a distinct aggregate's grouping: those of the groups and its argument, where that is not NULL. */
static int add_distinct(struct chunk_sink *sink, struct grouping *grouping,
			const struct set *selection)
{
	const struct vector *value = sink->value[grouping->aggregate];
	struct set null = vector_nulls(value, selection);
	struct set left = set_minus(selection, &null);
	struct bad_value bad;

	if (!set_any(&left))
		return 0;
	sink->key[grouping->n_keys - 1] = value;
	return local_add(grouping->local[sink->worker], sink->key, nullptr, &left, &bad);
}

static int take(void *userdata, struct eval *eval, uint32_t, const struct set *selection)
{
	struct chunk_sink *sink = userdata;
	struct state *state = sink->state;
	const struct pipe *pipe = state->pipe;
	struct bad_value bad = {};
	int r = 0;

	for (uint32_t i = 0; i < pipe->plan->n_outputs && r == 0; i++)
		r = eval_value(eval, pipe->prepared.output[i], selection, &sink->key[i]);
	for (uint32_t i = 0; i < state->n_aggregates && r == 0; i++)
		if (pipe->prepared.aggregate[i] != PROGRAM_NONE)
			r = eval_value(eval, pipe->prepared.aggregate[i], selection,
				       &sink->value[i]);
	r = r ? r
	      : local_add(state->grouping[0].local[sink->worker], sink->key, sink->value, selection,
			  &bad);
	if (r == AGGREGATE_BAD_KIND)
		return bad_kind(state, &bad);
	for (uint32_t g = 1; g < state->n && r == 0; g++)
		r = add_distinct(sink, &state->grouping[g], selection);
	return r;
}

/* Make the thread's groups if this is its first chunk. */
static int begin_worker(struct state *state, unsigned int worker)
{
	struct exec_query *query = state->pipe->query;
	int r = 0;

	for (uint32_t g = 0; g < state->n && r == 0; g++) {
		struct grouping *grouping = &state->grouping[g];

		if (!grouping->local[worker])
			r = local_new(&grouping->layout, grouping->n_keys, query->exec->key,
				      &grouping->pool, &grouping->local[worker]);
	}
	return r;
}

static int read_chunk(void *userdata, struct scan *scan, unsigned int worker, uint32_t at)
{
	struct state *state = userdata;
	const struct plan *plan = state->pipe->plan;
	auto_free const struct vector **key = calloc(plan->n_outputs + 1, sizeof(*key));
	auto_free const struct vector **value = calloc(state->n_aggregates + 1, sizeof(*value));
	struct chunk_sink sink = { state, worker, key, value };
	int r = key && value ? begin_worker(state, worker) : -ENOMEM;

	r = r ? r : scan_run(scan, take, &sink);
	for (uint32_t g = 0; g < state->n && r == 0; g++) {
		cleanup(partial_free_at) struct partial *partial = nullptr;

		r = local_end(state->grouping[g].local[worker], &partial);
		r = r ? r : groups_give(state->grouping[g].groups, at, &partial);
	}
	return query_result(state->pipe->query, r);
}

/* All rows of a grouping are in. */
static int end_grouping(struct state *state, struct grouping *grouping)
{
	for (size_t w = 0; w < CREW_MAX; w++)
		grouping->local[w] = local_free(grouping->local[w]);
	int r = groups_end(grouping->groups);
	atomic_fetch_add(&state->pipe->query->spilled, groups_spilled(grouping->groups));
	return r;
}

/* Make a record of the group that a distinct value belongs to, which counts that value. */
static int count_one(const struct state *state, const struct grouping *grouping,
		     const struct record *value, struct cell *cell, struct partial *partial)
{
	const struct grouping *main = &state->grouping[0];
	const uint8_t *key = record_key(value), *end = key;
	struct record *group = nullptr;

	for (uint32_t i = 0; i < main->n_keys; i++)
		end = record_get(end, &cell[i]);
	uint64_t hash = small_hash_key(state->pipe->query->exec->key, cell, main->n_keys);
	int r = partial_add(partial, hash, main->layout.size, (uint32_t)(end - key), &group);
	if (r)
		return r;
	memcpy(group->data + main->layout.size, key, (size_t)(end - key));
	struct distinct *distinct =
		(void *)(record_states(group) + main->layout.offset[grouping->aggregate]);
	distinct->n = 1;
	return 0;
}

/* What one table of a distinct aggregate's values counts for the groups, as if it were one more chunk of rows. */
static int count_part(struct state *state, const struct grouping *grouping, uint32_t p,
		      uint32_t turn)
{
	cleanup(partial_free_at) struct partial *partial = nullptr;
	auto_free struct cell *cell = calloc(grouping->n_keys, sizeof(*cell));
	const struct part *part;
	const struct record *value;
	uint64_t at = 0;
	int r = cell ? partial_new(&state->pipe->query->budget, &partial) : -ENOMEM;

	r = r ? r : groups_settle(grouping->groups, p, &part);
	while (r == 0 && (value = part_next(part, &at)))
		r = count_one(state, grouping, value, cell, partial);
	return r ? r : groups_give(state->grouping[0].groups, turn, &partial);
}

/* Where groups have keys: add what distinct values count to the groups, which may be on disk. */
static int count_distinct(struct state *state)
{
	uint32_t turn = state->pipe->run.n_chunks;
	int r = 0;

	for (uint32_t g = 1; g < state->n && r == 0; g++) {
		struct grouping *grouping = &state->grouping[g];

		r = end_grouping(state, grouping);
		for (uint32_t p = 0; p < GROUPS_PARTS && r == 0; p++)
			r = count_part(state, grouping, p, turn++);
		grouping->groups = groups_free(grouping->groups);
	}
	return r;
}

/* Where there is one group: each distinct value is one of its. */
static int count_only(struct state *state)
{
	const struct grouping *main = &state->grouping[0];
	int r = 0;

	for (uint32_t g = 1; g < state->n && r == 0; g++) {
		struct grouping *grouping = &state->grouping[g];
		struct distinct *distinct = (void *)(record_states(state->only) +
						     main->layout.offset[grouping->aggregate]);

		r = end_grouping(state, grouping);
		for (uint32_t p = 0; p < GROUPS_PARTS && r == 0; p++) {
			const struct part *part;

			r = groups_fetch(grouping->groups, p, &part);
			distinct->n += r ? 0 : (int64_t)part->n;
		}
		grouping->groups = groups_free(grouping->groups);
	}
	return r;
}

/* Without keys: copy the only group, or make an empty one. Its strings stay where they are. */
static int make_only(struct state *state)
{
	const struct grouping *main = &state->grouping[0];
	const struct part *part;
	int r = 0;

	if (main->n_keys > 0 || !state->pipe->plan->grouped)
		return 0;
	state->only = calloc(1, record_room(main->layout.size, 0));
	if (!state->only)
		return -ENOMEM;
	state->only->states_len = main->layout.size;
	for (uint32_t p = 0; p < GROUPS_PARTS && r == 0; p++) {
		const struct record *record;
		uint64_t at = 0;

		r = groups_settle(main->groups, p, &part);
		while (r == 0 && (record = part_next(part, &at)))
			memcpy(state->only, record, record_size(record));
	}
	return r;
}

/* A group's cells. */
static int group_cells(struct state *state, struct record *record, struct cell *cell)
{
	struct pipe *pipe = state->pipe;
	const uint8_t *key = record_key(record);

	for (uint32_t i = 0; i < pipe->plan->n_outputs; i++)
		key = record_get(key, &cell[i]);
	for (uint32_t i = 0; i < state->n_aggregates; i++) {
		if (aggregate_value(&state->grouping[0].layout, i, record_states(record),
				    &cell[pipe->plan->n_outputs + i]))
			continue;
		query_fail(pipe->query, pipe->plan->aggregate[i].at,
			   "The sum is too large for an int.");
		return PIPE_FAILED;
	}
	return 0;
}

static int top_cells(void *userdata, const void *item, struct cell *cell)
{
	return group_cells(userdata, (struct record *)(uintptr_t)item, cell);
}

static int make(struct state *state)
{
	struct pipe *pipe = state->pipe;
	int r = run_list(&pipe->run);

	if (r)
		return r;
	struct exec_query *query = pipe->query;
	bool keys = state->grouping[0].n_keys > 0;
	/* What distinct values count comes after the chunks, table by table. */
	uint32_t more = keys ? (state->n - 1) * GROUPS_PARTS : 0;
	for (uint32_t g = 0; g < state->n && r == 0; g++)
		r = groups_new(query, &state->grouping[g].layout, state->grouping[g].n_keys,
			       pipe->run.n_chunks + (g == 0 ? more : 0), g > 0 || keys,
			       &state->grouping[g].groups);
	r = r ? r : run_chunks(&pipe->run, 0, pipe->run.n_chunks, read_chunk, state);
	r = r || !keys ? r : count_distinct(state);
	r = r ? r : end_grouping(state, &state->grouping[0]);
	r = r ? r : make_only(state);
	r = r || !state->only ? r : count_only(state);
	if (r || state->only)
		return r;
	const struct plan *plan = pipe->plan;
	group_list_init(&state->list, state->grouping[0].groups, &state->grouping[0].layout,
			&query->budget);
	return plan->n_order > 0 && plan->limit >= 0
		       ? group_list_sort(&state->list, plan, pipe->width, top_cells, state)
		       : 0;
}

static int next(struct pipe *pipe)
{
	struct state *state = pipe->state;

	if (state->short_cut && pipe->given > 0)
		return PIPE_END;
	if (!state->made) {
		int r = shortcut_take(pipe);

		state->short_cut = r == 0;
		if (r != PIPE_END)
			return r;
		r = make(state);
		if (r)
			return r;
		state->made = true;
	}
	struct record *record = state->only;
	int r = 0;
	if (!state->only)
		r = group_list_next(&state->list, &record);
	else if (pipe->given > 0)
		r = PIPE_END;
	return r ? r : group_cells(state, record, pipe->cell);
}

static void close_groups(struct pipe *pipe)
{
	struct state *state = pipe->state;

	for (uint32_t g = 0; state->grouping && g < state->n; g++) {
		struct grouping *grouping = &state->grouping[g];

		for (size_t w = 0; w < CREW_MAX; w++)
			local_free(grouping->local[w]);
		groups_free(grouping->groups);
		raw_pool_done(&grouping->pool);
		layout_done(&grouping->layout);
	}
	free(state->grouping);
	group_list_done(&state->list);
	free(state->only);
	free(state);
	pipe->state = nullptr;
}

static int open_groups(struct pipe *pipe)
{
	const struct plan *plan = pipe->plan;
	struct state *state = calloc(1, sizeof(*state));
	uint32_t g = 1;

	pipe->state = state;
	if (!state)
		return -ENOMEM;
	state->pipe = pipe;
	state->n_aggregates = plan->grouped ? plan->n_aggregates : 0;
	state->n = 1;
	for (uint32_t i = 0; i < state->n_aggregates; i++)
		state->n += plan->aggregate[i].kind == AGGREGATE_COUNT_DISTINCT;
	state->grouping = calloc(state->n, sizeof(*state->grouping));
	if (!state->grouping)
		return -ENOMEM;
	state->grouping[0].n_keys = plan->n_outputs;
	for (uint32_t i = 0; i < state->n_aggregates; i++)
		if (plan->aggregate[i].kind == AGGREGATE_COUNT_DISTINCT) {
			state->grouping[g].n_keys = plan->n_outputs + 1;
			state->grouping[g++].aggregate = i;
		}
	int r = layout_init(&state->grouping[0].layout, plan->aggregate, state->n_aggregates);
	for (g = 1; g < state->n && r == 0; g++)
		r = layout_init(&state->grouping[g].layout, nullptr, 0);
	for (g = 0; g < state->n && r == 0; g++)
		raw_pool_init(&state->grouping[g].pool, &state->grouping[g].layout,
			      &pipe->query->budget);
	return r;
}

static void rewind_groups(struct pipe *pipe)
{
	struct state *state = pipe->state;

	if (state->made && !state->only)
		group_list_rewind(&state->list);
}

const struct pipe_kind PIPE_GROUPS = { open_groups, next, rewind_groups, close_groups };
