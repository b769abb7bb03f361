/* SPDX-License-Identifier: Apache-2.0 */
#include "service/expression/program.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void program_init(struct program *program)
{
	*program = (struct program) {};
}

void program_done(struct program *program)
{
	free(program->step);
	pile_done(&program->memory);
	*program = (struct program) {};
}

static int order(const void *a, const void *b)
{
	return cell_compare(a, b);
}

bool program_has_member(const struct step *step, const struct cell *cell)
{
	return step->n_members > 0 &&
	       bsearch(cell, step->member, step->n_members, sizeof(*cell), order) != nullptr;
}

/* Take the constants out of an OP_IN's arguments. arg is the step's own array. */
static int prepare_in(struct program *program, struct step *step, uint32_t *arg)
{
	struct cell *member = pile_take(&program->memory, step->n_args * sizeof(*member));
	uint32_t n = 0, kept = 1;

	if (!member)
		return -ENOMEM;
	for (uint32_t i = 1; i < step->n_args; i++) {
		const struct step *s = &program->step[arg[i]];

		if (s->op != OP_CONSTANT)
			arg[kept++] = arg[i];
		else if (s->node->constant.kind <= KIND_NULL)
			step->null_member = true;
		else {
			member[n++] = s->node->constant;
			step->moment_members |= KINDS_MOMENTS >> s->node->constant.kind & 1;
		}
	}
	if (n > 1)
		qsort(member, n, sizeof(*member), order);
	step->member = member;
	step->n_members = n;
	step->n_args = kept;
	return 0;
}

/* See whether a pattern is %needle%. */
static void prepare_like(const struct program *program, struct step *step)
{
	const struct step *pattern = step->n_args == 2 ? &program->step[step->arg[1]] : nullptr;

	if (!pattern || pattern->op != OP_CONSTANT || pattern->node->constant.kind != KIND_STRING)
		return;
	struct str text = pattern->node->constant.s;
	if (text.len < 3 || text.at[0] != '%' || text.at[text.len - 1] != '%')
		return;
	struct str needle = { text.at + 1, text.len - 2 };
	if (!memchr(needle.at, '%', needle.len) && !memchr(needle.at, '_', needle.len))
		step->needle = needle;
}

static int append(struct program *program, const struct step *step, uint32_t *ret)
{
	if (program->n == program->room) {
		uint32_t room = program->room ? 2 * program->room : 16;
		struct step *grown = reallocarray(program->step, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		program->step = grown;
		program->room = room;
	}
	*ret = program->n;
	program->step[program->n++] = *step;
	return 0;
}

/* What is beneath a step: no field, one, or several. */
static void note_fields(const struct program *program, struct step *step)
{
	step->field = PROGRAM_NONE;
	for (uint32_t i = 0; i < step->n_args; i++) {
		const struct step *arg = &program->step[step->arg[i]];

		if (!arg->has_fields)
			continue;
		step->field =
			step->has_fields && step->field != arg->field ? PROGRAM_NONE : arg->field;
		step->has_fields = true;
		if (step->field == PROGRAM_NONE)
			return;
	}
}

int program_add(struct program *program, const struct node *node, uint32_t *ret)
{
	struct step step = { .node = node, .op = node->op, .n_args = (uint32_t)node->n_args };
	uint32_t *arg = pile_take(&program->memory, (step.n_args + 1) * sizeof(*arg));
	int r = 0;

	if (!arg)
		return -ENOMEM;
	for (uint32_t i = 0; i < step.n_args && r == 0; i++) /* NOLINTNEXTLINE(misc-no-recursion) */
		r = program_add(program, node->arg[i], &arg[i]); /* depth: the parser's */
	if (r)
		return r;
	step.arg = arg;
	note_fields(program, &step);
	if (node->op == OP_FIELD) {
		step.field = node->field;
		step.has_fields = true;
	}
	if (node->op == OP_IN && node->n_args > 0)
		r = prepare_in(program, &step, arg);
	else if (node->op == OP_LIKE)
		prepare_like(program, &step);
	return r ? r : append(program, &step, ret);
}

bool program_is_simple(const struct program *program, const struct step *step)
{
	return step->n_args == 2 && program->step[step->arg[0]].op == OP_FIELD &&
	       program->step[step->arg[1]].op == OP_CONSTANT;
}
