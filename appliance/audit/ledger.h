/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ledger: the append-only record of events: durable batches, tiles, signed checkpoints, epochs of keys.
 *
 * Layer 2 (appliance/audit). One process, one thread. The folder is held under a lock.
 * Trust: what is in the folder at the start is checked against the last signed checkpoint; if it does not fit, the
 *        ledger opens in the state LEDGER_TAMPERED and takes nothing.
 * Format: FORMAT.md.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/proto/audit.h"

constexpr size_t LEDGER_BATCH = 1024;	    /* entries of one commit */
constexpr uint64_t LEDGER_UNSIGNED = 4096;  /* publish at the latest after so many entries */
constexpr uint64_t LEDGER_EPOCH = 1u << 20; /* rotate at the latest after so many entries */
constexpr size_t LEDGER_WHY = 160;

enum ledger_state {
	LEDGER_OK,
	LEDGER_LOW, /* little room is left: takes what frees it, lets an admin in or ends something (ledger_room.h) */
	LEDGER_REFUSING, /* its disk failed, or not even what was set aside is left */
	LEDGER_TAMPERED, /* the files do not fit the last signed checkpoint: takes nothing */
};

enum {
	LEDGER_DONE = 0,
	LEDGER_BUSY,	  /* another process holds the folder */
	LEDGER_REFUSED,	  /* because of the ledger's state; ledger_why() says it for people */
	LEDGER_BAD_EVENT, /* detail no JSON object, or a code or an intent that no producer may use */
	LEDGER_BATCH_FULL, /* commit, then add again */
	LEDGER_NO_SPACE,   /* nothing of the batch was recorded */
	LEDGER_NO_ENTRY,   /* no such index, or not signed for yet */
	LEDGER_DAMAGED,	   /* a file that was written is gone or wrong */
	LEDGER_LIMITED, /* who asks has used up a share of the room that is left; counted, and told in an entry */
};

struct ledger;

/*
 * Open a ledger and recover it, or make one in an empty folder with a new key. Publishes what had not been.
 *
 * path  of the folder
 *
 * Returns 0, LEDGER_BUSY, -ENOMEM or another -errno.
 * Cost: the last 8,192 entries at most, whatever the size.
 */
[[nodiscard]] int ledger_open(const char *path, struct ledger **ret);

/* Close and free; nullptr is a no-op. Entries not committed are lost. Always returns nullptr. */
struct ledger *ledger_close(struct ledger *ledger);
CLEANUP_FN(struct ledger, ledger_close)

/*
 * Record the start: an entry ledger.start, an outcome "unknown" for every intent that has none, and a new epoch.
 * Call once, before anything else is added.
 *
 * Returns as ledger_commit().
 */
[[nodiscard]] int ledger_begin(struct ledger *ledger);

/*
 * Add an event to the batch. It is not recorded before ledger_commit() returns 0.
 *
 * producer   who sent it; "audit" only from within
 * ret_index  the index it will have
 *
 * Returns 0, LEDGER_REFUSED, LEDGER_LIMITED, LEDGER_BAD_EVENT, LEDGER_BATCH_FULL, or -ENOMEM, -EMSGSIZE.
 */
[[nodiscard]] int ledger_add(struct ledger *ledger, const char *producer,
			     const struct audit_event *event, uint64_t *ret_index);

/*
 * Make the batch durable: one write, one fdatasync.
 *
 * Returns 0, LEDGER_REFUSED, LEDGER_NO_SPACE (the batch is dropped), or -errno: the batch is dropped, the disk is not
 * to be trusted, the ledger refuses all and must be opened anew.
 */
[[nodiscard]] int ledger_commit(struct ledger *ledger);

/*
 * Write tiles for all that is durable and sign a checkpoint, with the time. Without new entries: only sign again.
 *
 * Returns 0, LEDGER_REFUSED, LEDGER_NO_SPACE, or -errno as ledger_commit().
 */
[[nodiscard]] int ledger_publish(struct ledger *ledger);

/*
 * Seal the epoch: name the next key in an entry, sign a last checkpoint, erase the key. Closes intents that have
 * had no outcome for a whole epoch. Nothing may be waiting in the batch.
 *
 * Returns as ledger_publish().
 */
[[nodiscard]] int ledger_rotate(struct ledger *ledger);

/*
 * See how much room is left: whether it has become short, or is enough again (then what is set aside is made anew). Adds the entries
 * about actors that were refused because of their share; all: also those of whom one has just told.
 *
 * Returns whether the state has changed.
 */
[[nodiscard]] bool ledger_look_for_space(struct ledger *ledger, bool all);

/*
 * Add an entry that says that nobody will tell how intent index ended. ledger_commit() makes it durable.
 *
 * Returns 0, LEDGER_REFUSED, LEDGER_NO_SPACE or -errno.
 */
[[nodiscard]] int ledger_give_up(struct ledger *ledger, uint64_t index);

/* How it stands. */
[[nodiscard]] enum ledger_state ledger_state(const struct ledger *ledger);

/* Why it is not LEDGER_OK, for people; "" if it is. */
[[nodiscard]] const char *ledger_why(const struct ledger *ledger);

struct ledger_status {
	uint64_t size;	      /* durable entries */
	uint64_t batch;	      /* entries waiting for ledger_commit() */
	uint64_t signed_size; /* entries under the last checkpoint */
	uint64_t signed_time_s;
	uint64_t epoch, epoch_size; /* which epoch, and how many entries are in it */
	struct merkle_hash root;    /* of the signed size */
	struct note_key genesis;    /* the key to verify the ledger with; its name is the origin */
};

/* How large it is and what has been signed. */
void ledger_status(const struct ledger *ledger, struct ledger_status *ret);

/* Up to 256 entries in a row. Valid until the ledger is changed. */
struct ledger_page {
	uint64_t first;
	unsigned int n;
	struct bytes entry[TILE_WIDTH];
	struct buf room;
};
constexpr uint64_t LEDGER_NO_PAGE = UINT64_MAX; /* first of a page that holds nothing */

/* Free a page's memory. */
void ledger_page_done(struct ledger_page *page);
#define auto_page cleanup(ledger_page_done)

/*
 * Read the page that durable entry index is in.
 *
 * page  zero-initialised or used before
 *
 * Returns 0, LEDGER_NO_ENTRY, LEDGER_DAMAGED, -ENOMEM or another -errno; the page holds nothing unless 0.
 */
[[nodiscard]] int ledger_page_read(struct ledger *ledger, uint64_t index, struct ledger_page *page);

/*
 * Append the proof that an entry is in the ledger, in the C2SP tlog-proof form, under the last checkpoint.
 *
 * Returns 0, LEDGER_NO_ENTRY, LEDGER_DAMAGED or -errno.
 */
[[nodiscard]] int ledger_proof(struct ledger *ledger, uint64_t index, struct buf *out);

/* The folder's descriptor, for verifying it; borrowed. */
[[nodiscard]] int ledger_folder(const struct ledger *ledger);
