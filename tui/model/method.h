/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * method: every question that can be put to the services, as one table, and one question.
 *
 * Layer 2 (tui/model). The table is docs/architecture.md section 6 as far as people use it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/model/decode.h"

enum service {
	SERVICE_ACCOUNTS,
	SERVICE_AUDIT,
	SERVICE_APPLIANCE,
	SERVICE_COUNT
};

struct service_name {
	const char *bus, *path;
	const char *title; /* for people: "the accounts service" */
};
extern const struct service_name SERVICES[SERVICE_COUNT];

enum method_id {
	METHOD_WHO_AM_I,
	METHOD_SESSION_OPEN,
	METHOD_SESSION_CLOSE,
	METHOD_SESSION_LOCK,
	METHOD_LIST_PEOPLE,
	METHOD_ADD_PERSON,
	METHOD_SET_ROLES,
	METHOD_SET_STATE,
	METHOD_REMOVE_PERSON,
	METHOD_LIST_SSH_KEYS,
	METHOD_ADD_SSH_KEY,
	METHOD_REMOVE_SSH_KEY,
	METHOD_LIST_ROLES,
	METHOD_LIST_API_KEYS,
	METHOD_CREATE_API_KEY,
	METHOD_SET_API_KEY_STATE,
	METHOD_DELETE_API_KEY,
	METHOD_AUDIT_STATUS,
	METHOD_AUDIT_LIST,
	METHOD_AUDIT_GET,
	METHOD_AUDIT_PROOF,
	METHOD_AUDIT_VERIFY,
	METHOD_AUDIT_EXPORT,
	METHOD_AUDIT_MARK_EXPORTED,
	METHOD_STATUS,
	METHOD_PROVISION,
	METHOD_UNLOCK,
	METHOD_TAKE_RECOVERY_KEY,
	METHOD_CA_CERTIFICATE,
	METHOD_INSTALL_CERTIFICATE,
	METHOD_CHECK_HARDENING,
	METHOD_RENEW_CERTIFICATE,
	METHOD_SHOW_CONFIG,
	METHOD_DIFF_CONFIG,
	METHOD_CONFIG_STATUS,
	METHOD_ACCEPT_CONFIG,
	METHOD_PIN_CONFIG,
	METHOD_UNPIN_CONFIG,
	METHOD_EDIT_CONFIG,
	METHOD_SET_CONFIG,
	METHOD_CONFIRM_CONFIG,
	METHOD_ROLLBACK_CONFIG,
	METHOD_POWER_OFF,
	METHOD_REBOOT,
	METHOD_LIST_QUERIES,
	METHOD_KILL_QUERY,
	METHOD_CONFIRM_RECOVERY_KEY,
	METHOD_NEW_RECOVERY_KEY,
	METHOD_BIND_TPM,
	METHOD_COUNT
};

struct method {
	enum service service;
	const char *name;
	const char
		*in; /* one letter an argument: s text, t number, u number, A the list of texts */
	enum reply_form out;
	uint32_t timeout_s; /* the longest it may rightly take */
};
extern const struct method METHODS[METHOD_COUNT];

constexpr size_t CALL_TEXTS = 4;
constexpr size_t CALL_NUMBERS = 2;

/* A question: its method and arguments, in the order of the method's letters. */
struct call {
	enum method_id method;
	char *text[CALL_TEXTS]; /* nullptr counts as "" */
	char **list;		/* [n_list], for A */
	size_t n_list;
	uint64_t number[CALL_NUMBERS];
};

/* Set text i to a copy. Returns 0 or -ENOMEM. */
[[nodiscard]] int call_set_text(struct call *call, size_t i, const char *text);

/* Add a copy to the list. Returns 0 or -ENOMEM. */
[[nodiscard]] int call_add_item(struct call *call, const char *text);

/* Wipe and free the arguments: they may hold a key. */
void call_done(struct call *call);

#define auto_call cleanup(call_done)
