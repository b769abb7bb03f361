/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/console-fixture.h"

constexpr uint32_t F = KEY_F0_;

/*
 * Compare the screen with tests/tui/golden/NAME.txt; with UPDATE_GOLDEN set, write it anew to be read by a
 * person before it is kept.
 */
static bool looks_like(const char *name)
{
	char path[128];
	static char want[sizeof(at.shown)];
	const char *got = shown();

	(void)snprintf(path, sizeof(path), "tests/tui/golden/%s.txt", name);
	FILE *file = fopen(path, getenv("UPDATE_GOLDEN") ? "we" : "re");
	if (!file)
		return false;
	want[0] = '\0';
	if (getenv("UPDATE_GOLDEN"))
		(void)fputs(got, file);
	else
		want[fread(want, 1, sizeof(want) - 1, file)] = '\0';
	(void)fclose(file);
	if (getenv("UPDATE_GOLDEN") || strcmp(got, want) == 0)
		return true;
	printf("# %s is not what it was:\n%s", path, got);
	return false;
}

static bool each_screen_looks_as_drawn_at(int width, int height, bool utf8, const char *size)
{
	static const struct {
		uint32_t key;
		const char *name;
		enum method_id method;
		const char *rows;
	} SCREENS[] = {
		{ F + 3, "people", METHOD_LIST_PEOPLE, PEOPLE },
		{ F + 4, "keys", METHOD_LIST_API_KEYS, KEYS },
		{ F + 5, "audit", METHOD_AUDIT_LIST, EVENTS },
	};
	char name[64];

	CHECK_EQ(fixture_open(width, height, false, utf8), 0);
	sign_in(ADMIN);
	(void)snprintf(name, sizeof(name), "dashboard-%s", size);
	CHECK(looks_like(name));
	for (size_t i = 0; i < countof(SCREENS); i++) {
		press(SCREENS[i].key);
		answer(SCREENS[i].method, rows_of(SCREENS[i].rows));
		(void)snprintf(name, sizeof(name), "%s-%s", SCREENS[i].name, size);
		CHECK(looks_like(name));
	}
	press('?');
	(void)snprintf(name, sizeof(name), "help-%s", size);
	CHECK(looks_like(name));
	fixture_done();
	return true;
}

static bool the_screens_look_as_drawn_at_80x24(void)
{
	return each_screen_looks_as_drawn_at(80, 24, true, "80x24");
}

static bool the_screens_look_as_drawn_at_40x10(void)
{
	return each_screen_looks_as_drawn_at(40, 10, true, "40x10");
}

static bool the_screens_look_as_drawn_in_ascii(void)
{
	return each_screen_looks_as_drawn_at(80, 24, false, "ascii");
}

static bool a_smaller_window_says_what_it_needs(void)
{
	CHECK_EQ(fixture_open(39, 10, false, true), 0);
	sign_in(ADMIN);
	CHECK(has("Make it 40 x 10 or more."));
	CHECK_EQ(grid_resize(&at.grid, 1, 1), 0);
	(void)shown();
	fixture_done();
	return true;
}

static bool boxes_look_as_drawn(void)
{
	static const struct {
		int width, height;
		const char *form, *secret, *question;
	} SIZES[] = { { 80, 24, "form-80x24", "secret-80x24", "question-80x24" },
		      { 40, 10, "form-40x10", "secret-40x10", "question-40x10" } };

	for (size_t i = 0; i < countof(SIZES); i++) {
		CHECK_EQ(fixture_open(SIZES[i].width, SIZES[i].height, false, true), 0);
		sign_in(ADMIN);
		press(F + 4);
		answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
		press('x');
		CHECK(looks_like(SIZES[i].question));
		press(KEY_ESCAPE_);
		press('c');
		CHECK(looks_like(SIZES[i].form));
		type("loader");
		press(KEY_ENTER_);
		press(KEY_ENTER_);
		press(KEY_ENTER_);
		answer(METHOD_CREATE_API_KEY,
		       rows_of("key=rdt_0123456789012345678901234567890123456789012abcdef|id=rdt_012345"));
		CHECK(looks_like(SIZES[i].secret));
		fixture_done();
	}
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(the_screens_look_as_drawn_at_80x24);
	RUN(the_screens_look_as_drawn_at_40x10);
	RUN(the_screens_look_as_drawn_in_ascii);
	RUN(a_smaller_window_says_what_it_needs);
	RUN(boxes_look_as_drawn);
	return tap_done();
}
