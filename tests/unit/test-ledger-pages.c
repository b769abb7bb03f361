/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/console-fixture.h"

constexpr uint32_t F = KEY_F0_;

/* A page of 200 entries, the newest with this index. */
static struct rows *page(uint64_t newest)
{
	struct rows *rows = nullptr;

	if (rows_new(&rows) != 0)
		return nullptr;
	for (uint64_t i = 0; i < 200 && i <= newest; i++)
		if (rows_add_row(rows) != 0 || rows_add_number(rows, "index", newest - i) != 0 ||
		    rows_add_text(rows, "code", "c") != 0)
			return rows_free(rows);
	return rows;
}

static bool the_ledger_is_paged_to_its_first_entry_and_back(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 5);
	CHECK_EQ(at.asked[METHOD_AUDIT_LIST].number[0], UINT64_MAX);
	answer(METHOD_AUDIT_LIST, page(449));
	CHECK(has("Entries 250 to 449"));
	press('G');
	press(KEY_DOWN_);
	CHECK_EQ(at.asked[METHOD_AUDIT_LIST].number[0], 250);
	answer(METHOD_AUDIT_LIST, page(249));
	CHECK(has("Entries 50 to 249"));
	press(']');
	answer(METHOD_AUDIT_LIST, page(49));
	CHECK(has("Entries 0 to 49"));
	press('G');
	press(KEY_DOWN_);
	CHECK(!was_asked(METHOD_AUDIT_LIST)); /* that was the first entry */
	wait_us(3 * FIXTURE_S_US);
	CHECK(!was_asked(METHOD_AUDIT_LIST)); /* old entries do not change */
	press('g');
	press(KEY_UP_);
	CHECK_EQ(at.asked[METHOD_AUDIT_LIST].number[0], 250);
	answer(METHOD_AUDIT_LIST, page(249));
	CHECK(has("Entries 50 to 249"));
	fixture_done();
	return true;
}

static bool the_filter_goes_to_the_service_and_stays_with_the_pages(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 5);
	answer(METHOD_AUDIT_LIST, page(449));
	press('/');
	type("deny");
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_AUDIT_LIST].text[0], "deny") == 0);
	answer(METHOD_AUDIT_LIST, page(300));
	CHECK(has("only with: deny") && has("Entries 101 to 300"));
	press(']');
	CHECK(strcmp(at.asked[METHOD_AUDIT_LIST].text[0], "deny") == 0);
	CHECK_EQ(at.asked[METHOD_AUDIT_LIST].number[0], 101);
	fixture_done();
	return true;
}

static bool escape_sequences_in_the_ledger_are_shown_not_obeyed(void)
{
	struct rows *rows = nullptr;

	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 5);
	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(rows_add_row(rows), 0);
	CHECK_EQ(rows_add_text(rows, "code", "a\x1b[2J"), 0);
	CHECK_EQ(rows_add_text(rows, "actor", "\x1b]52;c;x\a"), 0);
	answer(METHOD_AUDIT_LIST, rows);
	CHECK(has("a\\x1b[2J"));
	press(KEY_ENTER_);
	CHECK_EQ(rows_new(&rows), 0);
	CHECK_EQ(rows_add_row(rows), 0);
	CHECK_EQ(rows_add_text(rows, "detail",
			       "x\x1b[31m\r\n\xc2\x9b"
			       "1m"),
		 0);
	answer(METHOD_AUDIT_GET, rows);
	CHECK(has("x\\x1b[31m\\x0d") && has("\\xc2\\x9b1m"));
	for (int i = 0; i < at.grid.width * at.grid.height; i++) {
		uint32_t rune = at.grid.cell[i].rune;

		CHECK(rune >= 0x20 && rune != 0x7F && !(rune >= 0x80 && rune < 0xA0));
	}
	fixture_done();
	return true;
}

static bool waiting_is_shown_and_can_be_stopped(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 5);
	answer(METHOD_AUDIT_LIST, page(10));
	press('v');
	wait_us(200'000);
	CHECK(!has("Working"));
	wait_us(200'000);
	CHECK(has("Working for 0 s"));
	wait_us(FIXTURE_S_US);
	CHECK(has("Working for 1 s"));
	press(KEY_ESCAPE_);
	CHECK(has("No longer waiting") && !has("Working"));
	CHECK_EQ(at.cancelled, 1);
	answer(METHOD_AUDIT_VERIFY, rows_of("verdict=valid")); /* late: nobody wants it */
	CHECK(!has("verdict"));
	fixture_done();
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(the_ledger_is_paged_to_its_first_entry_and_back);
	RUN(the_filter_goes_to_the_service_and_stays_with_the_pages);
	RUN(escape_sequences_in_the_ledger_are_shown_not_obeyed);
	RUN(waiting_is_shown_and_can_be_stopped);
	return tap_done();
}
