/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/userdb/serve.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/userdb/records.h"
#include "appliance/userdb/wish.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/proto/people.h"

int serve_wish(struct serve *serve, const void *data, size_t len, uint32_t *ret_refused)
{
	struct reader in = reader_make(data, len);
	const char *system = buf_text(&serve->system);
	uint32_t refused = 0;

	if (!system)
		return -ENOMEM;
	serve->wish.n = 0;
	while (!reader_end(&in)) {
		struct people_one one = {};

		if (!people_one_read(&in, &one))
			return MSG_MALFORMED;
		enum wish_fault fault = wish_add(&serve->wish, &one, system);
		if (fault == WISH_FITS)
			continue;
		/* Who is left out cannot sign in; the others must. */
		log_event(LOG_ERR, EVENT_ACCESS, 0, wish_fault_text(fault), one.name);
		refused++;
	}
	*ret_refused = refused;
	return records_sync(serve->records, &serve->wish);
}

static int on_wish(struct channel *channel, void *userdata, struct msg *in)
{
	struct serve *serve = userdata;
	auto_buf struct buf out = buf_make(sizeof(uint32_t));
	uint32_t refused = 0;

	int r = serve_wish(serve, in->payload, in->len, &refused);
	if (r > 0)
		return r;
	if (r < 0) {
		log_event(LOG_ERR, EVENT_ACCESS, r, "user records not written", nullptr);
		return channel_send(channel, PEOPLE_FAILED, in->id, nullptr, -1);
	}
	write_u32(&out, refused);
	return channel_send(channel, PEOPLE_TAKEN, in->id, &out, -1);
}

static const struct channel_request REQUESTS[] = {
	{ PEOPLE_WISH, 1, 0, MSG_PAYLOAD_MAX, on_wish },
};
const struct channel_table SERVE_TABLE = {
	.name = "redoubt-userdb",
	.request = REQUESTS,
	.n = countof(REQUESTS),
};
