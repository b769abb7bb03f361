/* SPDX-License-Identifier: Apache-2.0 */

/* rate: how many refusals are recorded one by one, for whom, and for how long. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/rate.h"
#include "common/base.h"
#include "tests/lib/tap.h"

static enum rate_verdict count(struct rate *rate, const char *source, uint64_t now_us)
{
	uint8_t key[RATE_KEY];

	rate_key_address(source, key);
	return rate_count(rate, key, now_us);
}

static bool same(const char *one, const char *two)
{
	uint8_t left[RATE_KEY], right[RATE_KEY];

	rate_key_address(one, left);
	rate_key_address(two, right);
	return memcmp(left, right, RATE_KEY) == 0;
}

static bool thirty_a_minute_are_counted_then_one_exceeds_then_silence(void)
{
	auto_free struct rate *rate = calloc(1, sizeof(*rate));

	CHECK(rate);
	for (unsigned int i = 0; i < RATE_MAX; i++)
		CHECK_EQ(count(rate, "192.0.2.1:1000", 5), RATE_COUNTED);
	CHECK_EQ(count(rate, "192.0.2.1:1001", 5), RATE_EXCEEDED);
	for (unsigned int i = 0; i < 1000; i++)
		CHECK_EQ(count(rate, "192.0.2.1:1002", 6), RATE_SILENCED);
	return true;
}

static bool the_next_minute_starts_anew(void)
{
	auto_free struct rate *rate = calloc(1, sizeof(*rate));

	CHECK(rate);
	for (unsigned int i = 0; i <= RATE_MAX; i++)
		(void)count(rate, "192.0.2.1:1", 1000);
	CHECK_EQ(count(rate, "192.0.2.1:1", 999 + RATE_WINDOW_US), RATE_SILENCED);
	CHECK_EQ(count(rate, "192.0.2.1:1", 1000 + RATE_WINDOW_US), RATE_COUNTED);
	return true;
}

static bool others_are_counted_apart(void)
{
	auto_free struct rate *rate = calloc(1, sizeof(*rate));

	CHECK(rate);
	for (unsigned int i = 0; i <= RATE_MAX; i++)
		(void)count(rate, "192.0.2.1:1", 7);
	CHECK_EQ(count(rate, "192.0.2.2:1", 7), RATE_COUNTED);
	CHECK_EQ(count(rate, "[2001:db8::1]:1", 7), RATE_COUNTED);
	return true;
}

static bool the_port_does_not_count_and_an_ipv6_network_is_one(void)
{
	CHECK(same("192.0.2.1:1", "192.0.2.1:65535"));
	CHECK(!same("192.0.2.1:1", "192.0.2.2:1"));
	CHECK(same("[2001:db8::1]:1", "[2001:db8::ffff:1]:2"));
	CHECK(same("[2001:db8::1]:1", "[2001:db8:0:ffff::1]:1"));
	CHECK(!same("[2001:db8::1]:1", "[2001:db8:1::1]:1"));
	CHECK(same("[::ffff:192.0.2.1]:9", "192.0.2.1:1"));
	CHECK(!same("[::ffff:192.0.2.1]:9", "[::ffff:192.0.2.2]:9"));
	CHECK(same("", "rubbish"));
	CHECK(same("[", "]:"));
	return true;
}

static bool a_user_is_no_address_and_no_other_user(void)
{
	uint8_t one[RATE_KEY], two[RATE_KEY], nobody[RATE_KEY];

	rate_key_uid(20000, one);
	rate_key_uid(20001, two);
	rate_key_address("", nobody);
	CHECK(memcmp(one, two, RATE_KEY) != 0);
	CHECK(memcmp(one, nobody, RATE_KEY) != 0);
	rate_key_uid(0, one);
	CHECK(memcmp(one, nobody, RATE_KEY) != 0);
	return true;
}

static bool a_key_is_no_address_no_user_and_no_other_key(void)
{
	uint8_t one[RATE_KEY], two[RATE_KEY], user[RATE_KEY];

	rate_key_api_key("rdt_abcdef", one);
	rate_key_api_key("rdt_abcdeg", two);
	rate_key_uid(0x66656463, user);
	CHECK(memcmp(one, two, RATE_KEY) != 0);
	CHECK(memcmp(one, user, RATE_KEY) != 0);
	CHECK(one[0] == 1 && one[1] == 1); /* in the discard prefix */
	return true;
}

static bool more_sources_than_there_is_room_for_push_out_the_oldest(void)
{
	auto_free struct rate *rate = calloc(1, sizeof(*rate));
	char source[64];

	CHECK(rate);
	for (unsigned int i = 0; i <= RATE_MAX; i++)
		(void)count(rate, "192.0.2.1:1", 10);
	for (unsigned int i = 0; i < RATE_SOURCES - 1; i++) {
		(void)snprintf(source, sizeof(source), "10.0.%u.%u:1", i / 256, i % 256);
		CHECK_EQ(count(rate, source, 20 + i), RATE_COUNTED);
	}
	CHECK_EQ(count(rate, "192.0.2.1:1", 2000), RATE_SILENCED); /* the last one still there */
	CHECK_EQ(count(rate, "10.9.9.9:1", 2001), RATE_COUNTED);
	CHECK_EQ(count(rate, "192.0.2.1:1", 2002), RATE_COUNTED); /* pushed out, starts anew */
	return true;
}

int main(void)
{
	RUN(thirty_a_minute_are_counted_then_one_exceeds_then_silence);
	RUN(the_next_minute_starts_anew);
	RUN(others_are_counted_apart);
	RUN(the_port_does_not_count_and_an_ipv6_network_is_one);
	RUN(a_user_is_no_address_and_no_other_user);
	RUN(a_key_is_no_address_no_user_and_no_other_key);
	RUN(more_sources_than_there_is_room_for_push_out_the_oldest);
	return tap_done();
}
