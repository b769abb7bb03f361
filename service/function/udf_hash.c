/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "common/crypto/crypto.h"
#include "common/utf8.h"

/* Return data as a value of type bytes. */
static void return_bytes(sqlite3_context *ctx, const void *data, size_t len)
{
	auto_buf struct buf out = buf_make(UDF_RESULT_MAX);

	value_put_bytes(&out, data, len);
	udf_return_packed(ctx, &out);
}

/* Whether what was asked for could not be read for lack of memory or room; then the query has failed. */
static bool is_short(sqlite3_context *ctx, const struct buf *in)
{
	if (buf_error(in) == -EMSGSIZE)
		sqlite3_result_error_toobig(ctx);
	else if (buf_error(in))
		sqlite3_result_error_nomem(ctx);
	return buf_error(in) != 0;
}

/* MD5, SHA1, SHA256, SHA512(x): the kind is the user data. */
static void hash(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX);
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	if (!udf_bytes(ctx, args[0], &in) || is_short(ctx, &in))
		return;
	if (crypto_digest((enum crypto_digest)(uintptr_t)udf_data(ctx), in.data, in.len, digest,
			  &len))
		udf_fail(ctx, "The hash could not be computed.");
	else
		return_bytes(ctx, digest, len);
}

/* HMAC_MD5, HMAC_SHA1, HMAC_SHA256, HMAC_SHA512(x, key) */
static void hmac(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX), key = buf_make(UDF_RESULT_MAX);
	uint8_t digest[CRYPTO_DIGEST_MAX];
	size_t len;

	if (!udf_bytes(ctx, args[0], &in) || !udf_bytes(ctx, args[1], &key) || is_short(ctx, &in) ||
	    is_short(ctx, &key))
		return;
	if (crypto_digest_hmac((enum crypto_digest)(uintptr_t)udf_data(ctx), key.data, key.len,
			       in.data ? in.data : (const uint8_t *)"", in.len, digest, &len))
		udf_fail(ctx, "The HMAC could not be computed.");
	else
		return_bytes(ctx, digest, len);
}

constexpr uint64_t XX1 = 0x9e3779b185ebca87;
constexpr uint64_t XX2 = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t XX3 = 0x165667b19e3779f9;
constexpr uint64_t XX4 = 0x85ebca77c2b2ae63;
constexpr uint64_t XX5 = 0x27d4eb2f165667c5;

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

/* The next size bytes, little-endian. */
static uint64_t take(const uint8_t **at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | (*at)[i - 1];
	*at += size;
	return value;
}

static uint64_t xx_round(uint64_t sum, uint64_t input)
{
	return rotate(sum + input * XX2, 31) * XX1;
}

/* Source: the xxHash specification, section XXH64, seed 0. */
static uint64_t xxhash64(const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len;
	uint64_t sum = XX5, lane[4] = { XX1 + XX2, XX2, 0, 0 - XX1 };
	static const unsigned int TURNS[] = { 1, 7, 12, 18 };

	if (len >= 32) {
		while (end - at >= 32)
			for (size_t i = 0; i < 4; i++)
				lane[i] = xx_round(lane[i], take(&at, 8));
		sum = 0;
		for (size_t i = 0; i < 4; i++)
			sum += rotate(lane[i], TURNS[i]);
		for (size_t i = 0; i < 4; i++)
			sum = (sum ^ xx_round(0, lane[i])) * XX1 + XX4;
	}
	sum += len;
	while (end - at >= 8)
		sum = rotate(sum ^ xx_round(0, take(&at, 8)), 27) * XX1 + XX4;
	if (end - at >= 4)
		sum = rotate(sum ^ take(&at, 4) * XX1, 23) * XX2 + XX3;
	while (at < end)
		sum = rotate(sum ^ take(&at, 1) * XX5, 11) * XX1;
	sum = (sum ^ sum >> 33) * XX2;
	sum = (sum ^ sum >> 29) * XX3;
	return sum ^ sum >> 32;
}

/* XXHASH64(x): 8 bytes, big-endian. */
static void xxhash(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX);
	uint8_t digest[8] = {};

	if (!udf_bytes(ctx, args[0], &in) || is_short(ctx, &in))
		return;
	uint64_t sum = xxhash64(in.data ? in.data : digest, in.len);
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)(sum >> (56 - 8 * i));
	return_bytes(ctx, digest, sizeof(digest));
}

