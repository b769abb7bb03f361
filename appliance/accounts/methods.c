/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/methods.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/rate.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/store.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/names.h"
#include "common/proto/audit.h"
#include "common/proto/operations.h"
#include "common/proto/tally.h"

static const char CONSOLE[] = "console";

/* What a store's outcome is called on the bus, and what people are told. */
static const struct {
	enum bus_error error;
	const char *sentence;
} OUTCOMES[] = {
	[STORE_NOT_FOUND] = { BUS_NOT_FOUND, "There is no such person or key." },
	[STORE_EXISTS] = { BUS_EXISTS, "There is one of that name already, or the key is in use." },
	[STORE_LIMIT] = { BUS_INVALID, "There are as many as there may be; remove one first." },
	[STORE_LAST_ADMIN] = { BUS_INVALID,
			       "Then no admin who is active and has an SSH key would be "
			       "left, and nobody could manage the appliance." },
};

/* The name of whoever calls, for the ledger. */
static const char *name_of(const struct caller *caller)
{
	return caller->is_console ? CONSOLE : caller->person.name;
}

/* Find out who has that uid. Returns 0, STORE_NOT_FOUND or -errno. */
static int find_caller(struct accounts *accounts, uint32_t uid, struct caller *ret)
{
	*ret = (struct caller) { .uid = uid };
	if (uid == accounts->console_uid && uid != UINT32_MAX) {
		ret->is_console = true;
		ret->who.roles = role_bit(ROLE_LOCAL_CONSOLE);
		return 0;
	}
	if (uid < STORE_UID_FIRST || uid > STORE_UID_LAST)
		return STORE_NOT_FOUND; /* root and the system's own users are nobody here */

	int r = store_person_by_uid(accounts->store, uid, &ret->person);
	if (r == 0)
		ret->who.roles = ret->person.roles;
	return r;
}

/* Record that somebody was refused, unless the same one is refused all the time. Returns whether it may be answered as such. */
static bool record_denial(struct accounts *accounts, const struct caller *caller, const char *code,
			  const char *target, const char *reason)
{
	const char *const detail[] = { "reason", reason };
	uint8_t key[RATE_KEY];
	char uid[32];

	rate_key_uid(caller->uid, key);
	enum rate_verdict verdict = rate_count(&accounts->rate, key, clock_mono_us());
	if (verdict == RATE_SILENCED)
		return true; /* the last one recorded says that there are too many */

	(void)snprintf(uid, sizeof(uid), "uid %u", caller->uid);
	bool known = name_of(caller)[0] != '\0';
	struct audit_event *event = accounts_event(accounts, code, known ? "person" : "anonymous",
						   known ? name_of(caller) : uid);
	const char *const many[] = { "reason", reason, "note",
				     "too many refusals in a minute, further ones not recorded" };
	accounts_field(event->source, sizeof(event->source), uid);
	accounts_field(event->target, sizeof(event->target), target);
	accounts_detail(accounts, verdict == RATE_EXCEEDED ? many : detail,
			verdict == RATE_EXCEEDED ? 2 : 1);
	return accounts_record(accounts, AUDIT_DENY, AUDIT_FAILED, AUDIT_NO_INTENT, nullptr) == 0;
}

static void fail_unrecorded(struct bus_call *call)
{
	bus_fail(call, BUS_AUDIT_UNAVAILABLE,
		 "The audit ledger cannot record this right now, so it was not done.");
}

void method_deny(struct method *method, const char *privilege)
{
	char reason[128];

	(void)snprintf(reason, sizeof(reason), "lacks the privilege %s", privilege);
	if (record_denial(method->accounts, &method->caller, method->code, method->target, reason))
		bus_fail(method->call, BUS_DENIED, "You need the privilege %s for this.",
			 privilege);
	else
		fail_unrecorded(method->call);
}

void method_fault(struct method *method, int r)
{
	accounts_store_fault(method->accounts, r < 0 ? r : -EIO, method->code);
	bus_fail(method->call, BUS_FAILED,
		 "The accounts database failed (%s); nothing was changed.",
		 strerrordesc_np(r < 0 ? -r : EIO));
}

bool method_enter(struct method *method, struct bus_call *call, void *service, const char *code,
		  enum privilege need)
{
	*method = (struct method) { .call = call, .accounts = service, .code = code };

