/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * access: what front asks accounts, what sshd's helper asks accounts, and the grant that accounts gives.
 *
 * Layer 1 (common/proto). Encoders and decoders; a decoder checks every length and text.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "common/proto/operations.h"

enum : uint16_t {
	ACCESS_CHECK = 0x0201,	 /* front → accounts: struct access_check */
	ACCESS_GRANTED = 0x0202, /* accounts → front: a sealed grant, opaque to front */
	ACCESS_DENIED = 0x0203,	 /* accounts → front: struct access_denied */
	SSH_KEYS = 0x0211,	 /* sshkeys → accounts: struct ssh_keys_request */
	SSH_KEYS_ARE = 0x0212, /* accounts → sshkeys: text in authorized_keys form, may be empty */
};

constexpr size_t ACCESS_KEY_MAX = 128;	/* an API key as presented, with its NUL */
constexpr size_t ACCESS_NAME_MAX = 256; /* person, key name, … with the NUL */
constexpr size_t ACCESS_WORKSPACE_MAX = 2049;
constexpr size_t ACCESS_REQUEST_ID = 37; /* a UUID's text with its NUL */
constexpr size_t ACCESS_SOURCE_MAX = 64; /* "[2001:db8::1]:65535" with its NUL */
constexpr size_t ACCESS_GRANT_MAX = 8192;

struct access_check {
	uint16_t op; /* enum operation; unknown numbers are refused */
	char api_key[ACCESS_KEY_MAX];
	char workspace[ACCESS_WORKSPACE_MAX]; /* the {workspace} of the path, or "" */
	char source[ACCESS_SOURCE_MAX];	      /* client address and port */
	char request_id[ACCESS_REQUEST_ID];
	char user_agent[ACCESS_NAME_MAX];
};

struct access_denied {
	uint16_t http_status;	       /* 401, 403, 429, 503 */
	char error_type[32];	       /* AUTHEXCEPTION, FORBIDDEN, … */
	char message[ACCESS_NAME_MAX]; /* for people */
};

/* Who may do this one request, as of now. Also carries what the ledger wants to know. */
struct grant {
	uint16_t op;
	uint64_t privileges; /* bit set of enum privilege: key's role AND owner's roles */
	uint64_t issued_us;  /* CLOCK_MONOTONIC of the machine; good for GRANT_AGE_MAX_US */
	char workspace[ACCESS_WORKSPACE_MAX];
	char request_id[ACCESS_REQUEST_ID];
	char person[ACCESS_NAME_MAX]; /* the key's owner */
	char email[ACCESS_NAME_MAX];
	char key_id[16]; /* first 10 characters of the API key */
	char key_name[ACCESS_NAME_MAX];
	char role[ACCESS_NAME_MAX]; /* of the key */
	char source[ACCESS_SOURCE_MAX];
	char user_agent[ACCESS_NAME_MAX];
};
constexpr uint64_t GRANT_AGE_MAX_US = 10'000'000;

struct ssh_keys_request {
	char user[ACCESS_NAME_MAX];
	char fingerprint[ACCESS_NAME_MAX]; /* "SHA256:…" of the key offered */
	char connection[ACCESS_NAME_MAX]; /* "ADDRESS PORT ADDRESS PORT", the server first; or "" */
};

/* Append the encoding; a failure sticks to out. */
void access_check_write(struct buf *out, const struct access_check *check);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool access_check_read(const void *data, size_t len, struct access_check *ret);

/* Append the encoding; a failure sticks to out. */
void access_denied_write(struct buf *out, const struct access_denied *denied);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool access_denied_read(const void *data, size_t len, struct access_denied *ret);

/* Append the encoding; a failure sticks to out. */
void ssh_keys_request_write(struct buf *out, const struct ssh_keys_request *request);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool ssh_keys_request_read(const void *data, size_t len,
					 struct ssh_keys_request *ret);

/* The client of a connection as sshd spells it, "ADDRESS PORT …", as "192.0.2.1:1234" or "[2001:db8::1]:1234"; "" if it is none. */
void ssh_peer(const char *connection, char ret[static ACCESS_SOURCE_MAX]);

/*
 * Append a grant and its HMAC-SHA256.
 *
 * key  the secret that only accounts and engine load (credential grant.key)
 *
 * Returns 0, or -EIO if the library failed; a failure to append sticks to out.
 */
[[nodiscard]] int grant_seal(struct buf *out, const struct grant *grant, const struct secret *key);

/*
 * Check the HMAC, then decode.
 *
 * Returns whether it is genuine, well-formed and not older than GRANT_AGE_MAX_US at now_us
 * (CLOCK_MONOTONIC). The caller compares op, workspace and request_id with the request.
 */
[[nodiscard]] bool grant_open(const void *data, size_t len, const struct secret *key,
			      uint64_t now_us, struct grant *ret);

/*
 * Decode a grant without asking whether it is genuine: for who decides whose turn it is before anybody does anything for it.
 *
 * Returns whether it is well-formed.
 */
[[nodiscard]] bool grant_peek(const void *data, size_t len, struct grant *ret);

/* Whether a set of privileges holds this one; PRIVILEGE_NONE always. */
[[nodiscard]] bool grant_allows(uint64_t privileges, enum privilege privilege);
