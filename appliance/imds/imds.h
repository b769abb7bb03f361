/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * imds: one GET of EC2's user data by IMDSv2.
 *
 * Layer 2 (appliance/imds); the only folder that includes curl.
 * Trust: what answers is outside; length, token and status are checked, the data is not looked at.
 * Source: EC2 User Guide, "Use IMDSv2".
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t IMDS_DATA_MAX = 16 * 1024; /* EC2's limit of user data */

enum {
	IMDS_OK = 0,
	IMDS_NO_DATA,	  /* the instance has no user data */
	IMDS_UNREACHABLE, /* nobody answers, or not yet: may be tried again */
	IMDS_REFUSED,	  /* an answer that is none: too long, another status, no token */
};

/*
 * Fetch the user data.
 *
 * base  "http://169.254.169.254"
 * ret   the data is appended; unchanged on anything but 0
 *
 * Returns 0, an outcome or -ENOMEM. Takes at most 10 s.
 */
[[nodiscard]] int imds_fetch(const char *base, struct buf *ret);

/* Whether a token is one: 1 to 512 printable characters, fit for a header. */
[[nodiscard]] bool imds_is_token(const char *text, size_t len);
