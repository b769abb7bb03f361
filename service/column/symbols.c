/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/symbols.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kernel.h"

size_t symbols_open(const uint8_t *data, size_t len, struct symbols *ret)
{
	struct symbols symbols = {};
	size_t at;

	if (len < 1 || len < 1u + data[0])
		return 0;
	symbols.n = data[0];
	at = 1 + symbols.n;
	for (uint32_t i = 0; i < symbols.n; i++) {
		uint8_t bytes = data[1 + i];

		if (bytes < 1 || bytes > SYMBOL_LEN_MAX || bytes > len - at)
			return 0;
		symbols.value[i] = kernel_load(data + at, bytes);
		symbols.len[i] = bytes;
		at += bytes;
	}
	*ret = symbols;
	return at;
}

size_t symbols_decode(const struct symbols *symbols, const uint8_t *code, size_t len, char *to,
		      size_t room)
{
	size_t made = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t next = code[i];

		if (made > room)
			return made;
		if (next != SYMBOLS_ESCAPE) {
			memcpy(to + made, &symbols->value[next], SYMBOL_LEN_MAX);
			made += symbols->len[next];
			continue;
		}
		if (++i == len)
			break;
		to[made++] = (char)code[i];
	}
	return made;
}
