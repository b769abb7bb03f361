/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * control: the table of hardening controls, hardening/controls.tsv, read line by line.
 *
 * Layer 2 (hardening/check). Pure: text in, controls out.
 * Format: one control a line, six fields between tabs: id, kind, argument, expected, title, reason. Lines
 *         that are empty or start with # do not count.
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t CONTROLS_TEXT_MAX = 128 * 1024; /* several times what the table needs */
constexpr size_t CONTROL_LINE_MAX = 1024;

/* Fields are NUL-terminated and point into the text the table was read from. */
struct control {
	const char *id; /* "H-KRN-001" */
	const char *kind;
	const char *argument;
	const char *expected;
	const char *title;
	const char *reason;
};

/* Outcomes above zero of control_next(). */
enum {
	CONTROL_OK = 0,
	CONTROL_END,	/* there is no other line */
	CONTROL_BROKEN, /* a line without six fields, or with an empty id, kind or title */
};

/*
 * Read the next control, cutting the text up in place.
 *
 * at   where to go on, NUL-terminated text; moved behind the line that was read
 * ret  set only on CONTROL_OK; borrows the text
 *
 * Returns CONTROL_OK, CONTROL_END or CONTROL_BROKEN.
 */
[[nodiscard]] int control_next(char **at, struct control *ret);
