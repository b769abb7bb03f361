/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The most that one customer of a provider is usually given (RFC 6177): a site has 65,536 networks to come from. */
constexpr size_t IPV6_PREFIX = 6;
constexpr size_t IPV4_AT = 12; /* where the IPv4 address stands in a mapped one */

static void from_ipv4(const void *address, uint16_t port, struct source *ret)
{
	char text[INET_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET, address, text, sizeof(text));
	(void)snprintf(ret->text, sizeof(ret->text), "%s:%u", text, port);
	memset(ret->prefix + IPV4_AT - 2, 0xff, 2); /* ::ffff:a.b.c.d */
	memcpy(ret->prefix + IPV4_AT, address, sizeof(struct in_addr));
}

static void from_ipv6(const struct in6_addr *address, uint16_t port, struct source *ret)
{
	char text[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET6, address, text, sizeof(text));
	(void)snprintf(ret->text, sizeof(ret->text), "[%s]:%u", text, port);
	memcpy(ret->prefix, address->s6_addr, IPV6_PREFIX);
}

void source_make(const struct sockaddr_storage *address, struct source *ret)
{
	*ret = (struct source) { .text = "unknown" };
	if (address->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		from_ipv4(&in.sin_addr, ntohs(in.sin_port), ret);
	}
	if (address->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			from_ipv4(in6.sin6_addr.s6_addr + IPV4_AT, ntohs(in6.sin6_port), ret);
		else
			from_ipv6(&in6.sin6_addr, ntohs(in6.sin6_port), ret);
	}
}

bool source_same(const struct source *a, const struct source *b)
{
	return memcmp(a->prefix, b->prefix, sizeof(a->prefix)) == 0;
}
