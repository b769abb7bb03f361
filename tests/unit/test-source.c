/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"
#include "tests/lib/tap.h"

/* The source of an address of either family. */
static struct source source_of(const char *text, uint16_t port)
{
	struct sockaddr_storage storage = {};
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct source source;

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		memcpy(&storage, &in, sizeof(in));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(&storage, &in6, sizeof(in6));
	source_make(&storage, &source);
	return source;
}

static bool an_address_is_shown_with_its_port(void)
{
	static const struct {
		const char *address, *text;
	} CASES[] = {
		{ "192.0.2.1", "192.0.2.1:65535" },
		{ "::ffff:192.0.2.1", "192.0.2.1:65535" },
		{ "2001:db8::1", "[2001:db8::1]:65535" },
		{ "2001:db8:1111:2222:3333:4444:5555:6666",
		  "[2001:db8:1111:2222:3333:4444:5555:6666]:65535" },
		{ "neither", "unknown" },
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		struct source source = source_of(CASES[i].address, 65535);

		if (strcmp(source.text, CASES[i].text) != 0)
			printf("# %s\n", source.text);
		CHECK(strcmp(source.text, CASES[i].text) == 0);
	}
	return true;
}

/* Whether two addresses are counted together. */
static bool same(const char *a, const char *b)
{
	struct source one = source_of(a, 1), other = source_of(b, 2);

	return source_same(&one, &other);
}

static bool who_is_one_customer_is_counted_as_one(void)
{
	CHECK(same("192.0.2.1", "192.0.2.1"));
	CHECK(same("192.0.2.1", "::ffff:192.0.2.1"));
	CHECK(!same("192.0.2.1", "192.0.2.2"));
	CHECK(same("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"));
	CHECK(same("2001:db8:0:1::1", "2001:db8:0:2::1")); /* a site has 65,536 of them */
	CHECK(!same("2001:db8:0:1::1", "2001:db8:1:1::1"));
	CHECK(!same("::1", "192.0.2.1"));
	return true;
}

int main(void)
{
	RUN(an_address_is_shown_with_its_port);
	RUN(who_is_one_customer_is_counted_as_one);
	return tap_done();
}
