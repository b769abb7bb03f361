/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/recovery.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/crypto/crypto.h"

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr size_t GROUP = 6;
constexpr size_t CHARACTERS = 48;

/* Put character number n in its place, with a dash in front of each group but the first. */
static void place(char *text, size_t n, char c)
{
	size_t at = n + n / GROUP;

	if (n > 0 && n % GROUP == 0)
		text[at - 1] = '-';
	text[at] = c;
}

int recovery_make(char ret[RECOVERY_TEXT])
{
	uint8_t random[CHARACTERS];
	int r = crypto_random(random, sizeof(random));

	if (r)
		return r;
	for (size_t n = 0; n < CHARACTERS; n++)
		place(ret, n, ALPHABET[random[n] % 32]); /* 256 is a multiple of 32: no bias */
	ret[RECOVERY_TEXT - 1] = '\0';
	explicit_bzero(random, sizeof(random));
	return 0;
}

/* The character that was meant: lower case, no look-alikes. */
static char meant(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		return '0';
	return c == 'i' || c == 'l' ? '1' : c;
}

bool recovery_normal(const char *typed, char ret[RECOVERY_TEXT])
{
	char text[RECOVERY_TEXT] = "";
	size_t n = 0;

	for (; *typed; typed++) {
		if (*typed == '-' || *typed == ' ' || *typed == '\t' || *typed == '\n' ||
		    *typed == '\r')
			continue;
		char c = meant(*typed);
		if (n == CHARACTERS || !strchr(ALPHABET, c)) {
			explicit_bzero(text, sizeof(text));
			return false;
		}
		place(text, n++, c);
	}
	if (n == CHARACTERS)
		memcpy(ret, text, sizeof(text));
	explicit_bzero(text, sizeof(text));
	return n == CHARACTERS;
}

bool recovery_ends_in(const char key[RECOVERY_TEXT], const char *typed)
{
	const char *last = key + RECOVERY_TEXT - 1 - GROUP;
	char whole[RECOVERY_TEXT];
	size_t n = 0;

	if (recovery_normal(typed, whole)) {
		bool same = memcmp(whole, key, sizeof(whole)) == 0;

		explicit_bzero(whole, sizeof(whole));
		return same;
	}
	for (; *typed; typed++) {
		if (strchr("- \t\r\n", *typed))
			continue;
		if (n == GROUP || last[n] != meant(*typed))
			return false;
		n++;
	}
	return n == GROUP;
}
