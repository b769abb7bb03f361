/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * accounts: what the parts of redoubt-accounts share: the store, the ledger's pen, the user records.
 *
 * Layer 2 (appliance/accounts). main makes it; front link, sshkeys listener and bus methods use it.
 * Threads: one.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/denials.h"
#include "appliance/accounts/rate.h"
#include "appliance/accounts/store.h"
#include "appliance/accounts/userdb.h"
#include "common/base.h"
#include "common/proto/audit.h"
#include "common/secret.h"

struct bus;
struct loop;
struct sessions;
struct loop_source;

struct accounts {
	struct loop *loop;
	struct store *store;
	struct userdb *userdb;
	struct audit_client *audit;
	struct bus *bus; /* nullptr until it is there */
	struct secret grant_key;
	struct rate rate;
	struct denials denials;
	struct sessions *sessions;
	struct loop_source *userdb_retry;
	uint32_t console_uid; /* of redoubt-tty */
	uint32_t audit_uid,
		appliance_uid;	  /* the two that may call Authorize; UINT32_MAX if unknown */
	struct audit_event event; /* the one being written: too large for the stack */
};

/*
 * Start an event; the caller fills in target, source, … in what is returned and then calls accounts_record().
 *
 * kind, actor  "person", "api-key", "system", "anonymous", and who
 *
 * Returns accounts->event: one at a time.
 */
struct audit_event *accounts_event(struct accounts *accounts, const char *code, const char *kind,
				   const char *actor);

/*
 * Record accounts->event, durably. intent is AUDIT_NO_INTENT but for an outcome; ret_index may be nullptr.
 *
 * Returns 0 or AUDIT_UNAVAILABLE: then the action must not happen.
 */
[[nodiscard]] int accounts_record(struct accounts *accounts, enum audit_decision decision,
				  enum audit_outcome outcome, uint64_t intent, uint64_t *ret_index);

/* Set the event's detail to a JSON object of n pairs of texts: key, value, key, value … */
void accounts_detail(struct accounts *accounts, const char *const *pair, size_t n);

/* Write a text into one of the event's fields, cut if need be between two characters. */
void accounts_field(char *ret, size_t room, const char *text);

/* Log a fault of the store: once, here, with SQLite's word for it. */
void accounts_store_fault(struct accounts *accounts, int error, const char *what);

/* After people have changed: bring the user records up to date, now and, if it fails, again later; tell the bus. */
void accounts_people_changed(struct accounts *accounts);

/* After anything else that a view shows has changed: tell the bus. */
void accounts_changed(struct accounts *accounts);

/*
 * If there are no people, make the first admin out of the configuration.
 *
 * json  [len] the configuration; len 0 if there is none
 *
 * Returns 0 (also if there was nothing to do or the configuration does not serve: that is logged), or -errno.
 */
[[nodiscard]] int accounts_bootstrap(struct accounts *accounts, const char *json, size_t len);
