/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * internal: what the parts of the store share, and the order in which locks are taken.
 *
 * Layer 4 (service/store). Locks, outermost first:
 *   admin    one change at a time of which workspaces, collections and keys there are
 *   keeping  one keeper at a time
 *   a collection's turn (live.h)
 *   book     the catalog's connection
 *   table    the lists of workspaces and collections
 *   a collection's lock, recovering, reserving, wake, damage: held for moments, nothing is taken below them
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/cache.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/keys/keys.h"
#include "service/segment/segment.h"
#include "service/store/catalog.h"
#include "service/store/store.h"

struct sqlite3;
struct live;

constexpr size_t STORE_PATH = 512;
constexpr uint64_t STORE_MEMORY_MAX =
	160u << 20; /* of documents that are not in segments yet; writers wait then */

/* Texts are owned. */
struct store_workspace {
	char *name, *description, *created_by;
	uint64_t created_us;
};

struct store {
	char path[STORE_PATH], folder[STORE_PATH]; /* of the catalog; of all of it */
	struct keys *keys;
	struct folder *log_folder;
	struct log *log;
	struct segments segments;
	file_hook_fn *hook;
	void *hook_data;

	pthread_mutex_t admin;
	bool may_be_doomed; /* admin; the catalog may have keys that are to be destroyed */

	pthread_mutex_t book;
	struct sqlite3 *db;

	pthread_rwlock_t table; /* guards the lists; what is in them has its own locks */
	struct organization organization;
	struct store_workspace *workspace; /* [n_workspaces] by name */
	size_t n_workspaces;
	struct live **by_name, **by_number; /* [n_live] */
	size_t n_live, live_room;

	pthread_mutex_t keeping;
	int64_t next_segment; /* keeping */

	atomic_uint_least64_t memory; /* bytes of documents in memory */
	pthread_mutex_t recovering;

	pthread_mutex_t reserving;
	atomic_bool has_reserve; /* what deleting needs is put aside */

	pthread_mutex_t wake_lock; /* guards all to next */
	pthread_cond_t wake, kept; /* there is work; some was done */
	uint64_t rounds;	   /* of the keeper */
	int keeper_error;	   /* of the last round */
	atomic_bool end;
	pthread_t keeper;
	atomic_bool has_keeper;

	pthread_mutex_t damage_lock;
	char damage[STORE_DAMAGE];
};

/* Remember a sentence on damage for store_damage(). */
[[gnu::format(printf, 2, 3)]] void store_note_damage(struct store *store, const char *format, ...);

/* Find a collection. Returns 0, CATALOG_NO_WORKSPACE or CATALOG_NO_COLLECTION; the caller leaves *ret with live_unref(). */
[[nodiscard]] int store_find(struct store *store, const char *workspace, const char *name,
			     struct live **ret);

/* Find a collection by its number; nullptr if there is none. The caller leaves it with live_unref(). */
[[nodiscard]] struct live *store_find_number(struct store *store, int64_t n);

/* All collections at the moment: [*ret_n], each with a reference; free with store_list_free(). Returns 0 or -ENOMEM. */
[[nodiscard]] int store_list(struct store *store, struct live ***ret, size_t *ret_n);

/* Leave all of them. */
void store_list_free(struct live **list, size_t n);

/* Make sure that the next store_insert() does not fail. Returns 0 or -ENOMEM. */
[[nodiscard]] int store_reserve(struct store *store);

/* Put a collection into the lists; the reference is given away. Returns 0 or -ENOMEM. */
[[nodiscard]] int store_insert(struct store *store, struct live *live);

/* Take a collection out of the lists. */
void store_remove(struct store *store, struct live *live);

/* Put a workspace, whose texts are copied, into the list. Returns 0 or -ENOMEM. */
[[nodiscard]] int store_insert_workspace(struct store *store, const struct workspace *workspace);

/*
 * The log has failed: put all collections back to what is durable, and go on in a new file. Call without any lock.
 *
 * Returns 0 or -errno: the log is not usable yet.
 */
[[nodiscard]] int store_recover(struct store *store);

/* Make a collection that has its uuid already. Returns as catalog_collection_create(). */
[[nodiscard]] int catalog_create_as(struct store *store, const struct collection *collection);

/* Begin a transaction of the catalog. Returns 0 with the book locked, or -errno without. */
[[nodiscard]] int book_begin(struct store *store);

/* End it: commit durably if r is 0, else undo. Returns r, or why the commit failed. */
[[nodiscard]] int book_end(struct store *store, int r);

/* Open the catalog's file, making it if there is none. Returns 0, STORE_TOO_NEW, STORE_DAMAGED or -errno. */
[[nodiscard]] int book_open(struct store *store);

/* Read all that the catalog says and put it into the store's lists, with segments open. Returns as store_open(). */
[[nodiscard]] int load_all(struct store *store);

/*
 * Apply a batch that was read from the log to a collection, whether or not some or all of it was applied before.
 *
 * Returns 0, -EBADMSG (it is no such batch, or what is stored is damaged; nothing has changed) or another -errno.
 */
[[nodiscard]] int replay_batch(struct live *live, const struct log_batch *batch);

/* Apply what the log has and the segments have not. Returns as store_open(). */
[[nodiscard]] int replay_log(struct store *store);
