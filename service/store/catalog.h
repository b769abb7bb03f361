/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * catalog: the organisation, its workspaces and their collections.
 *
 * Layer 4 (service/store). Names must have passed common/names.
 * Answered from memory. Threads: any. The functions that are handed in may not call into the store.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/store/store.h"

constexpr int64_t CATALOG_WORKSPACES_MAX = 1000;  /* an organisation has a few; bounds the list */
constexpr int64_t CATALOG_COLLECTIONS_MAX = 2000; /* each has keys and open files */
constexpr int64_t CATALOG_FIELDS_MAX = 1000; /* top-level names that are listed of a collection */

enum {
	CATALOG_OK = 0,
	CATALOG_NO_WORKSPACE,
	CATALOG_NO_COLLECTION,
	CATALOG_EXISTS,
	CATALOG_NOT_EMPTY,	  /* the workspace still has collections */
	CATALOG_BUILT_IN,	  /* commons and _events can be neither made nor deleted */
	CATALOG_FULL,		  /* one of the limits above */
	CATALOG_KEYS_UNAVAILABLE, /* redoubt-keys does not answer, so there is no key; try again later */
	CATALOG_KEYS_FULL,	  /* the collection's key cannot be rotated any more */
};

struct organization {
	char id[STORE_UUID];
	uint64_t created_us;
};

/* Texts are borrowed for the call they are handed to; nullptr is null. */
struct workspace {
	const char *name, *description, *created_by;
	uint64_t created_us;
	int64_t collections;
};

struct collection {
	int64_t n; /* its number in the store; never used twice */
	const char *workspace, *name, *uuid;
	const char *description, *compression, *created_by, *created_by_key; /* nullptr: null */
	const char *clustering_key; /* paths, as of chunk_key_each(); nullptr: none */
	int64_t retention_secs;	    /* 0: for ever */
	uint64_t created_us, updated_us;
	int64_t documents, bytes, purged;
	int64_t key_version;  /* the number of the data key that is in use; 0: none */
	uint64_t key_made_us; /* when it was made: with the collection, or by the last rotation */
	bool key_lost;	      /* its key is gone or damaged: -ENOKEY is all it answers */
	bool built_in;	      /* _events: read-only */
};

/* Called once for each; return false to stop. */
typedef bool catalog_workspace_fn(void *userdata, const struct workspace *workspace);
typedef bool catalog_collection_fn(void *userdata, const struct collection *collection);
typedef bool catalog_name_fn(void *userdata, const char *name);

/* Read who we are. Returns 0 or -errno. */
[[nodiscard]] int catalog_organization(struct store *store, struct organization *ret);

/* Call fn for each workspace in the order of names, or for the one called name if that is not nullptr. Returns 0, CATALOG_NO_WORKSPACE (there is no such one) or -errno. */
[[nodiscard]] int catalog_workspaces(struct store *store, const char *name,
				     catalog_workspace_fn *fn, void *userdata);

/* Make a workspace; of it only name, description, created_by and created_us are read. Returns 0, CATALOG_EXISTS, CATALOG_FULL or -errno. */
[[nodiscard]] int catalog_workspace_create(struct store *store, const struct workspace *workspace);

/* Delete an empty workspace. Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NOT_EMPTY, CATALOG_BUILT_IN or -errno. */
[[nodiscard]] int catalog_workspace_delete(struct store *store, const char *name);

/*
 * Call fn for each collection in the order of workspaces and names.
 *
 * workspace  only that one's, or nullptr
 * name       only that one, or nullptr; needs a workspace
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION (what was named does not exist) or -errno.
 */
[[nodiscard]] int catalog_collections(struct store *store, const char *workspace, const char *name,
				      catalog_collection_fn *fn, void *userdata);

/*
 * Make a collection, and its key; its n, uuid, counts and key are not read.
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_EXISTS, CATALOG_BUILT_IN, CATALOG_FULL, CATALOG_KEYS_UNAVAILABLE or -errno.
 */
[[nodiscard]] int catalog_collection_create(struct store *store,
					    const struct collection *collection);

/*
 * Delete a collection and destroy its key, which makes every copy of its documents unreadable. If redoubt-keys does not
 * answer the collection is gone all the same and the key is destroyed later, whatever happens in between.
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION, CATALOG_BUILT_IN or -errno.
 */
[[nodiscard]] int catalog_collection_delete(struct store *store, const char *workspace,
					    const char *name);

/*
 * Rotate a collection's keys: a new version of its collection key, a new data key for all files that are written from
 * now on, and the older data keys, which older files need, wrapped anew.
 *
 * Returns 0, CATALOG_NO_WORKSPACE, CATALOG_NO_COLLECTION, CATALOG_BUILT_IN, CATALOG_KEYS_UNAVAILABLE, CATALOG_KEYS_FULL,
 *   -ENOKEY (the key is lost) or another -errno; on anything but 0 the data keys are as before.
 * Cost: a request to redoubt-keys for each data key.
 */
[[nodiscard]] int catalog_collection_rotate(struct store *store, const char *workspace,
					    const char *name);

/* Call fn for each top-level field of a collection's documents, in the order of names. Returns 0, CATALOG_NO_COLLECTION or -errno. */
[[nodiscard]] int catalog_fields(struct store *store, int64_t n, catalog_name_fn *fn,
				 void *userdata);

/* Whether it is one of the collections that exist without having been made. */
[[nodiscard]] bool catalog_is_built_in(const char *workspace, const char *name);
