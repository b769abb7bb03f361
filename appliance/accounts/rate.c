/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/rate.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "common/proto/access.h"

constexpr size_t PREFIX_V6 = 6; /* a /48 is what one customer gets */
constexpr size_t PREFIX_V4 = 12;

void rate_key_address(const char *source, uint8_t ret[RATE_KEY])
{
	char text[ACCESS_SOURCE_MAX];
	bool bracket = source[0] == '[';
	const char *start = source + bracket;
	const char *end = strrchr(start, bracket ? ']' : ':');
	size_t len = end ? (size_t)(end - start) : strlen(start);

	memset(ret, 0, RATE_KEY);
	if (len >= sizeof(text))
		return;
	memcpy(text, start, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, ret) == 1) {
		/* ::ffff:192.0.2.1 is an IPv4 client on an IPv6 socket: all of it counts. */
		static const uint8_t MAPPED[PREFIX_V4] = { [10] = 0xff, [11] = 0xff };

		if (memcmp(ret, MAPPED, sizeof(MAPPED)) != 0)
			memset(ret + PREFIX_V6, 0, RATE_KEY - PREFIX_V6);
		return;
	}
	memset(ret, 0, RATE_KEY);
	if (inet_pton(AF_INET, text, ret + PREFIX_V4) == 1)
		ret[10] = ret[11] = 0xff;
}

void rate_key_uid(uint32_t uid, uint8_t ret[RATE_KEY])
{
	/* 0100::/64 is the discard prefix (RFC 6666): no client has an address in it. */
	memset(ret, 0, RATE_KEY);
	ret[0] = 1;
	memcpy(ret + PREFIX_V4, &uid, sizeof(uid));
}

void rate_key_api_key(const char *id, uint8_t ret[RATE_KEY])
{
	size_t len = strnlen(id, RATE_KEY - 2);

	/* Beside the users, in the discard prefix; two keys whose ids begin alike count as one. */
	memset(ret, 0, RATE_KEY);
	ret[0] = 1;
	ret[1] = 1;
	memcpy(ret + 2, id, len);
}

/* The entry for a key, taking over the oldest one if there is none. */
static struct rate_source *find(struct rate *rate, const uint8_t key[static RATE_KEY])
{
	struct rate_source *oldest = &rate->source[0];

	for (size_t i = 0; i < RATE_SOURCES; i++) {
		struct rate_source *source = &rate->source[i];

		if (source->start_us > 0 && memcmp(source->key, key, RATE_KEY) == 0)
			return source;
		if (source->start_us < oldest->start_us)
			oldest = source;
	}
	*oldest = (struct rate_source) {};
	memcpy(oldest->key, key, RATE_KEY);
	return oldest;
}

enum rate_verdict rate_count(struct rate *rate, const uint8_t key[RATE_KEY], uint64_t now_us)
{
	struct rate_source *source = find(rate, key);

	if (source->start_us == 0 || now_us - source->start_us >= RATE_WINDOW_US) {
		source->start_us = now_us > 0 ? now_us : 1;
		source->refused = 0;
	}
	if (source->refused > RATE_MAX)
		return RATE_SILENCED;
	source->refused++;
	return source->refused <= RATE_MAX ? RATE_COUNTED : RATE_EXCEEDED;
}