/* ID_HASH(a, b, …): a text of 32 characters that is the same whenever the values are, for use as _id. */
static void id_hash(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX);
	uint8_t digest[CRYPTO_HASH];
	char text[33];

	for (int i = 0; i < n; i++)
		udf_pack(args[i], &in);
	if (is_short(ctx, &in))
		return;
	if (crypto_sha256(in.data, in.len, digest)) {
		udf_fail(ctx, "The hash could not be computed.");
		return;
	}
	crypto_hex(digest, 16, text);
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* A random UUID. Source: RFC 9562 section 5.4. */
static void random_uuid(sqlite3_context *ctx, int, sqlite3_value **)
{
	static const size_t PARTS[] = { 4, 2, 2, 2, 6 };
	uint8_t bits[16];
	char text[37];
	size_t from = 0, to = 0;

	sqlite3_randomness(sizeof(bits), bits);
	bits[6] = (bits[6] & 0x0f) | 0x40;
	bits[8] = (bits[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < countof(PARTS); i++) {
		crypto_hex(bits + from, PARTS[i], text + to);
		from += PARTS[i];
		to += 2 * PARTS[i];
		text[to++] = '-';
	}
	sqlite3_result_text(ctx, text, 36, SQLITE_TRANSIENT);
}

static void encode(sqlite3_context *ctx, int, sqlite3_value **args)
{
	bool hex = udf_data(ctx) != nullptr;
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX / 4), out = buf_make(UDF_RESULT_MAX);

	if (!udf_bytes(ctx, args[0], &in))
		return;
	size_t len = hex ? 2 * in.len : crypto_base64_len(in.len);
	char *at = (char *)buf_reserve(&out, len + 1);
	if (at && hex)
		crypto_hex(in.data, in.len, at);
	else if (at)
		crypto_base64(in.data, in.len, at);
	out.len += at ? len : 0;
	if (buf_error(&in))
		out.error = buf_error(&in);
	udf_return_text(ctx, &out);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* FROM_HEX(text): bytes. */
static void from_hex(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf plain = buf_make(UDF_RESULT_MAX);
	struct text text;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text))
		return;
	bool good = text.len % 2 == 0;
	for (size_t i = 0; good && i < text.len; i += 2) {
		int high = hex_digit(text.at[i]), low = hex_digit(text.at[i + 1]);
		uint8_t byte = (uint8_t)(high << 4 | low);

		good = high >= 0 && low >= 0;
		buf_add(&plain, &byte, 1);
	}
	if (!good)
		udf_fail(ctx, "FROM_HEX takes pairs of hexadecimal digits.");
	else if (!is_short(ctx, &plain))
		return_bytes(ctx, plain.data, plain.len);
}

/* FROM_BASE64(text): bytes. */
static void from_base64(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	auto_buf struct buf plain = buf_make(UDF_RESULT_MAX);
	struct text text;
	size_t len = 0;

	if (udf_any_null(n, args) || !udf_text(ctx, args[0], &text))
		return;
	uint8_t *room = buf_reserve(&plain, text.len + 1);
	if (is_short(ctx, &plain))
		return;
	if (!crypto_base64_decode(text.at, text.len, room, text.len + 1, &len))
		udf_fail(ctx, "FROM_BASE64 takes base64 text, padded with =.");
	else
		return_bytes(ctx, room, len);
}

/* TO_UTF8(text): its bytes. */
static void to_utf8(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct text text;

	if (!udf_any_null(n, args) && udf_text(ctx, args[0], &text))
		return_bytes(ctx, text.at, text.len);
}

/* FROM_UTF8(bytes): the text. */
static void from_utf8(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX);

	if (!udf_bytes(ctx, args[0], &in))
		return;
	if (utf8_is_valid((const char *)in.data, in.len))
		udf_return_text(ctx, &in);
	else
		udf_fail(ctx, "FROM_UTF8: these bytes are not UTF-8.");
}

int udf_register_hash(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_md5", 1, hash, (void *)CRYPTO_MD5 },
		{ "rd_sha1", 1, hash, (void *)CRYPTO_SHA1 },
		{ "rd_sha256", 1, hash, (void *)CRYPTO_SHA256 },
		{ "rd_sha512", 1, hash, (void *)CRYPTO_SHA512 },
		{ "rd_hmac_md5", 2, hmac, (void *)CRYPTO_MD5 },
		{ "rd_hmac_sha1", 2, hmac, (void *)CRYPTO_SHA1 },
		{ "rd_hmac_sha256", 2, hmac, (void *)CRYPTO_SHA256 },
		{ "rd_hmac_sha512", 2, hmac, (void *)CRYPTO_SHA512 },
		{ "rd_xxhash64", 1, xxhash, nullptr },
		{ "rd_id_hash", -1, id_hash, nullptr },
		{ "rd_to_hex", 1, encode, &yes },
		{ "rd_to_base64", 1, encode, nullptr },
		{ "rd_from_hex", 1, from_hex, nullptr },
		{ "rd_from_base64", 1, from_base64, nullptr },
		{ "rd_to_utf8", 1, to_utf8, nullptr },
		{ "rd_from_utf8", 1, from_utf8, nullptr },
	};
	static const struct udf VARYING[] = {
		{ "rd_random_uuid", 0, random_uuid, nullptr },
	};
	int r = udf_register(db, FUNCTIONS, countof(FUNCTIONS));

	return r ? r : udf_register_varying(db, VARYING, countof(VARYING));
}
