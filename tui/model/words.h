/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * words: split a command line as a shell would, but expand nothing.
 *
 * Layer 2 (tui/model). For `ssh host VERB …`, where sshd hands the login shell one string.
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t WORDS_LINE_MAX =
	65536; /* an SSH key line or two fit; nothing longer is a command */
constexpr size_t WORDS_MAX = 256;

enum {
	WORDS_OK = 0,
	WORDS_TOO_LONG, /* more than WORDS_LINE_MAX bytes or WORDS_MAX words */
	WORDS_UNCLOSED, /* a quote or a backslash at the end */
	WORDS_REFUSED,	/* an unquoted ; | & < > ( ) $ ` or newline: the person expects a shell */
};

struct words {
	char **word; /* [n], and a nullptr after the last, as execv(3) wants it */
	size_t n;
	char *text; /* what the words point into */
};

/*
 * Split line: blanks separate; '…' is literal; "…" too, but \" and \\ in it; \c is c.
 *
 * ret  set only on success; release with words_done()
 *
 * Returns 0, a WORDS_* outcome, or -ENOMEM.
 */
[[nodiscard]] int words_split(const char *line, struct words *ret);

/* Free the words. */
void words_done(struct words *words);