	int r = find_caller(method->accounts, bus_uid(call), &method->caller);
	if (r < 0) {
		method_fault(method, r);
		return false;
	}

	const char *reason = r ? "not a person of this appliance"
			     : method->caller.person.state != PERSON_ACTIVE ? "suspended"
									    : nullptr;
	if (reason) {
		if (record_denial(method->accounts, &method->caller, code, "", reason))
			bus_fail(call, BUS_DENIED,
				 r ? "You are not a person of this appliance."
				   : "You are suspended.");
		else
			fail_unrecorded(call);
		return false;
	}
	if (access_check(&method->caller.who, need, ""))
		return true;
	method_deny(method, privilege_name(need));
	return false;
}

bool method_for(struct method *method, const char *name, enum privilege own, enum privilege any,
		char ret[static NAME_PERSON_MAX + 1])
{
	const char *self = method->caller.person.name;
	bool is_own = name[0] == '\0' || (self[0] != '\0' && strcmp(name, self) == 0);

	accounts_field(method->target, sizeof(method->target), is_own ? self : name);
	if (!access_check(&method->caller.who, any, "") &&
	    !(is_own && access_check(&method->caller.who, own, ""))) {
		method_deny(method, privilege_name(is_own ? own : any));
		return false;
	}
	if (is_own && method->caller.is_console) {
		bus_fail(method->call, BUS_INVALID, "The console is nobody's: it has no keys.");
		return false;
	}
	if (!is_own && !name_is_person(name, strlen(name))) {
		bus_fail(method->call, BUS_NOT_FOUND, "There is no such person.");
		return false;
	}
	(void)snprintf(ret, NAME_PERSON_MAX + 1, "%s", is_own ? self : name);
	return true;
}

/* Start the event that intent and outcome share. */
static void start_event(struct method *method)
{
	struct audit_event *event =
		accounts_event(method->accounts, method->code, "person", name_of(&method->caller));

	accounts_field(event->source, sizeof(event->source),
		       method->caller.is_console ? "serial console" : "console");
	accounts_field(event->target, sizeof(event->target), method->target);
}

void method_read(struct method *method)
{
	struct accounts *accounts = method->accounts;
	char key[TALLY_KEY_MAX];

	start_event(method);
	(void)snprintf(key, sizeof(key), "read %s %s %s", bus_sender(method->call), method->code,
		       method->target);
	sessions_count(accounts->sessions, key, AUDIT_ALLOW, AUDIT_DONE);
}

bool method_intend(struct method *method, const char *const *pair, size_t n)
{
	start_event(method);
	if (n > 0)
		accounts_detail(method->accounts, pair, n);
	if (accounts_record(method->accounts, AUDIT_ALLOW, AUDIT_INTENT, AUDIT_NO_INTENT,
			    &method->intent) == 0)
		return true;
	fail_unrecorded(method->call);
	return false;
}

bool method_outcome(struct method *method, int r)
{
	start_event(method);
	int recorded = accounts_record(method->accounts, AUDIT_ALLOW, r ? AUDIT_FAILED : AUDIT_DONE,
				       method->intent, nullptr);

	if (r < 0 || r == STORE_CORRUPT || r == STORE_TOO_NEW) {
		method_fault(method, r);
		return false;
	}
	if (r > 0) {
		bus_fail(method->call, OUTCOMES[r].error, "%s", OUTCOMES[r].sentence);
		return false;
	}
	if (recorded == 0)
		return true;
	bus_fail(method->call, BUS_AUDIT_UNAVAILABLE,
		 "This was done, but the audit ledger could not record how it ended; the intent is "
		 "recorded.");
	return false;
}

bool method_roles(struct method *method, const char *const *name, size_t n, uint32_t *ret)
{
	uint32_t roles = 0;

	if (n == 0 || n > BUS_STRV_MAX) {
		bus_fail(method->call, BUS_INVALID,
			 "Give at least one role: admin, member or read-only.");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		enum role role = access_role_find(name[i]);

		if (!access_role_is_grantable(role)) {
			bus_fail(
				method->call, BUS_INVALID,
				"There is no role \"%.64s\"; there are admin, member and read-only.",
				name[i]);
			return false;
		}
		roles |= role_bit(role);
	}
	*ret = roles;
	return true;
}

