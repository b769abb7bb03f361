/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/sealed_head.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"
#include "service/disk/sealed.h"

/* FORMAT.md section 1: where the header's fields are. */
enum {
	AT_VERSION = 8,
	AT_CIPHER = 10,
	AT_PAGE = 12,
	AT_FILE_ID = 16,
	AT_CONTEXT = 32,
	AT_COMMITMENT = 96, /* the keys depend on all that comes before it */
	AT_CRC = 128,
};

static const uint8_t MAGIC[AT_VERSION] = { 'r', 'd', 't', 's', 'e', 'a', 'l', '\n' };

constexpr uint16_t VERSION = 1;
constexpr uint16_t CIPHER = 1; /* HKDF-SHA-256 and AES-256-GCM */
constexpr size_t FILE_ID = AT_CONTEXT - AT_FILE_ID;
constexpr size_t COMMITMENT = AT_CRC - AT_COMMITMENT;

static_assert(AT_COMMITMENT - AT_CONTEXT == SEALED_CONTEXT_MAX);
static_assert(AT_CRC + sizeof(uint32_t) == SEALED_HEADER);

/* Derive page key and commitment. */
static int derive(const uint8_t *head, const uint8_t *key, struct secret *ret)
{
	auto_secret struct secret keys = {};

	int r = secret_init(&keys, CRYPTO_KEY + COMMITMENT);
	if (r)
		return r;
	r = crypto_hkdf(key, SEALED_KEY, (struct crypto_extra) { head + AT_FILE_ID, FILE_ID },
			(struct crypto_extra) { head, AT_COMMITMENT }, keys.data, keys.len);
	if (r)
		return r;
	*ret = keys;
	keys = (struct secret) {};
	return 0;
}

int sealed_head_make(const uint8_t *key, const char *context, uint8_t ret[SEALED_HEADER],
		     struct secret *ret_page_key)
{
	size_t context_len = strnlen(context, SEALED_CONTEXT_MAX);
	uint8_t head[SEALED_HEADER] = {};

	if (context_len == SEALED_CONTEXT_MAX)
		return -EMSGSIZE;
	memcpy(head, MAGIC, sizeof(MAGIC));
	bytes_put(head + AT_VERSION, VERSION, sizeof(VERSION));
	bytes_put(head + AT_CIPHER, CIPHER, sizeof(CIPHER));
	bytes_put(head + AT_PAGE, SEALED_PAGE, sizeof(uint32_t));
	memcpy(head + AT_CONTEXT, context, context_len);

	int r = crypto_random(head + AT_FILE_ID, FILE_ID);
	if (r)
		return r;
	r = derive(head, key, ret_page_key);
	if (r)
		return r;
	memcpy(head + AT_COMMITMENT, ret_page_key->data + CRYPTO_KEY, COMMITMENT);
	bytes_put(head + AT_CRC, crc32c(head, AT_CRC), sizeof(uint32_t));
	memcpy(ret, head, sizeof(head));
	return 0;
}

/* What can be said of a header without a key. */
static int check_form(const uint8_t *head, size_t len, const char *context)
{
	char wanted[SEALED_CONTEXT_MAX] = {};
	size_t context_len = strnlen(context, SEALED_CONTEXT_MAX);

	if (len < SEALED_HEADER || memcmp(head, MAGIC, sizeof(MAGIC)) != 0)
		return SEALED_DAMAGED;

	struct reader in = reader_make(head + AT_VERSION, AT_FILE_ID - AT_VERSION);
	uint16_t version = read_u16(&in), cipher = read_u16(&in);
	uint32_t page = read_u32(&in);

	in = reader_make(head + AT_CRC, sizeof(uint32_t));
	if (read_u32(&in) != crc32c(head, AT_CRC))
		return SEALED_DAMAGED;
	if (version > VERSION)
		return SEALED_TOO_NEW;
	if (version != VERSION || cipher != CIPHER || page != SEALED_PAGE ||
	    context_len == SEALED_CONTEXT_MAX)
		return SEALED_DAMAGED;

	memcpy(wanted, context, context_len);
	return memcmp(head + AT_CONTEXT, wanted, sizeof(wanted)) == 0 ? 0 : SEALED_DAMAGED;
}

int sealed_head_check(const uint8_t *head, size_t len, const uint8_t *key, const char *context,
		      struct secret *ret_page_key)
{
	auto_secret struct secret keys = {};

	int r = check_form(head, len, context);
	if (r)
		return r;
	r = derive(head, key, &keys);
	if (r)
		return r;
	if (!secret_same(keys.data + CRYPTO_KEY, head + AT_COMMITMENT, COMMITMENT))
		return SEALED_OTHER_KEY;
	*ret_page_key = keys;
	keys = (struct secret) {};
	return 0;
}

void sealed_nonce(uint32_t page, uint8_t ret[CRYPTO_NONCE])
{
	memset(ret, 0, CRYPTO_NONCE);
	bytes_put(ret, page, sizeof(page));
}

uint64_t sealed_offset(uint32_t page)
{
	return SEALED_HEADER + (uint64_t)page * SEALED_STEP;
}
