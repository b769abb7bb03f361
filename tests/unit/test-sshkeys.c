/* SPDX-License-Identifier: Apache-2.0 */

/* sshkeys: whose key is answered for, and that the ledger has it first. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/sessions.h"
#include "appliance/accounts/sshkeys.h"
#include "appliance/accounts/sshlog.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/access.h"
#include "common/proto/tally.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-fixture.h"

/* Ask; the answer is in out. Returns its text. */
static const char *ask(struct fixture *fixture, const char *user, const char *print,
		       struct buf *out)
{
	struct ssh_keys_request request = {};

	(void)snprintf(request.user, sizeof(request.user), "%s", user);
	(void)snprintf(request.fingerprint, sizeof(request.fingerprint), "%s", print);
	(void)snprintf(request.connection, sizeof(request.connection),
		       "192.0.2.2 22 192.0.2.1 4711");
	buf_clear(out);
	sshkeys_answer(&fixture->accounts, &request, out);
	return buf_text(out);
}

static bool an_accepted_key_is_answered_and_no_intent_is_left(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_buf struct buf out = buf_make(16384);
	struct ssh_key_row row;

	CHECK(fixture);
	size_t before = ledger_count(fixture->ledger);
	for (int i = 0; i < 2; i++) /* offered, then its signature checked */
		CHECK(strcmp(ask(fixture, "ann", PRINT_ED25519, &out),
			     "restrict,pty " KEY_ED25519 "\n") == 0);
	CHECK_EQ(ledger_count(fixture->ledger), before);
	CHECK_EQ(store_ssh_key(fixture->accounts.store, "ann", PRINT_ED25519, &row), 0);
	CHECK(row.last_used_us > 0);

	/* Nobody came by it. */
	sessions_tick(fixture->accounts.sessions, clock_mono_us() + SESSIONS_OFFER_US);
	CHECK_EQ(ledger_count(fixture->ledger), before + 1);
	const struct audit_event *event = fixture_last(fixture);
	CHECK(strcmp(event->code, "ssh.no-session") == 0);
	CHECK_EQ(event->outcome, AUDIT_DONE);
	CHECK(strcmp(event->actor, "ann") == 0 && strcmp(event->source, "192.0.2.1:4711") == 0);
	CHECK(strstr(event->detail, PRINT_ED25519));
	return true;
}

static bool a_session_that_opens_by_the_key_is_one_entry_and_one_at_its_end(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	struct session_form form = { .person = "ann",
				     .fingerprint = PRINT_ED25519,
				     .peer = "192.0.2.1:4711",
				     .what = "console",
				     .terminal = "pts/0" };
	auto_buf struct buf out = buf_make(16384);

	CHECK(fixture);
	struct sessions *sessions = fixture->accounts.sessions;
	size_t before = ledger_count(fixture->ledger);
	CHECK(strstr(ask(fixture, "ann", PRINT_ED25519, &out), "ssh-ed25519"));
	CHECK_EQ(sessions_open(sessions, nullptr, &form), 0);
	CHECK_EQ(ledger_count(fixture->ledger), before + 1);
	const struct audit_event *event = fixture_last(fixture);
	CHECK(strcmp(event->code, "session.open") == 0);
	CHECK(strcmp(event->source, "192.0.2.1:4711") == 0);
	CHECK(strstr(event->detail, "\"key\":\"" PRINT_ED25519 "\",\"on\":\"console\""));
	sessions_tick(sessions, clock_mono_us() + SESSIONS_OFFER_US);
	CHECK_EQ(ledger_count(fixture->ledger), before + 1); /* the key has found its session */
	CHECK(!sessions_close(sessions, "another"));
	CHECK(sessions_close(sessions, ""));
	CHECK_EQ(ledger_count(fixture->ledger), before + 2);
	event = fixture_last(fixture);
	CHECK(strcmp(event->code, "session.close") == 0 &&
	      strstr(event->detail, "\"seconds\":\"0\""));
	CHECK(!sessions_close(sessions, ""));
	return true;
}

