/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/told.h"

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/crypto.h"
#include "common/utf8.h"
#include "service/engine/json.h"

constexpr size_t ESCAPE = 6;	  /* \u0000 */
constexpr size_t REPLACEMENT = 3; /* U+FFFD */

/* The most that a piece of text takes as JSON; step 0 is a byte that is not UTF-8. */
static size_t cost(char first, size_t step)
{
	auto byte = (uint8_t)first;

	if (step == 0)
		return REPLACEMENT;
	if (byte < 0x20 || byte == 0x7f)
		return ESCAPE;
	return first == '"' || first == '\\' ? 2 : step;
}

size_t told_head(const char *text, size_t len, size_t room)
{
	size_t at = 0;

	for (size_t used = 0; at < len;) {
		size_t step = utf8_step(text + at, len - at);

		used += cost(text[at], step);
		if (used > room)
			break;
		at += step ? step : 1;
	}
	return at;
}

size_t told_tail(const char *text, size_t len, size_t room)
{
	constexpr size_t LONGEST = 4;
	size_t at = len;

	for (size_t used = 0; at > 0;) {
		size_t start = at - 1;

		while (start > 0 && at - start < LONGEST && ((uint8_t)text[start] & 0xc0) == 0x80)
			start--;
		size_t step = utf8_step(text + start, at - start);
		bool whole = step == at - start;
		used += cost(text[start], whole ? step : 0);
		if (used > room)
			break;
		at = whole ? start : at - 1;
	}
	return len - at;
}

void told_put_text(struct buf *out, const char *text, size_t len)
{
	uint8_t hash[CRYPTO_HASH] = {};
	char hex[2 * CRYPTO_HASH + 1];
	size_t head = told_head(text, len, TOLD_HEAD + TOLD_TAIL);

	if (head < len)
		head = told_head(text, len, TOLD_HEAD);
	size_t tail = told_tail(text + head, len - head, TOLD_TAIL);

	json_piece(out, "sql", text, head);
	if (tail > 0)
		json_piece(out, "sql_end", text + len - tail, tail);
	json_int(out, "sql_bytes", (int64_t)len);
	/* Without a hash there is still the rest. */
	if (crypto_sha256(text, len, hash) != 0)
		return;
	crypto_hex(hash, sizeof(hash), hex);
	json_text(out, "sql_sha256", hex);
}
