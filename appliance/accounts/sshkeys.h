/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sshkeys: tell sshd's helper whether the key that somebody offers is theirs.
 *
 * Layer 2 (appliance/accounts). sshd asks when a key is offered and again when its signature is to be checked; the
 * signature is sshd's business. So a yes is no sign-in yet: the ledger says session.open when the session opens, and
 * ssh.no-session if none does. A no is recorded, and what is repeated within a minute counted.
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
 * ret  the one authorized_keys line is appended, or nothing: no, or a fault
 */
void sshkeys_answer(struct accounts *accounts, const struct ssh_keys_request *request,
		    struct buf *ret);

/* sshd has turned somebody away without asking for keys. reason nullptr: there is no such person. */
void sshkeys_turned_away(struct accounts *accounts, const char *user, const char *peer,
			 const char *reason);
