/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/methods.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/apikey.h"
#include "appliance/accounts/enginelink.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/store.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/names.h"
#include "common/proto/operations.h"
#include "common/secret.h"

constexpr uint64_t EXPIRES_DEFAULT_US = UINT64_C(90) * 24 * 3600 * 1'000'000;

static const char *const STATES[API_KEY_STATE_COUNT] = {
	[API_KEY_ACTIVE] = "ACTIVE", [API_KEY_SUSPENDED] = "SUSPENDED"
};

static void put_ssh_key(void *userdata, const struct ssh_key_row *row)
{
	struct bus_call *call = userdata;

	bus_row_begin(call);
	bus_put_str(call, "person", row->person);
	bus_put_str(call, "fingerprint", row->key.fingerprint);
	bus_put_str(call, "type", row->key.type);
	bus_put_number(call, "bits", row->key.bits);
	bus_put_str(call, "comment", row->key.comment);
	method_put_time(call, "added", row->added_us);
	method_put_time(call, "last_used", row->last_used_us);
	bus_row_end(call);
}

/* Whether there is such a person; if not, the call is answered. */
static bool person_exists(struct method *method, const char *name)
{
	struct person person;
	int r = store_person(method->accounts->store, name, &person);

	if (r == STORE_NOT_FOUND)
		bus_fail(method->call, BUS_NOT_FOUND, "There is no such person.");
	else if (r)
		method_fault(method, r);
	return r == 0;
}

void keys_list_ssh(struct bus_call *call, void *service)
{
	char name[NAME_PERSON_MAX + 1];
	struct method method;

	if (!method_enter(&method, call, service, "ssh-key.list", PRIVILEGE_NONE) ||
	    !method_for(&method, bus_arg_str(call), OWN_SSH_KEYS, PEOPLE_READ, name) ||
	    !person_exists(&method, name))
		return;
	method_read(&method);

	bus_rows_begin(call);
	int r = store_ssh_keys_each(method.accounts->store, name, put_ssh_key, call);
	bus_rows_end(call);
	if (r)
		method_fault(&method, r);
	else
		bus_reply(call);
}

void keys_add_ssh(struct bus_call *call, void *service)
{
	auto_free struct sshkey *key = calloc(1, sizeof(*key));
	char name[NAME_PERSON_MAX + 1];
	struct method method;

	if (!method_enter(&method, call, service, "ssh-key.add", PRIVILEGE_NONE) ||
	    !method_for(&method, bus_arg_str(call), OWN_SSH_KEYS, PEOPLE_WRITE, name))
		return;

	const char *line = bus_arg_str(call);
	int r = key ? sshkey_parse(line, strlen(line), key) : -ENOMEM;
	if (r > 0) {
		bus_fail(call, BUS_INVALID, "%s", sshkey_reason(r));
		return;
	}
	if (r < 0) {
		bus_fail(call, BUS_FAILED, "The key could not be read: %s.", strerrordesc_np(-r));
		return;
	}

	const char *const detail[] = { "fingerprint", key->fingerprint, "type",
				       key->type,     "comment",	key->comment };
	if (!method_intend(&method, detail, 3))
		return;
	r = store_ssh_key_add(method.accounts->store, name, key, clock_wall_us());
	if (!method_outcome(&method, r))
		return;
	bus_row_begin(call);
	bus_put_str(call, "fingerprint", key->fingerprint);
	bus_put_str(call, "type", key->type);
	bus_row_end(call);
	bus_reply(call);
	accounts_changed(method.accounts);
}

void keys_remove_ssh(struct bus_call *call, void *service)
{
	char name[NAME_PERSON_MAX + 1];
	struct method method;

	if (!method_enter(&method, call, service, "ssh-key.remove", PRIVILEGE_NONE) ||
	    !method_for(&method, bus_arg_str(call), OWN_SSH_KEYS, PEOPLE_WRITE, name))
		return;

	const char *fingerprint = bus_arg_str(call);
	if (strlen(fingerprint) >= SSHKEY_FINGERPRINT_MAX) {
		bus_fail(call, BUS_NOT_FOUND, "There is no such person or key.");
		return;
	}
	const char *const detail[] = { "fingerprint", fingerprint };
	if (!method_intend(&method, detail, 1))
		return;
	int r = store_ssh_key_remove(method.accounts->store, name, fingerprint);
	if (!method_outcome(&method, r))
		return;
	bus_reply(call);
	accounts_changed(method.accounts);
}

