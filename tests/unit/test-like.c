/* SPDX-License-Identifier: Apache-2.0 */

/* like, find: what matches, and that what takes long takes no longer than the texts are long, or ends when it is told to. */

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "service/column/find.h"
#include "service/crew/exec.h"
#include "service/expression/like.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint32_t LONG = 2'000'000;

static struct str str(const char *text)
{
	return (struct str) { text, (uint32_t)strlen(text) };
}

static bool matches(const char *text, const char *pattern, const char *escape)
{
	bool yes = false;

	return like_matches(str(text), str(pattern), str(escape), nullptr, &yes) == 0 && yes;
}

static bool a_pattern_matches_what_it_should(void)
{
	static const struct {
		const char *text, *pattern, *escape;
		bool yes;
	} CASES[] = {
		{ "", "", "", true },
		{ "", "%", "", true },
		{ "a", "", "", false },
		{ "", "_", "", false },
		{ "abc", "abc", "", true },
		{ "abc", "ab", "", false },
		{ "abc", "a%", "", true },
		{ "abc", "%c", "", true },
		{ "abc", "%b%", "", true },
		{ "abc", "%%b%%", "", true },
		{ "abc", "a%c%c", "", false },
		{ "abcc", "a%c%c", "", true },
		{ "aba", "ab%ba", "", false },
		{ "caf\xc3\xa9", "caf_", "", true },
		{ "caf\xc3\xa9s", "%f_s", "", true },
		{ "caf\xc3\xa9s", "%f_", "", false },
		{ "100%", "100\\%", "\\", true },
		{ "1000", "100\\%", "\\", false },
		{ "a_b", "%\\_%", "\\", true },
		{ "ab", "%\\_%", "\\", false },
		{ "a%b%c", "%%%%%c", "%", false },
		{ "a%%c", "a%%%%c", "%", true },
		{ "xa\\b", "%a\\", "\\", false },
		{ "xa\\", "%a\\", "\\", true },
		{ "abab", "%a_%a_", "", true },
		{ "aba", "%a_%a_", "", false },
	};
	bool good = true;

	for (size_t i = 0; i < countof(CASES); i++)
		if (matches(CASES[i].text, CASES[i].pattern, CASES[i].escape) != CASES[i].yes) {
			printf("# '%s' LIKE '%s'\n", CASES[i].text, CASES[i].pattern);
			good = false;
		}
	return good;
}

/* The definition, by trying everything: letters of one byte, the escape is \. */
static bool by_definition(const char *text, const char *pattern)
{
	if (!*pattern)
		return !*text;
	if (*pattern == '%')
		return by_definition(text, pattern + 1) ||
		       (*text && by_definition(text + 1, pattern));
	bool escaped = *pattern == '\\' && pattern[1];
	pattern += escaped;
	return *text && ((!escaped && *pattern == '_') || *text == *pattern) &&
	       by_definition(text + 1, pattern + 1);
}

static uint32_t below(uint64_t *state, uint32_t n)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*state >> 33) % n;
}

static bool it_is_the_definition(void)
{
	uint64_t state = 9;

	for (int i = 0; i < 200'000; i++) {
		char text[13] = "", pattern[9] = "";
		uint32_t n = below(&state, 12), m = below(&state, 8);

		for (uint32_t k = 0; k < n; k++)
			text[k] = "ab%\\"[below(&state, 20) < 18 ? below(&state, 2)
								 : 2 + below(&state, 2)];
		for (uint32_t k = 0; k < m; k++)
			pattern[k] = "aab%%_\\"[below(&state, 7)];
		if (matches(text, pattern, "\\") != by_definition(text, pattern)) {
			printf("# '%s' LIKE '%s'\n", text, pattern);
			return false;
		}
	}
	return true;
}

/* n letters a. */
static char *letters(uint32_t n)
{
	char *text = malloc((size_t)n + 3);

	if (text)
		memset(text, 'a', n);
	if (text)
		memcpy(text + n, "\0\0", 3);
	return text;
}

