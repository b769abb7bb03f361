/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/methods.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/enginelink.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/store.h"
#include "appliance/bus/bus.h"
#include "common/clock.h"
#include "common/names.h"
#include "common/proto/audit.h"
#include "common/proto/operations.h"
#include "common/utf8.h"

constexpr size_t SESSION_ARG_MAX = 128;

static const char *const STATES[PERSON_STATE_COUNT] = {
	[PERSON_ACTIVE] = "active", [PERSON_SUSPENDED] = "suspended"
};

/* Write the names of a set of roles, parted by blanks. */
static void spell_roles(uint32_t roles, char *ret, size_t room)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned int i = 0; i < ROLE_COUNT; i++)
		if (roles >> i & 1 && len < room)
			len += (size_t)snprintf(ret + len, room - len, "%s%s", len > 0 ? " " : "",
						access_role_name((enum role)i));
}

void people_who_am_i(struct bus_call *call, void *service)
{
	struct method method;

	if (!method_enter(&method, call, service, "session.who-am-i", PRIVILEGE_NONE))
		return;
	method_read(&method);

	const struct caller *caller = &method.caller;
	bus_row_begin(call);
	bus_put_str(call, "name", caller->is_console ? "console" : caller->person.name);
	bus_put_str(call, "email", caller->person.email);
	method_put_roles(call, caller->who.roles);
	bus_put_number(call, "uid", caller->uid);
	method_put_privileges(call, access_rights(&caller->who));
	bus_row_end(call);
	bus_reply(call);
}

/* Read SessionOpen's arguments. Returns whether they are fit; if not, the call is answered. */
static bool read_session(struct method *method, struct session_form *ret)
{
	struct bus_call *call = method->call;
	char *const field[] = { ret->fingerprint, ret->terminal, nullptr, ret->what };

	*ret = (struct session_form) {};
	accounts_field(ret->person, sizeof(ret->person),
		       method->caller.is_console ? "console" : method->caller.person.name);
	for (size_t i = 0; i < countof(field); i++) {
		const char *text = bus_arg_str(call);

		if (strlen(text) >= SESSION_ARG_MAX || !utf8_is_printable(text, strlen(text))) {
			bus_fail(call, BUS_INVALID,
				 "The key's fingerprint, the terminal's name or the connection "
				 "is not one.");
			return false;
		}
		if (field[i])
			(void)snprintf(field[i], SESSION_ARG_MAX, "%s", text);
		else
			ssh_peer(text, ret->peer);
	}
	return true;
}

/* Where a person signs in from, as it is shown to them the next time. */
static void spell_source(const struct session_form *form, char *ret, size_t room)
{
	const char *const part[] = { form->peer, form->terminal, form->fingerprint };
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < countof(part); i++)
		if (part[i][0] && len < room)
			len += (size_t)snprintf(ret + len, room - len, "%s%s", len > 0 ? " " : "",
						part[i]);
}

void people_session_open(struct bus_call *call, void *service)
{
	char source[STORE_SOURCE_MAX];
	struct session_form form;
	struct method method;

	if (!method_enter(&method, call, service, "session.open", PRIVILEGE_NONE) ||
	    !read_session(&method, &form))
		return;
	int r = sessions_open(method.accounts->sessions, call, &form);
	if (r) {
		bus_fail(call, r > 0 ? BUS_AUDIT_UNAVAILABLE : BUS_FAILED,
			 r > 0 ? "The audit ledger cannot record the session right now."
			       : "No more sessions can be opened right now.");
		return;
	}

	const struct person *person = &method.caller.person;
	if (!method.caller.is_console) {
		spell_source(&form, source, sizeof(source));
		r = store_person_signed_in(method.accounts->store, person->name, source,
					   clock_wall_us());
		if (r) {
			method_fault(&method, r);
			return;
		}
	}
	bus_row_begin(call);
	method_put_time(call, "last_login", person->last_login_us);
	bus_put_str(call, "last_source", person->last_source);
	bus_row_end(call);
	bus_reply(call);
	accounts_changed(method.accounts);
}

/* Without a session there is nothing to end. */
void people_session_close(struct bus_call *call, void *service)
{
	struct method method;

	if (!method_enter(&method, call, service, "session.close", PRIVILEGE_NONE))
		return;
	(void)sessions_close(method.accounts->sessions, bus_sender(call));
	bus_reply(call);
}

void people_session_lock(struct bus_call *call, void *service)
{
	struct method method;

	if (!method_enter(&method, call, service, "session.lock", PRIVILEGE_NONE))
		return;
	accounts_event(method.accounts, method.code, "person",
		       method.caller.is_console ? "console" : method.caller.person.name);
	if (accounts_record(method.accounts, AUDIT_ALLOW, AUDIT_DONE, AUDIT_NO_INTENT, nullptr))
		bus_fail(call, BUS_AUDIT_UNAVAILABLE,
			 "The audit ledger cannot record the session right now.");
	else
		bus_reply(call);
}

static void put_person(void *userdata, const struct person *person)
{
	struct bus_call *call = userdata;

	bus_row_begin(call);
	bus_put_str(call, "name", person->name);
	bus_put_str(call, "email", person->email);
	method_put_roles(call, person->roles);
	bus_put_number(call, "uid", person->uid);
	bus_put_str(call, "state", STATES[person->state]);
	bus_put_number(call, "ssh_keys", person->ssh_keys);
	bus_put_number(call, "api_keys", person->api_keys);
	method_put_time(call, "created", person->created_us);
	method_put_time(call, "last_login", person->last_login_us);
	bus_row_end(call);
}

