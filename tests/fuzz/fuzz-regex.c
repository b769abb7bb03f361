/* SPDX-License-Identifier: Apache-2.0 */

/* A pattern up to a line feed, then a text: matches lie inside the text, in order, and the walk ends. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/utf8.h"
#include "service/function/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes may be a pattern; the message, if it is none, is one for people. */
static int compile(const char *pattern, size_t len, struct regex **ret)
{
	char message[REGEX_MESSAGE] = "";
	int r = regex_new(pattern, len, ret, message);

	if (r == REGEX_BAD_PATTERN && !message[0])
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(regex_free_at) struct regex *regex = nullptr;
	const uint8_t *line = size > 0 ? memchr(data, '\n', size) : nullptr;
	size_t pattern = line ? (size_t)(line - data) : size,
	       len = size - pattern - (line != nullptr);
	auto_free char *text = malloc(len + !len); /* exact size: an overread is a crash */
	size_t last = 0, n = 0;

	if (!text || compile((const char *)data, pattern, &regex))
		return 0;
	if (len > 0)
		memcpy(text, line + 1, len);
	struct regex_scan scan = { .text = text, .len = len };
	while (n < 20 && regex_next(regex, &scan) == 0) {
		size_t start = 0, end = 0;

		if (scan.start < last || scan.end < scan.start || scan.end > len ||
		    !utf8_is_valid(text, len))
			abort();
		for (uint32_t g = 0; g <= regex_groups(regex); g++)
			if (regex_group(regex, g, &start, &end) && (start > end || end > len))
				abort();
		last = scan.end;
		n++;
	}
	return 0;
}
