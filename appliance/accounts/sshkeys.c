/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sshkeys.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/accounts/accounts.h"
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

constexpr size_t ANSWER_MAX = SSHKEY_BASE64_MAX + 256;
constexpr uint64_t USED_EVERY_US = 60'000'000;

/* What restricts a session beyond sshd_config: a terminal, and nothing else. */
static const char OPTIONS[] = "restrict,pty ";

/* Whether the person may use the key; says why not in *ret_reason. */
static bool may_sign_in(struct accounts *accounts, const struct ssh_keys_request *request,
			struct ssh_key_row *ret, const char **ret_reason)
{
	struct person person;
	int r = STORE_NOT_FOUND;

	*ret_reason = "no such person";
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

void sshkeys_answer(struct accounts *accounts, const struct ssh_keys_request *request,
		    struct buf *ret)
{
	struct ssh_key_row row;
	const char *reason = "";
	bool allowed = may_sign_in(accounts, request, &row, &reason);
	const char *const why[] = { "reason", reason };
	const char *const what[] = { "type", allowed ? row.key.type : "" };

	struct audit_event *event = accounts_event(accounts, allowed ? "ssh.sign-in" : "ssh.denied",
						   allowed ? "person" : "anonymous", request->user);
	accounts_field(event->source, sizeof(event->source), request->fingerprint);
	accounts_detail(accounts, allowed ? what : why, 1);
	int r = accounts_record(accounts, allowed ? AUDIT_ALLOW : AUDIT_DENY,
				allowed ? AUDIT_INTENT : AUDIT_FAILED, AUDIT_NO_INTENT, nullptr);
	if (r || !allowed)
		return;

	note_use(accounts, &row);
	buf_add_str(ret, OPTIONS);
	buf_add_str(ret, row.key.type);
	buf_add_str(ret, " ");
	buf_add_str(ret, row.key.base64);
	buf_add_str(ret, "\n");
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
	{ SSH_KEYS, 1u << 0, 2 * 4, 2 * (4 + ACCESS_NAME_MAX), on_ssh_keys },
};
const struct channel_table SSHKEYS_TABLE = { "sshkeys", REQUESTS, countof(REQUESTS), nullptr,
					     nullptr };