/* By the product of the lengths each of these would take an hour. */
static bool long_texts_and_patterns_cost_their_sum(void)
{
	auto_free char *text = letters(LONG), *pattern = letters(LONG);
	bool yes = true;

	CHECK(text && pattern);
	pattern[0] = '%';
	memcpy(pattern + LONG / 2, "b%", 3);
	CHECK_EQ(like_matches((struct str) { text, LONG }, str(pattern), str(""), nullptr, &yes),
		 0);
	CHECK(!yes);
	CHECK_EQ(like_matches((struct str) { text, LONG }, str(pattern), str("\\"), nullptr, &yes),
		 0);
	CHECK(!yes);
	for (uint32_t i = 0; i < LONG / 2; i++)
		pattern[i] = i % 2 ? 'a' : '%';
	CHECK_EQ(like_matches((struct str) { text, LONG }, str(pattern), str(""), nullptr, &yes),
		 0);
	CHECK(!yes);
	memset(pattern + 1, '_', LONG - 1);
	CHECK_EQ(like_matches((struct str) { text, LONG - 2 }, (struct str) { pattern, LONG },
			      str(""), nullptr, &yes),
		 0);
	return !yes;
}

static bool what_cannot_be_short_ends_when_told(void)
{
	auto_free char *text = letters(LONG), *pattern = letters(LONG / 2);
	atomic_bool cancel = true;
	struct query_limits late = { .deadline_us = 0 },
			    cancelled = { .deadline_us = UINT64_MAX, .cancel = &cancel };
	bool yes;

	CHECK(text && pattern);
	memcpy(pattern, "%_", 2);
	memcpy(pattern + LONG / 2 - 2, "b%", 2);
	CHECK_EQ(like_matches((struct str) { text, LONG }, str(pattern), str(""), &late, &yes),
		 PIPE_TIMEOUT);
	CHECK_EQ(like_matches((struct str) { text, LONG }, str(pattern), str(""), &cancelled, &yes),
		 PIPE_CANCELLED);
	return true;
}

static bool a_long_needle_is_found_at_the_cost_of_the_sum(void)
{
	auto_free char *text = letters(LONG), *needle = letters(LONG / 2);

	CHECK(text && needle);
	needle[LONG / 4] = 'b';
	CHECK(find_next(text, LONG, 0, needle, LONG / 2) == FIND_NONE);
	text[LONG - LONG / 4] = 'b';
	CHECK(find_next(text, LONG, 0, needle, LONG / 2) == LONG - LONG / 2);
	return true;
}

static bool a_long_needle_is_sought_once_in_each_of_many_short_texts(void)
{
	constexpr uint32_t n = 60'000;
	constexpr uint32_t each = 30;
	auto_free char *text = letters(n * each), *needle = letters(n * each / 2);
	auto_free struct str *all = calloc(n, sizeof(*all));
	auto_free uint8_t *match = calloc(n, 1);

	CHECK(text && needle && all && match);
	for (uint32_t i = 0; i < n; i++)
		all[i] = (struct str) { text + (size_t)i * each, each };
	find_mark(all, n, needle, n * each / 2, match);
	for (uint32_t i = 0; i < n; i++)
		CHECK(!match[i]);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		bool yes = false;

		fault_at(n);
		int r = like_matches(str("a%b"), str("a\\%%"), str("\\"), nullptr, &yes);
		if (!fault_end())
			return r == 0 && yes;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(a_pattern_matches_what_it_should);
	RUN(it_is_the_definition);
	RUN(long_texts_and_patterns_cost_their_sum);
	RUN(what_cannot_be_short_ends_when_told);
	RUN(a_long_needle_is_found_at_the_cost_of_the_sum);
	RUN(a_long_needle_is_sought_once_in_each_of_many_short_texts);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
