/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * access: which role holds which privilege, and the one function that decides who may do what.
 *
 * Layer 2 (appliance/accounts). Pure functions over one table; deny by default.
 * A role is granted for all workspaces in this release; the resource is asked for all the same, so that a
 * role for one workspace changes this module and no caller.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/proto/operations.h"

/* Stored by name, never by number; the order is free. */
enum role : uint8_t {
	ROLE_ADMIN,
	ROLE_MEMBER,
	ROLE_READ_ONLY,
	ROLE_LOCAL_CONSOLE, /* of the pseudo-person "console" only; nobody can be given it */
	ROLE_COUNT,
};
static_assert(ROLE_COUNT <= 32); /* a set of them is a uint32_t */

/* Who asks: a person, or a program that shows a person's API key. */
struct access_who {
	uint32_t roles; /* the person's; bit set of enum role */
	bool by_key;
	enum role key_role; /* of the API key, if by_key */
};

/* The set that holds one role. */
[[nodiscard]] static inline uint32_t role_bit(enum role role)
{
	return 1u << role;
}

/* A role's name, "read-only"; "?" outside the list. */
[[nodiscard]] const char *access_role_name(enum role role);

/* One sentence about a role, for people; "" outside the list. */
[[nodiscard]] const char *access_role_help(enum role role);

/* The role of that name, or ROLE_COUNT. */
[[nodiscard]] enum role access_role_find(const char *name);

/* Whether people and API keys may be given the role. */
[[nodiscard]] bool access_role_is_grantable(enum role role);

/* What a role allows: bit set of enum privilege. Nothing outside the list. */
[[nodiscard]] uint64_t access_role_rights(enum role role);

/* What somebody may do now: the union of the person's roles, cut down to the key's role. Bit set of enum privilege. */
[[nodiscard]] uint64_t access_rights(const struct access_who *who);

/*
 * Decide. Every other "may they?" in accounts comes here.
 *
 * privilege  PRIVILEGE_NONE is held by everybody; a number outside the list by nobody
 * resource   the workspace's name, or "" where the privilege has none; never nullptr
 */
[[nodiscard]] bool access_check(const struct access_who *who, enum privilege privilege,
				const char *resource);
