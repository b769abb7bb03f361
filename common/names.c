/* SPDX-License-Identifier: Apache-2.0 */
#include "common/names.h"

#include <stddef.h>
#include <string.h>

#include "common/base.h"
#include "common/utf8.h"

constexpr size_t LABEL_MAX = 63; /* RFC 1035 section 2.3.4 */

/* Names that are or may become users of the system; a person must not shadow one. */
static const char *const RESERVED[] = {
	"root", "daemon",     "bin",	 "sys",	     "sync",	 "games",   "man", "lp",     "mail",
	"news", "uucp",	      "proxy",	 "www-data", "backup",	 "list",    "irc", "nobody", "sshd",
	"dbus", "messagebus", "console", "self",     "operator", "systemd", "tss",
};

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool starts_with(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(text, prefix, n) == 0;
}

bool name_is_person(const char *text, size_t len)
{
	if (len == 0 || len > NAME_PERSON_MAX || !is_lower(text[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_lower(text[i]) && !is_digit(text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	for (size_t i = 0; i < countof(RESERVED); i++)
		if (strlen(RESERVED[i]) == len && memcmp(RESERVED[i], text, len) == 0)
			return false;
	return !starts_with(text, len, "redoubt") && !starts_with(text, len, "systemd-");
}

bool name_is_collection(const char *text, size_t len)
{
	if (len == 0 || len > NAME_RESOURCE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_')
			return false;
	return true;
}

bool name_is_workspace(const char *text, size_t len)
{
	if (len == 0 || len > NAME_RESOURCE_MAX)
		return false;
	for (size_t start = 0; start <= len;) {
		const char *dot = memchr(text + start, '.', len - start);
		size_t end = dot ? (size_t)(dot - text) : len;

		if (!name_is_collection(text + start, end - start))
			return false;
		start = end + 1;
	}
	return true;
}

bool name_is_api_key(const char *text, size_t len)
{
	return len > 0 && len <= NAME_API_KEY_MAX && text[0] != ' ' && text[len - 1] != ' ' &&
	       utf8_is_printable(text, len);
}

bool name_is_host(const char *text, size_t len)
{
	if (len == 0 || len > NAME_HOST_MAX)
		return false;
	for (size_t start = 0; start <= len;) {
		const char *dot = memchr(text + start, '.', len - start);
		size_t end = dot ? (size_t)(dot - text) : len;

		if (end == start || end - start > LABEL_MAX || text[start] == '-' ||
		    text[end - 1] == '-')
			return false;
		for (size_t i = start; i < end; i++)
			if (!is_alnum(text[i]) && text[i] != '-')
				return false;
		start = end + 1;
	}
	return true;
}

bool name_is_email(const char *text, size_t len)
{
	static const char ALSO[] = "!#$%&'*+-/=?^_`{|}~."; /* RFC 5322 section 3.2.3, dot-atom */
	const char *at = memchr(text, '@', len);

	if (len > NAME_EMAIL_MAX || !at || at == text)
		return false;
	for (const char *c = text; c < at; c++)
		if (!is_alnum(*c) && (*c == '\0' || !strchr(ALSO, *c)))
			return false;
	return name_is_host(at + 1, len - (size_t)(at + 1 - text));
}
