/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/column/spans.h"
#include "service/snapshot/state.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "service/store/table.h"

constexpr uint32_t FIELD_NAME_MAX = 256; /* longer names are stored but not listed */

bool catalog_is_built_in(const char *workspace, const char *name)
{
	return strcmp(workspace, "commons") == 0 && strcmp(name, "_events") == 0;
}

int catalog_organization(struct store *store, struct organization *ret)
{
	*ret = store->organization;
	return 0;
}

/* Collections of a workspace, which are neighbours. With the table's lock. */
static int64_t count_collections(const struct store *store, const char *workspace)
{
	size_t first = table_place(store, workspace, ""), at = first;

	while (at < store->n_live && strcmp(store->by_name[at]->about.workspace, workspace) == 0)
		at++;
	return (int64_t)(at - first);
}

static bool tell_workspace(const struct store *store, const struct store_workspace *row,
			   catalog_workspace_fn *fn, void *userdata)
{
	return fn(userdata,
		  &(struct workspace) { .name = row->name,
					.description = row->description,
					.created_by = row->created_by,
					.created_us = row->created_us,
					.collections = count_collections(store, row->name) });
}

int catalog_workspaces(struct store *store, const char *name, catalog_workspace_fn *fn,
		       void *userdata)
{
	int r = 0;

	(void)pthread_rwlock_rdlock(&store->table);
	if (name) {
		const struct store_workspace *row = table_workspace(store, name);

		if (row)
			(void)tell_workspace(store, row, fn, userdata);
		r = row ? 0 : CATALOG_NO_WORKSPACE;
	} else {
		for (size_t i = 0; i < store->n_workspaces; i++)
			if (!tell_workspace(store, &store->workspace[i], fn, userdata))
				break;
	}
	(void)pthread_rwlock_unlock(&store->table);
	return r;
}

static const struct collection EVENTS = {
	.workspace = "commons",
	.name = "_events",
	.uuid = "00000000-0000-4000-8000-000000000001",
	.description =
		"what people and keys have done; empty in this release, see the audit ledger",
	.built_in = true,
};

static bool tell_collection(struct live *live, catalog_collection_fn *fn, void *userdata)
{
	struct collection about = live->about;
	cleanup(snapshot_unref_at) struct snapshot *now = live_visible(live);

	about.documents = now->documents;
	about.bytes = now->bytes;
	about.updated_us = atomic_load(&live->updated_us);
	about.purged = atomic_load(&live->purged);
	about.key_version = live_newest_key(live, &about.key_made_us);
	about.key_lost = live->broken == -ENOKEY;
	return fn(userdata, &about);
}

/* With the table's lock. */
static int tell_collections(struct store *store, const char *workspace, const char *name,
			    catalog_collection_fn *fn, void *userdata)
{
	if (workspace && !table_workspace(store, workspace))
		return CATALOG_NO_WORKSPACE;
	if (workspace && name) {
		struct live *live = table_collection(store, workspace, name);

		if (live)
			(void)tell_collection(live, fn, userdata);
		return live ? 0 : CATALOG_NO_COLLECTION;
	}
	for (size_t i = workspace ? table_place(store, workspace, "") : 0; i < store->n_live; i++) {
		struct live *live = store->by_name[i];

		if (workspace && strcmp(live->about.workspace, workspace) != 0)
			break;
		if (!tell_collection(live, fn, userdata))
			break;
	}
	return 0;
}

int catalog_collections(struct store *store, const char *workspace, const char *name,
			catalog_collection_fn *fn, void *userdata)
{
	if (workspace && name && catalog_is_built_in(workspace, name)) {
		(void)fn(userdata, &EVENTS);
		return 0;
	}
	(void)pthread_rwlock_rdlock(&store->table);
	int r = tell_collections(store, workspace, name, fn, userdata);
	(void)pthread_rwlock_unlock(&store->table);
	return r;
}

int store_snapshot(struct store *store, const char *workspace, const char *name,
		   struct snapshot **ret)
{
	cleanup(live_unref_at) struct live *live = nullptr;

	if (catalog_is_built_in(workspace, name))
		return state_new(0, ret);
	int r = store_find(store, workspace, name, &live);
	if (r == 0)
		r = live->broken;
	if (r == 0)
		*ret = live_visible(live);
	return r;
}

/* --- fields -------------------------------------------------------------------------------- */

/* Names in order, borrowed from chunks. */
struct names {
	struct str name[CATALOG_FIELDS_MAX];
	size_t n;
};

static int compare(const struct str *a, const struct str *b)
{
	uint32_t len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->at, b->at, len) : 0; /* a name may be empty, and nowhere */

	return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

static void add_name(struct names *names, const struct str *name)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&names->name[middle], name);

		if (order == 0)
			return;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (names->n == (size_t)CATALOG_FIELDS_MAX || name->len > FIELD_NAME_MAX ||
	    memchr(name->at, 0, name->len))
		return;
	memmove(names->name + low + 1, names->name + low, (names->n - low) * sizeof(*name));
	names->name[low] = *name;
	names->n++;
}

static void add_chunk(struct names *names, const struct chunk *chunk)
{
	for (uint32_t i = 1; i < chunk_columns(chunk); i++) {
		const struct chunk_column *column = chunk_column(chunk, i);

		if (column->parent == 0 && !column->element)
			add_name(names, &column->key);
	}
}

int catalog_fields(struct store *store, int64_t n, catalog_name_fn *fn, void *userdata)
{
	cleanup(live_unref_at) struct live *live = store_find_number(store, n);
	auto_free struct names *names = calloc(1, sizeof(*names));
	char text[FIELD_NAME_MAX + 1];

	if (!live)
		return CATALOG_NO_COLLECTION;
	if (!names)
		return -ENOMEM;
	cleanup(snapshot_unref_at) struct snapshot *now = live_visible(live);
	for (size_t i = 0; i < now->n; i++)
		add_chunk(names, now->entry[i].part->chunk);
	for (size_t i = 0; i < names->n; i++) {
		memcpy(text, names->name[i].at, names->name[i].len);
		text[names->name[i].len] = '\0';
		if (!fn(userdata, text))
			break;
	}
	return 0;
}
