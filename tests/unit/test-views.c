/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/fault.h"
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

/* --- how it looks ------------------------------------------------------------------------------ */

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

/* --- what it does ------------------------------------------------------------------------------ */

static bool the_session_is_opened_with_key_and_terminal(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	CHECK(strcmp(at.asked[METHOD_SESSION_OPEN].text[0], "SHA256:abc") == 0);
	CHECK(strcmp(at.asked[METHOD_SESSION_OPEN].text[1], "pts/0") == 0);
	sign_in(ADMIN);
	CHECK(has("Last sign-in: 2026-11-23T08:00:00Z from 10.0.0.9"));
	fixture_done();
	return true;
}

static bool a_person_is_added_by_the_form(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press('3'); /* a digit does what the F key does */
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('a');
	type("Carl");
	press(KEY_ENTER_);
	CHECK(has("A name starts with a-z"));
	press(KEY_CTRL('u'));
	type("carl");
	press(KEY_TAB_);
	type("carl@example.org");
	press(KEY_TAB_);
	press(KEY_ENTER_);
	CHECK(has("Mark at least one role"));
	CHECK(!was_asked(METHOD_ADD_PERSON));
	press(KEY_RIGHT_);
	press(' ');
	press(KEY_RIGHT_);
	press(' ');
	press(KEY_ENTER_);
	CHECK(was_asked(METHOD_ADD_PERSON));
	CHECK(strcmp(at.asked[METHOD_ADD_PERSON].text[0], "carl") == 0);
	CHECK(strcmp(at.asked[METHOD_ADD_PERSON].text[1], "carl@example.org") == 0);
	CHECK(strcmp(at.asked[METHOD_ADD_PERSON].list, "member,read-only") == 0);
	refuse(METHOD_ADD_PERSON, RESULT_EXISTS, "There is a carl already.");
	CHECK(has("There is a carl already.") &&
	      has("carl@example.org")); /* nothing typed is lost */
	press(KEY_ENTER_);
	answer(METHOD_ADD_PERSON, nullptr);
	CHECK(has("Added.") && !has("[ Add ]"));
	CHECK(was_asked(METHOD_LIST_PEOPLE)); /* and the list is fetched anew */
	fixture_done();
	return true;
}

static bool roles_start_as_they_are(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('j');
	press('r');
	CHECK(has("[ ] admin [x] member [x] read-only"));
	press(' ');
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_SET_ROLES].text[0], "ben") == 0);
	CHECK(strcmp(at.asked[METHOD_SET_ROLES].list, "admin,member,read-only") == 0);
	fixture_done();
	return true;
}

static bool removing_wants_the_name_typed(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('x');
	CHECK(has("Remove ann for good? 1 SSH keys and 2 API keys"));
	press(KEY_ENTER_);
	type("ben");
	press(KEY_ENTER_);
	CHECK(has("That is another name."));
	CHECK(!was_asked(METHOD_REMOVE_PERSON));
	press(KEY_CTRL('u'));
	type("ann");
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_REMOVE_PERSON].text[0], "ann") == 0);
	refuse(METHOD_REMOVE_PERSON, RESULT_INVALID, "ann is the last admin.");
	CHECK(has("ann is the last admin.") && !has("for good?"));
	fixture_done();
	return true;
}

static bool a_suspended_person_is_resumed_without_a_question_and_the_reverse_with_one(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('s');
	CHECK(!was_asked(METHOD_SET_STATE));
	press('n');
	CHECK(!was_asked(METHOD_SET_STATE));
	press('s');
	press('y');
	CHECK(strcmp(at.asked[METHOD_SET_STATE].text[1], "suspended") == 0);
	answer(METHOD_SET_STATE, nullptr);
	press('j');
	press('s');
	CHECK(strcmp(at.asked[METHOD_SET_STATE].text[0], "ben") == 0);
	CHECK(strcmp(at.asked[METHOD_SET_STATE].text[1], "active") == 0);
	fixture_done();
	return true;
}

static bool an_ssh_key_is_pasted_for_the_person_selected(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('j');
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_LIST_SSH_KEYS].text[0], "ben") == 0);
	answer(METHOD_LIST_SSH_KEYS, rows_of(""));
	CHECK(has("SSH keys of ben") && has("No SSH key yet"));
	press('a');
	for (const char *c = "ssh-ed25519 AAAA\nBBBB ben"; *c; c++) /* wrapped by a terminal */
		press((uint32_t)*c | KEY_PASTED);
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_ADD_SSH_KEY].text[0], "ben") == 0);
	CHECK(strcmp(at.asked[METHOD_ADD_SSH_KEY].text[1], "ssh-ed25519 AAAABBBB ben") == 0);
	fixture_done();
	return true;
}

