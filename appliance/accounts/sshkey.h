/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sshkey: read one line of authorized_keys as a person pastes it, and judge the key.
 *
 * Layer 2 (appliance/accounts); the only folder that includes <libssh/libssh.h>, as a key library.
 * Pure over (pointer, length). What is accepted is what the appliance's sshd accepts
 * (hardening/sshd/sshd_config, PubkeyAcceptedAlgorithms): Ed25519, Ed25519 or ECDSA in a FIDO2 token, RSA from 3072 bit.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t SSHKEY_LINE_MAX = 16 * 1024;
constexpr size_t SSHKEY_TYPE_MAX = 64; /* with the NUL; sk-ssh-ed25519@openssh.com has 26 */
constexpr size_t SSHKEY_BASE64_MAX =
	4096; /* RSA of 16384 bits, the most that OpenSSH reads, has 2,764 */
constexpr size_t SSHKEY_COMMENT_MAX = 256;     /* with the NUL */
constexpr size_t SSHKEY_FINGERPRINT_MAX = 64;  /* "SHA256:" and 43 characters */
constexpr uint32_t SSHKEY_RSA_BITS_MIN = 3072; /* NIST SP 800-57 part 1: 128 bits of security */

struct sshkey {
	char type[SSHKEY_TYPE_MAX]; /* "ssh-ed25519" */
	char base64[SSHKEY_BASE64_MAX];
	char comment[SSHKEY_COMMENT_MAX];
	char fingerprint[SSHKEY_FINGERPRINT_MAX]; /* as ssh-keygen -l prints it */
	uint32_t bits;
};

/* Outcomes: why a line is refused; sshkey_reason() says it to people. */
enum {
	SSHKEY_OK = 0,
	SSHKEY_EMPTY,
	SSHKEY_TOO_LONG,
	SSHKEY_NOT_ONE_LINE,
	SSHKEY_NOT_PRINTABLE,
	SSHKEY_PRIVATE,
	SSHKEY_OPTIONS,
	SSHKEY_TYPE_UNKNOWN,
	SSHKEY_DSA,
	SSHKEY_ECDSA,
	SSHKEY_CERTIFICATE,
	SSHKEY_RSA_SHORT,
	SSHKEY_DAMAGED,
	SSHKEY_COMMENT_LONG,
	SSHKEY_OUTCOME_COUNT,
};

/*
 * Read and judge a line: TYPE BASE64 [COMMENT], no options, one line (a newline at the end is fine).
 *
 * line  [len] untrusted; borrowed
 * ret   set only on success
 *
 * Returns 0, an outcome above, or -ENOMEM, -EIO from the library.
 */
[[nodiscard]] int sshkey_parse(const char *line, size_t len, struct sshkey *ret);

/* A sentence that says what is the matter and what to do; "" for SSHKEY_OK and numbers outside the list. */
[[nodiscard]] const char *sshkey_reason(int outcome);
