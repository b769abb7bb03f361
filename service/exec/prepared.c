/* SPDX-License-Identifier: Apache-2.0 */
#include "service/exec/prepared.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/exec/pipe.h"

uint32_t prepared_stage(const struct prepared *prepared, const struct field *field)
{
	uint32_t unnest = prepared->plan->unnest ? 1 : 0;

	if (field->in_element)
		return 1;
	return field->source == 0 ? 0 : field->source + unnest;
}

/* The first stage at which all fields of a step are there. */
static uint32_t stage_of(const struct prepared *prepared, uint32_t index)
{
	const struct step *step = &prepared->program.step[index];
	uint32_t stage = 0;

	if (step->op == OP_FIELD)
		return prepared_stage(prepared, &prepared->field[step->field]);
	for (uint32_t i = 0; i < step->n_args; i++) {
		uint32_t one = stage_of(prepared, /* NOLINT(misc-no-recursion): the plan's depth */
					step->arg[i]);

		stage = one > stage ? one : stage;
	}
	return stage;
}

/* How many conditions ANDs put together. */
static uint32_t count_parts(const struct program *program, uint32_t index)
{
	const struct step *step = &program->step[index];
	uint32_t n = 0;

	if (step->op != OP_AND)
		return 1;
	for (uint32_t i = 0; i < step->n_args; i++)
		n += count_parts(program, step->arg[i]); /* NOLINT(misc-no-recursion) */
	return n;
}

static void list_parts(struct prepared *prepared, uint32_t index)
{
	const struct step *step = &prepared->program.step[index];

	if (step->op != OP_AND) {
		prepared->conjunct[prepared->n_conjuncts++] =
			(struct conjunct) { index, stage_of(prepared, index) };
		return;
	}
	for (uint32_t i = 0; i < step->n_args; i++)
		list_parts(prepared, step->arg[i]); /* NOLINT(misc-no-recursion) */
}

static int prepare_filter(struct prepared *prepared)
{
	uint32_t filter;

	if (!prepared->plan->filter)
		return 0;
	int r = program_add(&prepared->program, prepared->plan->filter, &filter);
	if (r)
		return r;
	prepared->conjunct =
		calloc(count_parts(&prepared->program, filter), sizeof(*prepared->conjunct));
	if (!prepared->conjunct)
		return -ENOMEM;
	list_parts(prepared, filter);
	return 0;
}

static int prepare_fields(struct prepared *prepared)
{
	const struct plan *plan = prepared->plan;

	prepared->n_fields = plan->n_fields;
	prepared->array = UINT32_MAX;
	prepared->field = calloc(plan->n_fields + 1, sizeof(*prepared->field));
	if (!prepared->field)
		return -ENOMEM;
	if (plan->n_fields > 0)
		memcpy(prepared->field, plan->field, plan->n_fields * sizeof(*plan->field));
	if (!plan->unnest)
		return 0;
	prepared->array = prepared->n_fields++;
	prepared->field[prepared->array] = *plan->unnest;
	return plan->unnest->source == 0 && !plan->unnest->in_element ? 0 : PIPE_UNSUITED;
}

static int prepare_steps(struct prepared *prepared)
{
	const struct plan *plan = prepared->plan;
	struct program *program = &prepared->program;
	int r = 0;

	prepared->output = calloc(plan->n_outputs + 1, sizeof(uint32_t));
	prepared->aggregate = calloc(plan->n_aggregates + 1, sizeof(uint32_t));
	prepared->outer_key = calloc(plan->n_joins + 1, sizeof(uint32_t));
	if (!prepared->output || !prepared->aggregate || !prepared->outer_key)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_outputs && r == 0; i++)
		r = program_add(program, plan->output[i], &prepared->output[i]);
	for (uint32_t i = 0; i < plan->n_aggregates && r == 0; i++) {
		prepared->aggregate[i] = PROGRAM_NONE;
		if (plan->aggregate[i].arg)
			r = program_add(program, plan->aggregate[i].arg, &prepared->aggregate[i]);
	}
	for (uint32_t i = 0; i < plan->n_joins && r == 0; i++)
		r = program_add(program, plan->join[i].outer_key, &prepared->outer_key[i]);
	return r;
}

int prepared_init(struct prepared *prepared, const struct plan *plan)
{
	*prepared = (struct prepared) { .plan = plan };
	prepared->n_stages = 1u + (plan->unnest ? 1u : 0u) + plan->n_joins;
	program_init(&prepared->program);
	int r = prepare_fields(prepared);

	r = r ? r : prepare_filter(prepared);
	return r ? r : prepare_steps(prepared);
}

/* NOLINTNEXTLINE(misc-no-recursion): the plan's depth. */
static void mark_fields(const struct program *program, uint32_t index, bool *ret)
{
	const struct step *step = &program->step[index];

	if (step->op == OP_FIELD)
		ret[step->node->field] = true;
	for (uint32_t i = 0; i < step->n_args; i++)
		mark_fields(program, step->arg[i], ret);
}

void prepared_needed(const struct prepared *prepared, uint32_t stage, bool *ret)
{
	const struct plan *plan = prepared->plan;
	const struct program *program = &prepared->program;
	uint32_t before = 1u + (plan->unnest ? 1u : 0u); /* the stage of the first join */

	for (uint32_t i = 0; i < plan->n_outputs; i++)
		mark_fields(program, prepared->output[i], ret);
	for (uint32_t i = 0; i < plan->n_aggregates; i++)
		if (prepared->aggregate[i] != PROGRAM_NONE)
			mark_fields(program, prepared->aggregate[i], ret);
	for (uint32_t i = 0; i < prepared->n_conjuncts; i++)
		if (prepared->conjunct[i].stage >= stage)
			mark_fields(program, prepared->conjunct[i].step, ret);
	for (uint32_t i = 0; i < plan->n_joins; i++)
		if (i + before >= stage)
			mark_fields(program, prepared->outer_key[i], ret);
}

void prepared_done(struct prepared *prepared)
{
	program_done(&prepared->program);
	free(prepared->field);
	free(prepared->conjunct);
	free(prepared->output);
	free(prepared->aggregate);
	free(prepared->outer_key);
	*prepared = (struct prepared) {};
}
