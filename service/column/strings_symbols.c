/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/strings_symbols.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/strings_internal.h"

/* A table and what it costs to make are worth it only for more bytes than that. */
constexpr size_t SUFFIX_BYTES_MIN = 4096;
constexpr double RATIO_MAX = 0.85;

/* How dictionary entries keep what they have of their own. */
enum suffix_form : uint8_t {
	SUFFIX_PLAIN,
	SUFFIX_SYMBOLS,
};

int spans_write_symbols(struct buf *out, const struct str *value, uint32_t n,
			const struct symbols_encoder *encoder)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < n; i++)
		bytes += value[i].len;
	auto_free struct str *coded = malloc(((size_t)n + 1) * sizeof(*coded));
	auto_free uint8_t *code = malloc(2 * bytes + 1);
	if (!coded || !code)
		return -ENOMEM;
	uint8_t *to = code;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = symbols_encode(encoder, value[i], to);

		coded[i] = (struct str) { (const char *)to, (uint32_t)len };
		to += len;
	}
	symbols_write(encoder, out);
	return spans_write(out, coded, n);
}

static int write_suffixes(struct buf *out, const struct str *suffix, uint32_t n)
{
	cleanup(symbols_free_at) struct symbols_encoder *encoder = nullptr;
	size_t bytes = 0;
	int r;

	for (uint32_t i = 0; i < n; i++)
		bytes += suffix[i].len;
	if (bytes < SUFFIX_BYTES_MIN || bytes > STRINGS_ROOM_MAX)
		return spans_write(out, suffix, n);
	r = symbols_train(suffix, n, &encoder);
	if (r < 0)
		return r;
	if (symbols_ratio(encoder) > RATIO_MAX)
		return spans_write(out, suffix, n);
	out->data[out->len - 5] = SUFFIX_SYMBOLS; /* before the length of the part that has begun */
	return spans_write_symbols(out, suffix, n, encoder);
}

int suffixes_write(struct buf *out, const struct str *suffix, uint32_t n)
{
	write_u8(out, SUFFIX_PLAIN);
	size_t part = spans_part_begin(out);
	if (buf_error(out))
		return 0;
	int r = write_suffixes(out, suffix, n);
	spans_part_end(out, part);
	return r;
}

bool suffixes_open(struct reader *in, struct strings *ret)
{
	uint8_t form = read_u8(in);
	struct bytes part = read_bytes(in, in->len);
	struct symbols symbols;
	size_t table = 0;

	if (in->failed || form > SUFFIX_SYMBOLS)
		return false;
	if (form == SUFFIX_SYMBOLS) {
		ret->body = part.data;
		ret->body_len = part.len;
		table = symbols_open(part.data, part.len, &symbols);
		if (table == 0)
			return false;
	}
	return spans_open(part.data + table, part.len - table, ret->distinct, &ret->spans);
}

void suffix_table(const struct strings *strings, struct symbols *ret)
{
	if (!strings->body || symbols_open(strings->body, strings->body_len, ret) == 0)
		ret->n = UINT32_MAX;
}

size_t suffix_decode(const struct strings *strings, const struct symbols *symbols,
		     struct str suffix, char *to, size_t room)
{
	const char *end = (const char *)strings->spans.bytes + strings->spans.len;

	if (symbols->n <= SYMBOLS_MAX)
		return symbols_decode(symbols, (const uint8_t *)suffix.at, suffix.len, to, room);
	if (suffix.len <= room)
		copy_wide(to, suffix.at, suffix.len, (size_t)(end - suffix.at) - suffix.len);
	return suffix.len;
}

size_t suffix_most(const struct symbols *symbols, struct str suffix)
{
	return symbols->n <= SYMBOLS_MAX ? (size_t)suffix.len * SYMBOL_LEN_MAX : suffix.len;
}

/* The encoding SYMBOLS. */

int symbols_column_write(struct buf *out, const struct str *value, uint32_t n,
			 const struct symbols_encoder *encoder)
{
	write_u8(out, STRINGS_SYMBOLS);
	return spans_write_symbols(out, value, n, encoder);
}

bool symbols_column_open(struct reader *in, struct strings *ret)
{
	struct symbols symbols;

	ret->body = in->data + in->pos;
	ret->body_len = in->len - in->pos;
	size_t table = symbols_open(ret->body, ret->body_len, &symbols);
	return table > 0 &&
	       spans_open(ret->body + table, ret->body_len - table, ret->n, &ret->spans);
}

int symbols_column_read(const struct strings *strings, uint32_t block, struct strings_room *room,
			struct str out[COLUMN_BLOCK])
{
	struct symbols symbols;
	const uint8_t *at;
	size_t total;
	int r = spans_block(&strings->spans, block, room->number, &at, &total);

	if (r < 0)
		return r;
	r = room_take(room, total * SYMBOL_LEN_MAX);
	if (r < 0)
		return r;
	suffix_table(strings, &symbols);
	char *to = room->data, *end = to + total * SYMBOL_LEN_MAX;
	for (uint32_t i = 0; i < spans_in_block(strings->n, block); i++) {
		auto len = (size_t)room->number[i];
		size_t made = symbols_decode(&symbols, at, len, to, (size_t)(end - to));

		out[i] = (struct str) { to, (uint32_t)made };
		to += made;
		at += len;
	}
	return 0;
}

int symbols_column_get(const struct strings *strings, uint32_t i, struct strings_room *room,
		       struct str *ret)
{
	struct symbols symbols;
	struct str code;
	int r = spans_get(&strings->spans, i, room->number, &code);

	if (r < 0)
		return r;
	size_t most = (size_t)code.len * SYMBOL_LEN_MAX;
	r = room_take(room, most);
	if (r < 0)
		return r;
	suffix_table(strings, &symbols);
	size_t made =
		symbols_decode(&symbols, (const uint8_t *)code.at, code.len, room->data, most);
	*ret = (struct str) { room->data, (uint32_t)made };
	return 0;
}
