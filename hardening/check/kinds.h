/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * kinds: what a control can ask of the machine; the table of all kinds is in kinds.c.
 *
 * Layer 2 (hardening/check). A check compares; it changes nothing. What cannot be looked at has not
 * been shown to hold, so it fails.
 */

#include <stddef.h>

#include "hardening/check/control.h"
#include "hardening/check/probe.h"

constexpr size_t DETAIL_MAX = 256;

/* What a check has to say: why it failed, or what it found. */
struct detail {
	char text[DETAIL_MAX];
};

/* Write the detail, printf(3) style, cut where it is too long. Returns false: a check's "it does not hold". */
[[gnu::format(printf, 2, 3)]] [[nodiscard]] bool detail_fails(struct detail *detail,
							      const char *format, ...);

/* One kind of check: whether a control holds. Sets detail when it does not. */
typedef bool kind_check(const struct probe *probe, const struct control *control,
			struct detail *detail);

/* The kinds, by what they look at. Each has its line of help in kinds.c. */
kind_check kind_cmdline, kind_sysctl, kind_word, kind_equals,
	kind_module_absent;						      /* kinds_kernel.c */
kind_check kind_efi_variable, kind_dm, kind_swap;			      /* kinds_kernel.c */
kind_check kind_mount, kind_file_absent, kind_program_absent, kind_file_mode; /* kinds_files.c */
kind_check kind_no_setuid, kind_no_passwords, kind_only_root, kind_setting;   /* kinds_files.c */
kind_check kind_listen, kind_nft_policy, kind_nft_rule, kind_unit;	      /* kinds_live.c */
kind_check kind_nft_sets;						      /* kinds_sets.c */

struct kind {
	const char *name;
	kind_check *check;
	const char *help;
};

extern const struct kind KINDS[];
extern const size_t KINDS_COUNT;

/*
 * Check one control.
 *
 * Returns whether it holds; detail says why not. An unknown kind does not hold.
 */
[[nodiscard]] bool kind_holds(const struct probe *probe, const struct control *control,
			      struct detail *detail);
