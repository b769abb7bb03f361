/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * show: print answers: tables for people, JSON for programs.
 *
 * Layer 3 (tui/cli). Everything printed for people has been cleaned of control bytes.
 */

#include "common/base.h"
#include "common/buf.h"
#include "tui/cli/verb.h"

struct rows;

constexpr size_t SHOW_MAX = 64u << 20; /* an answer of 16 MiB, each byte written as \xNN */

/* Append an aligned table with a line of titles; the last column is not padded. */
void show_table(struct buf *out, const struct rows *rows, const struct column *columns);

/* Append the first record as lines of "Title: value"; values that are empty are left out. */
void show_record(struct buf *out, const struct rows *rows, const struct column *columns);

/* Append all records as a JSON array, one object a line. */
void show_json_list(struct buf *out, const struct rows *rows);

/* Append a text of several lines, cleaned but for its line breaks, ending in one. */
void show_text(struct buf *out, const char *text);