static bool a_new_key_is_shown_until_enter_and_then_gone(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 4);
	answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
	press('c');
	type("loader");
	press(KEY_ENTER_);
	press(KEY_RIGHT_);
	press(KEY_ENTER_);
	type("soon");
	press(KEY_ENTER_);
	CHECK(has("say never, or a time"));
	press(KEY_CTRL('u'));
	type("never");
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_CREATE_API_KEY].text[0], "loader") == 0);
	CHECK(strcmp(at.asked[METHOD_CREATE_API_KEY].text[1], "member") == 0);
	CHECK(strcmp(at.asked[METHOD_CREATE_API_KEY].text[2], "never") == 0);
	answer(METHOD_CREATE_API_KEY, rows_of("key=rdt_secretsecret|id=rdt_secret"));
	CHECK(has("rdt_secretsecret"));
	press(KEY_ESCAPE_);
	press('q');
	press(KEY_BACKSPACE_);
	wait_us(3 * FIXTURE_S_US);
	CHECK(has("rdt_secretsecret"));
	press(KEY_ENTER_);
	CHECK(!has("rdt_secretsecret"));
	fixture_done();
	return true;
}

static bool a_key_is_deleted_under_its_owners_name(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 4);
	CHECK(strcmp(at.asked[METHOD_LIST_API_KEYS].text[0], "") == 0);
	answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
	press('o');
	CHECK(strcmp(at.asked[METHOD_LIST_API_KEYS].text[0], "*") == 0);
	answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
	press('j');
	press('x');
	type("reports");
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_DELETE_API_KEY].text[0], "ann") == 0);
	CHECK(strcmp(at.asked[METHOD_DELETE_API_KEY].text[1], "reports") == 0);
	fixture_done();
	return true;
}

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

static bool what_is_pasted_into_a_list_is_no_command(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	for (const char *c = "axq3s\n"; *c; c++)
		press((uint32_t)*c | KEY_PASTED);
	CHECK(has("ann@example.org") && !has("Add a person") && !app_has_ended(at.app));
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

static bool ten_minutes_without_a_key_lock_and_blank(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	wait_us(10 * 60 * FIXTURE_S_US - 1);
	CHECK(has("ann@example.org"));
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE)); /* what comes by itself is no sign of life */
	wait_us(1);
	CHECK(was_asked(METHOD_SESSION_LOCK));
	CHECK(has("Locked") && !has("ann") && !has("redoubt-1"));
	press('q');
	press(F + 3);
	press(KEY_ESCAPE_);
	app_changed(at.app, SERVICE_ACCOUNTS);
	wait_us(60 * FIXTURE_S_US);
	CHECK(has("Locked") && !has("ann") && !app_has_ended(at.app));
	press(KEY_ENTER_);
	CHECK(app_has_ended(at.app));
	fixture_done();
	return true;
}

static bool a_key_in_time_keeps_it_open(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	for (size_t i = 0; i < 30; i++) {
		wait_us(9 * 60 * FIXTURE_S_US);
		press(KEY_DOWN_);
	}
	CHECK(!has("Locked"));
	fixture_done();
	return true;
}

static bool who_may_less_is_offered_less(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(MEMBER);
	CHECK(!was_asked(METHOD_AUDIT_LIST));
	CHECK(has("c CA") && !has("p Power") && !has("K Recovery"));
	press('p');
	press('K');
	CHECK(!was_asked(METHOD_TAKE_RECOVERY_KEY) && !has("[ Do it ]"));
	press(F + 3);
	refuse(METHOD_LIST_PEOPLE, RESULT_DENIED, "You need the privilege PEOPLE_READ for this.");
	CHECK(has("You need the privilege PEOPLE_READ"));
	press('a');
	CHECK(!has("Add a person"));
	press('o');
	CHECK(strcmp(at.asked[METHOD_LIST_SSH_KEYS].text[0], "") == 0);
	CHECK(has("SSH keys of ben"));
	fixture_done();
	return true;
}

