/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * front: what the parts of redoubt-front share: its limits, its peers, its connections.
 *
 * Layer 3 (service/front). One event loop, one thread. The powers of the process in a sentence:
 * it accepts on the sockets it was handed and talks to whoever connected to it, and nothing else.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/channel.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/execute.h"
#include "service/front/notify.h"
#include "service/front/routes.h"
#include "service/front/seats.h"
#include "service/tls/tls.h"

/* Connections at a time: each costs up to 60 KiB beside its body, so 60 MiB in all. */
constexpr size_t FRONT_CONNS_MAX = SEATS_MAX;

/* Request bodies held at a time, in bytes: 25 of the largest, thousands of usual ones. */
constexpr size_t FRONT_BODIES_MAX = 256u << 20;

/* Bodies of clients that have gone, with engine: each is longer than a frame. */
constexpr size_t FRONT_ORPHANS_MAX = FRONT_BODIES_MAX / MSG_INLINE_MAX;

/* Descriptors that are no connections: listeners, peers, epoll, timers. */
constexpr size_t FRONT_FDS_OTHER = 64;
constexpr size_t FRONT_FDS_PER_CONN = 3; /* the socket, a request body, a result */

struct conn;

/* A request body that engine has, and whose client has gone. */
struct orphan {
	const struct channel *engine;
	uint64_t question;
	size_t bytes; /* of front->bodies */
};

struct front {
	struct loop *loop;
	struct tls_server *tls;
	struct routes *routes;
	struct notify *notify;
	struct channel *accounts, *engine; /* who serves us now, or nullptr; borrowed */
	struct appliance_state state;
	bool certificate_absent; /* a throw-away one stands in until the volume is open */
	uint64_t started_us;	 /* monotonic */
	struct loop_source *leaving;
	uint64_t questions; /* asked of peers so far */
	size_t bodies;	    /* bytes of request bodies held */
	size_t n_orphans;
	struct orphan orphan[FRONT_ORPHANS_MAX]; /* [n_orphans] */
	uint64_t results,
		results_max; /* bytes of memfds that connections hold, and that they may */
	struct seats seats;
	struct seat seat[SEATS_MAX]; /* what the connections are to it, while it is asked */
	size_t n_conns;		     /* of */
	size_t conns_max;	     /* at most FRONT_CONNS_MAX, fewer where descriptors are few */
	struct conn *conn[FRONT_CONNS_MAX]; /* by slot; nullptr: free */
};
