/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * regex: regular expressions over UTF-8 text, with bounds on what they may cost.
 *
 * Layer 6 (service/function). The only file that includes <pcre2.h>. No JIT: nothing here is ever both written and run.
 * Threads: a regex by one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t REGEX_PATTERN_MAX = 10'000; /* bytes */
/* Backtracking steps of one match; 30 ms or so. What passes them would, as a rule, never end. */
constexpr uint32_t REGEX_STEPS_MAX = 1'000'000;
constexpr uint32_t REGEX_HEAP_MAX_KIB = 16 * 1024;

enum {
	REGEX_OK = 0,
	REGEX_BAD_PATTERN, /* the message says why */
	REGEX_NO_MATCH,
	REGEX_RUNAWAY,	/* the match takes more steps or memory than it may */
	REGEX_BAD_TEXT, /* the text is not UTF-8 */
	REGEX_STOPPED,	/* scan->stop has said so */
};

constexpr size_t REGEX_MESSAGE = 160;

struct regex;

/*
 * Compile a pattern (Perl's syntax).
 *
 * pattern      [len] untrusted
 * ret          set only on success; free with regex_free()
 * ret_message  set only for REGEX_BAD_PATTERN: what is wrong, and where
 *
 * Returns 0, REGEX_BAD_PATTERN or -ENOMEM.
 * Source: pcre2api(3).
 */
[[nodiscard]] int regex_new(const char *pattern, size_t len, struct regex **ret,
			    char ret_message[REGEX_MESSAGE]);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct regex *regex_free(struct regex *regex);
CLEANUP_FN(struct regex, regex_free)

/* How many groups the pattern has, group 0 (all of a match) apart. */
[[nodiscard]] uint32_t regex_groups(const struct regex *regex);

/* Whether to give up. */
typedef bool regex_stop_fn(void *userdata);

/* A walk over the matches in a text. Start with text and len set and the rest zero. */
struct regex_scan {
	const char *text; /* [len], borrowed */
	size_t len;
	size_t pos;   /* where to go on */
	bool checked; /* the text is known to be UTF-8 */
	bool empty;   /* the last match was empty, so that the next one must not be empty here */
	size_t start, end;   /* of the last match; start <= end <= len */
	regex_stop_fn *stop; /* asked while a match takes long; or nullptr */
	void *stop_data;
};

/*
 * Find the next match, as Perl's /g does: matches do not overlap, an empty one moves on by a character.
 *
 * Returns 0 (scan->start and end are set), REGEX_NO_MATCH, REGEX_RUNAWAY, REGEX_BAD_TEXT, REGEX_STOPPED or -ENOMEM.
 */
[[nodiscard]] int regex_next(struct regex *regex, struct regex_scan *scan);

/* Where a group of the last match lies. Returns false if there is no such group or it took no part. */
[[nodiscard]] bool regex_group(const struct regex *regex, uint32_t group, size_t *ret_start,
			       size_t *ret_end);
