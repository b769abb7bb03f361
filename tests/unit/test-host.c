/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/host.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/tap.h"

static bool hosts_are_told_from_what_is_none(void)
{
	static const struct {
		const char *text;
		const char *host; /* nullptr: not valid */
	} CASES[] = {
		{ "redoubt.example", "redoubt.example" },
		{ "redoubt.example:443", "redoubt.example" },
		{ "redoubt.example:", "redoubt.example" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:8443", "192.0.2.1" },
		{ "[2001:db8::1]", "[2001:db8::1]" },
		{ "[2001:db8::1]:443", "[2001:db8::1]" },
		{ "[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]" },
		{ "", nullptr },
		{ ":443", nullptr },
		{ "a:b", nullptr },
		{ "a:123456", nullptr },
		{ "a:1:2", nullptr },
		{ "a b", nullptr },
		{ "a/b", nullptr },
		{ "a?b", nullptr },
		{ "a@b", nullptr },
		{ "-a", nullptr },
		{ "a..b", nullptr },
		{ "2001:db8::1", nullptr },
		{ "[2001:db8::1", nullptr },
		{ "[2001:db8::1]x", nullptr },
		{ "[]", nullptr },
		{ "[fe80::1%eth0]", nullptr },
		{ "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", nullptr },
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		size_t len = strlen(CASES[i].text);
		bool valid = host_is_valid(CASES[i].text, len);

		if (valid != (CASES[i].host != nullptr))
			printf("# %s\n", CASES[i].text);
		CHECK_EQ(valid, CASES[i].host != nullptr);
		if (valid) {
			CHECK_EQ(host_len(CASES[i].text, len), strlen(CASES[i].host));
			CHECK(strncmp(CASES[i].text, CASES[i].host, strlen(CASES[i].host)) == 0);
		}
	}
	return true;
}

int main(void)
{
	RUN(hosts_are_told_from_what_is_none);
	return tap_done();
}
