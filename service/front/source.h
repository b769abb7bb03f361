/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * source: where a connection comes from, as a text and as what it is counted under.
 *
 * Layer 3 (service/front). Pure.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/proto/access.h"

constexpr size_t SOURCE_PREFIX = 16;

struct source {
	uint8_t prefix[SOURCE_PREFIX]; /* whom it is counted under: an IPv4 address, an IPv6 /48 */
	char text[ACCESS_SOURCE_MAX];  /* "192.0.2.1:1234", "[2001:db8::1]:1234" */
};

/*
 * Say where a peer is. An IPv4 address that came in by an IPv6 socket is an IPv4 address.
 *
 * address  [len] what accept(2) gave; of another family than these two: "unknown"
 */
void source_make(const struct sockaddr_storage *address, struct source *ret);

/* Whether both are counted under the same prefix. */
[[nodiscard]] bool source_same(const struct source *a, const struct source *b);
