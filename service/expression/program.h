/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * program: a plan's expressions as a list of steps, with what can be prepared once for all chunks and threads.
 *
 * Layer 5 (service/expression). Made by one thread, then read by many.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/expression/plan.h"
#include "service/vector/pile.h"

constexpr uint32_t PROGRAM_NONE = UINT32_MAX;

struct step {
	const struct node *node;
	enum operation op;
	const uint32_t *arg; /* [n_args] steps */
	uint32_t n_args;
	uint32_t field;	 /* the only field beneath; PROGRAM_NONE if there is none or several */
	bool has_fields; /* there is a field beneath */
	/* OP_IN: the constants among arg[1…], sorted, each once; the others are still arguments. */
	const struct cell *member; /* [n_members] */
	uint32_t n_members;
	bool null_member;
	bool moment_members; /* some member is a date, datetime, timestamp or time */
	/* OP_LIKE with a constant pattern: the pattern is %needle% and needle has no wildcard. */
	struct str needle;
};

struct program {
	struct step *step; /* [n] */
	uint32_t n, room;
	struct pile memory;
};

/* An empty program. */
void program_init(struct program *program);

/* Free what it owns. */
void program_done(struct program *program);

/* Add an expression. *ret is its step. Returns 0 or -ENOMEM. */
[[nodiscard]] int program_add(struct program *program, const struct node *node, uint32_t *ret);

/* Whether a step is a field and another a constant: the form that chunks can be skipped by. */
[[nodiscard]] bool program_is_simple(const struct program *program, const struct step *step);

/* Find a cell among an OP_IN's members. */
[[nodiscard]] bool program_has_member(const struct step *step, const struct cell *cell);
