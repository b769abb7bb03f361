/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * channel: one connected SOCK_SEQPACKET socket on a loop, and the listener that accepts them.
 *
 * Layer 1 (common). Frames come in through a request table (house style, section 2); frames go
 * out through a bounded queue. A malformed frame, a type that is not in the table or a length
 * outside its bounds ends that connection, is counted and logged once; the process goes on.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/loop.h"
#include "common/msg.h"

struct channel;

/*
 * Handle one frame. in's payload and fd are borrowed for the call (take the fd by setting
 * in->fd to -1).
 *
 * Returns 0; a positive value means the payload is malformed: the connection is closed;
 * a negative -errno is a fault of ours: the connection is closed as well and it is logged.
 */
typedef int channel_handle_fn(struct channel *channel, void *server, struct msg *in);

struct channel_request {
	uint16_t type;
	uint32_t peers;		   /* bit set of the listener's peer numbers that may send it */
	uint32_t len_min, len_max; /* payload bytes */
	channel_handle_fn *handle;
};

struct channel_table {
	const char *name;		       /* of the server, for the log */
	const struct channel_request *request; /* [n] */
	size_t n;
	void (*opened)(struct channel *channel, void *server); /* or nullptr */
	void (*closed)(struct channel *channel,
		       void *server); /* or nullptr; the channel is freed after it */
};

/*
 * Serve a connected socket.
 *
 * fd      given away
 * peer    0 to 31; which bit of channel_request.peers it is
 * server  handed to the handlers; borrowed
 * ret     may be nullptr if nobody needs it: the channel frees itself when the peer closes
 *
 * Returns 0, -ENOMEM or another -errno; the descriptor is closed then.
 */
[[nodiscard]] int channel_new(struct loop *loop, int fd, unsigned int peer,
			      const struct channel_table *table, void *server,
			      struct channel **ret);

/* Close and free without calling closed(). nullptr is a no-op. Always returns nullptr. */
struct channel *channel_free(struct channel *channel);
CLEANUP_FN(struct channel, channel_free)

/* Close and free after the current call-back, calling closed(). */
void channel_close(struct channel *channel);

/*
 * Send a frame, now or as soon as the peer takes it. A payload longer than MSG_PAYLOAD_MAX is refused.
 *
 * payload  its error, if any, is returned; may be nullptr for an empty payload
 * fd       given away, or -1
 *
 * Returns 0, -ENOMEM, -EMSGSIZE, -ENOBUFS (the peer does not read: CHANNEL_QUEUE_MAX frames wait), or another -errno.
 */
[[nodiscard]] int channel_send(struct channel *channel, uint16_t type, uint64_t id,
			       const struct buf *payload, int fd);

constexpr size_t CHANNEL_QUEUE_MAX = 4096; /* more than any well-behaved peer leaves unread */

/* Which peer number the channel was made with. */
[[nodiscard]] unsigned int channel_peer(const struct channel *channel);

/* A pointer of the user's own that travels with the channel; nullptr at first. */
[[nodiscard]] void *channel_data(const struct channel *channel);

/* Set that pointer; borrowed. */
void channel_set_data(struct channel *channel, void *data);

struct listener;

/*
 * Accept connections on a listening socket and serve each by the table.
 *
 * fd  a listening SOCK_SEQPACKET socket; borrowed
 *
 * Returns 0, -ENOMEM or another -errno of fcntl(2) or sd_event_add_io(3).
 */
[[nodiscard]] int listener_new(struct loop *loop, int fd, unsigned int peer,
			       const struct channel_table *table, void *server,
			       struct listener **ret);

/* Stop accepting. The connections live on. nullptr is a no-op. Always returns nullptr. */
struct listener *listener_free(struct listener *listener);
CLEANUP_FN(struct listener, listener_free)
