/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * accounts-fixture: a struct accounts over a database in memory and a ledger in a thread.
 */

#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/proto/audit.h"
#include "tests/lib/ledger.h"
#include "tests/unit/accounts-keys.h"

struct fixture {
	struct accounts accounts;
	struct ledger *ledger;
	struct audit_event last;
};

static inline struct fixture *fixture_free(struct fixture *fixture)
{
	if (!fixture)
		return nullptr;
	fixture->accounts.sessions = sessions_free(fixture->accounts.sessions);
	fixture->accounts.audit = audit_client_free(fixture->accounts.audit);
	fixture->accounts.store = store_close(fixture->accounts.store);
	fixture->ledger = ledger_stop(fixture->ledger);
	free(fixture);
	return nullptr;
}
CLEANUP_FN(struct fixture, fixture_free)

/* With ann, admin with KEY_ED25519, and bob, member without a key. nullptr if that fails. */
static inline struct fixture *fixture_new(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct person ann = { .name = "ann", .email = "ann@example.org" }, bob = { .name = "bob" };
	auto_free struct sshkey *key = calloc(1, sizeof(*key));

	if (!fixture || !key)
		return nullptr;
	ann.roles = role_bit(ROLE_ADMIN);
	bob.roles = role_bit(ROLE_MEMBER);
	fixture->ledger = ledger_start("audit-accounts.sock");
	if (!fixture->ledger || audit_client_new("audit-accounts.sock", &fixture->accounts.audit) ||
	    sessions_new(&fixture->accounts, &fixture->accounts.sessions) ||
	    store_open(":memory:", &fixture->accounts.store) ||
	    sshkey_parse(KEY_ED25519, strlen(KEY_ED25519), key) ||
	    store_person_add(fixture->accounts.store, &ann, key, 1) ||
	    store_person_add(fixture->accounts.store, &bob, nullptr, 1))
		return nullptr;
	return TAKE(fixture);
}

/* The last event recorded. */
static inline const struct audit_event *fixture_last(struct fixture *fixture)
{
	ledger_last(fixture->ledger, &fixture->last);
	return &fixture->last;
}
