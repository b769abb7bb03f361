/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "common/names.h"

/* Whether text[len] is ":", then 0 to 5 digits. */
static bool is_port(const char *text, size_t len)
{
	constexpr size_t DIGITS_MAX = 5;

	if (len == 0 || len > 1 + DIGITS_MAX || text[0] != ':')
		return false;
	for (size_t i = 1; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* Whether text[len] is an IPv6 address without brackets. */
static bool is_ipv6(const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

size_t host_len(const char *text, size_t len)
{
	const char *end =
		len > 0 && text[0] == '[' ? memchr(text, ']', len) : memchr(text, ':', len);

	if (!end)
		return len;
	return (size_t)(end - text) + (*end == ']');
}

bool host_is_valid(const char *text, size_t len)
{
	size_t host = host_len(text, len);

	if (host < len && !is_port(text + host, len - host))
		return false;
	if (host > 2 && text[0] == '[' && text[host - 1] == ']')
		return is_ipv6(text + 1, host - 2);
	return name_is_host(text, host); /* an IPv4 address has the form of a name */
}
