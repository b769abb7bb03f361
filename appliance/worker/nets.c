/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/nets.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t address_bits(const struct config_net *net)
{
	return net->family == AF_INET ? 32 : 128;
}

/* Whether two addresses have their first bits in common. */
static bool same_bits(const uint8_t *a, const uint8_t *b, size_t bits)
{
	size_t whole = bits / 8;
	unsigned int rest = bits % 8 ? 0xffu & ~(0xffu >> (bits % 8)) : 0;

	return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & rest) == 0);
}

bool nets_contains(const struct config_net *outer, const struct config_net *inner)
{
	return outer->family == inner->family && outer->prefix <= inner->prefix &&
	       same_bits(outer->address, inner->address, outer->prefix);
}

bool nets_mask(struct config_net *net)
{
	bool any = false;

	for (size_t bit = net->prefix; bit < address_bits(net); bit++) {
		uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

		any = any || (net->address[bit / 8] & mask);
		net->address[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

/* By address, the larger network first: what lies in a network comes right behind it. */
static int by_address(const void *one, const void *other)
{
	const struct config_net *a = one, *b = other;
	int order = memcmp(a->address, b->address, sizeof(a->address));

	return order ? order : (int)a->prefix - (int)b->prefix;
}

/* Whether two networks are the two halves of one. */
static bool are_halves(const struct config_net *a, const struct config_net *b)
{
	return a->prefix == b->prefix && a->prefix > 0 &&
	       same_bits(a->address, b->address, (size_t)a->prefix - 1);
}

size_t nets_merge(struct config_net *net, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(net, n, sizeof(*net), by_address);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && nets_contains(&net[kept - 1], &net[i]))
			continue;
		net[kept++] = net[i];
		while (kept > 1 && are_halves(&net[kept - 2], &net[kept - 1])) {
			kept--;
			net[kept - 1].prefix--;
		}
	}
	return kept;
}
