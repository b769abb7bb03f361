/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "service/column/kernel.h"
#include "service/column/strings_forms.h"
#include "service/column/strings_internal.h"

constexpr uint32_t DIGITS_MIN = 4;

/* What all strings look like: shape[len], and at the places in digits a digit each. */
struct hex_form {
	uint32_t len, n; /* n: digits */
	uint64_t digits;
	char shape[STRINGS_HEX_MAX];
};

/* The value of a digit, or 16. */
static uint32_t digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* The length that nearly all strings of the sample have, 0 if there is none. */
static uint32_t usual_length(const struct str *value, uint32_t n, uint32_t step)
{
	uint32_t len = 0, votes = 0, count = 0, have = 0;

	for (uint32_t i = 0; i < n; i += step, count++) {
		if (votes == 0)
			len = value[i].len;
		votes = value[i].len == len ? votes + 1 : votes - 1;
	}
	for (uint32_t i = 0; i < n; i += step)
		have += value[i].len == len;
	return count - have <= count / STRINGS_ODD_PART ? len : 0;
}

/* Bytes at the beginning that are the same in all strings of that length. */
static uint32_t shared_prefix(const struct str *value, uint32_t n, uint32_t len, const char *first)
{
	uint32_t same = len;

	for (uint32_t i = 0; i < n && same > 0; i++) {
		uint32_t k = 0;

		if (value[i].len != len)
			continue;
		while (k < same && value[i].at[k] == first[k])
			k++;
		same = k;
	}
	return same;
}

/* What the strings of a length have at a place. */
struct place_facts {
	uint32_t count, digits;
	char usual; /* byte that most have, if most have one */
	uint32_t same;
};

static struct place_facts look_at(const struct str *value, uint32_t n, uint32_t step, uint32_t len,
				  uint32_t at)
{
	struct place_facts facts = {};
	uint32_t votes = 0;

	for (uint32_t i = 0; i < n; i += step) {
		if (value[i].len != len)
			continue;
		char c = value[i].at[at];
		facts.count++;
		facts.digits += digit_of(c) < 16;
		if (votes == 0)
			facts.usual = c;
		votes = c == facts.usual ? votes + 1 : votes - 1;
	}
	for (uint32_t i = 0; i < n; i += step)
		facts.same += value[i].len == len && value[i].at[at] == facts.usual;
	return facts;
}

static bool find_form(const struct str *value, uint32_t n, uint32_t step, struct hex_form *form)
{
	uint32_t first = 0;

	*form = (struct hex_form) { .len = usual_length(value, n, step) };
	if (form->len < DIGITS_MIN || form->len > STRINGS_HEX_MAX)
		return false;
	while (first < n && value[first].len != form->len)
		first += step;
	if (first >= n)
		return false;
	memcpy(form->shape, value[first].at, form->len);
	uint32_t at = shared_prefix(value, n, form->len, value[first].at);
	for (; at < form->len; at++) {
		struct place_facts facts = look_at(value, n, step, form->len, at);
		uint32_t most = facts.count - facts.count / STRINGS_ODD_PART;

		form->shape[at] = facts.usual;
		if (facts.digits >= most) {
			form->digits |= 1ull << at;
			form->n++;
			form->shape[at] = 0;
		} else if (facts.same < most) {
			return false;
		}
	}
	return form->n >= DIGITS_MIN;
}

size_t hex_estimate(const struct str *value, uint32_t n, uint32_t step)
{
	struct hex_form form;

	return find_form(value, n, step, &form) ? ((size_t)form.n + 1) / 2 * n : SIZE_MAX;
}

/* The digits of a string. Returns whether it has the form; if not, to holds anything. */
static bool encode(const struct hex_form *form, struct str value, uint8_t *to)
{
	uint32_t wrong = 0, k = 0;

	if (value.len != form->len)
		return false;
	memset(to, 0, (form->n + 1) / 2);
	for (uint32_t i = 0; i < form->len; i++) {
		if (!(form->digits >> i & 1)) {
			wrong |= value.at[i] != form->shape[i];
			continue;
		}
		uint32_t digit = digit_of(value.at[i]);
		wrong |= digit > 15;
		to[k / 2] |= (uint8_t)((digit & 15) << (k % 2 ? 0 : 4));
		k++;
	}
	return !wrong;
}

