/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sshkeys.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/accounts.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/msg.h"
#include "common/names.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"
#include "common/proto/tally.h"

constexpr size_t ANSWER_MAX = SSHKEY_BASE64_MAX + 256;
constexpr uint64_t USED_EVERY_US = 60'000'000;

static const char NOBODY[] = "no such person";

/* What restricts a session beyond sshd_config: a terminal, and nothing else. */
static const char OPTIONS[] = "restrict,pty ";

/* Whether the person may use the key; says why not in *ret_reason. */
static bool may_sign_in(struct accounts *accounts, const struct ssh_keys_request *request,
			struct ssh_key_row *ret, const char **ret_reason)
{
	struct person person;
	int r = STORE_NOT_FOUND;

	*ret_reason = NOBODY;
	if (name_is_person(request->user, strlen(request->user)))
		r = store_person(accounts->store, request->user, &person);
	if (r == 0 && person.state != PERSON_ACTIVE) {
		*ret_reason = "the person is suspended";
		return false;
	}
	if (r == 0) {
		*ret_reason = "not a key of this person";
		r = store_ssh_key(accounts->store, person.name, request->fingerprint, ret);
	}
	if (r < 0) {
		*ret_reason = "the key could not be looked up";
		accounts_store_fault(accounts, r, "SSH key not looked up");
	}
	return r == 0;
}

/* Note, at most once a minute, that the key is in use. Failing at it does not fail the sign-in. */
static void note_use(struct accounts *accounts, const struct ssh_key_row *row)
{
	uint64_t now = clock_wall_us();

	if (now - row->last_used_us < USED_EVERY_US && now >= row->last_used_us)
		return;
	int r = store_ssh_key_used(accounts->store, row->key.fingerprint, now);
	if (r < 0)
		accounts_store_fault(accounts, r, "use of an SSH key not noted");
}

/* Say that a key was refused: once, and then how often. Names that are nobody's are one kind for each address. */
static void note_denial(struct accounts *accounts, const struct ssh_keys_request *request,
			const char *peer, const char *reason)
{
	const char *const detail[] = { "reason", reason, "key", request->fingerprint };
	size_t address = strcspn(peer, peer[0] == '[' ? "]" : ":");
	char key[TALLY_KEY_MAX];

	struct audit_event *event =
		accounts_event(accounts, "ssh.denied", "anonymous", request->user);
	accounts_field(event->source, sizeof(event->source), peer);
	accounts_detail(accounts, detail, 2);
	(void)snprintf(key, sizeof(key), "denied %.*s %s", (int)address, peer,
		       strcmp(reason, NOBODY) == 0 ? "" : event->actor);
	sessions_count(accounts->sessions, key, AUDIT_DENY, AUDIT_FAILED);
}

/*
 * The client in sshd's %C. Whatever sshd_config(5) says of OpenSSH 10.0, the server's address and port come first;
 * tests/integration/sshd.sh holds sshd to it.
 */
static const char *client_of(const char *connection)
{
	for (int i = 0; i < 2; i++) {
		connection += strcspn(connection, " ");
		connection += *connection == ' ';
	}
	return connection;
}

void sshkeys_answer(struct accounts *accounts, const struct ssh_keys_request *request,
		    struct buf *ret)
{
	char peer[ACCESS_SOURCE_MAX];
	struct ssh_key_row row;
	const char *reason = "";

	ssh_peer(client_of(request->connection), peer);
	if (!may_sign_in(accounts, request, &row, &reason)) {
		note_denial(accounts, request, peer, reason);
		return;
	}
	sessions_offered(accounts->sessions, request->user, request->fingerprint, peer);
	note_use(accounts, &row);
	buf_add_str(ret, OPTIONS);
	buf_add_str(ret, row.key.type);
	buf_add_str(ret, " ");
	buf_add_str(ret, row.key.base64);
	buf_add_str(ret, "\n");
}

void sshkeys_turned_away(struct accounts *accounts, const char *user, const char *peer,
			 const char *reason)
{
	struct ssh_keys_request request = {};

	accounts_field(request.user, sizeof(request.user), user);
	note_denial(accounts, &request, peer, reason ? reason : NOBODY);
}

static int on_ssh_keys(struct channel *channel, void *server, struct msg *in)
{
	auto_buf struct buf line = buf_make(ANSWER_MAX);
	auto_buf struct buf answer = buf_make(ANSWER_MAX + 4);
	struct ssh_keys_request request;

	if (!ssh_keys_request_read(in->payload, in->len, &request))
		return MSG_MALFORMED;
	sshkeys_answer(server, &request, &line);

	/* Half a line would be another key: nothing instead. */
	const char *text = buf_error(&line) ? nullptr : buf_text(&line);
	write_str(&answer, text ? text : "");
	return channel_send(channel, SSH_KEYS_ARE, in->id, &answer, -1);
}

static const struct channel_request REQUESTS[] = {
	{ SSH_KEYS, 1u << 0, 3 * 4, 3 * (4 + ACCESS_NAME_MAX), on_ssh_keys },
};
const struct channel_table SSHKEYS_TABLE = { "sshkeys", REQUESTS, countof(REQUESTS), nullptr,
					     nullptr };
