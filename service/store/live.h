/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * live: a collection at work: its record, its keys, what is visible of it, and what is on its way there.
 *
 * Layer 4 (service/store). Reference counted. Writers take the collection's turn, make the next state of the newest one
 * (tip), append to the log and pass the turn on; each then waits for the disk and publishes. Readers see `visible`.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/secret.h"
#include "service/disk/log.h"
#include "service/segment/segment.h"
#include "service/snapshot/snapshot.h"
#include "service/snapshot/state.h"
#include "service/store/catalog.h"
#include "service/store/recent.h"

constexpr int64_t LIVE_KEYS_MAX = 65'535; /* data keys of one collection; 16 bits in the log */

struct live_key {
	int64_t n; /* from 1 */
	uint64_t made_us;
	struct secret secret;
};

struct live {
	atomic_uint refs;
	struct store *store;
	struct collection about; /* texts are owned; counts are not kept here */
	atomic_uint_least64_t updated_us;
	atomic_int_least64_t purged;
	int broken; /* 0, or why it cannot be used; set before others see it */

	pthread_mutex_t turn; /* guards all to next */
	struct snapshot *tip;
	struct recent recent;
	struct ids_seen *seen;	 /* the _ids in memory; nullptr: not collected, there are few */
	uint64_t dirty_since_us; /* when the oldest thing came that is in the log only; 0: none */
	uint64_t touched_us;	 /* when the last batch came; both are monotonic */
	uint64_t kept_position;	 /* the catalog's: the log is not needed up to here */
	atomic_bool dropped;	 /* it is deleted; set in a turn, may be looked at without */

	atomic_uint_least64_t memory_rows, memory_parts; /* of tip */

	pthread_mutex_t lock; /* guards all below */
	struct snapshot *visible;
	struct snapshot *waiting, **waiting_end; /* oldest first */
	struct live_key *key;			 /* [n_keys] by number */
	size_t n_keys;
};

/* Make one without documents and keys; about's texts are copied. Returns 0 or -ENOMEM. */
[[nodiscard]] int live_new(struct store *store, const struct collection *about, struct live **ret);

/* Take part in its life. Returns live. */
struct live *live_ref(struct live *live);

/* Leave it. nullptr is a no-op. Always returns nullptr. */
struct live *live_unref(struct live *live);
CLEANUP_FN(struct live, live_unref)

/* Add a data key. Returns 0 or -errno. */
[[nodiscard]] int live_add_key(struct live *live, int64_t n, uint64_t made_us, const uint8_t *key);

/* A data key by its number; 0: the newest, *ret_n is which. Returns whether there is one; the caller wipes it. */
[[nodiscard]] bool live_key(struct live *live, int64_t n, uint8_t *ret, int64_t *ret_n);

/* Begin a segment of it, sealed under its newest key. Returns as segment_writer_new(). */
[[nodiscard]] int live_segment_writer(struct live *live, int64_t n, struct segment_writer **ret);

/* Open a segment of it. Returns as segment_open(). */
[[nodiscard]] int live_segment_open(struct live *live, const struct segment_row *row,
				    struct part **ret);

/* The number of the newest data key; 0: there is none. ret_made_us may be nullptr. */
[[nodiscard]] int64_t live_newest_key(struct live *live, uint64_t *ret_made_us);

/* Take the turn. Returns 0 with it, or CATALOG_NO_COLLECTION (it was deleted) or why it is broken, without. */
[[nodiscard]] int live_begin(struct live *live);

/* Pass the turn on. */
void live_end(struct live *live);

/*
 * Append a batch to the log and make the draft, which is given away on success, the tip. In one's turn.
 *
 * Returns 0 or -errno; *ret_position is set only on success.
 */
[[nodiscard]] int live_append(struct live *live, struct snapshot **draft, struct log_batch *batch,
			      uint64_t *ret_position);

/* In one's turn: see to it that seen has all _ids of the tip, if that is worth it. */
void live_see(struct live *live);

/* Wait until a batch is durable, then make it visible. Not in one's turn. Returns 0 or -errno: it did not happen. */
[[nodiscard]] int live_finish(struct live *live, uint64_t position);

/* In one's turn: wait until the tip is durable and visible. Returns 0 or -errno; store_recover() has to follow then. */
[[nodiscard]] int live_settle(struct live *live);

/* In one's turn, when settled: show a state, which is given away, instead of the tip. */
void live_show(struct live *live, struct snapshot **state);

/* Go back to what is durable. In one's turn. */
void live_roll_back(struct live *live, uint64_t synced);

/* What is visible now, with a reference. */
[[nodiscard]] struct snapshot *live_visible(struct live *live);

/* Wait while too much is in memory. Returns 0, or why the keeper cannot keep up: -ENOSPC, -EBUSY … */
[[nodiscard]] int live_wait_for_room(struct live *live);

/* The collection's number in the log: its own and that of its newest data key. */
[[nodiscard]] int64_t live_log_number(struct live *live);
