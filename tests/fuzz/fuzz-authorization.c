/* SPDX-License-Identifier: Apache-2.0 */

/* Authorization headers: a key is visible ASCII and fits, or there is none. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/http/authorization.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t ROOM = 128;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);
	auto_free char *key = malloc(ROOM); /* of its own, so that a byte too far is seen */

	if (!text || !key)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	bool found = authorization_key(text, key, ROOM);
	size_t len = strnlen(key, ROOM);

	if (len == ROOM || found != (len > 0))
		abort();
	for (size_t i = 0; i < len; i++)
		if (key[i] < '!' || key[i] > '~')
			abort();
	return 0;
}
