/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * key: what a person can press. A number below KEY_SPECIAL is a character that was typed.
 *
 * Layer 3 (tui/view). Constants only.
 */

#include <stdint.h>

enum : uint32_t {
	KEY_ENTER_ = '\r',
	KEY_TAB_ = '\t',
	KEY_ESCAPE_ = 0x1B,
	KEY_BACKSPACE_ = 0x08,

	KEY_SPECIAL = 0x110000, /* above the last character of Unicode */
	KEY_UP_,
	KEY_DOWN_,
	KEY_LEFT_,
	KEY_RIGHT_,
	KEY_HOME_,
	KEY_END_,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_DELETE,
	KEY_BACK_TAB,
	KEY_F0_,
	KEY_F12_ = KEY_F0_ + 12,

	KEY_PASTED = 1u << 30, /* flag: came out of the clipboard; text, never a command */
};

/* Ctrl and a letter. */
#define KEY_CTRL(letter) ((uint32_t)(letter) & 0x1Fu)
