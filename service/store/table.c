/* SPDX-License-Identifier: Apache-2.0 */

/* The lists of workspaces and collections, in memory. */

#include "service/store/internal.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/store/catalog.h"
#include "service/store/live.h"
#include "service/store/table.h"

static int compare(const struct collection *a, const char *workspace, const char *name)
{
	int order = strcmp(a->workspace, workspace);

	return order ? order : strcmp(a->name, name);
}

size_t table_place(const struct store *store, const char *workspace, const char *name)
{
	size_t low = 0, high = store->n_live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&store->by_name[middle]->about, workspace, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct live *table_collection(const struct store *store, const char *workspace, const char *name)
{
	size_t at = table_place(store, workspace, name);

	return at < store->n_live && compare(&store->by_name[at]->about, workspace, name) == 0
		       ? store->by_name[at]
		       : nullptr;
}

const struct store_workspace *table_workspace(const struct store *store, const char *name)
{
	size_t low = 0, high = store->n_workspaces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(store->workspace[middle].name, name);

		if (order == 0)
			return &store->workspace[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return nullptr;
}

/* Where a collection with this number is, or would be. */
static size_t place_of_number(const struct store *store, int64_t n)
{
	size_t low = 0, high = store->n_live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (store->by_number[middle]->about.n < n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int store_find(struct store *store, const char *workspace, const char *name, struct live **ret)
{
	int r = 0;

	(void)pthread_rwlock_rdlock(&store->table);
	struct live *live = table_collection(store, workspace, name);
	if (live)
		*ret = live_ref(live);
	else
		r = table_workspace(store, workspace) ? CATALOG_NO_COLLECTION
						      : CATALOG_NO_WORKSPACE;
	(void)pthread_rwlock_unlock(&store->table);
	return r;
}

struct live *store_find_number(struct store *store, int64_t n)
{
	struct live *live = nullptr;

	(void)pthread_rwlock_rdlock(&store->table);
	size_t at = place_of_number(store, n);
	if (at < store->n_live && store->by_number[at]->about.n == n)
		live = live_ref(store->by_number[at]);
	(void)pthread_rwlock_unlock(&store->table);
	return live;
}

int store_list(struct store *store, struct live ***ret, size_t *ret_n)
{
	(void)pthread_rwlock_rdlock(&store->table);
	size_t n = store->n_live;
	struct live **list = calloc(n + 1, sizeof(struct live *));
	for (size_t i = 0; list && i < n; i++)
		list[i] = live_ref(store->by_number[i]);
	(void)pthread_rwlock_unlock(&store->table);
	if (!list)
		return -ENOMEM;
	*ret = list;
	*ret_n = n;
	return 0;
}

void store_list_free(struct live **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		live_unref(list[i]);
	free(list);
}

/* Make room for one more collection. With the table's lock. */
static int reserve(struct store *store)
{
	if (store->n_live < store->live_room)
		return 0;
	size_t room = store->live_room ? 2 * store->live_room : 16;
	struct live **by_name = reallocarray(store->by_name, room, sizeof(struct live *));
	if (!by_name)
		return -ENOMEM;
	store->by_name = by_name;
	struct live **by_number = reallocarray(store->by_number, room, sizeof(struct live *));
	if (!by_number)
		return -ENOMEM;
	store->by_number = by_number;
	store->live_room = room;
	return 0;
}

int store_reserve(struct store *store)
{
	(void)pthread_rwlock_wrlock(&store->table);
	int r = reserve(store);
	(void)pthread_rwlock_unlock(&store->table);
	return r;
}

static void insert_at(struct live **list, size_t n, size_t at, struct live *live)
{
	memmove(list + at + 1, list + at, (n - at) * sizeof(struct live *));
	list[at] = live;
}

int store_insert(struct store *store, struct live *live)
{
	(void)pthread_rwlock_wrlock(&store->table);
	int r = reserve(store);
	if (r == 0) {
		insert_at(store->by_name, store->n_live,
			  table_place(store, live->about.workspace, live->about.name), live);
		insert_at(store->by_number, store->n_live, place_of_number(store, live->about.n),
			  live);
		store->n_live++;
	}
	(void)pthread_rwlock_unlock(&store->table);
	return r;
}

static void remove_from(struct live **list, size_t n, const struct live *live)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == live) {
			memmove(list + i, list + i + 1, (n - i - 1) * sizeof(struct live *));
			return;
		}
}

void store_remove(struct store *store, struct live *live)
{
	(void)pthread_rwlock_wrlock(&store->table);
	remove_from(store->by_name, store->n_live, live);
	remove_from(store->by_number, store->n_live, live);
	store->n_live--;
	(void)pthread_rwlock_unlock(&store->table);
	live_unref(live);
}

static void free_workspace(struct store_workspace *workspace)
{
	free(workspace->name);
	free(workspace->description);
	free(workspace->created_by);
}

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : nullptr;
	return text && !*ret ? -ENOMEM : 0;
}

int store_insert_workspace(struct store *store, const struct workspace *workspace)
{
	struct store_workspace copy = { .created_us = workspace->created_us };
	struct store_workspace *grown = nullptr;
	size_t at = 0;
	copy.name = strdup(workspace->name);
	int r = copy.name ? 0 : -ENOMEM;
	if (r == 0)
		r = copy_text(workspace->description, &copy.description);
	if (r == 0)
		r = copy_text(workspace->created_by, &copy.created_by);
	if (r) {
		free_workspace(&copy);
		return r;
	}
	(void)pthread_rwlock_wrlock(&store->table);
	grown = reallocarray(store->workspace, store->n_workspaces + 1, sizeof(*grown));
	if (grown) {
		store->workspace = grown;
		while (at < store->n_workspaces && strcmp(grown[at].name, copy.name) < 0)
			at++;
		memmove(grown + at + 1, grown + at, (store->n_workspaces - at) * sizeof(*grown));
		grown[at] = copy;
		store->n_workspaces++;
	}
	(void)pthread_rwlock_unlock(&store->table);
	if (!grown)
		free_workspace(&copy);
	return grown ? 0 : -ENOMEM;
}

void table_remove_workspace(struct store *store, const char *name)
{
	(void)pthread_rwlock_wrlock(&store->table);
	for (size_t i = 0; i < store->n_workspaces; i++) {
		if (strcmp(store->workspace[i].name, name) != 0)
			continue;
		free_workspace(&store->workspace[i]);
		store->n_workspaces--;
		memmove(store->workspace + i, store->workspace + i + 1,
			(store->n_workspaces - i) * sizeof(*store->workspace));
		break;
	}
	(void)pthread_rwlock_unlock(&store->table);
}

void table_done(struct store *store)
{
	for (size_t i = 0; i < store->n_live; i++)
		live_unref(store->by_number[i]);
	for (size_t i = 0; i < store->n_workspaces; i++)
		free_workspace(&store->workspace[i]);
	free(store->by_name);
	free(store->by_number);
	free(store->workspace);
}
