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

/* Whether the bits behind a prefix are all 0, or all 1. */
static bool rest_is(const struct config_net *net, bool ones)
{
	for (size_t bit = net->prefix; bit < address_bits(net); bit++)
		if (!(net->address[bit / 8] & (0x80u >> (bit % 8))) == ones)
			return false;
	return true;
}

/* Whether an address stands for one machine elsewhere: not for none, many, or this one. */
static bool is_unicast(const struct config_net *net)
{
	const uint8_t *at = net->address;

	if (net->family == AF_INET)
		return at[0] != 0 && at[0] != 127 && at[0] < 224;
	static const uint8_t NONE[16] = {}, LOOPBACK[16] = { [15] = 1 };
	return at[0] != 0xff && memcmp(at, NONE, 16) != 0 && memcmp(at, LOOPBACK, 16) != 0;
}

const char *nets_host_wrong(const struct config_net *host)
{
	/* RFC 3021: a network of two has neither; RFC 4291 2.6.1: IPv6's first address is the routers'. */
	bool has_own = host->prefix + 1u < address_bits(host);

	if (!is_unicast(host))
		return "is no machine's address";
	if (has_own && rest_is(host, false))
		return "is the network's own address; give the machine's in it, such as "
		       "\"10.0.0.5/24\"";
	if (has_own && host->family == AF_INET && rest_is(host, true))
		return "is the network's broadcast address; give the machine's in it, such as "
		       "\"10.0.0.5/24\"";
	return nullptr;
}

const char *nets_gateway_wrong(const struct config_net *host, const struct config_net *gateway)
{
	struct config_net in = *gateway;

	if (host->family != gateway->family)
		return "must be of the same kind as the address: both IPv4 or both IPv6";
	if (memcmp(host->address, gateway->address, sizeof(host->address)) == 0)
		return "is the machine's own address";
	if (in.family == AF_INET6 && in.address[0] == 0xfe && (in.address[1] & 0xc0) == 0x80)
		return nullptr; /* link-local: on the cable, whatever the network */
	if (!nets_contains(host, gateway))
		return "is not in the address's network, so it cannot be reached";
	in.prefix = host->prefix;
	return nets_host_wrong(&in) ? "is not a machine's address in the network" : nullptr;
}
