/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store: the collections' documents and their catalog on disk.
 *
 * Layer 4 (service/store). Used by service/exec, service/sql and service/engine; docs/engine.md says how it works.
 * A write is on disk (fdatasync) before the call that made it returns, and what is read next sees it.
 * In the folder: catalog.sqlite (what there is), log/ (what has just come in), segments/ (all else; FORMAT.md section 8).
 * A thread of the store's own, the keeper, moves documents from memory to segments and merges those.
 * Threads: a struct store may be used by any number of threads. Writes to one collection take turns while they
 * are put in order, not while they wait for the disk.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/cache.h"
#include "service/disk/file.h"
#include "service/keys/keys.h"

struct snapshot;
struct store;

constexpr size_t STORE_UUID = 37;    /* a UUID's text with its NUL */
constexpr size_t STORE_DAMAGE = 256; /* room for a sentence on damage, with its NUL */

enum {
	STORE_OK = 0,
	STORE_TOO_NEW = 1, /* written by a later release; left alone */
	STORE_DAMAGED, /* catalog or log are not what was written; a damaged segment only ends what needs it, with -EBADMSG */
	STORE_KEYS_UNAVAILABLE, /* redoubt-keys does not answer; try again later */
};

struct store_options {
	struct keys *keys;  /* borrowed until store_close() */
	size_t cache_bytes; /* for pages of segments; 0: 128 MiB */
	file_hook_fn *
		hook; /* tests: called before each step on disk, and with FILE_SYNC and "catalog.sqlite" before and after each of the catalog's commits */
	void *hook_data;
	char *ret_damage; /* [STORE_DAMAGE] a sentence if the outcome is STORE_DAMAGED; may be nullptr */
};

/*
 * Open the store in a folder, making what is missing, and read back what the log has. It has no keeper yet.
 *
 * Returns 0, an outcome above, or -errno; *ret is set only on success.
 */
[[nodiscard]] int store_open(const char *folder, const struct store_options *options,
			     struct store **ret);

/* Start the keeper; apart from opening, so that its thread is born inside the sandbox. Returns 0 or -errno. */
[[nodiscard]] int store_start_keeper(struct store *store);

/* Close; its snapshots must be gone. nullptr is a no-op. Always returns nullptr. */
struct store *store_close(struct store *store);
CLEANUP_FN(struct store, store_close)

/* Take what is visible now. Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION or -ENOMEM. A built-in collection is empty. */
[[nodiscard]] int store_snapshot(struct store *store, const char *workspace, const char *name,
				 struct snapshot **ret);

/* Bytes on disk: segments, log and catalog. */
[[nodiscard]] uint64_t store_size(struct store *store);

/* How the cache of pages is doing. */
void store_cache(struct store *store, struct cache_figures *ret);

/* The sentence on the damage (-EBADMSG, CHUNK_DAMAGED) that was met last, which names segment and page; "" if there was none. */
void store_damage(struct store *store, char ret[STORE_DAMAGE]);

enum store_keep : uint8_t {
	STORE_KEEP_DUE,	  /* what is due, as the keeper does about once a second */
	STORE_KEEP_SEAL,  /* also: all that is in memory becomes segments, and the log is trimmed */
	STORE_KEEP_PURGE, /* also: no deleted document stays in a segment */
};

/* Do the keeper's work now, in this thread. Returns 0 or -errno; what was not done is still due then. */
[[nodiscard]] int store_keep(struct store *store, enum store_keep how);

/* Write a random UUID (version 4). Returns 0 or -errno of getrandom(2). Source: RFC 9562 section 5.4. */
[[nodiscard]] int store_uuid(char ret[STORE_UUID]);

/* Whether there is room for more documents and collections; deleting is always possible. */
[[nodiscard]] bool store_has_room(struct store *store);