void method_put_roles(struct bus_call *call, uint32_t roles)
{
	const char *name[ROLE_COUNT];
	size_t n = 0;

	for (unsigned int i = 0; i < ROLE_COUNT; i++)
		if (roles >> i & 1)
			name[n++] = access_role_name((enum role)i);
	bus_put_strv(call, "roles", name, n);
}

void method_put_privileges(struct bus_call *call, uint64_t rights)
{
	const char *name[PRIVILEGE_COUNT];
	size_t n = 0;

	for (unsigned int i = PRIVILEGE_NONE + 1; i < PRIVILEGE_COUNT; i++)
		if (rights >> i & 1)
			name[n++] = privilege_name((enum privilege)i);
	bus_put_strv(call, "privileges", name, n);
}

void method_put_time(struct bus_call *call, const char *key, uint64_t wall_us)
{
	char text[CLOCK_TEXT] = "";

	if (wall_us > 0)
		clock_text_s(wall_us, text);
	bus_put_str(call, key, text);
}

/* Authorize: may the user with this uid? Asked by audit and appliance for their own methods. */
static void authorize(struct bus_call *call, void *service)
{
	struct accounts *accounts = service;
	struct caller caller, subject;
	uint32_t asking = bus_uid(call);

	auto uid = (uint32_t)bus_arg_number(call);
	const char *name = bus_arg_str(call);
	const char *resource = bus_arg_str(call);

	caller = (struct caller) { .uid = asking };
	if (asking == UINT32_MAX ||
	    (asking != accounts->audit_uid && asking != accounts->appliance_uid)) {
		if (record_denial(accounts, &caller, "access.authorize", name, "may not ask"))
			bus_fail(call, BUS_DENIED, "Only the appliance's own services may ask.");
		else
			fail_unrecorded(call);
		return;
	}

	enum privilege privilege = privilege_find(name);
	if (privilege == PRIVILEGE_COUNT) {
		bus_fail(call, BUS_INVALID, "There is no privilege of that name.");
		return;
	}

	int r = find_caller(accounts, uid, &subject);
	if (r < 0) {
		accounts_store_fault(accounts, r, "privilege not looked up");
		bus_fail(call, BUS_FAILED, "The accounts database failed.");
		return;
	}
	bool allowed = r == 0 && subject.person.state == PERSON_ACTIVE &&
		       access_check(&subject.who, privilege, resource);
	if (!allowed && !record_denial(accounts, &subject, "access.denied", resource,
				       privilege_name(privilege))) {
		fail_unrecorded(call);
		return;
	}
	bus_answer_bool(call, allowed);
	bus_answer_str(call, name_of(&subject));
	bus_reply(call);
}

/* clang-format off */
const struct bus_method METHODS[] = {
	{ "WhoAmI",         "",     "a{sv}",  people_who_am_i },
	{ "SessionOpen",    "ssss", "a{sv}",  people_session_open },
	{ "SessionClose",   "",     "",       people_session_close },
	{ "SessionLock",    "",     "",       people_session_lock },
	{ "ListPeople",     "",     "aa{sv}", people_list },
	{ "AddPerson",      "ssas", "",       people_add },
	{ "SetRoles",       "sas",  "",       people_set_roles },
	{ "SetState",       "ss",   "",       people_set_state },
	{ "RemovePerson",   "s",    "",       people_remove },
	{ "ListSshKeys",    "s",    "aa{sv}", keys_list_ssh },
	{ "AddSshKey",      "ss",   "a{sv}",  keys_add_ssh },
	{ "RemoveSshKey",   "ss",   "",       keys_remove_ssh },
	{ "ListRoles",      "",     "aa{sv}", people_list_roles },
	{ "ListApiKeys",    "s",    "aa{sv}", keys_list_api },
	{ "CreateApiKey",   "sss",  "a{sv}",  keys_create_api },
	{ "SetApiKeyState", "sss",  "",       keys_set_api_state },
	{ "DeleteApiKey",   "ss",   "",       keys_delete_api },
	{ "Authorize",      "uss",  "bs",     authorize },
};
/* clang-format on */
const size_t METHODS_COUNT = countof(METHODS);
