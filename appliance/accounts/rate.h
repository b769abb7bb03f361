/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * rate: count refusals by who gets them: a network or an API key by its requests, a person on the bus.
 *
 * Layer 2 (appliance/accounts). 256 random bits cannot be guessed; what is limited is how much one source can make
 * the ledger write. What a key may do is never held up by this, whatever its neighbours do. Fixed memory, no failure.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/proto/access.h"

constexpr size_t RATE_SOURCES =
	1024;			  /* watched at once; the one whose window is oldest makes room */
constexpr uint32_t RATE_MAX = 30; /* refusals in a window that are recorded one by one */
constexpr uint64_t RATE_WINDOW_US = 60'000'000;
constexpr size_t RATE_KEY = 16;

/* One source; its form is rate's own. */
struct rate_source {
	uint8_t key[RATE_KEY];
	uint64_t start_us; /* of the window; 0: free */
	uint32_t refused;
};

struct rate {
	struct rate_source source[RATE_SOURCES];
};

enum rate_verdict {
	RATE_COUNTED,  /* below the limit */
	RATE_EXCEEDED, /* the first one above it: say so in the ledger, once */
	RATE_SILENCED, /* further ones: refuse without a record */
};

/*
 * The key of a network source: an IPv4 address, the /48 of an IPv6 address.
 *
 * source  "192.0.2.1:1234" or "[2001:db8::1]:1234"; everything else counts as one
 */
void rate_key_address(const char *source, uint8_t ret[RATE_KEY]);

/* The key of a local user. */
void rate_key_uid(uint32_t uid, uint8_t ret[RATE_KEY]);

/* The key of an API key, by its id ("rdt_…"). */
void rate_key_api_key(const char *id, uint8_t ret[RATE_KEY]);

/* Count one refusal. now_us is monotonic. */
[[nodiscard]] enum rate_verdict rate_count(struct rate *rate, const uint8_t key[RATE_KEY],
					   uint64_t now_us);
