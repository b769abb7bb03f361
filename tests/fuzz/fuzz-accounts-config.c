/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/config.h"
#include "common/base.h"
#include "common/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any configuration names nobody, with a reason, or an admin whose name and key are sound. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct config_admin *admin = calloc(1, sizeof(*admin));
	const char *reason = nullptr;

	if (!copy || !admin)
		return 0;
	memcpy(copy, data, size);
	int r = config_admin(copy, size, admin, &reason);
	if (r == CONFIG_INVALID && !reason)
		abort();
	if (r == 0 && (!name_is_person(admin->name, strlen(admin->name)) ||
		       strncmp(admin->key.fingerprint, "SHA256:", 7) != 0))
		abort();
	return 0;
}
