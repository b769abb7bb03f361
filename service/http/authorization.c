/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/authorization.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/crypto/crypto.h"

constexpr size_t BASIC_MAX = 512; /* decoded "user:password" */

/* Copy a key of visible ASCII. */
static bool take_key(const char *key, size_t len, char *ret, size_t room)
{
	if (len == 0 || len >= room)
		return false;
	for (size_t i = 0; i < len; i++)
		if (key[i] < '!' || key[i] > '~')
			return false;
	memcpy(ret, key, len);
	ret[len] = '\0';
	return true;
}

static bool plain(const char *credentials, char *ret, size_t room)
{
	return take_key(credentials, strlen(credentials), ret, room);
}

/* The user name is the key; what stands after the colon is not looked at. */
static bool basic(const char *credentials, char *ret, size_t room)
{
	uint8_t decoded[BASIC_MAX];
	size_t len = 0;
	bool found = false;

	if (crypto_base64_decode(credentials, strlen(credentials), decoded, sizeof(decoded),
				 &len)) {
		const uint8_t *colon = memchr(decoded, ':', len);

		found = colon &&
			take_key((const char *)decoded, (size_t)(colon - decoded), ret, room);
	}
	explicit_bzero(decoded, sizeof(decoded));
	return found;
}

static const struct {
	const char *name;
	bool (*take)(const char *credentials, char *ret, size_t room);
} SCHEMES[] = {
	{ "apikey", plain },
	{ "bearer", plain },
	{ "basic", basic },
};

bool authorization_key(const char *value, char *ret, size_t room)
{
	size_t scheme = strcspn(value, " ");
	const char *credentials = value + scheme + strspn(value + scheme, " ");

	ret[0] = '\0';
	for (size_t i = 0; i < countof(SCHEMES); i++)
		if (strlen(SCHEMES[i].name) == scheme &&
		    strncasecmp(SCHEMES[i].name, value, scheme) == 0)
			return SCHEMES[i].take(credentials, ret, room);
	return false;
}