static bool power_wants_the_host_name(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press('p');
	press(KEY_RIGHT_);
	press(KEY_ENTER_);
	type("redoubt-2");
	press(KEY_ENTER_);
	CHECK(has("Type the host name") && !was_asked(METHOD_POWER_OFF));
	press(KEY_BACKSPACE_);
	type("1");
	press(KEY_ENTER_);
	CHECK(was_asked(METHOD_POWER_OFF) && !was_asked(METHOD_REBOOT));
	fixture_done();
	return true;
}

static bool the_machines_own_console_has_only_its_dashboard(void)
{
	CHECK_EQ(fixture_open(80, 24, true, false), 0);
	refuse(METHOD_WHO_AM_I, RESULT_UNREACHABLE, "x");
	refuse(METHOD_SESSION_OPEN, RESULT_UNREACHABLE, "Accounts is not there.");
	answer(METHOD_STATUS, rows_of(STATUS));
	CHECK(!has("People") && !has("Accounts is not there.") && !has("Quit"));
	press(F + 3);
	press('5');
	CHECK(!was_asked(METHOD_LIST_PEOPLE) && !was_asked(METHOD_AUDIT_LIST));
	press(F + 10);
	press('q');
	press(KEY_CTRL('c'));
	CHECK(!app_has_ended(at.app));
	press('p');
	CHECK(has("Power: redoubt-1"));
	type("secret");
	wait_us(10 * 60 * FIXTURE_S_US);
	CHECK(!has("Power: redoubt-1") && !has("Locked"));
	fixture_done();
	return true;
}

static bool an_unconfigured_machine_asks_for_its_configuration(void)
{
	CHECK_EQ(fixture_open(80, 24, true, true), 0);
	answer(METHOD_STATUS, rows_of("state=unconfigured|state_text=waiting|hostname=localhost"));
	CHECK(has("First configuration"));
	press(KEY_CTRL('u'));
	type("box-7");
	press(KEY_TAB_);
	type("ann");
	press(KEY_TAB_);
	type("ann@example.org");
	press(KEY_TAB_);
	type("ssh-ed25519 AAAAC3Nz ann \"x\"");
	press(KEY_TAB_);
	type("10.0.0.5/33");
	press(KEY_TAB_);
	type("10.0.0.1");
	press(KEY_TAB_);
	type("10.0.0.1, 10.0.0.2");
	press(KEY_ENTER_);
	CHECK(has("length of the network"));
	press(KEY_BACKSPACE_);
	press(KEY_BACKSPACE_);
	type("24");
	press(KEY_TAB_);
	press(KEY_TAB_);
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_PROVISION].text[0],
		     "{ \"version\": 1, \"hostname\": \"box-7\", \"admin\": { \"name\": \"ann\", "
		     "\"email\": \"ann@example.org\", "
		     "\"ssh_key\": \"ssh-ed25519 AAAAC3Nz ann \\\"x\\\"\" }, "
		     "\"network\": { \"address\": \"10.0.0.5/24\", \"gateway\": \"10.0.0.1\", "
		     "\"dns\": [\"10.0.0.1\", \"10.0.0.2\"] } }") == 0);
	refuse(METHOD_PROVISION, RESULT_INVALID, "The SSH key is damaged.");
	CHECK(has("The SSH key is damaged.") && has("box-7"));
	press(KEY_ENTER_);
	answer(METHOD_PROVISION, one_text("Set up; starting."));
	CHECK(has("Set up; starting.") && !has("First configuration"));
	answer(METHOD_STATUS, rows_of("state=unconfigured|hostname=localhost"));
	CHECK(!has("First configuration")); /* it offers itself once; s opens it */
	press('s');
	CHECK(has("First configuration"));
	fixture_done();
	return true;
}

static bool a_locked_machine_asks_for_the_recovery_key_and_never_shows_it(void)
{
	CHECK_EQ(fixture_open(80, 24, true, true), 0);
	answer(METHOD_STATUS, rows_of("state=locked|hostname=box-7"));
	CHECK(has("Open the data volume"));
	type("ABCD-1234");
	CHECK(!has("ABCD") && has("********"));
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_UNLOCK].text[0], "ABCD-1234") == 0);
	refuse(METHOD_UNLOCK, RESULT_DENIED, "This key does not open the volume.");
	CHECK(has("This key does not open the volume."));
	fixture_done();
	return true;
}

