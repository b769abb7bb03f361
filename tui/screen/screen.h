/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * screen: the terminal: paints grids, reads keys. The only code that knows curses.
 *
 * Layer 4 (tui/screen). One per process. Colour unless NO_COLOR is set or there is none; without it
 * styles differ by weight and inversion. The terminal is put back as it was by screen_close(), and by a
 * signal handler if the process crashes.
 */

#include <stdint.h>

#include "common/base.h"

struct grid;
struct screen;

/* Outcomes above zero. */
enum {
	SCREEN_OK = 0,
	SCREEN_UNFIT, /* the terminal cannot place text: TERM is dumb, not set or unknown */
};

/*
 * Take over the terminal on standard input and output. setlocale(3) must have been called.
 *
 * utf8  what the locale is; without it only ASCII is painted
 * ret   set only on success
 *
 * Returns 0, SCREEN_UNFIT, or -ENOMEM.
 */
[[nodiscard]] int screen_open(bool utf8, struct screen **ret);

/* Put the terminal back as it was. nullptr is a no-op. Always returns nullptr. */
struct screen *screen_close(struct screen *screen);
CLEANUP_FN(struct screen, screen_close)

/* Make the grid as large as the terminal is now. Returns 0 or -ENOMEM. */
[[nodiscard]] int screen_fit(struct screen *screen, struct grid *grid);

/* Show the grid, which must have the size of the terminal; only what changed is sent. */
void screen_paint(struct screen *screen, const struct grid *grid);

/* Have the next paint send everything: something else wrote to the terminal. */
void screen_forget(struct screen *screen);

/* The next key that was pressed (tui/view/key.h), without waiting. Returns whether there was one. */
[[nodiscard]] bool screen_key(struct screen *screen, uint32_t *ret);
