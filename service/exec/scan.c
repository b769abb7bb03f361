/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/scan.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/stage.h"
#include "service/source/prune.h"

int scan_new(struct exec_query *query, const struct prepared *prepared, const struct joined *joined,
	     struct scan **ret)
{
	cleanup(scan_free_at) struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return -ENOMEM;
	scan->query = query;
	scan->prepared = prepared;
	scan->joined = joined;
	scan->verdict = calloc(prepared->n_conjuncts + 1, sizeof(*scan->verdict));
	scan->stage = calloc(prepared->n_stages, sizeof(*scan->stage));
	if (!scan->verdict || !scan->stage)
		return -ENOMEM;
	int r = source_init(&scan->source, prepared->field, prepared->n_fields, prepared->array);
	for (uint32_t i = 0; i < prepared->n_stages && r == 0; i++)
		r = stage_init(scan, i);
	if (r)
		return r;
	*ret = TAKE(scan);
	return 0;
}

struct scan *scan_free(struct scan *scan)
{
	if (!scan)
		return nullptr;
	atomic_fetch_add_explicit(&scan->query->rows_read, scan->rows_read, memory_order_relaxed);
	atomic_fetch_add_explicit(&scan->query->bytes_read, scan->source.bytes_read,
				  memory_order_relaxed);
	source_close(&scan->source);
	atomic_fetch_add_explicit(&scan->query->pages_read, scan->source.pages.read,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&scan->query->pages_missed, scan->source.pages.missed,
				  memory_order_relaxed);
	for (uint32_t i = 0; scan->stage && i < scan->prepared->n_stages; i++)
		stage_done(&scan->stage[i]);
	source_done(&scan->source);
	free(scan->stage);
	free(scan->verdict);
	free(scan->found);
	free(scan);
	return nullptr;
}

int scan_failed(struct scan *scan, const struct eval *eval, int r)
{
	if (r == PIPE_FAILED && eval)
		query_fail(scan->query, eval_place(eval), eval_error(eval));
	else if (r == PIPE_DAMAGED)
		query_fail(scan->query, (struct place) {}, scan->source.error);
	return query_result(scan->query, r);
}

struct source *scan_source(struct scan *scan)
{
	return &scan->source;
}

bool scan_takes_all(const struct scan *scan)
{
	for (uint32_t i = 0; i < scan->prepared->n_conjuncts; i++)
		if (scan->verdict[i] != PRUNE_ALL)
			return false;
	return true;
}

void scan_begin(struct scan *scan, uint32_t morsel, const struct stretch *stretch)
{
	scan->morsel = morsel;
	scan->stretch = stretch->join == SPLIT_NONE ? nullptr : stretch;
}

int scan_open(struct scan *scan, const struct snapshot_chunk *at, bool *ret_skip)
{
	const struct prepared *p = scan->prepared;
	int r = source_open(&scan->source, at);

	*ret_skip = false;
	scan->has_found = false;
	for (uint32_t i = 0; i < p->n_conjuncts && r == 0 && !*ret_skip; i++) {
		scan->verdict[i] = PRUNE_SOME;
		if (p->conjunct[i].stage == 0)
			r = prune_chunk(&scan->source, &p->program, p->conjunct[i].step,
					&scan->verdict[i]);
		*ret_skip = scan->verdict[i] == PRUNE_NONE;
	}
	return scan_failed(scan, nullptr, r);
}

void scan_close(struct scan *scan)
{
	source_close(&scan->source);
	scan->stretch = nullptr;
}

static bool note_found(void *userdata, uint32_t entry)
{
	struct scan *scan = userdata;

	scan->found[entry / 64] |= UINT64_C(1) << (entry % 64);
	return true;
}

/* The rows of an equality with a string, if the column can be asked for them. */
static int find_rows(struct scan *scan, const struct step *step)
{
	const struct program *program = &scan->prepared->program;
	size_t bytes = CHUNK_ROWS / 8;

	if (step->op != OP_EQ || !program_is_simple(program, step))
		return 0;
	const struct cell *constant = &program->step[step->arg[1]].node->constant;
	if (constant->kind != KIND_STRING || scan->has_found)
		return 0;
	if (!scan->found) {
		scan->found = malloc(bytes);
		if (!scan->found)
			return -ENOMEM;
	}
	memset(scan->found, 0, bytes);
	int r = source_find_text(&scan->source, program->step[step->arg[0]].field, &constant->s,
				 note_found, scan);
	scan->has_found = r == 0;
	return r == BATCH_CANNOT ? 0 : r;
}

/* The rows of a block that are worth a look; *ret_n is how many the block has. */
static struct set block_rows(struct scan *scan, uint32_t block, uint32_t *ret_n)
{
	const struct prepared *p = scan->prepared;
	struct set live = {};

	if (scan->has_found) {
		uint64_t any = 0;

		for (uint32_t w = 0; w < SET_WORDS; w++)
			any |= scan->found[block * SET_WORDS + w];
		if (!any)
			return live;
	}
	*ret_n = source_live(&scan->source, block, &live);
	for (uint32_t w = 0; scan->has_found && w < SET_WORDS; w++)
		live.word[w] &= scan->found[block * SET_WORDS + w];
	for (uint32_t i = 0; i < p->n_conjuncts; i++)
		if (scan->verdict[i] == PRUNE_SOME && p->conjunct[i].stage == 0 &&
		    prune_block(&scan->source, &p->program, p->conjunct[i].step, block) ==
			    PRUNE_NONE)
			return (struct set) {};
	return live;
}

int scan_run(struct scan *scan, scan_sink *sink, void *userdata)
{
	const struct prepared *p = scan->prepared;
	int r = 0;

	scan->sink = sink;
	scan->userdata = userdata;
	scan->filtered = false;
	if (scan->stretch) {
		r = stage_restore(scan);
		return r == SCAN_ENOUGH ? 0 : r;
	}
	uint32_t blocks = column_blocks(chunk_rows(scan->source.at->chunk));
	for (uint32_t i = 0; i < p->n_conjuncts && r == 0; i++)
		if (p->conjunct[i].stage == 0)
			r = find_rows(scan, &p->program.step[p->conjunct[i].step]);
	if (r)
		return scan_failed(scan, nullptr, r);
	for (uint32_t block = 0; block < blocks && r == 0; block++) {
		struct set live;
		uint32_t n = 0;

		live = block_rows(scan, block, &n);
		if (!set_any(&live))
			continue;
		r = query_check(scan->query);
		scan->rows_read += n;
		r = r ? r : stage_block(scan, block, n, &live);
	}
	return r == SCAN_ENOUGH ? 0 : r;
}

int scan_rows(struct scan *scan, const uint32_t *row, size_t n, scan_sink *sink, void *userdata)
{
	int r = 0;

	scan->sink = sink;
	scan->userdata = userdata;
	scan->filtered = true;
	for (size_t from = 0; from < n && r == 0;) {
		uint32_t block = row[from] / COLUMN_BLOCK;
		struct set set = {}, live;

		for (; from < n && row[from] / COLUMN_BLOCK == block; from++)
			set_add(&set, row[from] % COLUMN_BLOCK);
		r = query_check(scan->query);
		r = r ? r
		      : stage_block(scan, block, source_live(&scan->source, block, &live), &set);
	}
	return r == SCAN_ENOUGH ? 0 : r;
}