static void put_api_key(void *userdata, const struct api_key_row *row)
{
	struct bus_call *call = userdata;
	bool expired = row->expires_us > 0 && row->expires_us <= clock_wall_us();

	bus_row_begin(call);
	bus_put_str(call, "id", row->id);
	bus_put_str(call, "name", row->name);
	bus_put_str(call, "owner", row->owner);
	bus_put_str(call, "role", access_role_name(row->role));
	bus_put_str(call, "state", expired ? "EXPIRED" : STATES[row->state]);
	method_put_time(call, "created", row->created_us);
	if (row->expires_us > 0)
		method_put_time(call, "expires", row->expires_us);
	else
		bus_put_str(call, "expires", "never");
	method_put_time(call, "last_used", row->last_used_us);
	bus_row_end(call);
}

void keys_list_api(struct bus_call *call, void *service)
{
	char name[NAME_PERSON_MAX + 1];
	struct method method;

	if (!method_enter(&method, call, service, "api-key.list", PRIVILEGE_NONE))
		return;

	const char *owner = bus_arg_str(call);
	bool all = strcmp(owner, "*") == 0;
	if (all && !access_check(&method.caller.who, API_KEYS_ALL, "")) {
		method_deny(&method, privilege_name(API_KEYS_ALL));
		return;
	}
	if (!all && (!method_for(&method, owner, API_KEYS_OWN, API_KEYS_ALL, name) ||
		     !person_exists(&method, name)))
		return;
	if (all)
		accounts_field(method.target, sizeof(method.target), "*");
	method_read(&method);

	bus_rows_begin(call);
	int r = store_api_keys_each(method.accounts->store, all ? nullptr : name, put_api_key,
				    call);
	bus_rows_end(call);
	if (r)
		method_fault(&method, r);
	else
		bus_reply(call);
}

/* When a key expires: "" in 90 days, "never" 0, or an RFC 3339 time to come. Returns whether it is one of these. */
static bool parse_expiry(const char *text, uint64_t now_us, uint64_t *ret)
{
	uint64_t at = 0;

	if (text[0] == '\0')
		at = now_us + EXPIRES_DEFAULT_US;
	else if (strcmp(text, "never") != 0 &&
		 (!clock_parse(text, strlen(text), &at) || at <= now_us))
		return false;
	*ret = at;
	return true;
}

/* Check CreateApiKey's arguments. Returns whether to go on; if not, the call is answered. */
static bool read_api_key(struct method *method, struct api_key_row *ret)
{
	const char *name = bus_arg_str(method->call);
	const char *role = bus_arg_str(method->call);
	const char *expires = bus_arg_str(method->call);

	ret->created_us = clock_wall_us();
	ret->role = access_role_find(role);
	if (!name_is_api_key(name, strlen(name))) {
		bus_fail(method->call, BUS_INVALID,
			 "The name must have 1 to 64 printable characters.");
		return false;
	}
	if (!access_role_is_grantable(ret->role)) {
		bus_fail(method->call, BUS_INVALID,
			 "There is no role \"%.64s\"; there are admin, member and read-only.",
			 role);
		return false;
	}
	if (!parse_expiry(expires, ret->created_us, &ret->expires_us)) {
		bus_fail(
			method->call, BUS_INVALID,
			"The expiry must be empty (in 90 days), \"never\", or a time to come such as "
			"2027-01-31T12:00:00Z.");
		return false;
	}
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(ret->owner, sizeof(ret->owner), "%s", method->caller.person.name);
	accounts_field(method->target, sizeof(method->target), name);

	/* At each use the key is cut down to its owner's rights anyhow; this is so that nobody is surprised. */
	if (access_role_rights(ret->role) & ~access_rights(&method->caller.who)) {
		method_deny(method, "to make a key with a role worth more than your own");
		return false;
	}
	return true;
}

/* Answer with the new key: the only time that it is shown. */
static void answer_new_key(struct bus_call *call, const struct secret *text,
			   const struct api_key_row *row)
{
	bus_row_begin(call);
	bus_put_str(call, "key", (const char *)text->data);
	bus_put_str(call, "id", row->id);
	bus_put_str(call, "name", row->name);
	bus_put_str(call, "role", access_role_name(row->role));
	if (row->expires_us > 0)
		method_put_time(call, "expires", row->expires_us);
	else
		bus_put_str(call, "expires", "never");
	bus_row_end(call);
	bus_reply(call);
}