static bool the_same_refusal_again_is_counted(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_buf struct buf out = buf_make(16384);
	char name[16];

	CHECK(fixture);
	size_t before = ledger_count(fixture->ledger);
	for (int i = 0; i < 100; i++)
		CHECK(strcmp(ask(fixture, "ann", PRINT_RSA_4096, &out), "") == 0);
	CHECK_EQ(ledger_count(fixture->ledger), before + 1);
	CHECK(strcmp(fixture_last(fixture)->source, "192.0.2.1:4711") == 0);
	/* Whatever names are tried from one address. */
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "guess%d", i);
		sshkeys_turned_away(&fixture->accounts, name, "198.51.100.7:1", nullptr);
	}
	CHECK_EQ(ledger_count(fixture->ledger), before + 2);
	CHECK(strcmp(fixture_last(fixture)->actor, "guess0") == 0);
	sessions_tick(fixture->accounts.sessions, clock_mono_us() + TALLY_WINDOW_US);
	CHECK_EQ(ledger_count(fixture->ledger), before + 4);
	CHECK(strstr(fixture_last(fixture)->detail, "{\"count\":99,") == fixture->last.detail);
	/* And many addresses do not fill the ledger either. */
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "10.0.%d.%d:1", i / 250, i % 250);
		sshkeys_turned_away(&fixture->accounts, "root", name, nullptr);
	}
	CHECK(ledger_count(fixture->ledger) < before + 80);
	return true;
}

static bool sshd_s_own_log_says_whom_it_turns_away(void)
{
	static const struct {
		const char *line, *user, *peer;
		bool found, unknown;
	} LINES[] = {
		{ "<38>Nov 24 23:34:40 sshd-session[99]: Invalid user x from 192.0.2.1 port 5", "x",
		  "192.0.2.1:5", true, true },
		{ "<38>Nov 24 23:34:40 sshd-session[99]: Invalid user  from 2001:db8::1 port 5", "",
		  "[2001:db8::1]:5", true, true },
		{ "<38>Nov  4 23:34:40 sshd[99]: Invalid user a from 10.0.0.1 port 7 from 192.0.2.1 port 5",
		  "a from 10.0.0.1 port 7", "192.0.2.1:5", true, true },
		{ "<38>Nov 24 23:34:40 sshd-session[9]: User root from 192.0.2.1 not allowed because none of "
		  "user's groups are listed in AllowGroups",
		  "root", "192.0.2.1:0", true, false },
		{ "<38>Nov 24 23:34:40 sshd-session[9]: Accepted publickey for ann from 192.0.2.1 port 5",
		  "", "", false, false },
		{ "<38>Nov 24 23:34:40 login[9]: Invalid user x from 192.0.2.1 port 5", "", "",
		  false, false },
		{ "<38>Nov 24 23:34:40 sshd-session", "", "", false, false },
		{ "sshd", "", "", false, false },
		{ "", "", "", false, false },
	};
	struct sshlog_line found;

	for (size_t i = 0; i < countof(LINES); i++) {
		CHECK_EQ(sshlog_read(LINES[i].line, strlen(LINES[i].line), &found), LINES[i].found);
		if (!LINES[i].found)
			continue;
		CHECK(strcmp(found.user, LINES[i].user) == 0);
		CHECK(strcmp(found.peer, LINES[i].peer) == 0);
		CHECK_EQ(found.unknown, LINES[i].unknown);
		/* Cut anywhere it is some line or none, and never read past its end. */
		for (size_t len = 0; len < strlen(LINES[i].line); len++) {
			auto_free char *copy = malloc(len + 1);

			CHECK(copy);
			memcpy(copy, LINES[i].line, len);
			(void)!sshlog_read(copy, len, &found);
		}
	}
	return true;
}

