/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/keys/serve.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/keyring/keyfile.h"
#include "common/log.h"
#include "common/msg.h"

/* --- the ledger ------------------------------------------------------------------------------- */

/* Say an event. Returns whether the ledger has it. */
static bool record(struct serve *serve, const char *code, const char *uuid,
		   enum audit_outcome outcome, uint64_t intent, uint64_t *ret_index)
{
	struct audit_event *event = &serve->event;

	if (!serve->audit)
		return true;
	memset(event, 0, sizeof(*event));
	event->decision = AUDIT_ALLOW; /* the socket is engine's alone */
	event->outcome = outcome;
	event->intent = intent;
	(void)snprintf(event->code, sizeof(event->code), "%s", code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "system");
	(void)snprintf(event->actor, sizeof(event->actor), "redoubt-engine");
	(void)snprintf(event->target, sizeof(event->target), "%s", uuid);
	(void)snprintf(event->detail, sizeof(event->detail), "{\"provider\":\"%s\"}",
		       serve->provider);
	return audit_append(serve->audit, event, ret_index) == AUDIT_OK;
}

/* --- what changes ----------------------------------------------------------------------------- */

struct change {
	uint16_t type;
	const char *code;
	int idle; /* what keyring_has() says when there is nothing to do */
	int (*run)(struct keyring *keyring, const char *uuid);
};

static const struct change CHANGES[] = {
	{ KEY_CREATE, "key.create", KEYRING_OK, keyring_create },
	{ KEY_ROTATE, "key.rotate", KEYRING_ABSENT, keyring_rotate },
	{ KEY_DESTROY, "key.destroy", KEYRING_ABSENT, keyring_destroy },
};

static enum keys_status status_of(int r, const char *uuid)
{
	switch (r) {
	case KEYRING_OK:
		return KEYS_STATUS_OK;
	case KEYRING_ABSENT:
		return KEYS_STATUS_ABSENT;
	case KEYRING_NOT_AUTHENTIC:
		return KEYS_STATUS_NOT_AUTHENTIC;
	case KEYRING_UNAVAILABLE:
		return KEYS_STATUS_PROVIDER;
	case KEYRING_DAMAGED:
		log_event(LOG_CRIT, EVENT_KEYS, 0,
			  "the collection's key is not used, its file is damaged", uuid);
		return KEYS_STATUS_FAULT;
	case KEYRING_FULL:
		return KEYS_STATUS_FULL;
	default:
		log_event(LOG_ERR, EVENT_KEYS, r, "request not carried out", uuid);
		return KEYS_STATUS_FAULT;
	}
}

/* Intent, effect, outcome; nothing of it where there is nothing to do. */
static enum keys_status do_change(struct serve *serve, const struct change *change,
				  const char *uuid)
{
	uint64_t intent = AUDIT_NO_INTENT;
	int has = keyring_has(serve->keyring, uuid);

	if (has < 0)
		return status_of(has, uuid);
	if (has == change->idle)
		return change->type == KEY_ROTATE ? KEYS_STATUS_ABSENT : KEYS_STATUS_OK;
	if (!record(serve, change->code, uuid, AUDIT_INTENT, AUDIT_NO_INTENT, &intent))
		return KEYS_STATUS_LEDGER;

	enum keys_status status = status_of(change->run(serve->keyring, uuid), uuid);
	/* If this is not taken, the intent stands without an outcome; the effect cannot be taken back. */
	(void)record(serve, change->code, uuid,
		     status == KEYS_STATUS_OK ? AUDIT_DONE : AUDIT_FAILED, intent, nullptr);
	return status;
}

/* --- what only uses a key --------------------------------------------------------------------- */

static enum keys_status use_key(struct serve *serve, uint16_t type,
				const struct keys_request *request, struct keys_answer *ret)
{
	auto_buf struct buf wrapped = buf_make(sizeof(ret->wrapped));
	int r = -EINVAL;

	if (type == KEY_DATA_NEW)
		r = keyring_data_new(serve->keyring, request->uuid, request->purpose, ret->key,
				     &wrapped);
	if (type == KEY_DATA_UNWRAP)
		r = keyring_data_unwrap(serve->keyring, request->uuid, request->purpose,
					request->wrapped, request->wrapped_len, ret->key);
	if (type == KEY_REWRAP)
		r = keyring_rewrap(serve->keyring, request->uuid, request->purpose,
				   request->wrapped, request->wrapped_len, &wrapped);
	if (r)
		return status_of(r, request->uuid);
	ret->has_key = type != KEY_REWRAP;
	ret->wrapped_len = wrapped.len;
	if (wrapped.len > 0)
		memcpy(ret->wrapped, wrapped.data, wrapped.len);
	return KEYS_STATUS_OK;
}

void serve_request(struct serve *serve, uint16_t type, const struct keys_request *request,
		   struct keys_answer *ret)
{
	*ret = (struct keys_answer) {};
	for (size_t i = 0; i < countof(CHANGES); i++)
		if (CHANGES[i].type == type) {
			ret->status = do_change(serve, &CHANGES[i], request->uuid);
			return;
		}
	ret->status = use_key(serve, type, request, ret);
}

/* --- frames ----------------------------------------------------------------------------------- */

static int on_request(struct channel *channel, void *server, struct msg *in)
{
	auto_wiped struct buf out = buf_make(KEYS_PAYLOAD_MAX);
	struct keys_request request;
	struct keys_answer answer;

	if (!keys_request_read(in->type, in->payload, in->len, &request))
		return MSG_MALFORMED;
	serve_request(server, in->type, &request, &answer);
	keys_answer_write(&out, &answer);
	explicit_bzero(&answer, sizeof(answer));
	return channel_send(channel, KEY_ANSWER, in->id, &out, -1);
}

constexpr uint32_t ENGINE = 1u << SERVE_ENGINE;
constexpr uint32_t UUID_LEN = 4 + KEYS_UUID - 1;
constexpr uint32_t NEW_MAX = UUID_LEN + 4 + KEYS_PURPOSE_MAX;
constexpr uint32_t WRAPPED_MAX = NEW_MAX + 4 + KEYS_WRAPPED_MAX;

static const struct channel_request REQUESTS[] = {
	{ KEY_CREATE, ENGINE, UUID_LEN, UUID_LEN, on_request },
	{ KEY_DATA_NEW, ENGINE, UUID_LEN + 4 + 1, NEW_MAX, on_request },
	{ KEY_DATA_UNWRAP, ENGINE, UUID_LEN + 4 + 1 + 4, WRAPPED_MAX, on_request },
	{ KEY_ROTATE, ENGINE, UUID_LEN, UUID_LEN, on_request },
	{ KEY_REWRAP, ENGINE, UUID_LEN + 4 + 1 + 4, WRAPPED_MAX, on_request },
	{ KEY_DESTROY, ENGINE, UUID_LEN, UUID_LEN, on_request },
};

const struct channel_table SERVE_TABLE = { .name = "redoubt-keys",
					   .request = REQUESTS,
					   .n = countof(REQUESTS) };
