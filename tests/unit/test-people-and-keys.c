/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/tap.h"
#include "tests/unit/console-fixture.h"

constexpr uint32_t F = KEY_F0_;

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

static const char QUERIES[] =
	"id=7|person=eve|key=rdt_slow01|state=running|age_s#12|cpu_ms#11900|text=SELECT COUNT(*) FROM a\n"
	"id=9|person=ann|key=rdt_abcdef|state=waiting|age_s#3|cpu_ms#0|text=SELECT 1";

static bool a_query_is_ended_after_a_question(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	press(F + 4);
	answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
	press('u');
	CHECK(strcmp(at.asked[METHOD_LIST_QUERIES].text[0], "*") == 0);
	answer(METHOD_LIST_QUERIES, rows_of(QUERIES));
	CHECK(has("Everybody's queries") && has("SELECT COUNT(*) FROM a") && has("12"));
	press('x');
	CHECK(has("End the query of eve?") && !was_asked(METHOD_KILL_QUERY));
	press(KEY_ESCAPE_);
	CHECK(!was_asked(METHOD_KILL_QUERY));
	press('j');
	press(KEY_DELETE);
	CHECK(has("End the query of ann?"));
	press('y');
	CHECK_EQ(at.asked[METHOD_KILL_QUERY].number[0], 9);
	CHECK(strcmp(at.asked[METHOD_KILL_QUERY].text[0], "*") == 0);
	answer(METHOD_KILL_QUERY, rows_of(""));
	CHECK(has("Ended."));
	fixture_done();
	return true;
}

static bool who_may_not_all_sees_and_ends_ones_own(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(MEMBER);
	press(F + 4);
	answer(METHOD_LIST_API_KEYS, rows_of(KEYS));
	press('u');
	CHECK(strcmp(at.asked[METHOD_LIST_QUERIES].text[0], "") == 0);
	answer(METHOD_LIST_QUERIES, rows_of(QUERIES));
	CHECK(has("Your queries"));
	press('x');
	press('y');
	CHECK_EQ(at.asked[METHOD_KILL_QUERY].number[0], 7);
	CHECK(strcmp(at.asked[METHOD_KILL_QUERY].text[0], "") == 0);
	fixture_done();
	return true;
}

int main(void)
{
	(void)setlocale(LC_ALL, "C.UTF-8");
	RUN(a_person_is_added_by_the_form);
	RUN(roles_start_as_they_are);
	RUN(removing_wants_the_name_typed);
	RUN(a_suspended_person_is_resumed_without_a_question_and_the_reverse_with_one);
	RUN(an_ssh_key_is_pasted_for_the_person_selected);
	RUN(a_new_key_is_shown_until_enter_and_then_gone);
	RUN(a_key_is_deleted_under_its_owners_name);
	RUN(a_query_is_ended_after_a_question);
	RUN(who_may_not_all_sees_and_ends_ones_own);
	return tap_done();
}
