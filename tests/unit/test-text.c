/* SPDX-License-Identifier: Apache-2.0 */

/* utf8, names, clock: what texts from outside may look like. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/names.h"
#include "common/utf8.h"
#include "tests/lib/tap.h"

static bool well_formed_utf8_is_told_from_the_rest(void)
{
	static const char *const GOOD[] = {
		"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"
	};
	static const char *const BAD[] = { "\x80",
					   "\xc0\xaf",
					   "\xc3",
					   "\xe0\x80\xaf",
					   "\xed\xa0\x80",
					   "\xf4\x90\x80\x80",
					   "\xf8\x88\x80\x80",
					   "\xe2\x82" };

	for (size_t i = 0; i < countof(GOOD); i++)
		CHECK(utf8_is_valid(GOOD[i], strlen(GOOD[i])));
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!utf8_is_valid(BAD[i], strlen(BAD[i])));
	return true;
}

static bool control_characters_are_not_printable(void)
{
	CHECK(utf8_is_printable("caf\xc3\xa9", 5));
	CHECK(!utf8_is_printable("\x1b[2J", 4));
	CHECK(!utf8_is_printable("a\tb", 3));
	CHECK(!utf8_is_printable("\x7f", 1));
	CHECK(!utf8_is_printable("\xc2\x9b", 2)); /* CSI as one C1 character */
	return true;
}

struct sample {
	bool (*check)(const char *text, size_t len);
	const char *text;
	bool good;
};

static bool names_are_judged(void)
{
	static const struct sample SAMPLES[] = {
		{ name_is_person, "ann", true },
		{ name_is_person, "a-b_9", true },
		{ name_is_person, "", false },
		{ name_is_person, "Ann", false },
		{ name_is_person, "9a", false },
		{ name_is_person, "-a", false },
		{ name_is_person, "root", false },
		{ name_is_person, "redoubt-engine", false },
		{ name_is_person, "systemd-network", false },
		{ name_is_person, "a/../b", false },
		{ name_is_person, "abcdefghijklmnopqrstuvwxyz01234", true },
		{ name_is_person, "abcdefghijklmnopqrstuvwxyz012345", false },
		{ name_is_workspace, "commons", true },
		{ name_is_workspace, "a.b.c", true },
		{ name_is_workspace, "a..b", false },
		{ name_is_workspace, ".a", false },
		{ name_is_workspace, "a.", false },
		{ name_is_workspace, "a b", false },
		{ name_is_collection, "my-coll_1", true },
		{ name_is_collection, "a.b", false },
		{ name_is_api_key, "my key", true },
		{ name_is_api_key, " x", false },
		{ name_is_api_key, "x\n", false },
		{ name_is_email, "ann@example.org", true },
		{ name_is_email, "a.n+n@x.y", true },
		{ name_is_email, "ann", false },
		{ name_is_email, "@x.y", false },
		{ name_is_email, "a@", false },
		{ name_is_email, "a b@x.y", false },
		{ name_is_host, "redoubt-1", true },
		{ name_is_host, "a.example.org", true },
		{ name_is_host, "-a", false },
		{ name_is_host, "a..b", false },
		{ name_is_host, "a_b", false },
	};

	for (size_t i = 0; i < countof(SAMPLES); i++)
		if (SAMPLES[i].check(SAMPLES[i].text, strlen(SAMPLES[i].text)) != SAMPLES[i].good) {
			printf("# \"%s\" is judged wrongly\n", SAMPLES[i].text);
			return false;
		}
	return true;
}

static bool times_are_written_and_read_back(void)
{
	char text[CLOCK_TEXT];
	uint64_t us;

	clock_text_us(1'700'000'000'123'456, text);
	CHECK(strcmp(text, "2023-11-14T22:13:20.123456Z") == 0);
	CHECK(clock_parse(text, strlen(text), &us));
	CHECK_EQ(us, 1'700'000'000'123'456u);
	clock_text_s(1'700'000'000'123'456, text);
	CHECK(strcmp(text, "2023-11-14T22:13:20Z") == 0);
	CHECK(clock_parse("2023-11-14T23:13:20.5+01:00", 27, &us));
	CHECK_EQ(us, 1'700'000'000'500'000u);
	return true;
}

static bool texts_that_are_no_times_are_refused(void)
{
	static const char *const BAD[] = {
		"",
		"2023",
		"2023-02-30T00:00:00Z",
		"2023-13-01T00:00:00Z",
		"2023-11-14T24:00:00Z",
		"2023-11-14T22:13:20",
		"2023-11-14T22:13:20.Z",
		"2023-11-14T22:13:20Zx",
		"1969-12-31T23:59:59Z",
		"2023-11-14T22:13:20+1:00",
		"2023-11-14T22:13:20+24:00",
		"2023-1114T22:13:20Z",
	};
	uint64_t us;

	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!clock_parse(BAD[i], strlen(BAD[i]), &us));
	return true;
}

int main(void)
{
	RUN(well_formed_utf8_is_told_from_the_rest);
	RUN(control_characters_are_not_printable);
	RUN(names_are_judged);
	RUN(times_are_written_and_read_back);
	RUN(texts_that_are_no_times_are_refused);
	return tap_done();
}
