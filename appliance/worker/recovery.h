/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * recovery: the recovery key as text: 8 groups of 6 letters and digits, 240 random bits.
 *
 * Layer 2 (appliance/worker). Crockford's base 32: no i, l, o, u, so that it can be read out and
 * typed again. The text with its dashes is the passphrase of LUKS slot 0.
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t RECOVERY_TEXT = 8 * 6 + 7 + 1; /* with its NUL */

/* Make a new key. Returns 0 or -errno of getrandom(2). */
[[nodiscard]] int recovery_make(char ret[RECOVERY_TEXT]);

/*
 * Bring what a person typed into the form that recovery_make() made: capitals, blanks, missing
 * dashes, o for 0, i or l for 1.
 *
 * Returns whether it has the form of a recovery key; *ret is set only then.
 */
[[nodiscard]] bool recovery_normal(const char *typed, char ret[RECOVERY_TEXT]);

/* Whether a person typed the last group of a key, or all of it: the same freedoms as above. */
[[nodiscard]] bool recovery_ends_in(const char key[RECOVERY_TEXT], const char *typed);