static bool services_that_are_away_are_said_to_be_and_come_back(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	refuse(METHOD_STATUS, RESULT_UNREACHABLE, "The appliance service is not running.");
	refuse(METHOD_AUDIT_STATUS, RESULT_UNREACHABLE, "The audit service is not running.");
	refuse(METHOD_WHO_AM_I, RESULT_UNREACHABLE, "The accounts service is not running.");
	CHECK(has("The appliance service is not running.") &&
	      has("The audit service is not running."));
	wait_us(2 * FIXTURE_S_US);
	CHECK(was_asked(METHOD_WHO_AM_I));
	answer(METHOD_WHO_AM_I, rows_of(ADMIN));
	answer(METHOD_STATUS, rows_of(STATUS));
	CHECK(has("ready: everything is running") && has("ann@redoubt-1"));
	refuse(METHOD_STATUS, RESULT_UNREACHABLE, "x"); /* no question: nothing happens */
	CHECK(has("ready"));
	fixture_done();
	return true;
}

static bool the_picture_is_drawn_anew_only_when_it_changed(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	(void)shown();
	CHECK(!app_is_dirty(at.app));
	wait_us(250'000);
	CHECK(!app_is_dirty(at.app));
	press(KEY_DOWN_);
	CHECK(app_is_dirty(at.app));
	fixture_done();
	return true;
}

static void go_everywhere(void)
{
	sign_in(ADMIN);
	press('t');
	answer(METHOD_CHECK_HARDENING, rows_of("id=H-1|title=t|result=pass|detail=d"));
	press(KEY_ESCAPE_);
	press(F + 3);
	answer(METHOD_LIST_PEOPLE, rows_of(PEOPLE));
	press('/');
	type("b");
	press(KEY_ENTER_);
	press('r');
	press(KEY_ESCAPE_);
	press('x');
	press(KEY_ESCAPE_);
	press(KEY_ENTER_);
	press('?');
	(void)shown();
	press(F + 4);
	press('c');
	type("k");
	press(KEY_ENTER_);
	press(KEY_ENTER_);
	press(KEY_ENTER_);
	answer(METHOD_CREATE_API_KEY, rows_of("key=x"));
	(void)shown();
	press(KEY_ENTER_);
	press(F + 5);
	answer(METHOD_AUDIT_LIST, rows_of(EVENTS));
	press(KEY_ENTER_);
	answer(METHOD_AUDIT_GET, rows_of(EVENTS));
	(void)shown();
	wait_us(3 * FIXTURE_S_US);
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = fixture_open(80, 24, false, true);
		if (r == 0)
			go_everywhere();
		bool failed = fault_end();

		CHECK(r == 0 || r == -ENOMEM);
		fixture_done();
		if (!failed)
			return r == 0;
	}
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(the_screens_look_as_drawn_at_80x24);
	RUN(the_screens_look_as_drawn_at_40x10);
	RUN(the_screens_look_as_drawn_in_ascii);
	RUN(a_smaller_window_says_what_it_needs);
	RUN(boxes_look_as_drawn);
	RUN(the_session_is_opened_with_key_and_terminal);
	RUN(a_person_is_added_by_the_form);
	RUN(roles_start_as_they_are);
	RUN(removing_wants_the_name_typed);
	RUN(a_suspended_person_is_resumed_without_a_question_and_the_reverse_with_one);
	RUN(an_ssh_key_is_pasted_for_the_person_selected);
	RUN(a_new_key_is_shown_until_enter_and_then_gone);
	RUN(a_key_is_deleted_under_its_owners_name);
	RUN(the_ledger_is_paged_to_its_first_entry_and_back);
	RUN(the_filter_goes_to_the_service_and_stays_with_the_pages);
	RUN(escape_sequences_in_the_ledger_are_shown_not_obeyed);
	RUN(what_is_pasted_into_a_list_is_no_command);
	RUN(waiting_is_shown_and_can_be_stopped);
	RUN(ten_minutes_without_a_key_lock_and_blank);
	RUN(a_key_in_time_keeps_it_open);
	RUN(who_may_less_is_offered_less);
	RUN(power_wants_the_host_name);
	RUN(the_machines_own_console_has_only_its_dashboard);
	RUN(an_unconfigured_machine_asks_for_its_configuration);
	RUN(a_locked_machine_asks_for_the_recovery_key_and_never_shows_it);
	RUN(services_that_are_away_are_said_to_be_and_come_back);
	RUN(the_picture_is_drawn_anew_only_when_it_changed);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