static bool denied(struct fixture *fixture, const char *user, const char *print)
{
	auto_buf struct buf out = buf_make(16384);
	size_t before = ledger_count(fixture->ledger);

	/* Each alone: the same from the same address are counted. */
	sessions_tick(fixture->accounts.sessions, UINT64_MAX);
	sessions_tick(fixture->accounts.sessions, UINT64_MAX);
	before = ledger_count(fixture->ledger);
	CHECK(strcmp(ask(fixture, user, print, &out), "") == 0);
	CHECK_EQ(ledger_count(fixture->ledger), before + 1);
	CHECK(strcmp(fixture_last(fixture)->code, "ssh.denied") == 0);
	CHECK_EQ(fixture->last.decision, AUDIT_DENY);
	return true;
}

static bool everybody_else_gets_nothing_and_that_is_recorded(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();

	CHECK(fixture);
	CHECK(denied(fixture, "bob", PRINT_ED25519));
	CHECK(denied(fixture, "ann", PRINT_RSA_4096));
	CHECK(denied(fixture, "ann", ""));
	CHECK(denied(fixture, "", PRINT_ED25519));
	CHECK(denied(fixture, "root", PRINT_ED25519));
	CHECK(denied(fixture, "ann\n", PRINT_ED25519));
	CHECK(denied(fixture, "' OR 1=1 --", PRINT_ED25519));
	return true;
}

static bool a_suspended_person_a_removed_key_a_removed_person_are_out_at_once(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct sshkey *key = calloc(1, sizeof(*key));
	auto_buf struct buf out = buf_make(16384);

	CHECK(fixture && key);
	struct store *store = fixture->accounts.store;
	CHECK_EQ(sshkey_parse(KEY_RSA_3072, strlen(KEY_RSA_3072), key), 0);
	CHECK_EQ(store_ssh_key_add(store, "bob", key, 1), 0);
	CHECK(strstr(ask(fixture, "bob", PRINT_RSA_3072, &out), "ssh-rsa"));
	CHECK_EQ(store_person_set_state(store, "bob", PERSON_SUSPENDED), 0);
	CHECK(denied(fixture, "bob", PRINT_RSA_3072));
	CHECK_EQ(store_person_set_state(store, "bob", PERSON_ACTIVE), 0);
	CHECK(strstr(ask(fixture, "bob", PRINT_RSA_3072, &out), "ssh-rsa"));
	CHECK_EQ(store_ssh_key_remove(store, "bob", PRINT_RSA_3072), 0);
	CHECK(denied(fixture, "bob", PRINT_RSA_3072));
	CHECK_EQ(store_ssh_key_add(store, "bob", key, 1), 0);
	CHECK_EQ(store_person_remove(store, "bob"), 0);
	CHECK(denied(fixture, "bob", PRINT_RSA_3072));
	return true;
}

static bool without_the_ledger_no_session_opens(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	struct session_form form = { .person = "ann" };

	CHECK(fixture);
	ledger_refuse(fixture->ledger, true);
	CHECK_EQ(sessions_open(fixture->accounts.sessions, nullptr, &form), AUDIT_UNAVAILABLE);
	ledger_refuse(fixture->ledger, false);
	CHECK_EQ(sessions_open(fixture->accounts.sessions, nullptr, &form), 0);
	return true;
}

int main(void)
{
	RUN(an_accepted_key_is_answered_and_no_intent_is_left);
	RUN(a_session_that_opens_by_the_key_is_one_entry_and_one_at_its_end);
	RUN(the_same_refusal_again_is_counted);
	RUN(sshd_s_own_log_says_whom_it_turns_away);
	RUN(everybody_else_gets_nothing_and_that_is_recorded);
	RUN(a_suspended_person_a_removed_key_a_removed_person_are_out_at_once);
	RUN(without_the_ledger_no_session_opens);
	return tap_done();
}
