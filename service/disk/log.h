/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * log: the log buffer: batches that are durable before anybody hears of them.
 *
 * Layer 2 (service/disk). An interface that a replicated log can take the place of: append a batch → position; wait until
 * it is durable; read from a position; trim. This back end is a folder of files.
 * Format: FORMAT.md section 2. A file has a random id; a frame is {length, collection number, batch id, position}
 * authenticated and the batch sealed: AES-256-GCM under HKDF(the collection's data key, file id), nonce = the frame's
 * offset. A file is never appended to after it was closed, or a write or sync failed (a new one is begun), so no nonce repeats.
 * Threads: any. One fdatasync serves all batches that were appended before it began (group commit).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/file.h"

constexpr size_t LOG_BATCH_MAX =
	256u << 20; /* bytes of one batch; a request is at most 10 MiB of JSON */
constexpr size_t LOG_FILE_MAX = 32u << 20; /* a new file is begun after this much */
constexpr size_t LOG_ID = 16;
constexpr size_t LOG_DAMAGE_MAX = 128; /* bytes of a sentence about damage, with its NUL */

/*
 * A collection's data key, wanted by its number. Asked seldom, the log remembers; called while others wait to append, so it
 * answers from memory, and it may not call the log.
 *
 * Returns 0, or a positive value: there is no such collection (its frames are skipped), or -errno.
 */
typedef int log_key_fn(void *userdata, int64_t collection, uint8_t ret[32]);

struct log_batch {
	uint64_t position; /* grows with every batch, over all files; 1 is the first */
	int64_t collection;
	uint8_t id
		[LOG_ID]; /* the batch's: two appends with one id are one batch that was retried */
	uint8_t kind;	  /* the store's business */
	const uint8_t *data; /* [len] */
	size_t len;
};

enum {
	LOG_OK = 0,
	LOG_DAMAGED, /* a frame before the end is not what was written */
	LOG_TOO_NEW,
};

struct log;

/*
 * Open the log in a folder, which holds nothing else, and find its end: the newest file is read whole. What was torn at the
 * very end by a crash does not count: it was never acknowledged. Anything else that is wrong there, or with the files'
 * headers, is LOG_DAMAGED; damage to older files is found by log_read(). A new file is begun with the first append.
 *
 * folder      borrowed until log_close()
 * ret_damage  set only on LOG_DAMAGED: a file's name, a place and a sentence for people
 *
 * Returns 0, LOG_DAMAGED, LOG_TOO_NEW or -errno.
 */
[[nodiscard]] int log_open(struct folder *folder, log_key_fn *key, void *userdata,
			   char ret_damage[LOG_DAMAGE_MAX], struct log **ret);

/* Close; nullptr is a no-op. Always returns nullptr. */
struct log *log_close(struct log *log);
CLEANUP_FN(struct log, log_close)

/* Called for each batch in order; data is borrowed for the call. Return non-zero to stop with that. */
typedef int log_batch_fn(void *userdata, const struct log_batch *batch);

/*
 * Read all durable batches from a position on; those of a collection that is gone are skipped. One thread at a time, not
 * together with log_trim().
 *
 * Returns 0, what fn returned, LOG_DAMAGED or -errno.
 */
[[nodiscard]] int log_read(struct log *log, uint64_t from, log_batch_fn *fn, void *userdata);

/* Where log_read() found damage, as in log_open(); "" if it did not. Valid until the next log_read(). */
[[nodiscard]] const char *log_damage(const struct log *log);

/*
 * Append a batch; it is not durable yet. Positions follow the order of the calls.
 *
 * batch  all but position is read
 *
 * Returns 0, -EMSGSIZE, -ENOENT (no such collection), -ENOSPC or another -errno; nothing is appended then. After a write or
 *   a sync that failed: -EROFS until log_reset(); after a write that failed, what was appended before can still be synced.
 */
[[nodiscard]] int log_append(struct log *log, const struct log_batch *batch,
			     uint64_t *ret_position);

/* Whether a write or a sync has failed since log_reset() was called last. */
[[nodiscard]] bool log_has_failed(struct log *log);

/* Wait until the batch at a position is durable. Returns 0 or -errno: it is not, and neither is any later one. */
[[nodiscard]] int log_sync(struct log *log, uint64_t position);

/* Last position that is durable. */
[[nodiscard]] uint64_t log_synced(struct log *log);

/*
 * After -EROFS, or a failed sync: go on in a new file. What was appended but is not durable is given up and will not be
 * read; so call it once nothing of that is kept elsewhere. A no-op if nothing has failed. Returns 0 or -errno: nothing changed.
 */
[[nodiscard]] int log_reset(struct log *log);

/* Remove files all of whose batches are before a position. Returns 0 or -errno. */
[[nodiscard]] int log_trim(struct log *log, uint64_t position);

/* Wipe a collection's key, for one that is going away. */
void log_forget(struct log *log, int64_t collection);

/* Bytes on disk. */
[[nodiscard]] uint64_t log_size(struct log *log);