static int write_encoded(struct buf *out, const struct hex_form *form, const struct odd *odd,
			 const struct str *value)
{
	int r;

	write_u8(out, STRINGS_HEX);
	write_u8(out, (uint8_t)form->len);
	buf_add(out, form->shape, form->len);
	write_u64(out, form->digits);
	r = odd_write(out, odd, value);
	return r;
}

int hex_write(struct buf *out, const struct str *value, uint32_t n, uint32_t step)
{
	cleanup(odd_done) struct odd odd = {};
	struct hex_form form;
	int r = 0;

	if (!find_form(value, n, step, &form))
		return 1;
	size_t bytes = (form.n + 1) / 2;
	auto_free uint8_t *digits = malloc(n * bytes);
	if (!digits)
		return -ENOMEM;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		if (encode(&form, value[i], digits + i * bytes))
			continue;
		memset(digits + i * bytes, 0, bytes);
		r = odd.n < n / STRINGS_ODD_PART ? odd_add(&odd, i) : 1;
	}
	if (r != 0)
		return r;
	r = write_encoded(out, &form, &odd, value);
	buf_add(out, digits, n * bytes);
	return r;
}

bool hex_open(struct reader *in, struct strings *ret)
{
	ret->shape_len = read_u8(in);
	if (ret->shape_len > STRINGS_HEX_MAX || in->len - in->pos < ret->shape_len)
		return false;
	ret->shape = in->data + in->pos;
	in->pos += ret->shape_len;
	ret->digits = read_u64(in);
	if (in->failed || (ret->shape_len < 64 && ret->digits >> ret->shape_len != 0) ||
	    !odd_open(in, ret))
		return false;
	size_t bytes = ((size_t)__builtin_popcountll(ret->digits) + 1) / 2;
	ret->body = in->data + in->pos;
	return bytes * ret->n <= in->len - in->pos;
}

/* The digits of bytes, two each. */
KERNEL static void expand(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t high = in[i] >> 4, low = in[i] & 15;

		out[2 * i] = (char)(high + '0' + (high > 9 ? 'a' - '0' - 10 : 0));
		out[2 * i + 1] = (char)(low + '0' + (low > 9 ? 'a' - '0' - 10 : 0));
	}
}

/* Copy digits[] to where they belong, run by run. */
static void place_digits(const char *digits, uint64_t places, char *to)
{
	while (places != 0) {
		auto at = (uint32_t)__builtin_ctzll(places);
		uint64_t rest = ~(places >> at);
		uint32_t len = rest == 0 ? 64 : (uint32_t)__builtin_ctzll(rest);

		memcpy(to + at, digits, len);
		digits += len;
		places = at + len >= 64 ? 0 : places & ~0ull << (at + len);
	}
}

/* Bytes of a string's digits. */
static size_t digit_bytes(const struct strings *strings)
{
	return ((size_t)__builtin_popcountll(strings->digits) + 1) / 2;
}

/* Decode the n strings from i on to data[], which has room for them and then for their digits. */
static void decode(const struct strings *strings, uint32_t i, uint32_t n, char *data)
{
	size_t len = strings->shape_len, bytes = digit_bytes(strings);
	const uint8_t *from = strings->body + i * bytes;
	char *digits = data + n * len;

	if (2 * bytes == len && __builtin_popcountll(strings->digits) == (int)len) {
		expand(from, n * bytes, data);
		return;
	}
	expand(from, n * bytes, digits);
	for (uint32_t k = 0; k < n; k++) {
		char *to = data + k * len;

		memcpy(to, strings->shape, len);
		place_digits(digits + k * 2 * bytes, strings->digits, to);
	}
}

int hex_read(const struct strings *strings, uint32_t block, struct strings_room *room,
	     struct str out[COLUMN_BLOCK])
{
	uint32_t n = spans_in_block(strings->n, block), len = strings->shape_len;
	int r = room_take(room, n * (len + 2 * digit_bytes(strings)));

	if (r < 0)
		return r;
	decode(strings, block * COLUMN_BLOCK, n, room->data);
	for (uint32_t i = 0; i < n; i++)
		out[i] = (struct str) { room->data + (size_t)i * len, len };
	return odd_read(strings, block, room->number, out);
}

int hex_get(const struct strings *strings, uint32_t i, struct strings_room *room, struct str *ret)
{
	int r = odd_get(strings, i, room->number, ret);

	if (r != 1)
		return r;
	r = room_take(room, strings->shape_len + 2 * digit_bytes(strings));
	if (r < 0)
		return r;
	decode(strings, i, 1, room->data);
	*ret = (struct str) { room->data, strings->shape_len };
	return 0;
}
