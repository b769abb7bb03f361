/* SPDX-License-Identifier: Apache-2.0 */

/* sshkeys: whose key is answered for, and that the ledger has it first. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/sshkeys.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/proto/access.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-fixture.h"

/* Ask; the answer is in out. Returns its text. */
static const char *ask(struct fixture *fixture, const char *user, const char *print,
		       struct buf *out)
{
	struct ssh_keys_request request = {};

	(void)snprintf(request.user, sizeof(request.user), "%s", user);
	(void)snprintf(request.fingerprint, sizeof(request.fingerprint), "%s", print);
	buf_clear(out);
	sshkeys_answer(&fixture->accounts, &request, out);
	return buf_text(out);
}

static bool a_persons_own_key_is_answered_restricted_and_recorded(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_buf struct buf out = buf_make(16384);
	struct ssh_key_row row;

	CHECK(fixture);
	CHECK(strcmp(ask(fixture, "ann", PRINT_ED25519, &out), "restrict,pty " KEY_ED25519 "\n") ==
	      0);
	const struct audit_event *event = fixture_last(fixture);
	CHECK(strcmp(event->code, "ssh.sign-in") == 0);
	CHECK_EQ(event->decision, AUDIT_ALLOW);
	CHECK_EQ(event->outcome, AUDIT_INTENT); /* sshd has yet to check the signature */
	CHECK(strcmp(event->actor, "ann") == 0 && strcmp(event->source, PRINT_ED25519) == 0);
	CHECK_EQ(store_ssh_key(fixture->accounts.store, "ann", PRINT_ED25519, &row), 0);
	CHECK(row.last_used_us > 0);
	return true;
}

static bool denied(struct fixture *fixture, const char *user, const char *print)
{
	auto_buf struct buf out = buf_make(16384);
	size_t before = ledger_count(fixture->ledger);

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

static bool without_the_ledger_nobody_gets_in(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_buf struct buf out = buf_make(16384);

	CHECK(fixture);
	ledger_refuse(fixture->ledger, true);
	CHECK(strcmp(ask(fixture, "ann", PRINT_ED25519, &out), "") == 0);
	ledger_refuse(fixture->ledger, false);
	CHECK(strstr(ask(fixture, "ann", PRINT_ED25519, &out), "ssh-ed25519"));
	return true;
}

int main(void)
{
	RUN(a_persons_own_key_is_answered_restricted_and_recorded);
	RUN(everybody_else_gets_nothing_and_that_is_recorded);
	RUN(a_suspended_person_a_removed_key_a_removed_person_are_out_at_once);
	RUN(without_the_ledger_nobody_gets_in);
	return tap_done();
}
