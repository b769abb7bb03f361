/* SPDX-License-Identifier: Apache-2.0 */

/* config: who becomes the first admin, and every configuration that makes nobody one. */

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/config.h"
#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-keys.h"

#define GOOD_NAME     "\"name\":\"ann\""
#define GOOD_KEY      "\"ssh_key\":\"" KEY_ED25519 " ann\""
#define AROUND(admin) "{\"version\":1,\"hostname\":\"redoubt-1\",\"admin\":" admin "}"

static const char GOOD[] = AROUND("{" GOOD_NAME ",\"email\":\"ann@example.org\"," GOOD_KEY "}");

static int read_config(const char *json, struct config_admin *ret, const char **ret_reason)
{
	return config_admin(json, strlen(json), ret, ret_reason);
}

static bool a_good_configuration_names_the_admin(void)
{
	struct config_admin admin;
	const char *reason = nullptr;

	CHECK_EQ(read_config(GOOD, &admin, &reason), 0);
	CHECK(strcmp(admin.name, "ann") == 0);
	CHECK(strcmp(admin.email, "ann@example.org") == 0);
	CHECK(strcmp(admin.key.fingerprint, PRINT_ED25519) == 0);
	CHECK(!reason);
	CHECK_EQ(read_config(AROUND("{" GOOD_NAME "," GOOD_KEY "}"), &admin, &reason), 0);
	CHECK(strcmp(admin.email, "") == 0);
	return true;
}

static const char *const BAD[] = {
	"",
	"{",
	"[]",
	"null",
	"{\"version\":1}",
	AROUND("null"),
	AROUND("[]"),
	AROUND("\"ann\""),
	AROUND("{}"),
	AROUND("{" GOOD_NAME "}"),
	AROUND("{" GOOD_KEY "}"),
	AROUND("{" GOOD_NAME "," GOOD_KEY ",\"role\":\"admin\"}"),
	AROUND("{" GOOD_NAME "," GOOD_NAME "," GOOD_KEY "}"),
	AROUND("{\"name\":\"root\"," GOOD_KEY "}"),
	AROUND("{\"name\":\"ann\\u0000x\"," GOOD_KEY "}"),
	AROUND("{\"name\":\"redoubt-ann\"," GOOD_KEY "}"),
	AROUND("{\"name\":7," GOOD_KEY "}"),
	AROUND("{" GOOD_NAME ",\"email\":\"nobody\"," GOOD_KEY "}"),
	AROUND("{" GOOD_NAME ",\"email\":null," GOOD_KEY "}"),
	AROUND("{" GOOD_NAME ",\"ssh_key\":\"" KEY_RSA_2048 "\"}"),
	AROUND("{" GOOD_NAME ",\"ssh_key\":[]}"),
	AROUND("{" GOOD_NAME "," GOOD_KEY "} x"),
};

static bool a_bad_one_names_nobody_and_says_why(void)
{
	for (size_t i = 0; i < countof(BAD); i++) {
		struct config_admin admin = { .name = "before" };
		const char *reason = nullptr;
		int r = read_config(BAD[i], &admin, &reason);

		if (r != CONFIG_INVALID)
			printf("# case %zu\n", i);
		CHECK_EQ(r, CONFIG_INVALID);
		CHECK(reason && reason[0]);
		CHECK(strcmp(admin.name, "before") == 0);
	}
	return true;
}

static bool every_truncation_is_refused(void)
{
	for (size_t len = 0; len + 1 < sizeof(GOOD); len++) {
		struct config_admin admin;
		const char *reason = nullptr;

		CHECK_EQ(config_admin(GOOD, len, &admin, &reason), CONFIG_INVALID);
	}
	return true;
}

static bool a_huge_one_is_not_even_parsed(void)
{
	auto_free char *json = malloc(CONFIG_MAX + 1);
	struct config_admin admin;
	const char *reason = nullptr;

	CHECK(json);
	memset(json, ' ', CONFIG_MAX + 1);
	memcpy(json, GOOD, sizeof(GOOD) - 1);
	CHECK_EQ(config_admin(json, CONFIG_MAX, &admin, &reason), 0);
	CHECK_EQ(config_admin(json, CONFIG_MAX + 1, &admin, &reason), CONFIG_INVALID);
	return true;
}

int main(void)
{
	RUN(a_good_configuration_names_the_admin);
	RUN(a_bad_one_names_nobody_and_says_why);
	RUN(every_truncation_is_refused);
	RUN(a_huge_one_is_not_even_parsed);
	return tap_done();
}
