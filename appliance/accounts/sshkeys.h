/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sshkeys: tell sshd's helper whether the key that somebody offers is theirs.
 *
 * Layer 2 (appliance/accounts). sshd asks when a key is offered and again when its signature is to be checked; the
 * signature is sshd's business. So what the ledger says here is an intent; the console records the session.
 */

#include "appliance/accounts/accounts.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/proto/access.h"

/* The request table to serve on the socket named "sshkeys"; the server is a struct accounts. */
extern const struct channel_table SSHKEYS_TABLE;

/*
 * Answer one question. Used by the table; apart from it for tests.
 *
 * ret  the one authorized_keys line is appended, or nothing: no, or not recordable, or a fault
 */
void sshkeys_answer(struct accounts *accounts, const struct ssh_keys_request *request,
		    struct buf *ret);
