/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/authorization.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/tap.h"

static bool the_key_is_found_in_what_the_clients_send(void)
{
	static const struct {
		const char *value;
		const char *key; /* "": none */
	} CASES[] = {
		{ "ApiKey abc", "abc" },
		{ "apikey abc", "abc" },
		{ "APIKEY   abc", "abc" },
		{ "Bearer abc", "abc" },
		{ "bearer abc", "abc" },
		{ "Basic YWJjOg==", "abc" },	 /* "abc:" */
		{ "basic YWJjOmRlZg==", "abc" }, /* "abc:def" */
		{ "Basic YWJjOmQ6ZQ==", "abc" }, /* "abc:d:e" */
		{ "Basic YWJj", "" },		 /* no colon */
		{ "Basic Og==", "" },		 /* ":" */
		{ "Basic AGE6", "" },		 /* a NUL */
		{ "Basic YWJjOg", "" },		 /* no padding */
		{ "Basic %%%", "" },
		{ "Basic", "" },
		{ "ApiKey", "" },
		{ "ApiKey ", "" },
		{ "ApiKey a b", "" },
		{ "ApiKey a\tb", "" },
		{ "ApiKey \xc3\xa4", "" },
		{ "ApiKeyabc", "" },
		{ "Digest abc", "" },
		{ "abc", "" },
		{ "", "" },
		{ " ApiKey abc", "" },
		{ "ApiKey 123456789012345", "123456789012345" },
		{ "ApiKey 1234567890123456", "" }, /* no room for it */
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		char key[16] = "unset";
		bool found = authorization_key(CASES[i].value, key, sizeof(key));

		if (strcmp(key, CASES[i].key) != 0)
			printf("# %s gives %s\n", CASES[i].value, key);
		CHECK(strcmp(key, CASES[i].key) == 0);
		CHECK_EQ(found, CASES[i].key[0] != '\0');
	}
	return true;
}

static bool a_long_basic_header_is_no_key(void)
{
	char value[2000] = "Basic ", key[128];

	memset(value + 6, 'Y', sizeof(value) - 7);
	value[sizeof(value) - 1] = '\0';
	CHECK(!authorization_key(value, key, sizeof(key)));
	return true;
}

int main(void)
{
	RUN(the_key_is_found_in_what_the_clients_send);
	RUN(a_long_basic_header_is_no_key);
	return tap_done();
}
