/* SPDX-License-Identifier: Apache-2.0 */

/* sshkey: what is taken, what is refused and why, and fingerprints as ssh-keygen prints them. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/sshkey.h"
#include "common/base.h"
#include "common/crypto/crypto.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-keys.h"

static const struct {
	const char *line;
	const char *type, *print;
	uint32_t bits;
} GOOD[] = {
	{ KEY_ED25519, "ssh-ed25519", PRINT_ED25519, 256 },
	{ KEY_SK_ED25519, "sk-ssh-ed25519@openssh.com", PRINT_SK_ED25519, 256 },
	{ KEY_SK_ECDSA, "sk-ecdsa-sha2-nistp256@openssh.com", PRINT_SK_ECDSA, 256 },
	{ KEY_RSA_3072, "ssh-rsa", PRINT_RSA_3072, 3072 },
	{ KEY_RSA_4096, "ssh-rsa", PRINT_RSA_4096, 4096 },
};

static int parse(const char *line, struct sshkey *ret)
{
	return sshkey_parse(line, strlen(line), ret);
}

static bool good_keys_are_read_as_ssh_keygen_reads_them(void)
{
	for (size_t i = 0; i < countof(GOOD); i++) {
		struct sshkey key;

		CHECK_EQ(parse(GOOD[i].line, &key), 0);
		CHECK(strcmp(key.type, GOOD[i].type) == 0);
		CHECK(strcmp(key.fingerprint, GOOD[i].print) == 0);
		CHECK_EQ(key.bits, GOOD[i].bits);
		CHECK(strcmp(key.comment, "") == 0);
		CHECK(strcmp(key.base64, strchr(GOOD[i].line, ' ') + 1) == 0);
	}
	return true;
}

static bool blanks_comment_and_a_line_end_are_fine(void)
{
	struct sshkey key;

	CHECK_EQ(parse("  " KEY_ED25519 "\t ann's laptop, 2026 – home \r\n", &key), 0);
	CHECK(strcmp(key.comment, "ann's laptop, 2026 – home") == 0);
	CHECK(strcmp(key.fingerprint, PRINT_ED25519) == 0);
	return true;
}

static const struct {
	const char *line;
	int outcome;
} BAD[] = {
	{ "", SSHKEY_EMPTY },
	{ " \t\r\n", SSHKEY_EMPTY },
	{ KEY_ED25519 "\n" KEY_ED25519, SSHKEY_NOT_ONE_LINE },
	{ KEY_ED25519 " a\rb", SSHKEY_NOT_ONE_LINE },
	{ KEY_ED25519 " a\x1b[31m", SSHKEY_NOT_PRINTABLE },
	{ KEY_ED25519 " a\xff", SSHKEY_NOT_PRINTABLE },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n", SSHKEY_PRIVATE },
	{ "-----BEGIN", SSHKEY_PRIVATE },
	{ "command=\"sh\" " KEY_ED25519, SSHKEY_OPTIONS },
	{ "restrict " KEY_ED25519, SSHKEY_OPTIONS },
	{ "no-pty,cert-authority " KEY_ED25519, SSHKEY_OPTIONS },
	{ "ann " KEY_ED25519, SSHKEY_TYPE_UNKNOWN },
	{ "SSH-ED25519 AAAA", SSHKEY_TYPE_UNKNOWN },
	{ "ssh-dss AAAAB3NzaC1kc3M=", SSHKEY_DSA },
	{ KEY_ECDSA, SSHKEY_ECDSA },
	{ "ecdsa-sha2-nistp521 AAAA", SSHKEY_ECDSA },
	{ KEY_CERTIFICATE, SSHKEY_CERTIFICATE },
	{ KEY_RSA_2048, SSHKEY_RSA_SHORT },
	{ "ssh-ed25519", SSHKEY_DAMAGED },
	{ "ssh-ed25519 AAAA", SSHKEY_DAMAGED },
	{ "ssh-ed25519 ====", SSHKEY_DAMAGED },
	{ KEY_ED25519 "AAAA", SSHKEY_DAMAGED },
};

static bool each_bad_line_has_its_reason_and_leaves_the_result_alone(void)
{
	for (size_t i = 0; i < countof(BAD); i++) {
		struct sshkey key = { .bits = 77 };
		int r = parse(BAD[i].line, &key);

		if (r != BAD[i].outcome)
			printf("# line %zu\n", i);
		CHECK_EQ(r, BAD[i].outcome);
		CHECK(sshkey_reason(r)[0] != '\0');
		CHECK_EQ(key.bits, 77u);
	}
	return true;
}

static bool a_nul_inside_is_refused(void)
{
	char line[] = KEY_ED25519 " a\0b";
	struct sshkey key;

	CHECK_EQ(sshkey_parse(line, sizeof(line) - 1, &key), SSHKEY_NOT_PRINTABLE);
	return true;
}

static bool lengths_are_bounded(void)
{
	auto_free char *line = malloc(SSHKEY_LINE_MAX + 2);
	struct sshkey key;

	CHECK(line);
	memset(line, 'a', SSHKEY_LINE_MAX + 1);
	memcpy(line, KEY_ED25519 " ", strlen(KEY_ED25519) + 1);
	CHECK_EQ(sshkey_parse(line, SSHKEY_LINE_MAX + 1, &key), SSHKEY_TOO_LONG);
	CHECK_EQ(sshkey_parse(line, SSHKEY_LINE_MAX, &key), SSHKEY_COMMENT_LONG);
	CHECK_EQ(sshkey_parse(line, strlen(KEY_ED25519) + 1 + 255, &key), 0);
	CHECK_EQ(sshkey_parse(line, strlen(KEY_ED25519) + 1 + 256, &key), SSHKEY_COMMENT_LONG);
	memset(line, 'A', SSHKEY_LINE_MAX);
	memcpy(line, "ssh-rsa ", 8);
	CHECK_EQ(sshkey_parse(line, SSHKEY_LINE_MAX, &key), SSHKEY_DAMAGED);
	return true;
}

static bool every_cut_off_key_is_refused(void)
{
	for (size_t i = 0; i < countof(GOOD); i++)
		for (size_t len = strlen(GOOD[i].type) + 1; len < strlen(GOOD[i].line); len++) {
			struct sshkey key;

			CHECK_EQ(sshkey_parse(GOOD[i].line, len, &key), SSHKEY_DAMAGED);
		}
	return true;
}

static bool a_key_under_another_types_name_is_refused(void)
{
	struct sshkey key;
	char line[1024];

	for (size_t i = 0; i < countof(GOOD); i++)
		for (size_t j = 0; j < countof(GOOD); j++) {
			(void)snprintf(line, sizeof(line), "%s %s", GOOD[i].type,
				       strchr(GOOD[j].line, ' ') + 1);
			int want = strcmp(GOOD[i].type, GOOD[j].type) == 0 ? 0 : SSHKEY_DAMAGED;
			CHECK_EQ(parse(line, &key), want);
		}
	return true;
}

/* Flip one bit of a blob: whatever is taken then must be another key, whole. */
static bool no_flipped_bit_passes_for_the_same_key(void)
{
	uint8_t blob[512];
	char text[1024], line[1200];
	size_t len = 0;
	const char *base64 = strchr(KEY_ED25519, ' ') + 1;

	CHECK(crypto_base64_decode(base64, strlen(base64), blob, sizeof(blob), &len));
	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct sshkey key;

		blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
		crypto_base64(blob, len, text);
		(void)snprintf(line, sizeof(line), "ssh-ed25519 %s", text);
		int r = parse(line, &key);
		CHECK(r == SSHKEY_DAMAGED ||
		      (r == 0 && strcmp(key.fingerprint, PRINT_ED25519) != 0));
		blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}

