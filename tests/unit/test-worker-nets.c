/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/worker/config.h"
#include "appliance/worker/nets.h"
#include "common/base.h"
#include "tests/lib/tap.h"

constexpr size_t LIST_MAX = 24;

/* Where the eight bits lie in which the networks of a list differ. */
struct place {
	int family;
	size_t at;
};

static uint64_t seed = 20261124;

static unsigned int random_below(unsigned int end)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % end;
}

static struct config_net net(const char *text)
{
	struct config_net ret = {};

	if (!config_net_parse(text, strlen(text), true, &ret))
		abort();
	return ret;
}

static size_t bits_of(const struct config_net *list)
{
	return list->family == AF_INET ? 32 : 128;
}

/* Bit by bit, as one would do it by hand. */
static bool naively_contains(const struct config_net *list, const uint8_t address[16])
{
	for (size_t bit = 0; bit < list->prefix; bit++)
		if ((list->address[bit / 8] ^ address[bit / 8]) & (0x80u >> (bit % 8)))
			return false;
	return true;
}

static bool any_contains(const struct config_net *list, size_t n, const uint8_t address[16])
{
	for (size_t i = 0; i < n; i++)
		if (naively_contains(&list[i], address))
			return true;
	return false;
}

/* A list whose networks differ in eight bits from the at'th on; all the others are 0 in an address. */
static size_t make_list(int family, size_t at, struct config_net ret[LIST_MAX])
{
	size_t n = random_below(LIST_MAX + 1);

	for (size_t i = 0; i < n; i++) {
		ret[i] = (struct config_net) { .family = family };
		ret[i].address[at / 8] = (uint8_t)random_below(256);
		ret[i].prefix = (uint8_t)(at + random_below(9));
		if (random_below(40) == 0)
			ret[i].prefix = (uint8_t)random_below((unsigned int)at + 1);
		(void)nets_mask(&ret[i]);
	}
	return n;
}

static bool covers_the_same(const struct config_net *one, size_t n_one,
			    const struct config_net *other, size_t n_other, size_t at)
{
	for (unsigned int value = 0; value < 256; value++) {
		uint8_t address[16] = {};

		address[at / 8] = (uint8_t)value;
		CHECK_EQ(any_contains(one, n_one, address), any_contains(other, n_other, address));
	}
	/* and an address that only a network of everything reaches */
	uint8_t far[16];
	memset(far, 0xff, sizeof(far));
	CHECK_EQ(any_contains(one, n_one, far), any_contains(other, n_other, far));
	return true;
}

static bool merged_lists_cover_what_they_covered_and_nothing_overlaps(void)
{
	const struct place PLACES[] = { { AF_INET, 0 },	 { AF_INET, 8 },   { AF_INET, 24 },
					{ AF_INET6, 0 }, { AF_INET6, 64 }, { AF_INET6, 120 } };
	struct config_net before[LIST_MAX], after[LIST_MAX];

	for (int round = 0; round < 6000; round++) {
		size_t place = random_below(countof(PLACES));
		size_t n = make_list(PLACES[place].family, PLACES[place].at, before);

		memcpy(after, before, sizeof(before));
		size_t left = nets_merge(after, n);
		CHECK(left <= n);
		CHECK(covers_the_same(before, n, after, left, PLACES[place].at));
		for (size_t i = 0; i < left; i++)
			for (size_t k = 0; k < left; k++)
				CHECK(i == k || !naively_contains(&after[i], after[k].address));
	}
	return true;
}

static bool the_order_in_which_a_list_is_given_does_not_matter(void)
{
	struct config_net one[LIST_MAX], other[LIST_MAX];

	for (int round = 0; round < 1000; round++) {
		size_t n = make_list(AF_INET, 24, one);

		for (size_t i = 0; i < n; i++)
			other[n - 1 - i] = one[i];
		size_t left = nets_merge(one, n);
		CHECK_EQ(nets_merge(other, n), left);
		for (size_t i = 0; i < left; i++) {
			CHECK_EQ(one[i].prefix, other[i].prefix);
			CHECK(memcmp(one[i].address, other[i].address, 16) == 0);
		}
		CHECK_EQ(nets_merge(one, left), left); /* and again changes nothing */
	}
	return true;
}

static bool halves_become_a_whole_up_to_everything(void)
{
	struct config_net list[] = { net("128.0.0.0/1"), net("0.0.0.0/2"), net("64.0.0.0/2") };
	struct config_net neighbours[] = { net("10.0.1.0/24"), net("10.0.2.0/24") };

	CHECK_EQ(nets_merge(list, 3), 1u);
	CHECK_EQ(list[0].prefix, 0);
	CHECK_EQ(nets_merge(neighbours, 2), 2u); /* not of one network */
	CHECK_EQ(nets_merge(list, 0), 0u);
	return true;
}

static bool families_have_nothing_in_common(void)
{
	struct config_net four = net("0.0.0.0/0"), six = net("::/0");

	CHECK(!nets_contains(&four, &six));
	CHECK(!nets_contains(&six, &four));
	CHECK(nets_contains(&six, &six));
	CHECK_EQ(bits_of(&six), 128u);
	return true;
}

static bool bits_behind_the_prefix_are_told(void)
{
	struct config_net host = net("10.0.0.5/24"), whole = net("10.0.0.0/24"), all = net("::1/0");

	CHECK(nets_mask(&host));
	CHECK_EQ(host.address[3], 0);
	CHECK(!nets_mask(&whole));
	CHECK(nets_mask(&all));
	return true;
}

int main(void)
{
	RUN(merged_lists_cover_what_they_covered_and_nothing_overlaps);
	RUN(the_order_in_which_a_list_is_given_does_not_matter);
	RUN(halves_become_a_whole_up_to_everything);
	RUN(families_have_nothing_in_common);
	RUN(bits_behind_the_prefix_are_told);
	return tap_done();
}
