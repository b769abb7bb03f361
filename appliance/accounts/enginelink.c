/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/enginelink.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "appliance/accounts/accounts.h"
#include "appliance/accounts/store.h"
#include "common/buf.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/proto/queries.h"

/* Tell engine; its answer is not waited for. */
static void tell(const struct key_kill *kill)
{
	const struct timeval limit = { .tv_sec = 1 };
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	auto_close int fd = -1;

	key_kill_write(&payload, kill);
	int r = buf_error(&payload);
	if (r == 0)
		r = msg_connect("engine-accounts.sock", &fd);
	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		r = neg_errno();
	if (r == 0)
		r = msg_send(fd, &(struct msg) { .type = KEY_KILL,
						 .id = 1,
						 .payload = payload.data,
						 .len = payload.len,
						 .fd = -1 });
	if (r)
		log_event(LOG_NOTICE, EVENT_CONNECTION_LOST, r < 0 ? r : 0,
			  "engine was not told to end queries",
			  kill->person[0] ? kill->person : kill->key_id);
}

void enginelink_end_key(const char *key_id)
{
	struct key_kill kill = {};

	(void)snprintf(kill.key_id, sizeof(kill.key_id), "%s", key_id);
	if (kill.key_id[0])
		tell(&kill);
}

void enginelink_end_person(const char *person)
{
	struct key_kill kill = {};

	(void)snprintf(kill.person, sizeof(kill.person), "%s", person);
	if (kill.person[0])
		tell(&kill);
}

struct expired {
	uint64_t since_us, now_us;
};

static void end_if_expired(void *userdata, const struct api_key_row *row)
{
	const struct expired *expired = userdata;

	if (row->expires_us > expired->since_us && row->expires_us <= expired->now_us)
		enginelink_end_key(row->id);
}

void enginelink_end_expired(struct accounts *accounts, uint64_t since_us, uint64_t now_us)
{
	struct expired expired = { since_us, now_us };
	int r = store_api_keys_each(accounts->store, nullptr, end_if_expired, &expired);

	if (r)
		accounts_store_fault(accounts, r, "API keys that have expired");
}
