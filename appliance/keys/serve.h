/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * serve: what may be asked of redoubt-keys, and its answers.
 *
 * Layer 2 (appliance/keys). What changes a collection's key is in the ledger first, as an intent;
 * if the ledger does not take it, nothing is done.
 */

#include "common/base.h"
#include "common/channel.h"
#include "common/keyring/keyring.h"
#include "common/proto/audit.h"
#include "common/proto/keys.h"

struct serve {
	struct keyring *keyring;    /* borrowed */
	struct audit_client *audit; /* borrowed; nullptr: no ledger, for tests */
	const char *provider;	    /* its name, for the ledger */
	struct audit_event event;   /* scratch: too large for the stack */
};

/* The peer that may ask. */
constexpr unsigned int SERVE_ENGINE = 0;

/* The requests, for listener_new() and channel_new(); their server is a struct serve. */
extern const struct channel_table SERVE_TABLE;

/*
 * Carry out one request.
 *
 * ret  set whatever happens; the caller wipes it
 */
void serve_request(struct serve *serve, uint16_t type, const struct keys_request *request,
		   struct keys_answer *ret);
