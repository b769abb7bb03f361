/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/udf.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sqlite3.h>

#include "common/crypto/crypto.h"

static void sha256(sqlite3_context *ctx, int, sqlite3_value **args)
{
	auto_buf struct buf in = buf_make(UDF_RESULT_MAX), out = buf_make(256);
	uint8_t hash[CRYPTO_HASH];

	if (!udf_bytes(ctx, args[0], &in))
		return;
	if (buf_error(&in) || crypto_sha256(in.data, in.len, hash)) {
		udf_fail(ctx, "SHA256 could not be computed.");
		return;
	}
	value_put_bytes(&out, hash, sizeof(hash));
	udf_return_packed(ctx, &out);
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

int udf_register_hash(sqlite3 *db)
{
	static char yes;
	static const struct udf FUNCTIONS[] = {
		{ "rd_sha256", 1, sha256, nullptr },
		{ "rd_to_hex", 1, encode, &yes },
		{ "rd_to_base64", 1, encode, nullptr },
	};

	return udf_register(db, FUNCTIONS, countof(FUNCTIONS));
}
