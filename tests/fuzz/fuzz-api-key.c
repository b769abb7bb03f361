/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/apikey.h"
#include "common/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any text is sound or not, and is no longer so with one character changed; any number makes a sound key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *copy = malloc(size + !size); /* exact size: an overread is a crash */
	char made[APIKEY_LEN + 1], id[APIKEY_ID];
	uint8_t bits[32] = {};

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (apikey_is_sound(copy, size)) {
		copy[size / 2] ^= 1;
		if (apikey_is_sound(copy, size))
			abort();
	}
	memcpy(bits, data, size < sizeof(bits) ? size : sizeof(bits));
	apikey_spell(bits, made);
	apikey_id(made, id);
	if (!apikey_is_sound(made, strlen(made)) || strncmp(made, id, strlen(id)) != 0)
		abort();
	return 0;
}
