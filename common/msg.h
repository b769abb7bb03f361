/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * msg: one frame on a local SOCK_SEQPACKET connection.
 *
 * Layer 1 (common). A frame is one packet: u16 type, u16 zero, u32 zero, u64 id, payload;
 * little-endian. The id pairs an answer with its request. At most one descriptor travels with a
 * frame. A body too long for a frame travels as a sealed memfd.
 * Trust: whatever comes in is checked for length and form here; the payload is not looked at.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t MSG_HEADER = 16;
constexpr size_t MSG_MAX = 64 * 1024; /* a whole frame */
constexpr size_t MSG_PAYLOAD_MAX = MSG_MAX - MSG_HEADER;
constexpr size_t MSG_INLINE_MAX = 32 * 1024; /* a longer body goes by memfd */

enum {
	MSG_OK = 0,
	MSG_CLOSED,    /* the peer has closed the connection */
	MSG_AGAIN,     /* nothing to read, or no room to write, right now */
	MSG_MALFORMED, /* not a frame of ours: close the connection */
};

struct msg {
	uint16_t type;
	uint64_t id;
	const uint8_t *payload; /* [len], inside the caller's room */
	size_t len;
	int fd; /* -1, or a descriptor (close-on-exec) that the receiver now owns */
};

/*
 * Receive one frame.
 *
 * sock  a SOCK_SEQPACKET socket
 * room  [MSG_MAX] where the frame is put; ret->payload points into it
 * ret   set only on success; the caller closes ret->fd
 *
 * Returns 0, MSG_CLOSED, MSG_AGAIN (non-blocking or timed-out socket), MSG_MALFORMED, or -errno
 * of recvmsg(2).
 */
[[nodiscard]] int msg_recv(int sock, uint8_t *room, struct msg *ret);

/*
 * Send one frame.
 *
 * payload  [len], at most MSG_PAYLOAD_MAX bytes; may be nullptr if len is 0
 * fd       a descriptor to pass along, or -1; stays the caller's
 *
 * Returns 0, MSG_CLOSED, MSG_AGAIN (nothing was sent), or -errno of sendmsg(2).
 */
[[nodiscard]] int msg_send(int sock, const struct msg *msg);

/*
 * Put a body into a sealed memfd, to be passed along.
 *
 * Returns 0 and the descriptor in *ret, or -errno of memfd_create(2), write(2), fcntl(2).
 */
[[nodiscard]] int msg_body_to_fd(const void *body, size_t len, int *ret);

/*
 * Read a body out of a memfd that came with a frame.
 *
 * fd   borrowed; must carry F_SEAL_WRITE, F_SEAL_SHRINK and F_SEAL_GROW
 * ret  the body is appended; its cap is the limit
 *
 * Returns 0, MSG_MALFORMED (not sealed, or longer than the cap allows), or -errno.
 */
[[nodiscard]] int msg_body_from_fd(int fd, struct buf *ret);

/*
 * Connect to a listening SOCK_SEQPACKET socket below the run folder ($REDOUBT_RUN, default
 * /run/redoubt). name is a plain file name.
 *
 * Returns 0 and a blocking descriptor in *ret, or -errno of socket(2) or connect(2).
 */
[[nodiscard]] int msg_connect(const char *name, int *ret);
