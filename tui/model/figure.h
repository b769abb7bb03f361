/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * figure: numbers and times as people read them.
 *
 * Layer 2 (tui/model). Pure functions.
 */

#include <stddef.h>
#include <stdint.h>

constexpr size_t FIGURE_TEXT = 48; /* room for any text made here, with its NUL */

/* Write bytes as "512 B", "7.4 GiB". */
void figure_bytes(uint64_t bytes, char ret[FIGURE_TEXT]);

/* Write a duration as "3 d 4 h", "12 min", "5 s": its two largest units. */
void figure_duration(uint64_t seconds, char ret[FIGURE_TEXT]);

/* Write an RFC 3339 time as "2026-11-24 03:24:40"; other texts as they are, cut; "" as "-". */
void figure_time(const char *rfc3339, char ret[FIGURE_TEXT]);
