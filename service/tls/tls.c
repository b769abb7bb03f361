/* SPDX-License-Identifier: Apache-2.0 */
#include "service/tls/tls.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/prov_ssl.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include "common/base.h"
#include "service/tls/throwaway.h"

/* Both with 256-bit keys; the one that hardware speeds up comes first. */
static const char SUITES[] = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/*
 * Up to the slash the post-quantum hybrids: a client that can do one is asked for it, even if it
 * sent a key share for another group. Source: SSL_CTX_set1_groups_list(3), group tuples.
 */
static const char GROUPS[] = "X25519MLKEM768:SecP384r1MLKEM1024/X25519:secp384r1";

/* In the wire format of RFC 7301 section 3.1. */
static const unsigned char HTTP_1_1[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

static const unsigned char SESSION_CONTEXT[] = "redoubt-front";

constexpr int CHAIN_MAX = 10; /* certificates in a chain file */

struct tls_server {
	SSL_CTX *ctx;
};

struct tls_conn {
	SSL *ssl;
	const char *reason;
};

static BIO *bio_free(BIO *bio)
{
	(void)BIO_free(bio);
	return nullptr;
}
CLEANUP_FN(BIO, bio_free)

static X509 *x509_free(X509 *cert)
{
	X509_free(cert);
	return nullptr;
}
CLEANUP_FN(X509, x509_free)

static EVP_PKEY *key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
	return nullptr;
}
CLEANUP_FN(EVP_PKEY, key_free)

/* Choose HTTP/1.1 if the client offers it; a client that offers only others is refused (RFC 7301). */
static int select_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
		       const unsigned char *offer, unsigned int offer_len, void *userdata)
{
	unsigned char *chosen = nullptr;

	(void)ssl;
	(void)userdata;
	if (SSL_select_next_proto(&chosen, ret_len, HTTP_1_1, sizeof(HTTP_1_1), offer, offer_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Put the policy on a context. */
static int apply_policy(SSL_CTX *ctx)
{
	/* SSL_CTRL_SET_GROUPS_LIST is SSL_CTX_set1_groups_list(3) less a cast that clang minds. */
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES) != 1 ||
	    SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t)GROUPS) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 1) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, SESSION_CONTEXT, sizeof(SESSION_CONTEXT) - 1) != 1)
		return -EIO;

	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					       SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Released buffers: an idle connection should cost little. */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets hold the state */
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, nullptr);
	return 0;
}

/* Read the rest of a chain after the server's own certificate. */
static int add_chain(SSL_CTX *ctx, BIO *pem)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		cleanup(x509_free_at) X509 *cert =
			PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);

		if (!cert)
			return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
				       ? 0
				       : -EINVAL;
		if (SSL_CTX_add1_chain_cert(ctx, cert) != 1)
			return -EINVAL;
	}
	return -EINVAL;
}

/* Give a context the certificate chain and the key. */
static int use_pem(SSL_CTX *ctx, BIO *chain, BIO *key)
{
	cleanup(x509_free_at) X509 *cert = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
	cleanup(key_free_at) EVP_PKEY *pkey =
		PEM_read_bio_PrivateKey(key, nullptr, nullptr, (void *)(uintptr_t)"");

	if (!cert || !pkey || SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, pkey) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return -EINVAL;
	return add_chain(ctx, chain);
}

/* A server without a certificate yet. */
static int server_new(struct tls_server **ret)
{
	cleanup(tls_server_free_at) struct tls_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	server->ctx = SSL_CTX_new(TLS_server_method());
	if (!server->ctx)
		return -ENOMEM;

	int r = apply_policy(server->ctx);
	if (r == 0)
		*ret = TAKE(server);
	return r;
}

int tls_server_new(const void *chain, size_t chain_len, const void *key, size_t key_len,
		   struct tls_server **ret)
{
	static_assert(TLS_PEM_MAX < INT_MAX);
	if (chain_len > TLS_PEM_MAX || key_len > TLS_PEM_MAX)
		return -EINVAL;

