/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "appliance/worker/recovery.h"
#include "tests/lib/tap.h"

static bool a_key_has_eight_groups_of_six(void)
{
	char key[RECOVERY_TEXT];

	CHECK_EQ(recovery_make(key), 0);
	CHECK_EQ(strlen(key), 55u);
	for (size_t i = 0; i < 55; i++)
		CHECK((i % 7 == 6) == (key[i] == '-'));
	CHECK(!strpbrk(key, "iloABC"));
	return true;
}

static bool two_keys_differ(void)
{
	char a[RECOVERY_TEXT], b[RECOVERY_TEXT];

	CHECK_EQ(recovery_make(a), 0);
	CHECK_EQ(recovery_make(b), 0);
	CHECK(strcmp(a, b) != 0);
	return true;
}

static bool what_was_made_is_its_own_normal_form(void)
{
	char key[RECOVERY_TEXT], again[RECOVERY_TEXT];

	CHECK_EQ(recovery_make(key), 0);
	CHECK(recovery_normal(key, again));
	CHECK(strcmp(key, again) == 0);
	return true;
}

static bool capitals_blanks_and_look_alikes_are_forgiven(void)
{
	char got[RECOVERY_TEXT];

	CHECK(recovery_normal(" OOOOOO IIIIII LLLLLL abcdef-abcdefabcdefabcdefabcdef\n", got));
	CHECK(strcmp(got, "000000-111111-111111-abcdef-abcdef-abcdef-abcdef-abcdef") == 0);
	return true;
}

static bool anything_else_is_not_a_key(void)
{
	static const char *const BAD[] = {
		"",
		"000000",
		"000000-111111-111111-abcdef-abcdef-abcdef-abcdef-abcde",
		"000000-111111-111111-abcdef-abcdef-abcdef-abcdef-abcdefg",
		"000000-111111-111111-abcdef-abcdef-abcdef-abcdef-abcdeu",
		"a passphrase of mine",
	};
	char got[RECOVERY_TEXT] = "kept";

	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		CHECK(!recovery_normal(BAD[i], got));
	CHECK(strcmp(got, "kept") == 0);
	return true;
}

int main(void)
{
	RUN(a_key_has_eight_groups_of_six);
	RUN(two_keys_differ);
	RUN(what_was_made_is_its_own_normal_form);
	RUN(capitals_blanks_and_look_alikes_are_forgiven);
	RUN(anything_else_is_not_a_key);
	return tap_done();
}
