/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * config: the first admin out of the appliance's configuration.
 *
 * Layer 2 (appliance/accounts). Pure over (pointer, length). The worker has checked the whole file before it was
 * stored; here the part that makes somebody admin is checked once more and nothing else is read.
 */

#include <stddef.h>

#include "appliance/accounts/sshkey.h"
#include "common/base.h"
#include "common/names.h"

constexpr size_t CONFIG_MAX = 16 * 1024; /* docs/architecture.md section 4 */

enum {
	CONFIG_OK = 0,
	CONFIG_INVALID, /* not JSON, or "admin" is not as it must be */
};

struct config_admin {
	char name[NAME_PERSON_MAX + 1];
	char email[NAME_EMAIL_MAX + 1]; /* "" if not given */
	struct sshkey key;
};

/*
 * Read the object "admin" {name, email, ssh_key} of a configuration.
 *
 * json        [len] untrusted; borrowed
 * ret         set only on success
 * ret_reason  set only with CONFIG_INVALID: what is wrong, for the log; a constant
 *
 * Returns 0, CONFIG_INVALID, -ENOMEM or -EIO.
 */
[[nodiscard]] int config_admin(const char *json, size_t len, struct config_admin *ret,
			       const char **ret_reason);
