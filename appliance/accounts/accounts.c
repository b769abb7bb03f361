/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/accounts.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/config.h"
#include "appliance/accounts/store.h"
#include "appliance/accounts/userdb.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto/audit.h"
#include "common/utf8.h"

constexpr uint64_t USERDB_RETRY_US = 5'000'000;

void accounts_field(char *ret, size_t room, const char *text)
{
	size_t len = 0, whole = strlen(text);

	for (size_t step; len < whole && (step = utf8_step(text + len, whole - len)) > 0;) {
		if (len + step >= room)
			break;
		len += step;
	}
	memcpy(ret, text, len);
	ret[len] = '\0';
}

struct audit_event *accounts_event(struct accounts *accounts, const char *code, const char *kind,
				   const char *actor)
{
	struct audit_event *event = &accounts->event;

	*event = (struct audit_event) {};
	accounts_field(event->code, sizeof(event->code), code);
	accounts_field(event->actor_kind, sizeof(event->actor_kind), kind);
	accounts_field(event->actor, sizeof(event->actor), actor);
	return event;
}

int accounts_record(struct accounts *accounts, enum audit_decision decision,
		    enum audit_outcome outcome, uint64_t intent, uint64_t *ret_index)
{
	accounts->event.decision = decision;
	accounts->event.outcome = outcome;
	accounts->event.intent = intent;
	return audit_append(accounts->audit, &accounts->event, ret_index);
}

void accounts_detail(struct accounts *accounts, const char *const *pair, size_t n)
{
	auto_buf struct buf out = buf_make(AUDIT_DETAIL_MAX - 1);

	buf_add_str(&out, "{");
	for (size_t i = 0; i < n; i++) {
		buf_add_str(&out, i > 0 ? "," : "");
		buf_add_json(&out, pair[2 * i], strlen(pair[2 * i]));
		buf_add_str(&out, ":");
		buf_add_json(&out, pair[2 * i + 1], strlen(pair[2 * i + 1]));
	}
	buf_add_str(&out, "}");

	/* Without memory for the detail the event itself is still worth recording. */
	const char *text = buf_text(&out);
	(void)snprintf(accounts->event.detail, sizeof(accounts->event.detail), "%s",
		       text ? text : "");
}

void accounts_store_fault(struct accounts *accounts, int error, const char *what)
{
	log_event(LOG_ERR, EVENT_REQUEST_FAILED, error, what, store_message(accounts->store));
}

void accounts_changed(struct accounts *accounts)
{
	if (accounts->bus)
		bus_changed(accounts->bus);
}

static int on_userdb_retry(void *userdata)
{
	struct accounts *accounts = userdata;

	accounts->userdb_retry = loop_source_free(accounts->userdb_retry);
	accounts_people_changed(accounts);
	return 0;
}

void accounts_people_changed(struct accounts *accounts)
{
	uint32_t refused = 0;
	int r = userdb_sync(accounts->userdb, accounts->store, &refused);

	if (r == 0 && refused > 0)
		log_event(LOG_ERR, EVENT_ACCESS, 0,
			  "somebody cannot sign in: redoubt-userdb lets the record not through",
			  nullptr);

	if (r && !accounts->userdb_retry) {
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, r,
			  "users not told to the system, trying again in 5 seconds", nullptr);
		if (loop_timer(accounts->loop, USERDB_RETRY_US, on_userdb_retry, accounts,
			       &accounts->userdb_retry) < 0)
			loop_end(accounts->loop, r); /* a new start writes them */
	}
	accounts_changed(accounts);
}

/* Put the admin into the ledger, the store and, once more, the ledger. */
static int add_admin(struct accounts *accounts, const struct config_admin *admin)
{
	struct person person = { .roles = role_bit(ROLE_ADMIN) };
	const char *const detail[] = { "role", access_role_name(ROLE_ADMIN), "ssh_key",
				       admin->key.fingerprint };
	uint64_t intent = 0;

	(void)snprintf(person.name, sizeof(person.name), "%s", admin->name);
	(void)snprintf(person.email, sizeof(person.email), "%s", admin->email);
	struct audit_event *event =
		accounts_event(accounts, "person.bootstrap", "system", "redoubt-accounts");
	accounts_field(event->target, sizeof(event->target), admin->name);
	accounts_detail(accounts, detail, 2);
	if (accounts_record(accounts, AUDIT_ALLOW, AUDIT_INTENT, AUDIT_NO_INTENT, &intent))
		return -EAGAIN;

	int r = store_person_add(accounts->store, &person, &admin->key, clock_wall_us());
	if (r)
		accounts_store_fault(accounts, r < 0 ? r : -EEXIST, "first admin not added");
	int recorded = accounts_record(accounts, AUDIT_ALLOW, r ? AUDIT_FAILED : AUDIT_DONE, intent,
				       nullptr);
	if (r || recorded)
		return r < 0 ? r : -EAGAIN;
	log_event(LOG_NOTICE, EVENT_PROVISION, 0, "first admin added", admin->name);
	return 0;
}

int accounts_bootstrap(struct accounts *accounts, const char *json, size_t len)
{
	auto_free struct config_admin *admin = calloc(1, sizeof(*admin));
	const char *reason = "there is no configuration";
	uint32_t n = 0;

	if (!admin)
		return -ENOMEM;
	int r = store_people_count(accounts->store, &n);
	if (r || n > 0)
		return r;

	r = len > 0 ? config_admin(json, len, admin, &reason) : CONFIG_INVALID;
	if (r > 0) {
		log_event(LOG_ERR, EVENT_CONFIG_REFUSED, 0, "no first admin", reason);
		return 0;
	}
	return r < 0 ? r : add_admin(accounts, admin);
}