static bool every_outcome_has_a_reason_and_nothing_else_has(void)
{
	CHECK(sshkey_reason(0)[0] == '\0');
	CHECK(sshkey_reason(-ENOMEM)[0] == '\0');
	CHECK(sshkey_reason(SSHKEY_OUTCOME_COUNT)[0] == '\0');
	for (int i = 1; i < SSHKEY_OUTCOME_COUNT; i++)
		CHECK(strlen(sshkey_reason(i)) > 10);
	return true;
}

static bool without_memory_it_says_so_and_leaves_the_result_alone(void)
{
	struct sshkey key = { .bits = 77 };

	fault_at(1);
	int r = parse(KEY_ED25519, &key);
	CHECK(fault_end());
	CHECK_EQ(r, -ENOMEM);
	CHECK_EQ(key.bits, 77u);
	return true;
}

int main(void)
{
	RUN(without_memory_it_says_so_and_leaves_the_result_alone);
	RUN(good_keys_are_read_as_ssh_keygen_reads_them);
	RUN(blanks_comment_and_a_line_end_are_fine);
	RUN(each_bad_line_has_its_reason_and_leaves_the_result_alone);
	RUN(a_nul_inside_is_refused);
	RUN(lengths_are_bounded);
	RUN(every_cut_off_key_is_refused);
	RUN(a_key_under_another_types_name_is_refused);
	RUN(no_flipped_bit_passes_for_the_same_key);
	RUN(every_outcome_has_a_reason_and_nothing_else_has);
	return tap_done();
}
