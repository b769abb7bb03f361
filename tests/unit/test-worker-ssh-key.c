/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/worker/ssh_key.h"
#include "common/base.h"
#include "common/crypto/crypto.h"
#include "tests/lib/tap.h"

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static const char *judge(const char *line)
{
	return ssh_key_wrong(line, strlen(line));
}

/* An RSA key line with a modulus of that many bytes, leading zero byte as RFC 4251 has it. */
static const char *judge_rsa(size_t modulus_len)
{
	uint8_t blob[1024] = "\0\0\0\x07ssh-rsa\0\0\0\x03\x01\x00\x01";
	char line[2048] = "ssh-rsa ";
	size_t at = 18, n = modulus_len + 1;

	blob[at++] = 0;
	blob[at++] = 0;
	blob[at++] = (uint8_t)(n >> 8);
	blob[at++] = (uint8_t)n;
	memset(blob + at + 1, 0xc5, modulus_len);
	crypto_base64(blob, at + n, line + 8);
	return judge(line);
}

static bool good_keys_are_taken(void)
{
	CHECK(!judge("ssh-ed25519 " ED25519));
	CHECK(!judge("ssh-ed25519 " ED25519 " ann at home"));
	CHECK(!judge_rsa(384));
	CHECK(!judge_rsa(512));
	return true;
}

static bool weak_and_old_keys_are_refused(void)
{
	CHECK(strstr(judge_rsa(256), "less than 3072"));
	CHECK(strstr(judge("ssh-dss AAAAB3NzaC1kc3M="), "ssh-keygen -t ed25519"));
	CHECK(judge("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="));
	return true;
}

static bool private_keys_are_recognised(void)
{
	CHECK(strstr(judge("-----BEGIN OPENSSH PRIVATE KEY-----"), "private"));
	return true;
}

static bool broken_lines_are_refused(void)
{
	static const char *const BAD[] = {
		"",
		"ssh-ed25519",
		"ssh-ed25519 ",
		"ssh-ed25519 AAAA",
		"ssh-ed25519 not*base64",
		"ssh-ed25519  " ED25519,
		"ssh-rsa " ED25519,
		"command=\"sh\" ssh-ed25519 " ED25519,
		"ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519,
		"ssh-ed25519 " ED25519 "\x7f",
	};

	for (size_t i = 0; i < countof(BAD); i++) {
		if (!judge(BAD[i]))
			printf("# accepted: %s\n", BAD[i]);
		CHECK(judge(BAD[i]));
	}
	return true;
}

static bool every_cut_is_refused(void)
{
	static const char LINE[] = "ssh-ed25519 " ED25519;

	for (size_t len = 0; len < sizeof(LINE) - 1; len++)
		CHECK(ssh_key_wrong(LINE, len));
	return true;
}

int main(void)
{
	RUN(good_keys_are_taken);
	RUN(weak_and_old_keys_are_refused);
	RUN(private_keys_are_recognised);
	RUN(broken_lines_are_refused);
	RUN(every_cut_is_refused);
	return tap_done();
}
