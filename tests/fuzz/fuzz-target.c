/* SPDX-License-Identifier: Apache-2.0 */

/* Request targets: whatever comes out is printable UTF-8 and lies inside what went in. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/utf8.h"
#include "service/http/host.h"
#include "service/http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);
	struct target target;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';

	if (host_is_valid(text, size) && host_len(text, size) > size)
		abort();
	if (target_parse(text, &target))
		return 0;
	if (target.n > TARGET_SEGMENTS_MAX)
		abort();
	for (size_t i = 0; i < target.n; i++) {
		const char *segment = target.segment[i];
		size_t len = strlen(segment);

		if (segment < text || segment + len > text + size || len == 0 ||
		    !utf8_is_printable(segment, len))
			abort();
	}
	return 0;
}
