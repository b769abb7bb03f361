/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ledger_parts: what ledger.c, ledger_open.c, ledger_publish.c and ledger_intents.c share. Nobody else includes it.
 *
 * Layer 2 (appliance/audit).
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_room.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "common/buf.h"
#include "common/secret.h"

constexpr char LEDGER_CHECKPOINT[] = "checkpoint";
constexpr char LEDGER_KEY[] = "key";
constexpr char LEDGER_KEY_NEXT[] = "key.next";
constexpr char LEDGER_VKEY[] = "vkey";
constexpr char LEDGER_RESERVE_FILE[] = "reserve";
constexpr size_t LEDGER_HELD_BYTES =
	256u << 20; /* far above 8,448 entries of a producer's greatest event */
constexpr size_t LEDGER_INTENTS =
	65536; /* more are not waiting for an outcome unless a producer has gone mad */

struct ledger {
	int dir;
	enum ledger_state state;
	char why[LEDGER_WHY];
	char boot[ENTRY_BOOT_ID];
	uint64_t recovered_cut; /* bytes of a torn tail found at the start */

	/* Entries in memory: from bundle boundary held_first on; the last ones, from size on, are the batch. */
	uint64_t held_first;
	uint64_t size; /* durable */
	size_t held_n, held_room;
	struct bytes_at {
		size_t at, len;
	} *held;
	struct buf held_bytes;
	enum room_class batch_class; /* the highest in the batch */
	struct audit_event own; /* scratch for the ledger's own entries: too large for the stack */

	/* The segment being written. */
	int wal;
	uint64_t wal_first;  /* its first entry */
	uint64_t wal_end;    /* bytes of it that are good */
	uint64_t wal_oldest; /* first entry of the oldest segment kept */
	bool broken;	     /* a sync failed: never again on this descriptor */
	struct buf wal_bytes;

	/* What is published: builder->size is the signed size. next is where the next one is made. */
	struct tile_builder builders[2];
	struct tile_builder *builder, *next;
	uint64_t partial_size; /* of the checkpoint whose partial tiles are there */
	struct merkle_hash root;
	struct buf note; /* the checkpoint as signed */
	uint64_t signed_time_s;

	uint64_t epoch, epoch_first;
	bool unfinished; /* the next key is named, but not in use yet */
	struct note_key genesis, key;
	struct secret private_key;

	/* What is left, by the last look at the file system less what was added since. */
	struct room_plan plan;
	struct room_shares shares;
	uint64_t free_bytes, reserve_bytes;
	bool full; /* it refuses because no room is left, for no other reason */

	/* Intents without an outcome yet, in order. */
	uint64_t *intent;
	size_t n_intents;
	bool intents_changed;
	uint64_t intents_size;	      /* up to which entry the file of them holds */
	uint64_t ended[LEDGER_BATCH]; /* the intents that outcomes in the batch name */
	size_t n_ended;
};

/* Remember why the ledger takes nothing (or little) and return LEDGER_REFUSED. subject may be nullptr. */
int ledger_stop(struct ledger *ledger, enum ledger_state state, const char *why,
		const char *subject);

/* How many entries are held, the batch included; index of the next one to be added. */
[[nodiscard]] uint64_t ledger_next_index(const struct ledger *ledger);

/* Hold an entry's bytes in memory, as the next one. Returns 0, -ENOMEM or -EMSGSIZE. */
[[nodiscard]] int ledger_hold(struct ledger *ledger, const void *entry, size_t len);

/* Let go of what is held from index on (the batch), or before index. */
void ledger_drop_from(struct ledger *ledger, uint64_t index);

/* Whether the state lets events of a class in; short room is noted. */
[[nodiscard]] bool ledger_room_for(struct ledger *ledger, enum room_class class);

/* Bytes that events of a class may still take. */
[[nodiscard]] uint64_t ledger_room_left(const struct ledger *ledger, enum room_class class);

/* At the start: measure and set aside. Returns 0 or -errno. */
[[nodiscard]] int ledger_open_room(struct ledger *ledger);

/* Measure the file system: what is free, what is set aside. */
void ledger_measure(struct ledger *ledger);

/* Note that no room is left. Returns LEDGER_NO_SPACE. */
[[nodiscard]] int ledger_out_of_room(struct ledger *ledger);

/* Whether an intent has no outcome yet. */
[[nodiscard]] bool ledger_intent_is_open(const struct ledger *ledger, uint64_t index);

/* Let go of what is held before index. */
void ledger_drop_before(struct ledger *ledger, uint64_t index);

/* The held entry index, which must be held; valid until the ledger is changed. */
[[nodiscard]] struct bytes ledger_held(const struct ledger *ledger, uint64_t index);

/*
 * Add an entry of the ledger's own; detail is JSON or "". unknown closes intent.
 *
 * Returns 0 or as ledger_add(), committing first if the batch is full.
 */
[[nodiscard]] int ledger_add_own(struct ledger *ledger, const char *code, uint64_t intent,
				 const char *detail);

/* Give up a piece of what is set aside, as far as the class may. Returns whether there was one. */
[[nodiscard]] bool ledger_use_reserve(struct ledger *ledger, enum room_class class);

/* Set aside what can be: all, or half of it and so on. Returns 0, LEDGER_NO_SPACE (not all) or -errno. */
[[nodiscard]] int ledger_make_reserve(struct ledger *ledger);

/* Take note of an entry in the batch and of the intent it names, AUDIT_NO_INTENT if none. */
void ledger_intent_ended(struct ledger *ledger, uint64_t index, uint64_t intent);

/*
 * Whether a producer may tell the outcome of an intent: it is one, that producer's own, and nobody has told yet.
 *
 * Returns 0, LEDGER_BAD_EVENT or -errno.
 */
[[nodiscard]] int ledger_outcome_fits(struct ledger *ledger, const char *producer, uint64_t intent);

/* Take note of a durable entry: it opens or closes an intent. Returns 0 or -ENOMEM. */
[[nodiscard]] int ledger_intent_note(struct ledger *ledger, uint64_t index,
				     const struct entry *entry);

/* Read which intents are open, from the file or from the entries. Returns 0, LEDGER_DAMAGED or -errno. */
[[nodiscard]] int ledger_intents_load(struct ledger *ledger);

/* Write which intents are open, if that has changed. Returns 0 or -errno. */
[[nodiscard]] int ledger_intents_save(struct ledger *ledger);

/* Add an outcome "unknown" for each open intent below index. Returns 0 or as ledger_commit(). */
[[nodiscard]] int ledger_intents_give_up(struct ledger *ledger, uint64_t index);

/*
 * Take over the key that an epoch.rotate entry at the end names, if that has not been done: seal, wipe, rename.
 *
 * Returns 0, also if there is nothing to do, LEDGER_DAMAGED, or as ledger_publish().
 */
[[nodiscard]] int ledger_finish_rotation(struct ledger *ledger);

/* Read the statement in entry index. Returns 0, LEDGER_NO_ENTRY (it holds none), LEDGER_DAMAGED or -errno. */
[[nodiscard]] int ledger_statement(struct ledger *ledger, uint64_t index,
				   struct epoch_statement *ret);

/* Write a key's private half to a file, durably. Returns 0 or -errno. */
[[nodiscard]] int ledger_key_save(struct ledger *ledger, const char *path,
				  const struct secret *private_key);

/* Read a private key. Returns 0, LEDGER_NO_ENTRY (no file), LEDGER_DAMAGED or -errno. */
[[nodiscard]] int ledger_key_load(struct ledger *ledger, const char *path,
				  struct secret *ret_private, uint8_t ret_public[CRYPTO_PUBLIC]);
