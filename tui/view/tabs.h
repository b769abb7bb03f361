/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tabs: the console's screens and the keys that lead to them.
 *
 * Layer 3 (tui/view). A table.
 */

#include <stddef.h>
#include <stdint.h>

#include "tui/view/view.h"

struct tab {
	uint32_t key, digit; /* an F key, and what does the same on terminals without them */
	const char *name;    /* of the key */
	const char *title, *short_title;
	bool is_local; /* also on the machine's own console */
	const struct view_ops *ops;
};

extern const struct tab TABS[];
extern const size_t TABS_COUNT;
