/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/model/words.h"

/* Whether line splits into exactly these words, joined by '|'. */
static bool splits(const char *line, const char *want)
{
	struct words words = {};
	char got[256] = "";

	if (words_split(line, &words) != 0)
		return false;
	for (size_t i = 0; i < words.n; i++) {
		strncat(got, i ? "|" : "", sizeof(got) - strlen(got) - 1);
		strncat(got, words.word[i], sizeof(got) - strlen(got) - 1);
	}
	bool ends = words.word[words.n] == nullptr;
	words_done(&words);
	return ends && strcmp(got, want) == 0;
}

static bool blanks_separate_words(void)
{
	CHECK(splits("status", "status"));
	CHECK(splits("  person \t list  ", "person|list"));
	CHECK(splits("", ""));
	CHECK(splits("   ", ""));
	return true;
}

static bool quotes_keep_words_together(void)
{
	CHECK(splits("key create 'my key'", "key|create|my key"));
	CHECK(splits("key create \"my key\"", "key|create|my key"));
	CHECK(splits("a 'b \"c' \"d 'e\"", "a|b \"c|d 'e"));
	CHECK(splits("''", ""));
	CHECK(splits("x'y z'\"1 2\"w", "xy z1 2w"));
	return true;
}

static bool a_backslash_takes_the_next_character_as_it_is(void)
{
	CHECK(splits("my\\ key", "my key"));
	CHECK(splits("\\'a\\'", "'a'"));
	CHECK(splits("\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d"));
	CHECK(splits("'a\\b'", "a\\b"));
	CHECK(splits("\\$HOME \\;", "$HOME|;"));
	return true;
}

static bool nothing_is_expanded(void)
{
	CHECK(splits("audit list --filter '*' \"$HOME\" ~ {a,b} [x] #y !z",
		     "audit|list|--filter|*|$HOME|~|{a,b}|[x]|#y|!z"));
	return true;
}

static bool what_only_a_shell_understands_is_refused(void)
{
	static const char *const LINES[] = { "a;b", "a|b", "a&b", "a<b",  "a>b",    "a(b",
					     "a)b", "$a",  "`a`", "a\nb", "a && b", "x $(y)" };

	for (size_t i = 0; i < countof(LINES); i++) {
		struct words words = {};

		CHECK_EQ(words_split(LINES[i], &words), WORDS_REFUSED);
		CHECK(!words.word);
	}
	return true;
}

static bool an_open_quote_is_refused(void)
{
	static const char *const LINES[] = { "'a", "\"a", "a\\", "\"a\\", "a 'b' 'c" };

	for (size_t i = 0; i < countof(LINES); i++) {
		struct words words = {};

		CHECK_EQ(words_split(LINES[i], &words), WORDS_UNCLOSED);
	}
	return true;
}

static bool limits_hold_to_the_last_word(void)
{
	char line[2 * WORDS_MAX + 4] = "";
	struct words words = {};

	for (size_t i = 0; i < WORDS_MAX; i++)
		memcpy(line + 2 * i, "a ", 2);
	CHECK_EQ(words_split(line, &words), 0);
	CHECK_EQ(words.n, WORDS_MAX);
	words_done(&words);
	memcpy(line + 2 * WORDS_MAX, "a", 2);
	CHECK_EQ(words_split(line, &words), WORDS_TOO_LONG);

	auto_free char *longest = malloc(WORDS_LINE_MAX + 2);
	CHECK(longest);
	memset(longest, 'a', WORDS_LINE_MAX + 1);
	longest[WORDS_LINE_MAX + 1] = '\0';
	CHECK_EQ(words_split(longest, &words), WORDS_TOO_LONG);
	longest[WORDS_LINE_MAX] = '\0';
	CHECK_EQ(words_split(longest, &words), 0);
	CHECK_EQ(strlen(words.word[0]), WORDS_LINE_MAX);
	words_done(&words);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		struct words words = {};

		fault_at(n);
		int r = words_split("a 'b c'", &words);
		bool failed = fault_end();

		words_done(&words);
		if (!failed)
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(blanks_separate_words);
	RUN(quotes_keep_words_together);
	RUN(a_backslash_takes_the_next_character_as_it_is);
	RUN(nothing_is_expanded);
	RUN(what_only_a_shell_understands_is_refused);
	RUN(an_open_quote_is_refused);
	RUN(limits_hold_to_the_last_word);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
