/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/keyset.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crypto/crypto.h"

constexpr uint8_t FORMAT = 1;
constexpr size_t CONTEXT_MAX = 512;

int keyset_init(struct keyset *ret)
{
	*ret = (struct keyset) {};
	return secret_init(&ret->keys, KEYSET_MAX * CRYPTO_KEY);
}

void keyset_done(struct keyset *set)
{
	secret_done(&set->keys);
	*set = (struct keyset) {};
}

uint32_t keyset_newest(const struct keyset *set)
{
	return set->n > 0 ? set->version[set->n - 1] : 0;
}

const uint8_t *keyset_key(const struct keyset *set, size_t i)
{
	return set->keys.data + i * CRYPTO_KEY;
}

int keyset_add(struct keyset *set, uint32_t version, const uint8_t key[CRYPTO_KEY])
{
	if (set->n == KEYSET_MAX)
		return KEYSET_FULL;
	if (version <= keyset_newest(set))
		return -EINVAL;
	memcpy(set->keys.data + set->n * CRYPTO_KEY, key, CRYPTO_KEY);
	set->version[set->n++] = version;
	return 0;
}

int keyset_grow(struct keyset *set)
{
	uint8_t key[CRYPTO_KEY];
	int r = crypto_random(key, sizeof(key));

	if (r == 0)
		r = keyset_add(set, keyset_newest(set) + 1, key);
	explicit_bzero(key, sizeof(key));
	return r;
}

/* What is authenticated along: the form, the version that wraps, and what the wrapped key is for. */
static int write_extra(struct buf *out, uint32_t version, const struct wrap_context *context)
{
	write_u8(out, FORMAT);
	write_u32(out, version);
	write_str(out, context->purpose);
	write_str(out, context->name);
	write_u32(out, context->number);
	return buf_error(out);
}

int keyset_wrap(const struct keyset *set, const struct wrap_context *context,
		const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	auto_buf struct buf extra = buf_make(CONTEXT_MAX);
	uint8_t nonce[CRYPTO_NONCE], sealed[CRYPTO_KEY + CRYPTO_TAG];

	if (set->n == 0)
		return -ENOKEY;
	int r = write_extra(&extra, keyset_newest(set), context);
	if (r == 0)
		r = crypto_random(nonce, sizeof(nonce));
	if (r == 0)
		r = crypto_aead_new(keyset_key(set, set->n - 1), &aead);
	if (r == 0)
		r = crypto_aead_seal(aead, nonce, (struct crypto_extra) { extra.data, extra.len },
				     key, CRYPTO_KEY, sealed);
	if (r)
		return r;

	write_u8(ret, FORMAT);
	write_u32(ret, keyset_newest(set));
	buf_add(ret, nonce, sizeof(nonce));
	buf_add(ret, sealed, sizeof(sealed));
	return buf_error(ret);
}

/* The key with this version, or nullptr. */
static const uint8_t *find(const struct keyset *set, uint32_t version)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->version[i] == version)
			return keyset_key(set, i);
	return nullptr;
}

int keyset_unwrap(const struct keyset *set, const struct wrap_context *context,
		  const uint8_t *wrapped, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	auto_buf struct buf extra = buf_make(CONTEXT_MAX);
	uint8_t key[CRYPTO_KEY];

	if (len != KEYSET_WRAPPED || wrapped[0] != FORMAT)
		return KEYSET_NOT_AUTHENTIC;

	struct reader in = reader_make(wrapped + 1, 4);
	uint32_t version = read_u32(&in);
	const uint8_t *under = find(set, version);
	if (!under)
		return KEYSET_NOT_AUTHENTIC;

	int r = write_extra(&extra, version, context);
	if (r == 0)
		r = crypto_aead_new(under, &aead);
	if (r)
		return r;
	r = crypto_aead_open(aead, wrapped + 5, (struct crypto_extra) { extra.data, extra.len },
			     wrapped + 5 + CRYPTO_NONCE, len - 5 - CRYPTO_NONCE, key);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return r == CRYPTO_NOT_AUTHENTIC ? KEYSET_NOT_AUTHENTIC : r;
}