void people_list(struct bus_call *call, void *service)
{
	struct method method;

	if (!method_enter(&method, call, service, "person.list", PEOPLE_READ))
		return;
	method_read(&method);

	bus_rows_begin(call);
	int r = store_people_each(method.accounts->store, put_person, call);
	bus_rows_end(call);
	if (r)
		method_fault(&method, r);
	else
		bus_reply(call);
}

/* After a change of people: outcome, records, answer. */
static void finish(struct method *method, int r)
{
	if (r == 0)
		accounts_people_changed(method->accounts);
	if (method_outcome(method, r))
		bus_reply(method->call);
}

void people_add(struct bus_call *call, void *service)
{
	const char *role[BUS_STRV_MAX];
	struct method method;
	struct person person = {};
	char roles[128];

	if (!method_enter(&method, call, service, "person.add", PEOPLE_WRITE))
		return;

	const char *name = bus_arg_str(call);
	const char *email = bus_arg_str(call);
	size_t n = bus_arg_strv(call, role);
	if (!name_is_person(name, strlen(name))) {
		bus_fail(call, BUS_INVALID,
			 "The name must start with a lower-case letter and have 1 to 31 of a-z, "
			 "0-9, - and _; names of the system's own users are taken.");
		return;
	}
	if (email[0] != '\0' && !name_is_email(email, strlen(email))) {
		bus_fail(call, BUS_INVALID, "The e-mail address must look like ann@example.org.");
		return;
	}
	if (!method_roles(&method, role, n, &person.roles))
		return;

	(void)snprintf(person.name, sizeof(person.name), "%s", name);
	(void)snprintf(person.email, sizeof(person.email), "%s", email);
	accounts_field(method.target, sizeof(method.target), name);
	spell_roles(person.roles, roles, sizeof(roles));
	const char *const detail[] = { "email", email, "roles", roles };
	if (!method_intend(&method, detail, 2))
		return;
	finish(&method,
	       store_person_add(method.accounts->store, &person, nullptr, clock_wall_us()));
}

/* The name that a method of PEOPLE_WRITE is about. Returns whether to go on; if not, the call is answered. */
static bool person_arg(struct method *method, char ret[static NAME_PERSON_MAX + 1])
{
	const char *name = bus_arg_str(method->call);

	if (!name_is_person(name, strlen(name))) {
		bus_fail(method->call, BUS_NOT_FOUND, "There is no such person.");
		return false;
	}
	(void)snprintf(ret, NAME_PERSON_MAX + 1, "%s", name);
	accounts_field(method->target, sizeof(method->target), name);
	return true;
}

void people_set_roles(struct bus_call *call, void *service)
{
	const char *role[BUS_STRV_MAX];
	char name[NAME_PERSON_MAX + 1];
	struct method method;
	uint32_t roles = 0;
	char spelled[128];

	if (!method_enter(&method, call, service, "person.set-roles", PEOPLE_WRITE) ||
	    !person_arg(&method, name))
		return;
	size_t n = bus_arg_strv(call, role);
	if (!method_roles(&method, role, n, &roles))
		return;

	spell_roles(roles, spelled, sizeof(spelled));
	const char *const detail[] = { "roles", spelled };
	if (method_intend(&method, detail, 1))
		finish(&method, store_person_set_roles(method.accounts->store, name, roles));
}

void people_set_state(struct bus_call *call, void *service)
{
	char name[NAME_PERSON_MAX + 1];
	struct method method;
	unsigned int state = 0;

	if (!method_enter(&method, call, service, "person.set-state", PEOPLE_WRITE) ||
	    !person_arg(&method, name))
		return;
	const char *word = bus_arg_str(call);
	while (state < PERSON_STATE_COUNT && strcmp(word, STATES[state]) != 0)
		state++;
	if (state == PERSON_STATE_COUNT) {
		bus_fail(call, BUS_INVALID, "The state must be active or suspended.");
		return;
	}

	const char *const detail[] = { "state", STATES[state] };
	if (!method_intend(&method, detail, 1))
		return;
	int r = store_person_set_state(method.accounts->store, name, (enum person_state)state);
	if (r == 0 && state != PERSON_ACTIVE)
		enginelink_end_person(name);
	finish(&method, r);
}

void people_remove(struct bus_call *call, void *service)
{
	char name[NAME_PERSON_MAX + 1];
	struct method method;

	if (!method_enter(&method, call, service, "person.remove", PEOPLE_WRITE) ||
	    !person_arg(&method, name) || !method_intend(&method, nullptr, 0))
		return;
	int r = store_person_remove(method.accounts->store, name);
	if (r == 0)
		enginelink_end_person(name);
	finish(&method, r);
}

void people_list_roles(struct bus_call *call, void *service)
{
	struct method method;

	if (!method_enter(&method, call, service, "role.list", PRIVILEGE_NONE))
		return;
	method_read(&method);

	bus_rows_begin(call);
	for (unsigned int i = 0; i < ROLE_COUNT; i++) {
		auto role = (enum role)i;

		bus_row_begin(call);
		bus_put_str(call, "name", access_role_name(role));
		bus_put_str(call, "description", access_role_help(role));
		method_put_privileges(call, access_role_rights(role));
		bus_row_end(call);
	}
	bus_rows_end(call);
	bus_reply(call);
}
