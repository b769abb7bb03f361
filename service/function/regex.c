/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/regex.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/utf8.h"

constexpr size_t COMPILED_MAX = 1u << 20; /* (a{999}){999} is short, what it compiles to is not */
constexpr uint32_t PARENS_MAX = 200;	  /* nested; bounds the compiler's stack */
constexpr uint32_t DEPTH_MAX = 200'000;

struct regex {
	pcre2_general_context *memory;
	pcre2_compile_context *compile;
	pcre2_match_context *limits;
	pcre2_code *code;
	pcre2_match_data *match;
	uint32_t groups;
};

/* Our own, so that tests can make them fail. */
static void *get(PCRE2_SIZE size, void *)
{
	return malloc(size);
}

static void give_back(void *at, void *)
{
	free(at);
}

struct regex *regex_free(struct regex *regex)
{
	if (!regex)
		return nullptr;
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->code);
	pcre2_match_context_free(regex->limits);
	pcre2_compile_context_free(regex->compile);
	pcre2_general_context_free(regex->memory);
	free(regex);
	return nullptr;
}

static bool make_contexts(struct regex *regex)
{
	regex->memory = pcre2_general_context_create(get, give_back, nullptr);
	if (!regex->memory)
		return false;
	regex->compile = pcre2_compile_context_create(regex->memory);
	regex->limits = pcre2_match_context_create(regex->memory);
	if (!regex->compile || !regex->limits)
		return false;
	(void)pcre2_set_max_pattern_compiled_length(regex->compile, COMPILED_MAX);
	(void)pcre2_set_parens_nest_limit(regex->compile, PARENS_MAX);
	(void)pcre2_set_match_limit(regex->limits, REGEX_STEPS_MAX);
	(void)pcre2_set_depth_limit(regex->limits, DEPTH_MAX);
	(void)pcre2_set_heap_limit(regex->limits, REGEX_HEAP_MAX_KIB);
	return true;
}

/* A compiler's error as our outcome. */
static int refused(int code, PCRE2_SIZE at, char ret_message[REGEX_MESSAGE])
{
	char reason[REGEX_MESSAGE - 40] = "";

	if (code == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
	(void)snprintf(ret_message, REGEX_MESSAGE, "%s at character %zu", reason, at + 1);
	return REGEX_BAD_PATTERN;
}

int regex_new(const char *pattern, size_t len, struct regex **ret, char ret_message[REGEX_MESSAGE])
{
	int code = 0;
	PCRE2_SIZE at = 0;

	if (len > REGEX_PATTERN_MAX) {
		(void)snprintf(ret_message, REGEX_MESSAGE, "it is longer than %zu bytes",
			       REGEX_PATTERN_MAX);
		return REGEX_BAD_PATTERN;
	}
	cleanup(regex_free_at) struct regex *regex = calloc(1, sizeof(*regex));
	if (!regex || !make_contexts(regex))
		return -ENOMEM;
	regex->code = pcre2_compile((PCRE2_SPTR)pattern, len,
				    PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT, &code,
				    &at, regex->compile);
	if (!regex->code)
		return refused(code, at, ret_message);
	regex->match = pcre2_match_data_create_from_pattern(regex->code, regex->memory);
	if (!regex->match)
		return -ENOMEM;
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &regex->groups);
	*ret = TAKE(regex);
	return 0;
}

uint32_t regex_groups(const struct regex *regex)
{
	return regex->groups;
}

/* Steps and characters that a match may have gone through between two looks at whether it is to stop. */
constexpr size_t WORK_BETWEEN = 262'144;
constexpr size_t ITEM_WORK = 32;

struct progress {
	const struct regex_scan *scan;
	size_t work;
};

/*
 * Called by PCRE2 before each item of the pattern. One item may go through all of the rest of the text, at each of its
 * places again, and the limit of steps counts that as one and begins anew at each place: so the rest counts here.
 */
static int on_item(pcre2_callout_block *block, void *userdata)
{
	struct progress *progress = userdata;
	const struct regex_scan *scan = progress->scan;

	progress->work += ITEM_WORK + (block->subject_length - block->current_position) / 16;
	if (progress->work < WORK_BETWEEN || !scan->stop)
		return 0;
	progress->work = 0;
	return scan->stop(scan->stop_data) ? PCRE2_ERROR_CALLOUT : 0;
}

/* One attempt. Returns as regex_next(). */
static int attempt(struct regex *regex, struct regex_scan *scan, uint32_t options)
{
	struct progress progress = { scan, 0 };

	(void)pcre2_set_callout(regex->limits, on_item, &progress);
	int code = pcre2_match(regex->code, (PCRE2_SPTR)scan->text, scan->len, scan->pos,
			       options | (scan->checked ? PCRE2_NO_UTF_CHECK : 0), regex->match,
			       regex->limits);

	if (code == PCRE2_ERROR_NOMATCH)
		return REGEX_NO_MATCH;
	if (code == PCRE2_ERROR_CALLOUT)
		return REGEX_STOPPED;
	if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
	    code == PCRE2_ERROR_HEAPLIMIT || code == PCRE2_ERROR_RECURSELOOP)
		return REGEX_RUNAWAY;
	if (code == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	if (code < 0)
		return REGEX_BAD_TEXT;
	return regex_group(regex, 0, &scan->start, &scan->end) ? 0 : REGEX_NO_MATCH;
}

int regex_next(struct regex *regex, struct regex_scan *scan)
{
	int r = REGEX_NO_MATCH;

	if (!scan->text)
		scan->text = ""; /* an empty text may have no address */
	if (scan->empty && scan->pos <= scan->len) {
		r = attempt(regex, scan, PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED);
		if (r == REGEX_NO_MATCH)
			scan->pos += scan->pos < scan->len ? utf8_step(scan->text + scan->pos,
								       scan->len - scan->pos)
							   : 1;
	}
	if (r == REGEX_NO_MATCH && scan->pos <= scan->len)
		r = attempt(regex, scan, 0);
	if (r)
		return r;
	scan->checked = true;
	scan->empty = scan->start == scan->end;
	scan->pos = scan->end;
	return 0;
}

bool regex_group(const struct regex *regex, uint32_t group, size_t *ret_start, size_t *ret_end)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(regex->match);

	if (group >= pcre2_get_ovector_count(regex->match))
		return false;
	PCRE2_SIZE start = at[(size_t)2 * group], end = at[(size_t)2 * group + 1];
	if (start == PCRE2_UNSET || end == PCRE2_UNSET || start > end)
		return false;
	*ret_start = start;
	*ret_end = end;
	return true;
}
