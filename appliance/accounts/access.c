/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/access.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/proto/operations.h"

#define BIT(privilege) (UINT64_C(1) << (privilege))

/* What each role builds on: look at data and at the box's health, and keep one's own keys. */
constexpr uint64_t RIGHTS_READ = BIT(GET_ORG_GLOBAL) | BIT(GET_CURRENT_USER_GLOBAL) |
				 BIT(LIST_WS_GLOBAL) | BIT(LIST_RESOURCES_WS) | BIT(QUERY_DATA_WS) |
				 BIT(OWN_SSH_KEYS) | BIT(API_KEYS_OWN) | BIT(APPLIANCE_READ);
constexpr uint64_t RIGHTS_WRITE = BIT(CREATE_WS_GLOBAL) | BIT(DELETE_WS) |
				  BIT(CREATE_COLLECTION_WS) | BIT(DELETE_COLLECTION_WS) |
				  BIT(WRITE_DATA_WS);
constexpr uint64_t RIGHTS_ADMIN = BIT(PEOPLE_READ) | BIT(PEOPLE_WRITE) | BIT(API_KEYS_ALL) |
				  BIT(AUDIT_READ) | BIT(APPLIANCE_CONTROL) |
				  BIT(RECOVERY_KEY_TAKE) | BIT(CERTIFICATE_WRITE) |
				  BIT(CONFIG_WRITE) | BIT(ROTATE_KEY_WS);

/* A privilege added to the list belongs to nobody until it is put into one of the sets above. */
static const struct {
	const char *name;
	const char *help;
	uint64_t rights;
	bool grantable;
} ROLES[ROLE_COUNT] = {
	[ROLE_ADMIN] = { "admin", "Everything: data, people, keys, audit and the appliance itself.",
			 RIGHTS_READ | RIGHTS_WRITE | RIGHTS_ADMIN, true },
	[ROLE_MEMBER] = { "member", "Reads and writes all data; own keys; sees the status.",
			  RIGHTS_READ | RIGHTS_WRITE, true },
	[ROLE_READ_ONLY] = { "read-only", "Lists and queries all data; own keys; sees the status.",
			     RIGHTS_READ, true },
	[ROLE_LOCAL_CONSOLE] = { "local-console",
				 "The serial console: sees the status and can power off.",
				 BIT(APPLIANCE_READ) | BIT(APPLIANCE_CONTROL), false },
};

const char *access_role_name(enum role role)
{
	return role < ROLE_COUNT ? ROLES[role].name : "?";
}

const char *access_role_help(enum role role)
{
	return role < ROLE_COUNT ? ROLES[role].help : "";
}

enum role access_role_find(const char *name)
{
	for (unsigned int i = 0; i < ROLE_COUNT; i++)
		if (strcmp(ROLES[i].name, name) == 0)
			return (enum role)i;
	return ROLE_COUNT;
}

bool access_role_is_grantable(enum role role)
{
	return role < ROLE_COUNT && ROLES[role].grantable;
}

uint64_t access_role_rights(enum role role)
{
	return role < ROLE_COUNT ? ROLES[role].rights : 0;
}

uint64_t access_rights(const struct access_who *who)
{
	uint64_t rights = 0;

	for (unsigned int i = 0; i < ROLE_COUNT; i++)
		if (who->roles >> i & 1)
			rights |= ROLES[i].rights;
	return who->by_key ? rights & access_role_rights(who->key_role) : rights;
}

bool access_check(const struct access_who *who, enum privilege privilege, const char *resource)
{
	(void)resource; /* roles are for all workspaces, so that any name gets the same answer */
	if (privilege >= PRIVILEGE_COUNT)
		return false;
	return privilege == PRIVILEGE_NONE || (access_rights(who) >> privilege & 1);
}
