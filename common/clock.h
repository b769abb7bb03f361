/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * clock: the time, and times as text.
 *
 * Layer 1 (common). Safe from any thread.
 */

#include <stddef.h>
#include <stdint.h>

constexpr size_t CLOCK_TEXT = 32; /* room for any text made here, with its NUL */

/* Microseconds since 1970-01-01 UTC by the wall clock; may step. */
[[nodiscard]] uint64_t clock_wall_us(void);

/* Microseconds since boot, never stepping back. */
[[nodiscard]] uint64_t clock_mono_us(void);

/* Write 2026-11-24T03:24:40.123456Z (27 characters) for a wall time. Source: RFC 3339. */
void clock_text_us(uint64_t wall_us, char ret[CLOCK_TEXT]);

/* Write 2026-11-24T03:24:40Z (20 characters) for a wall time. Source: RFC 3339. */
void clock_text_s(uint64_t wall_us, char ret[CLOCK_TEXT]);

/*
 * Read 2026-11-24T03:24:40[.fraction]Z or with an offset ±hh:mm.
 *
 * text  [len] untrusted bytes; must be the whole time and nothing else
 *
 * Returns whether it is a time from 1970 to 9999; *ret_us is set only then.
 */
[[nodiscard]] bool clock_parse(const char *text, size_t len, uint64_t *ret_us);
