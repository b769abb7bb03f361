/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * authorization: the API key in an Authorization header.
 *
 * Layer 2 (service/http). Pure. Source: RFC 9110 section 11, RFC 7617, and what Rockset's
 * clients send: "ApiKey KEY", "apikey KEY", "Bearer KEY", or Basic with the key as user name.
 */

#include <stddef.h>

/*
 * Find the key.
 *
 * value  the header's value
 * ret    [room] the key, visible ASCII; "" unless there is one
 *
 * Returns whether there is a key. What it is worth is for accounts to say.
 */
[[nodiscard]] bool authorization_key(const char *value, char *ret, size_t room);
