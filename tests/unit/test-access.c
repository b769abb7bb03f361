/* SPDX-License-Identifier: Apache-2.0 */

/* access: the roles' privileges, written out a second time, and what a key is worth. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "common/base.h"
#include "common/proto/operations.h"
#include "tests/lib/tap.h"

/* By hand: which roles (admin, member, read-only, local-console) hold each privilege. */
static const struct {
	enum privilege privilege;
	bool admin, member, read_only, console;
} TABLE[] = {
	{ GET_ORG_GLOBAL, true, true, true, false },
	{ GET_CURRENT_USER_GLOBAL, true, true, true, false },
	{ CREATE_WS_GLOBAL, true, true, false, false },
	{ LIST_WS_GLOBAL, true, true, true, false },
	{ DELETE_WS, true, true, false, false },
	{ LIST_RESOURCES_WS, true, true, true, false },
	{ CREATE_COLLECTION_WS, true, true, false, false },
	{ DELETE_COLLECTION_WS, true, true, false, false },
	{ ROTATE_KEY_WS, true, false, false, false },
	{ WRITE_DATA_WS, true, true, false, false },
	{ QUERY_DATA_WS, true, true, true, false },
	{ PEOPLE_READ, true, false, false, false },
	{ PEOPLE_WRITE, true, false, false, false },
	{ OWN_SSH_KEYS, true, true, true, false },
	{ API_KEYS_OWN, true, true, true, false },
	{ API_KEYS_ALL, true, false, false, false },
	{ AUDIT_READ, true, false, false, false },
	{ APPLIANCE_READ, true, true, true, true },
	{ APPLIANCE_CONTROL, true, false, false, true },
	{ RECOVERY_KEY_TAKE, true, false, false, false },
	{ CERTIFICATE_WRITE, true, false, false, false },
	{ CONFIG_WRITE, true, false, false, false },
};
static_assert(countof(TABLE) == PRIVILEGE_COUNT - 1); /* a new privilege needs a line above */

static bool may(enum role role, enum privilege privilege)
{
	return access_check(&(struct access_who) { .roles = role_bit(role) }, privilege, "commons");
}

static bool each_role_holds_exactly_its_privileges(void)
{
	for (size_t i = 0; i < countof(TABLE); i++) {
		CHECK_EQ(may(ROLE_ADMIN, TABLE[i].privilege), TABLE[i].admin);
		CHECK_EQ(may(ROLE_MEMBER, TABLE[i].privilege), TABLE[i].member);
		CHECK_EQ(may(ROLE_READ_ONLY, TABLE[i].privilege), TABLE[i].read_only);
		CHECK_EQ(may(ROLE_LOCAL_CONSOLE, TABLE[i].privilege), TABLE[i].console);
	}
	return true;
}

static bool nobody_holds_a_privilege_outside_the_list(void)
{
	for (unsigned int p = PRIVILEGE_COUNT; p < 256; p++)
		CHECK(!may(ROLE_ADMIN, (enum privilege)p));
	return true;
}

static bool without_a_role_there_is_no_privilege(void)
{
	struct access_who nobody = {};

	for (unsigned int p = PRIVILEGE_NONE + 1; p < PRIVILEGE_COUNT; p++)
		CHECK(!access_check(&nobody, (enum privilege)p, ""));
	CHECK(access_check(&nobody, PRIVILEGE_NONE, ""));
	return true;
}

static bool a_key_is_never_worth_more_than_its_owner_or_its_role(void)
{
	for (uint32_t roles = 0; roles < 1u << ROLE_COUNT; roles++) {
		uint64_t owner = access_rights(&(struct access_who) { .roles = roles });

		/* Also roles outside the list: a name in the database that this release does not know. */
		for (unsigned int key = 0; key <= ROLE_COUNT + 1; key++) {
			struct access_who who = { .roles = roles,
						  .by_key = true,
						  .key_role = (enum role)key };
			uint64_t rights = access_rights(&who);

			CHECK_EQ(rights & ~owner, UINT64_C(0));
			CHECK_EQ(rights & ~access_role_rights((enum role)key), UINT64_C(0));
			CHECK_EQ(rights, owner & access_role_rights((enum role)key));
			for (unsigned int p = 1; p < PRIVILEGE_COUNT; p++)
				CHECK_EQ(access_check(&who, (enum privilege)p, "x"),
					 (bool)(rights >> p & 1));
		}
	}
	return true;
}

static bool several_roles_add_up(void)
{
	struct access_who who = { .roles = role_bit(ROLE_MEMBER) | role_bit(ROLE_LOCAL_CONSOLE) };

	CHECK_EQ(access_rights(&who),
		 access_role_rights(ROLE_MEMBER) | access_role_rights(ROLE_LOCAL_CONSOLE));
	return true;
}

static bool roles_are_found_by_name_and_only_three_can_be_given(void)
{
	for (unsigned int i = 0; i < ROLE_COUNT; i++) {
		CHECK_EQ(access_role_find(access_role_name((enum role)i)), (enum role)i);
		CHECK(access_role_help((enum role)i)[0] != '\0');
	}
	CHECK_EQ(access_role_find("root"), ROLE_COUNT);
	CHECK_EQ(access_role_find(""), ROLE_COUNT);
	CHECK_EQ(access_role_find("Admin"), ROLE_COUNT);
	CHECK(access_role_is_grantable(ROLE_ADMIN) && access_role_is_grantable(ROLE_MEMBER) &&
	      access_role_is_grantable(ROLE_READ_ONLY));
	CHECK(!access_role_is_grantable(ROLE_LOCAL_CONSOLE) &&
	      !access_role_is_grantable(ROLE_COUNT));
	CHECK(strcmp(access_role_name(ROLE_COUNT), "?") == 0);
	CHECK(access_role_help(ROLE_COUNT)[0] == '\0');
	return true;
}

static bool every_operation_of_the_api_is_within_admin_and_each_reading_one_within_read_only(void)
{
	for (unsigned int op = 0; op < OP_COUNT; op++) {
		CHECK(may(ROLE_ADMIN, OPERATIONS[op].privilege));
		CHECK_EQ(may(ROLE_READ_ONLY, OPERATIONS[op].privilege),
			 OPERATIONS[op].kind == OPERATION_READS);
	}
	return true;
}

int main(void)
{
	RUN(each_role_holds_exactly_its_privileges);
	RUN(nobody_holds_a_privilege_outside_the_list);
	RUN(without_a_role_there_is_no_privilege);
	RUN(a_key_is_never_worth_more_than_its_owner_or_its_role);
	RUN(several_roles_add_up);
	RUN(roles_are_found_by_name_and_only_three_can_be_given);
	RUN(every_operation_of_the_api_is_within_admin_and_each_reading_one_within_read_only);
	return tap_done();
}
