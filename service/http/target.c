/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/target.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/utf8.h"

const char *target_path(const char *text)
{
	static const char *const SCHEMES[] = { "https://", "http://" };

	if (text[0] == '/')
		return text;
	for (size_t i = 0; i < countof(SCHEMES); i++) {
		size_t len = strlen(SCHEMES[i]);

		if (strncasecmp(text, SCHEMES[i], len) == 0)
			return strchr(text + len, '/');
	}
	return nullptr;
}

/* The value of a hexadecimal digit, or -1. */
static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode a NUL-terminated segment in place. Returns whether it is printable UTF-8 then. */
static bool decode(char *segment)
{
	char *to = segment;

	for (const char *from = segment; *from; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = hex(from[1]);
		int low = high < 0 ? -1 : hex(from[2]);

		if (low < 0)
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return utf8_is_printable(segment, (size_t)(to - segment));
}

int target_parse(char *text, struct target *ret)
{
	const char *start = target_path(text);

	if (!start)
		return TARGET_MALFORMED;
	*ret = (struct target) { .query = "" };

	char *at = text + (start - text);
	char *end = at + strcspn(at, "?#");
	if (*end == '?')
		ret->query = end + 1;
	*end = '\0';

	while (*at) {
		char *segment = at + strspn(at, "/");
		size_t len = strcspn(segment, "/");

		at = segment[len] ? segment + len + 1 : segment + len;
		segment[len] = '\0';
		if (len == 0)
			continue;
		if (ret->n == TARGET_SEGMENTS_MAX || !decode(segment))
			return TARGET_MALFORMED;
		ret->segment[ret->n++] = segment;
	}
	return TARGET_OK;
}
