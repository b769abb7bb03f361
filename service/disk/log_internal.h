/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * log_internal: what the files of log share: its state, memory, keys, and the walk along a file's frames. Not for others.
 *
 * Layer 2 (service/disk).
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/crypto/aead.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/disk/log_frame.h"

/* Memory for one frame; mapped, so that what a large one took goes back. */
struct log_buffer {
	uint8_t *data;
	size_t room;
};

constexpr size_t LOG_KEYS = 64;

struct log_key {
	int64_t collection;
	struct crypto_aead *aead; /* nullptr: the place is free */
};

/* Keys of one log file, set up; a collection has its place by its number. */
struct log_keys {
	struct log_key at[LOG_KEYS];
};

/* One file. */
struct log_part {
	struct log_head head;
	uint64_t last; /* the last position of it that counts; head.previous if none does */
	uint64_t size; /* bytes */
};

struct log {
	struct folder *folder; /* borrowed */
	log_key_fn *key;
	void *userdata;

	pthread_mutex_t order; /* one append at a time; taken before lock. Guards these: */
	struct file *file;     /* that is appended to; nullptr: the next append begins one */
	uint64_t end;	       /* its length, and the next nonce */
	uint64_t next;	       /* the next position */
	uint64_t file_max;     /* LOG_FILE_MAX; tests take less */
	struct log_keys keys;  /* of this file */
	struct log_buffer buffer;

	pthread_mutex_t lock; /* never held while the disk works. Guards these: */
	pthread_cond_t changed;
	bool syncing;			/* somebody syncs for all */
	bool failed;			/* nothing is appended any more until log_reset() */
	int sync_error;			/* nothing becomes durable any more until then */
	uint64_t appended, synced;	/* positions */
	uint64_t lost_first, lost_last; /* positions that log_reset() gave up */
	struct log_part *parts;		/* [n], oldest first */
	size_t n, room;

	char damage[LOG_DAMAGE_MAX];
};

/* Make room for len bytes; the contents are lost. Returns 0 or -errno of mmap(2). */
[[nodiscard]] int log_buffer_need(struct log_buffer *buffer, size_t len);

/* Unmap. */
void log_buffer_done(struct log_buffer *buffer);

/*
 * A collection's cipher for the file with an id; borrowed until another is asked for.
 *
 * Returns 0, what the log's key function returned (positive: no such collection), or -errno.
 */
[[nodiscard]] int log_keys_get(struct log *log, struct log_keys *keys, const uint8_t *file_id,
			       int64_t collection, struct crypto_aead **ret);

/* Wipe all keys. */
void log_keys_done(struct log_keys *keys);

/* Wipe one collection's. */
void log_keys_forget(struct log_keys *keys, int64_t collection);

/* The nonce of the frame at an offset. */
void log_nonce(uint64_t offset, uint8_t ret[CRYPTO_NONCE]);

/* A way along a file's frames. */
struct log_walk {
	struct file *file;
	uint64_t size; /* of the file */
	uint64_t at; /* where the next frame begins; after LOG_WALK_BAD, where the wrong one does */
	uint64_t next;		/* the position it must have */
	struct log_buffer body; /* of the frame just met, sealed; free with log_buffer_done() */
};

enum {
	LOG_WALK_FRAME = 0,
	LOG_WALK_END, /* nothing is left */
	LOG_WALK_BAD, /* what is left is not a frame, not whole, or not the next one */
};

/*
 * Step to the next batch, over marks.
 *
 * body_from  batches from this position on are read and their checksum is compared; of others the header must do
 * ret        set only on LOG_WALK_FRAME
 *
 * Returns one of the above or -errno.
 */
[[nodiscard]] int log_walk_next(struct log_walk *walk, uint64_t body_from, struct log_frame *ret);

/*
 * Whether anything behind walk->at says that the batch at a position was durable: then what is there instead is damage,
 * not the trace of a crash. Returns 0 or -errno; *ret is set only on 0.
 */
[[nodiscard]] int log_walk_was_durable(struct log_walk *walk, uint64_t position, bool *ret);

/* Say in text[LOG_DAMAGE_MAX] where the damage is. Returns LOG_DAMAGED. */
[[nodiscard]] int log_say(char *text, uint64_t first, uint64_t offset, const char *what);

/* Append a file to the list of files. Returns 0 or -ENOMEM. */
[[nodiscard]] int log_part_add(struct log *log, const struct log_part *part);
