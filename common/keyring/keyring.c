/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/crypto.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/keyset.h"
#include "common/proto/keys.h"

static const char MAGIC[8] = "RDTKRING";
static const char SUFFIX[] = ".key";
constexpr uint32_t FORMAT = 1;
constexpr size_t FILE_MAX = 64 * 1024;
constexpr size_t PROVIDER_NAME = 16;
constexpr size_t WRAPPED_MAX = 160; /* by a provider; ours makes KEYSET_WRAPPED */
constexpr size_t FILE_NAME = KEYS_UUID + sizeof(SUFFIX);

struct keyring {
	int dir;
	struct provider provider;
};

/* A file, taken apart; wrapped points into it. */
struct parts {
	char provider[PROVIDER_NAME];
	char uuid[KEYS_UUID];
	uint32_t version[KEYSET_MAX];
	struct bytes wrapped[KEYSET_MAX];
	size_t n;
};

int keyring_open(int dir, struct provider provider, struct keyring **ret)
{
	int r = keyfile_sweep(dir);

	if (r)
		return r;
	struct keyring *keyring = calloc(1, sizeof(*keyring));
	if (!keyring)
		return -ENOMEM;
	keyring->dir = dir;
	keyring->provider = provider;
	*ret = keyring;
	return 0;
}

struct keyring *keyring_close(struct keyring *keyring)
{
	free(keyring);
	return nullptr;
}

static void file_name(const char *uuid, char ret[FILE_NAME])
{
	(void)snprintf(ret, FILE_NAME, "%s%s", uuid, SUFFIX);
}

