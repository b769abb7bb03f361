/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * decode: turn the body of a D-Bus message into rows.
 *
 * Layer 2 (tui/model). A service is not trusted to keep to the types it promised: what does not
 * fit is refused, and values of a kind that nobody shows are left out.
 */

#include "common/base.h"

struct rows;
struct sd_bus_message;

/* Outcomes above zero. */
enum {
	DECODE_OK = 0,
	DECODE_REFUSED, /* another type than asked for, or larger than rows.h allows */
};

enum reply_form {
	REPLY_NOTHING, /* the body is not looked at */
	REPLY_TEXT,    /* s: one record with the one value "text" */
	REPLY_RECORD,  /* a{sv}: one record */
	REPLY_LIST,    /* aa{sv} */
};

/*
 * Decode the body from where the message stands.
 *
 * ret  set only on success
 *
 * Returns 0, DECODE_REFUSED, or -ENOMEM.
 */
[[nodiscard]] int decode_reply(struct sd_bus_message *message, enum reply_form form,
			       struct rows **ret);