void keys_create_api(struct bus_call *call, void *service)
{
	auto_secret struct secret text = {};
	uint8_t hash[CRYPTO_HASH];
	struct api_key_row row = {};
	char expires[CLOCK_TEXT] = "never";
	struct method method;

	if (!method_enter(&method, call, service, "api-key.create", API_KEYS_OWN) ||
	    !read_api_key(&method, &row))
		return;

	int r = apikey_make(&text);
	if (r == 0)
		r = apikey_hash((const char *)text.data, APIKEY_LEN, hash);
	if (r) {
		bus_fail(call, BUS_FAILED, "The key could not be made: %s.", strerrordesc_np(-r));
		return;
	}
	apikey_id((const char *)text.data, row.id);
	if (row.expires_us > 0)
		clock_text_s(row.expires_us, expires);

	const char *const detail[] = { "id",	  row.id, "role", access_role_name(row.role),
				       "expires", expires };
	if (!method_intend(&method, detail, 3))
		return;
	r = store_api_key_add(method.accounts->store, &row, hash);
	if (!method_outcome(&method, r))
		return;
	answer_new_key(call, &text, &row);
	accounts_changed(method.accounts);
}

/* The owner and the name that the first two arguments give. Returns whether to go on; if not, the call is answered. */
static bool api_key_args(struct method *method, char ret_owner[static NAME_PERSON_MAX + 1],
			 char ret_name[static NAME_API_KEY_MAX + 1])
{
	const char *owner = bus_arg_str(method->call);
	const char *name = bus_arg_str(method->call);

	if (!method_for(method, owner, API_KEYS_OWN, API_KEYS_ALL, ret_owner))
		return false;
	if (!name_is_api_key(name, strlen(name))) {
		bus_fail(method->call, BUS_NOT_FOUND, "There is no such person or key.");
		return false;
	}
	(void)snprintf(ret_name, NAME_API_KEY_MAX + 1, "%s", name);
	(void)snprintf(method->target, sizeof(method->target), "%s/%s", ret_owner, name);
	return true;
}

/* End what a key runs that has just been refused. */
static void end_queries(struct method *method, const char *owner, const char *name)
{
	struct api_key_row row;

	if (store_api_key(method->accounts->store, owner, name, &row) == 0)
		enginelink_end_key(row.id);
}

void keys_set_api_state(struct bus_call *call, void *service)
{
	char owner[NAME_PERSON_MAX + 1], name[NAME_API_KEY_MAX + 1];
	struct method method;
	unsigned int state = 0;

	if (!method_enter(&method, call, service, "api-key.set-state", PRIVILEGE_NONE) ||
	    !api_key_args(&method, owner, name))
		return;
	const char *word = bus_arg_str(call);
	while (state < API_KEY_STATE_COUNT && strcmp(word, STATES[state]) != 0)
		state++;
	if (state == API_KEY_STATE_COUNT) {
		bus_fail(call, BUS_INVALID, "The state must be ACTIVE or SUSPENDED.");
		return;
	}

	const char *const detail[] = { "state", STATES[state] };
	if (!method_intend(&method, detail, 1))
		return;
	int r = store_api_key_set_state(method.accounts->store, owner, name,
					(enum api_key_state)state);
	if (r == 0 && state == API_KEY_SUSPENDED)
		end_queries(&method, owner, name);
	if (!method_outcome(&method, r))
		return;
	bus_reply(call);
	accounts_changed(method.accounts);
}

void keys_delete_api(struct bus_call *call, void *service)
{
	char owner[NAME_PERSON_MAX + 1], name[NAME_API_KEY_MAX + 1];
	struct method method;
	struct api_key_row row = {};

	if (!method_enter(&method, call, service, "api-key.delete", PRIVILEGE_NONE) ||
	    !api_key_args(&method, owner, name) || !method_intend(&method, nullptr, 0))
		return;
	bool known = store_api_key(method.accounts->store, owner, name, &row) == 0;
	int r = store_api_key_delete(method.accounts->store, owner, name);
	if (r == 0 && known)
		enginelink_end_key(row.id);
	if (!method_outcome(&method, r))
		return;
	bus_reply(call);
	accounts_changed(method.accounts);
}
