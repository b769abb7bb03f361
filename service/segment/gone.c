/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/gone.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "service/chunk/chunk.h"

/* The blob's first byte. */
enum form : uint8_t {
	FORM_ROWS = 1, /* u16 each, ascending */
	FORM_BITS = 2, /* CHUNK_ROWS bits */
};

constexpr uint32_t FORM_ROWS_MAX = CHUNK_ROWS / 16; /* from there on bits are shorter */

struct gone {
	atomic_uint refs;
	uint32_t n;
	uint64_t word[GONE_WORDS];
};

int gone_copy(const struct gone *from, struct gone **ret)
{
	struct gone *gone = from ? malloc(sizeof(*gone)) : calloc(1, sizeof(*gone));

	if (!gone)
		return -ENOMEM;
	if (from) {
		memcpy(gone->word, from->word, sizeof(gone->word));
		gone->n = from->n;
	}
	atomic_init(&gone->refs, 1);
	*ret = gone;
	return 0;
}

struct gone *gone_ref(struct gone *gone)
{
	if (gone)
		atomic_fetch_add_explicit(&gone->refs, 1, memory_order_relaxed);
	return gone;
}

struct gone *gone_unref(struct gone *gone)
{
	if (gone && atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) == 1)
		free(gone);
	return nullptr;
}

bool gone_is_own(const struct gone *gone)
{
	return atomic_load_explicit(&gone->refs, memory_order_acquire) == 1;
}

bool gone_add(struct gone *gone, uint32_t row)
{
	uint64_t bit = UINT64_C(1) << row % 64;
	bool is_new = (gone->word[row / 64] & bit) == 0;

	gone->word[row / 64] |= bit;
	gone->n += is_new;
	return is_new;
}

const uint64_t *gone_words(const struct gone *gone)
{
	return gone ? gone->word : nullptr;
}

uint32_t gone_count(const struct gone *gone)
{
	return gone ? gone->n : 0;
}

bool gone_has(const uint64_t *words, uint32_t row)
{
	return words && (words[row / 64] >> row % 64 & 1) != 0;
}

uint32_t gone_between(const uint64_t *words, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	if (!words)
		return 0;
	for (uint32_t row = from; row < to;) {
		uint32_t end = (row / 64 + 1) * 64 < to ? (row / 64 + 1) * 64 : to;
		uint64_t word = words[row / 64] >> row % 64;

		if (end - row < 64)
			word &= (UINT64_C(1) << (end - row)) - 1;
		n += stdc_count_ones(word);
		row = end;
	}
	return n;
}

void gone_write(const struct gone *gone, struct buf *out)
{
	bool bits = gone->n > FORM_ROWS_MAX;

	write_u8(out, bits ? FORM_BITS : FORM_ROWS);
	for (size_t i = 0; i < GONE_WORDS; i++) {
		if (bits) {
			write_u64(out, gone->word[i]);
			continue;
		}
		for (uint64_t word = gone->word[i]; word; word &= word - 1)
			write_u16(out, (uint16_t)(i * 64 + stdc_trailing_zeros(word)));
	}
}

int gone_read(const uint8_t *data, size_t len, uint32_t rows, struct gone **ret)
{
	struct reader in = reader_make(data, len);
	cleanup(gone_unref_at) struct gone *gone = nullptr;
	int r = gone_copy(nullptr, &gone);

	if (r)
		return r;
	uint8_t form = read_u8(&in);
	if (form != FORM_ROWS && form != FORM_BITS)
		return -EBADMSG;
	if (form == FORM_BITS)
		for (size_t i = 0; i < GONE_WORDS; i++)
			gone->word[i] = read_u64(&in);
	while (form == FORM_ROWS && in.pos < in.len && !in.failed)
		(void)!gone_add(gone, read_u16(&in));
	if (!reader_end(&in))
		return -EBADMSG;
	gone->n = gone_between(gone->word, 0, CHUNK_ROWS);
	if (gone_between(gone->word, 0, rows) != gone->n)
		return -EBADMSG;
	*ret = TAKE(gone);
	return 0;
}
