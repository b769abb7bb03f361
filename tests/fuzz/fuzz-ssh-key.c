/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/sshkey.h"
#include "common/base.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any line is refused with a reason, or taken: then what is kept reads again as the same key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct sshkey *keys = calloc(2, sizeof(*keys));
	char line[SSHKEY_TYPE_MAX + SSHKEY_BASE64_MAX + SSHKEY_COMMENT_MAX + 4];

	if (!copy || !keys)
		return 0;
	memcpy(copy, data, size);
	int r = sshkey_parse(copy, size, &keys[0]);
	if (r > 0 && sshkey_reason(r)[0] == '\0')
		abort();
	if (r)
		return 0;

	const char *comment = keys[0].comment;
	for (const char *c = comment; *c; c += utf8_step(c, strlen(c)))
		if (*c != '\t' && !utf8_is_printable(c, utf8_step(c, strlen(c))))
			abort();
	(void)snprintf(line, sizeof(line), "%s %s %s", keys[0].type, keys[0].base64, comment);
	if (sshkey_parse(line, strlen(line), &keys[1]) ||
	    strcmp(keys[0].fingerprint, keys[1].fingerprint) != 0 ||
	    strcmp(comment, keys[1].comment) != 0)
		abort();
	return 0;
}