int keyring_has(struct keyring *keyring, const char *uuid)
{
	char name[FILE_NAME];

	file_name(uuid, name);
	if (faccessat(keyring->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOENT ? KEYRING_ABSENT : neg_errno();
}

/* --- a collection's file ---------------------------------------------------------------------- */

/* Take a file apart. Returns whether it has the form; opens nothing. */
static bool read_parts(const uint8_t *data, size_t len, struct parts *ret)
{
	if (len < sizeof(MAGIC) + 4 || memcmp(data, MAGIC, sizeof(MAGIC)) != 0)
		return false;

	struct reader sum = reader_make(data + len - 4, 4);
	if (read_u32(&sum) != crc32c(data, len - 4))
		return false;

	struct reader in = reader_make(data + sizeof(MAGIC), len - sizeof(MAGIC) - 4);
	uint32_t format = read_u32(&in);
	read_str(&in, ret->provider, sizeof(ret->provider));
	read_str(&in, ret->uuid, sizeof(ret->uuid));
	ret->n = read_u32(&in);
	if (format != FORMAT || !keys_is_uuid(ret->uuid) || ret->n == 0 || ret->n > KEYSET_MAX)
		return false;
	for (size_t i = 0; i < ret->n; i++) {
		ret->version[i] = read_u32(&in);
		ret->wrapped[i] = read_bytes(&in, WRAPPED_MAX);
	}
	return reader_end(&in);
}

bool keyring_is_well_formed(const uint8_t *data, size_t len)
{
	auto_free struct parts *parts = calloc(1, sizeof(*parts));

	return parts && read_parts(data, len, parts);
}

/* The provider's outcome as ours. What it cannot unwrap in our own file means that the file is damaged. */
static int provider_outcome(int r)
{
	switch (r) {
	case PROVIDER_NOT_AUTHENTIC:
		return KEYRING_DAMAGED;
	case PROVIDER_UNAVAILABLE:
		return KEYRING_UNAVAILABLE;
	default:
		return r;
	}
}

static struct wrap_context collection_context(const char *uuid, uint32_t version)
{
	return (struct wrap_context) { .purpose = "collection-key",
				       .name = uuid,
				       .number = version };
}

/* Unwrap every version of a collection's key. */
static int unwrap_all(struct keyring *keyring, const struct parts *parts, struct keyset *ret)
{
	uint8_t key[CRYPTO_KEY];
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n; i++) {
		struct wrap_context context = collection_context(parts->uuid, parts->version[i]);

		r = provider_outcome(keyring->provider.table->unwrap(
			keyring->provider.self, &context, parts->wrapped[i].data,
			parts->wrapped[i].len, key));
		if (r == 0 && keyset_add(ret, parts->version[i], key))
			r = KEYRING_DAMAGED; /* versions are not in order */
	}
	explicit_bzero(key, sizeof(key));
	return r;
}

/* Read a collection's key, all versions. On anything but 0 ret is empty. */
static int load(struct keyring *keyring, const char *uuid, struct keyset *ret)
{
	auto_buf struct buf data = buf_make(FILE_MAX);
	auto_free struct parts *parts = calloc(1, sizeof(*parts));
	char name[FILE_NAME];

	*ret = (struct keyset) {};
	if (!parts)
		return -ENOMEM;
	file_name(uuid, name);
	int r = keyfile_read(keyring->dir, name, &data);
	if (r)
		return r == KEYFILE_ABSENT ? KEYRING_ABSENT : r;
	if (!read_parts(data.data, data.len, parts) || strcmp(parts->uuid, uuid) != 0 ||
	    strcmp(parts->provider, keyring->provider.name) != 0)
		return KEYRING_DAMAGED;
	r = keyset_init(ret);
	if (r == 0)
		r = unwrap_all(keyring, parts, ret);
	if (r)
		keyset_done(ret);
	return r;
}

/* Write a collection's file with every version wrapped anew. */
static int store(struct keyring *keyring, const char *uuid, const struct keyset *set)
{
	auto_buf struct buf out = buf_make(FILE_MAX), wrapped = buf_make(WRAPPED_MAX);
	char name[FILE_NAME];

	buf_add(&out, MAGIC, sizeof(MAGIC));
	write_u32(&out, FORMAT);
	write_str(&out, keyring->provider.name);
	write_str(&out, uuid);
	write_u32(&out, (uint32_t)set->n);
	for (size_t i = 0; i < set->n; i++) {
		struct wrap_context context = collection_context(uuid, set->version[i]);

		buf_clear(&wrapped);
		int r = keyring->provider.table->wrap(keyring->provider.self, &context,
						      keyset_key(set, i), &wrapped);
		if (r)
			return provider_outcome(r);
		write_u32(&out, set->version[i]);
		write_bytes(&out, wrapped.data, wrapped.len);
	}
	if (buf_error(&out))
		return buf_error(&out);
	write_u32(&out, crc32c(out.data, out.len));
	file_name(uuid, name);
	return buf_error(&out) ? buf_error(&out)
			       : keyfile_write(keyring->dir, name, out.data, out.len);
}

/* --- what may be asked ------------------------------------------------------------------------ */

int keyring_create(struct keyring *keyring, const char *uuid)
{
	auto_keyset struct keyset set = {};
	uint8_t key[CRYPTO_KEY];
	auto_buf struct buf unused = buf_make(WRAPPED_MAX);
	int r = keyring_has(keyring, uuid);

	if (r != KEYRING_ABSENT)
		return r;
	struct wrap_context context = collection_context(uuid, 1);
	r = keyset_init(&set);
	if (r == 0)
		r = provider_outcome(keyring->provider.table->generate(keyring->provider.self,
								       &context, key, &unused));
	if (r == 0)
		r = keyset_add(&set, 1, key);
	explicit_bzero(key, sizeof(key));
	return r ? r : store(keyring, uuid, &set);
}

static struct wrap_context data_context(const char *uuid, const char *purpose)
{
	return (struct wrap_context) { .purpose = purpose, .name = uuid };
}

int keyring_data_new(struct keyring *keyring, const char *uuid, const char *purpose,
		     uint8_t ret_key[CRYPTO_KEY], struct buf *wrapped)
{
	auto_keyset struct keyset set = {};
	struct wrap_context context = data_context(uuid, purpose);
	uint8_t key[CRYPTO_KEY];
	int r = load(keyring, uuid, &set);

	if (r == 0)
		r = crypto_random(key, sizeof(key));
	if (r == 0)
		r = keyset_wrap(&set, &context, key, wrapped);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return r;
}

int keyring_data_unwrap(struct keyring *keyring, const char *uuid, const char *purpose,
			const uint8_t *wrapped, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	auto_keyset struct keyset set = {};
	struct wrap_context context = data_context(uuid, purpose);
	int r = load(keyring, uuid, &set);

	if (r)
		return r;
	r = keyset_unwrap(&set, &context, wrapped, len, ret_key);
	return r > 0 ? KEYRING_NOT_AUTHENTIC : r;
}

int keyring_rewrap(struct keyring *keyring, const char *uuid, const char *purpose,
		   const uint8_t *wrapped, size_t len, struct buf *ret)
{
	auto_keyset struct keyset set = {};
	struct wrap_context context = data_context(uuid, purpose);
	uint8_t key[CRYPTO_KEY];
	int r = load(keyring, uuid, &set);

	if (r)
		return r;
	r = keyset_unwrap(&set, &context, wrapped, len, key);
	if (r)
		return r > 0 ? KEYRING_NOT_AUTHENTIC : r;
	r = keyset_wrap(&set, &context, key, ret);
	explicit_bzero(key, sizeof(key));
	return r;
}

int keyring_rotate(struct keyring *keyring, const char *uuid)
{
	auto_keyset struct keyset set = {};
	int r = load(keyring, uuid, &set);

	if (r)
		return r;
	r = keyset_grow(&set);
	if (r)
		return r > 0 ? KEYRING_FULL : r;
	return store(keyring, uuid, &set);
}

/* Wrap one collection's key anew. */
static int renew(void *user, const char *file)
{
	struct keyring *keyring = user;
	auto_keyset struct keyset set = {};
	char uuid[KEYS_UUID] = "";
	size_t len = strlen(file) - (sizeof(SUFFIX) - 1);

	if (len != KEYS_UUID - 1)
		return 0; /* not one of ours */
	memcpy(uuid, file, len);
	int r = load(keyring, uuid, &set);
	return r ? r : store(keyring, uuid, &set);
}

int keyring_rotate_master(struct keyring *keyring)
{
	int r = provider_outcome(keyring->provider.table->rotate(keyring->provider.self));

	return r ? r : keyfile_each(keyring->dir, SUFFIX, renew, keyring);
}

int keyring_destroy(struct keyring *keyring, const char *uuid)
{
	char name[FILE_NAME];

	file_name(uuid, name);
	return keyfile_destroy(keyring->dir, name);
}
