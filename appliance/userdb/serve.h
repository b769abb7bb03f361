/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * serve: take accounts' wish, let through what may be, and make the records follow it before it is answered.
 *
 * Layer 2 (appliance/userdb).
 */

#include "appliance/userdb/records.h"
#include "appliance/userdb/wish.h"
#include "common/buf.h"
#include "common/channel.h"

/* The server of the table. */
struct serve {
	struct records *records;
	struct buf system; /* as wish_system_names() reads it */
	struct wish wish;  /* scratch: too large for the stack */
};

/* The request table to serve on the socket named "userdb"; the server is a struct serve. */
extern const struct channel_table SERVE_TABLE;

/*
 * Do what one wish asks for. Used by the table; apart from it for tests.
 *
 * ret_refused  how many of its records were not let through
 *
 * Returns 0, MSG_MALFORMED (nothing is changed), or the first -errno of writing.
 */
[[nodiscard]] int serve_wish(struct serve *serve, const void *data, size_t len,
			     uint32_t *ret_refused);
