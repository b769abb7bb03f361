/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * methods: org.redoubt.Accounts1 on the system bus (docs/architecture.md section 6).
 *
 * Layer 2 (appliance/accounts). methods.c has the table, who is calling, and what every method does the same way;
 * methods_people.c and methods_keys.c have the methods. Each: caller's uid → person → privilege → arguments →
 * intent into the ledger → one transaction → outcome into the ledger → answer.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/store.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/proto/operations.h"

/* The interface's methods; the service is a struct accounts. */
extern const struct bus_method METHODS[];
extern const size_t METHODS_COUNT;

/* Who is calling, as of this call. */
struct caller {
	uint32_t uid;
	bool is_console; /* the pseudo-person of the serial console: has no row in the store */
	struct person person;
	struct access_who who;
};

/* One call of a method, from its first line to its answer. */
struct method {
	struct bus_call *call;
	struct accounts *accounts;
	const char *code; /* in the ledger: "person.add" */
	struct caller caller;
	char target[ACCESS_NAME_MAX]; /* whom or what it is about, for the ledger */
	uint64_t intent;
};

/*
 * Find out who calls and whether they may; the first thing each method does.
 *
 * code, need  see struct method; PRIVILEGE_NONE: any person
 *
 * Returns whether to go on; if not, the refusal is in the ledger and the call is answered.
 */
[[nodiscard]] bool method_enter(struct method *method, struct bus_call *call, void *service,
				const char *code, enum privilege need);

/*
 * Whether the caller may act for the person named: as themselves with own, as anybody with any.
 *
 * name  from outside; "" is the caller
 * ret   [NAME_PERSON_MAX + 1] the name of the person it is about; set only if true
 *
 * Returns whether to go on; if not, the call is answered.
 */
[[nodiscard]] bool method_for(struct method *method, const char *name, enum privilege own,
			      enum privilege any, char ret[static NAME_PERSON_MAX + 1]);

/*
 * Record the intent to change something; the event's detail is n pairs of texts.
 *
 * Returns whether to go on; if not, the call is answered.
 */
[[nodiscard]] bool method_intend(struct method *method, const char *const *pair, size_t n);

/*
 * Record the outcome of a change, and answer the call if it is a bad one.
 *
 * r  0, or what a store function returned
 *
 * Returns whether the caller is to be given the good answer: then that is up to the method.
 */
[[nodiscard]] bool method_outcome(struct method *method, int r);

/* Record that the caller reads; the same again within a minute is counted. Reading goes on when the ledger is full. */
void method_read(struct method *method);

/* Refuse the call for want of a privilege: recorded, answered. */
void method_deny(struct method *method, const char *privilege);

/* Answer that the database failed, and log it. */
void method_fault(struct method *method, int r);

/* The set of roles that a list of names makes, all of them grantable. Returns whether it does; if not, the call is answered. */
[[nodiscard]] bool method_roles(struct method *method, const char *const *name, size_t n,
				uint32_t *ret);

/* Put the names of a set of roles into the row. */
void method_put_roles(struct bus_call *call, uint32_t roles);

/* Put the names of a set of privileges into the row. */
void method_put_privileges(struct bus_call *call, uint64_t rights);

/* Put a time as RFC 3339 into the row; "" if it is 0. */
void method_put_time(struct bus_call *call, const char *key, uint64_t wall_us);

/* WhoAmI */
void people_who_am_i(struct bus_call *call, void *service);
/* SessionOpen */
void people_session_open(struct bus_call *call, void *service);
/* SessionClose */
void people_session_close(struct bus_call *call, void *service);
/* SessionLock */
void people_session_lock(struct bus_call *call, void *service);
/* ListPeople */
void people_list(struct bus_call *call, void *service);
/* AddPerson */
void people_add(struct bus_call *call, void *service);
/* SetRoles */
void people_set_roles(struct bus_call *call, void *service);
/* SetState */
void people_set_state(struct bus_call *call, void *service);
/* RemovePerson */
void people_remove(struct bus_call *call, void *service);
/* ListRoles */
void people_list_roles(struct bus_call *call, void *service);
/* ListSshKeys */
void keys_list_ssh(struct bus_call *call, void *service);
/* AddSshKey */
void keys_add_ssh(struct bus_call *call, void *service);
/* RemoveSshKey */
void keys_remove_ssh(struct bus_call *call, void *service);
/* ListApiKeys */
void keys_list_api(struct bus_call *call, void *service);
/* CreateApiKey */
void keys_create_api(struct bus_call *call, void *service);
/* SetApiKeyState */
void keys_set_api_state(struct bus_call *call, void *service);
/* DeleteApiKey */
void keys_delete_api(struct bus_call *call, void *service);