	cleanup(bio_free_at) BIO *chain_bio = BIO_new_mem_buf(chain, (int)chain_len);
	cleanup(bio_free_at) BIO *key_bio = BIO_new_mem_buf(key, (int)key_len);
	if (!chain_bio || !key_bio)
		return -ENOMEM;

	cleanup(tls_server_free_at) struct tls_server *server = nullptr;
	int r = server_new(&server);
	if (r == 0)
		r = use_pem(server->ctx, chain_bio, key_bio);
	ERR_clear_error();
	if (r == 0)
		*ret = TAKE(server);
	return r;
}

int tls_server_new_throwaway(struct tls_server **ret)
{
	cleanup(tls_server_free_at) struct tls_server *server = nullptr;
	cleanup(x509_free_at) X509 *cert = nullptr;
	cleanup(key_free_at) EVP_PKEY *key = nullptr;

	int r = server_new(&server);
	if (r == 0)
		r = throwaway_make(&cert, &key);
	if (r == 0 && (SSL_CTX_use_certificate(server->ctx, cert) != 1 ||
		       SSL_CTX_use_PrivateKey(server->ctx, key) != 1))
		r = -EIO;
	ERR_clear_error();
	if (r == 0)
		*ret = TAKE(server);
	return r;
}

struct tls_server *tls_server_free(struct tls_server *server)
{
	if (!server)
		return nullptr;
	SSL_CTX_free(server->ctx);
	free(server);
	return nullptr;
}

int tls_conn_new(struct tls_server *server, int fd, struct tls_conn **ret)
{
	cleanup(tls_conn_free_at) struct tls_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return -ENOMEM;
	conn->reason = "";
	conn->ssl = SSL_new(server->ctx);
	if (!conn->ssl || SSL_set_fd(conn->ssl, fd) != 1) {
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_accept_state(conn->ssl);
	*ret = TAKE(conn);
	return 0;
}

struct tls_conn *tls_conn_free(struct tls_conn *conn)
{
	if (!conn)
		return nullptr;
	SSL_free(conn->ssl);
	free(conn);
	return nullptr;
}

/* What a call that did not succeed (it returned r) means; empties the thread's error queue. */
static enum tls_result outcome(struct tls_conn *conn, int r)
{
	static const struct {
		int error;
		enum tls_result result;
	} MEANS[] = {
		{ SSL_ERROR_WANT_READ, TLS_WANT_READ },
		{ SSL_ERROR_WANT_WRITE, TLS_WANT_WRITE },
		{ SSL_ERROR_ZERO_RETURN, TLS_CLOSED },
		{ SSL_ERROR_SYSCALL, TLS_CLOSED },
	};
	int error = SSL_get_error(conn->ssl, r);
	unsigned long queued = ERR_peek_last_error();
	enum tls_result result = TLS_FAILED;

	for (size_t i = 0; i < countof(MEANS); i++)
		if (MEANS[i].error == error)
			result = MEANS[i].result;
	if (error == SSL_ERROR_SSL && ERR_GET_REASON(queued) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		result = TLS_CLOSED;
	if (result == TLS_FAILED) {
		const char *reason = ERR_reason_error_string(queued);

		conn->reason = reason ? reason : "unknown failure";
	}
	ERR_clear_error();
	return result;
}

enum tls_result tls_handshake(struct tls_conn *conn)
{
	int r = SSL_do_handshake(conn->ssl);

	return r == 1 ? TLS_OK : outcome(conn, r);
}

enum tls_result tls_read(struct tls_conn *conn, void *data, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	int r = SSL_read_ex(conn->ssl, data, len, ret_len);

	return r == 1 ? TLS_OK : outcome(conn, r);
}

enum tls_result tls_write(struct tls_conn *conn, const void *data, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	int r = SSL_write_ex(conn->ssl, data, len, ret_len);

	return r == 1 ? TLS_OK : outcome(conn, r);
}

void tls_shutdown(struct tls_conn *conn)
{
	(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
}

const char *tls_reason(const struct tls_conn *conn)
{
	return conn->reason;
}
