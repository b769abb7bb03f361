/* SPDX-License-Identifier: Apache-2.0 */
#include "common/utf8.h"

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* Unicode 15 table 3-7: which second byte each first byte allows. */
static const struct {
	uint8_t first_min, first_max, second_min, second_max;
	size_t len;
} SEQUENCES[] = {
	/* clang-format off */
	{ 0x00, 0x7F, 0x00, 0x00, 1 },
	{ 0xC2, 0xDF, 0x80, 0xBF, 2 },
	{ 0xE0, 0xE0, 0xA0, 0xBF, 3 },
	{ 0xE1, 0xEC, 0x80, 0xBF, 3 },
	{ 0xED, 0xED, 0x80, 0x9F, 3 },
	{ 0xEE, 0xEF, 0x80, 0xBF, 3 },
	{ 0xF0, 0xF0, 0x90, 0xBF, 4 },
	{ 0xF1, 0xF3, 0x80, 0xBF, 4 },
	{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	/* clang-format on */
};

/* Whether bytes [from, to) all continue a character. */
static bool all_continue(const uint8_t *byte, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if ((byte[i] & 0xC0) != 0x80)
			return false;
	return true;
}

size_t utf8_step(const char *str, size_t len)
{
	auto byte = (const uint8_t *)str;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < countof(SEQUENCES); i++) {
		if (byte[0] < SEQUENCES[i].first_min || byte[0] > SEQUENCES[i].first_max)
			continue;
		if (SEQUENCES[i].len == 1)
			return 1;
		if (len < SEQUENCES[i].len || byte[1] < SEQUENCES[i].second_min ||
		    byte[1] > SEQUENCES[i].second_max || !all_continue(byte, 2, SEQUENCES[i].len))
			return 0;
		return SEQUENCES[i].len;
	}
	return 0;
}

bool utf8_is_valid(const char *str, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(str + i, len - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

bool utf8_is_printable(const char *str, size_t len)
{
	for (size_t i = 0; i < len;) {
		auto byte = (uint8_t)str[i];
		size_t step = utf8_step(str + i, len - i);

		if (step == 0 || byte < 0x20 || byte == 0x7F)
			return false;
		if (step == 2 && byte == 0xC2 && (uint8_t)str[i + 1] < 0xA0) /* C1 */
			return false;
		i += step;
	}
	return true;
}
