/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cert: the appliance's own certificate authority, its server certificate, and the check of one
 * that somebody brings.
 *
 * Layer 1 (common/crypto). Keys are EC P-256. Everything goes in and out as PEM.
 * Source: RFC 5280, RFC 9525.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t CERT_TEXT = 256;
constexpr size_t CERT_CHAIN_MAX = 8;
constexpr size_t CERT_PEM_MAX = 64 * 1024;

enum {
	CERT_OK = 0,
	CERT_REFUSED, /* the text says what is wrong and how to mend it */
};

/*
 * Make a key and a self-signed CA certificate.
 *
 * name      its common name
 * from_s    seconds since 1970 from which it is valid; it is for days
 * ret_key, ret_cert   PEM is appended
 *
 * Returns 0, -ENOMEM or -EIO.
 */
[[nodiscard]] int cert_make_ca(const char *name, uint64_t from_s, unsigned int days,
			       struct buf *ret_key, struct buf *ret_cert);

struct cert_issuer {
	const void *key; /* [key_len] PEM */
	size_t key_len;
	const void *cert; /* [cert_len] PEM */
	size_t cert_len;
};

/*
 * Make a key and a server certificate for names.
 *
 * name     [n >= 1] host names and IP addresses; the first is also the common name
 * ret_key, ret_chain   PEM is appended; the chain is the certificate, then the issuer's
 *
 * Returns 0, -EINVAL (the issuer's PEM is not usable), -ENOMEM or -EIO.
 */
[[nodiscard]] int cert_make_server(const struct cert_issuer *issuer, const char *const *name,
				   size_t n, const uint64_t valid_s[static 2], struct buf *ret_key,
				   struct buf *ret_chain);

/*
 * Check what somebody wants to install: the key is the first certificate's, each certificate is
 * signed by the next, the first is for servers and valid now, and has names.
 *
 * chain  [chain_len] untrusted PEM, the server's certificate first, at most CERT_CHAIN_MAX
 * key    [key_len] untrusted PEM, without a passphrase
 *
 * Returns 0 and the text is empty, or CERT_REFUSED and the text is a sentence.
 */
[[nodiscard]] int cert_check(const void *chain, size_t chain_len, const void *key, size_t key_len,
			     uint64_t now_s, char text[CERT_TEXT]);

/* Whether the first certificate in pem is for this host name or address. */
[[nodiscard]] bool cert_has_name(const void *pem, size_t len, const char *name);

/* Whether the private key is the first certificate's. */
[[nodiscard]] bool cert_has_key(const void *pem, size_t len, const void *key, size_t key_len);

/* Whether the first certificate in pem was signed by the first in ca. */
[[nodiscard]] bool cert_is_issued_by(const void *pem, size_t len, const void *ca, size_t ca_len);

/*
 * When the first certificate ends, in seconds since 1970, and its SHA-256 fingerprint in hex.
 *
 * Returns whether it could be read; the rest is set only then. ret_names gets the names, separated by blanks.
 */
[[nodiscard]] bool cert_describe(const void *pem, size_t len, uint64_t *ret_end_s,
				 char ret_fingerprint[static 65], struct buf *ret_names);

/* From when to when the first certificate is valid, in seconds since 1970. Returns whether it could be read. */
[[nodiscard]] bool cert_validity(const void *pem, size_t len, uint64_t ret_s[static 2]);
