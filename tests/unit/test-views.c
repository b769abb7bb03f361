/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/console-fixture.h"

constexpr uint32_t F = KEY_F0_;

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

static bool the_recovery_key_stays_until_its_end_is_typed_back(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	answer(METHOD_STATUS, rows_of("state=ready|hostname=box-7|recovery_key_pending?1"));
	press('K');
	press(KEY_ESCAPE_); /* while it works: nothing has happened to the key */
	CHECK(was_asked(METHOD_TAKE_RECOVERY_KEY) && !has("You have the recovery key"));
	press('K');
	answer(METHOD_TAKE_RECOVERY_KEY, one_text("000000-111111-222222"));
	CHECK(has("000000-111111-222222"));
	press(KEY_ESCAPE_);
	CHECK(has("000000-111111-222222"));
	press(KEY_ENTER_);
	CHECK(!has("000000-111111-222222") && has("You have the recovery key"));
	CHECK(!was_asked(METHOD_CONFIRM_RECOVERY_KEY));
	type("222222");
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_CONFIRM_RECOVERY_KEY].text[0], "222222") == 0);
	answer(METHOD_CONFIRM_RECOVERY_KEY, one_text("the recovery key is erased here"));
	CHECK(has("the recovery key is erased here"));
	fixture_done();
	return true;
}

static bool a_new_recovery_key_takes_a_word(void)
{
	CHECK_EQ(fixture_open(80, 24, false, true), 0);
	sign_in(ADMIN);
	wait_us(2 * FIXTURE_S_US);
	answer(METHOD_STATUS, rows_of("state=ready|hostname=box-7|recovery_key_pending?0"));
	press('K');
	CHECK(has("Make a new recovery key") && !was_asked(METHOD_TAKE_RECOVERY_KEY));
	press(KEY_ENTER_);
	CHECK(!was_asked(METHOD_NEW_RECOVERY_KEY));
	type("new");
	press(KEY_ENTER_);
	CHECK(was_asked(METHOD_NEW_RECOVERY_KEY));
	fixture_done();
	return true;
}

static bool the_machines_own_console_binds_the_tpm_with_the_recovery_key(void)
{
	CHECK_EQ(fixture_open(80, 24, true, true), 0);
	answer(METHOD_STATUS, rows_of("state=ready|hostname=box-7"));
	press('b');
	type("000000-111111");
	CHECK(!has("000000"));
	press(KEY_ENTER_);
	CHECK(strcmp(at.asked[METHOD_BIND_TPM].text[0], "000000-111111") == 0);
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
	RUN(the_session_is_opened_with_key_and_terminal);
	RUN(what_is_pasted_into_a_list_is_no_command);
	RUN(ten_minutes_without_a_key_lock_and_blank);
	RUN(a_key_in_time_keeps_it_open);
	RUN(who_may_less_is_offered_less);
	RUN(power_wants_the_host_name);
	RUN(the_machines_own_console_has_only_its_dashboard);
	RUN(an_unconfigured_machine_asks_for_its_configuration);
	RUN(a_locked_machine_asks_for_the_recovery_key_and_never_shows_it);
	RUN(the_recovery_key_stays_until_its_end_is_typed_back);
	RUN(a_new_recovery_key_takes_a_word);
	RUN(the_machines_own_console_binds_the_tpm_with_the_recovery_key);
	RUN(services_that_are_away_are_said_to_be_and_come_back);
	RUN(the_picture_is_drawn_anew_only_when_it_changed);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
