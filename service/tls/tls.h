/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tls: the server's side of TLS, non-blocking, under one fixed policy.
 *
 * Layer 2 (service/tls). Uses common/ only; used by service/front. With common/crypto the only
 * folder that includes OpenSSL. The policy: TLS 1.3 and nothing else; AES-256-GCM, then
 * ChaCha20-Poly1305; post-quantum hybrid key exchange whenever the client can; HTTP/1.1 by ALPN;
 * one ticket, no early data.
 * The process must ignore SIGPIPE: a peer that has gone is a result here, not a signal.
 * Threads: one thread for a server and its connections.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t TLS_PEM_MAX = 256 * 1024; /* a chain, or a key; far more than any real one */

struct tls_server;
struct tls_conn;

/* How a call on a connection ended. */
enum tls_result {
	TLS_OK = 0,
	TLS_WANT_READ,	/* call again when the socket is readable */
	TLS_WANT_WRITE, /* call again when the socket is writable */
	TLS_CLOSED,	/* the peer has ended the connection */
	TLS_FAILED,	/* the peer broke the protocol or offered nothing we take; close */
};

/*
 * Make a server with a certificate chain and its key.
 *
 * chain  [chain_len] PEM, the server's own certificate first; at most TLS_PEM_MAX
 * key    [key_len] PEM, not encrypted; at most TLS_PEM_MAX
 *
 * Returns 0, -EINVAL (not PEM, or key and certificate do not belong together), -ENOMEM, or -EIO
 * if the library failed. *ret is set only on success.
 */
[[nodiscard]] int tls_server_new(const void *chain, size_t chain_len, const void *key,
				 size_t key_len, struct tls_server **ret);

/*
 * Make a server with a new key and a certificate that it signs itself, for the time before there
 * is a real one. Nothing is written anywhere.
 *
 * Returns 0, -ENOMEM or -EIO. *ret is set only on success.
 */
[[nodiscard]] int tls_server_new_throwaway(struct tls_server **ret);

/* Free; its connections must be gone. nullptr is a no-op. Always returns nullptr. */
struct tls_server *tls_server_free(struct tls_server *server);
CLEANUP_FN(struct tls_server, tls_server_free)

/*
 * Make a connection on an accepted, non-blocking socket.
 *
 * fd  borrowed; must stay open until tls_conn_free()
 *
 * Returns 0 or -ENOMEM.
 */
[[nodiscard]] int tls_conn_new(struct tls_server *server, int fd, struct tls_conn **ret);

/* Free, saying nothing to the peer. nullptr is a no-op. Always returns nullptr. */
struct tls_conn *tls_conn_free(struct tls_conn *conn);
CLEANUP_FN(struct tls_conn, tls_conn_free)

/* Go on with the handshake. Returns TLS_OK once it is done. */
[[nodiscard]] enum tls_result tls_handshake(struct tls_conn *conn);

/* Read up to len bytes. Returns TLS_OK with 1..len in *ret_len; any other result sets it to 0. */
[[nodiscard]] enum tls_result tls_read(struct tls_conn *conn, void *data, size_t len,
				       size_t *ret_len);

/*
 * Write up to len (at least 1) bytes. After TLS_WANT_* the same bytes must come again, though
 * they may have moved. Returns TLS_OK with 1..len in *ret_len; any other result sets it to 0.
 */
[[nodiscard]] enum tls_result tls_write(struct tls_conn *conn, const void *data, size_t len,
					size_t *ret_len);

/* Tell the peer that nothing more will be written; tried once, as the socket may be full. */
void tls_shutdown(struct tls_conn *conn);

/* Why the last call ended in TLS_FAILED, for the log: a constant text, never nullptr. */
[[nodiscard]] const char *tls_reason(const struct tls_conn *conn);
