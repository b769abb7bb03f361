/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "common/base.h"
#include "common/crypto/crypto.h"
#include "service/disk/cache.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/disk/sealed.h"
#include "service/segment/segment.h"
#include "service/snapshot/state.h"
#include "service/store/import.h"
#include "service/store/internal.h"
#include "service/store/keeper.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/table.h"

constexpr size_t CACHE_BYTES = 128u << 20;
constexpr unsigned int KEY_BITS = 16; /* as in live_log_number() */

void store_note_damage(struct store *store, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)pthread_mutex_lock(&store->damage_lock);
	(void)vsnprintf(store->damage, sizeof(store->damage), format, args);
	(void)pthread_mutex_unlock(&store->damage_lock);
	va_end(args);
}

void store_damage(struct store *store, char ret[STORE_DAMAGE])
{
	(void)pthread_mutex_lock(&store->damage_lock);
	memcpy(ret, store->damage, STORE_DAMAGE);
	(void)pthread_mutex_unlock(&store->damage_lock);
}

/* The data key of a log's collection, see live_log_number(). */
static int log_key(void *userdata, int64_t collection, uint8_t ret[32])
{
	struct store *store = userdata;
	cleanup(live_unref_at) struct live *live = store_find_number(store, collection >> KEY_BITS);
	int64_t n = collection & ((INT64_C(1) << KEY_BITS) - 1);

	return live && n > 0 && live_key(live, n, ret, &n) ? 0 : 1;
}

static void init_locks(struct store *store)
{
	pthread_condattr_t monotonic;

	/* None of these can fail with Linux's threads. */
	(void)pthread_mutex_init(&store->admin, nullptr);
	(void)pthread_mutex_init(&store->book, nullptr);
	(void)pthread_mutex_init(&store->keeping, nullptr);
	(void)pthread_mutex_init(&store->recovering, nullptr);
	(void)pthread_mutex_init(&store->reserving, nullptr);
	(void)pthread_mutex_init(&store->wake_lock, nullptr);
	(void)pthread_mutex_init(&store->damage_lock, nullptr);
	(void)pthread_rwlock_init(&store->table, nullptr);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&store->wake, &monotonic);
	(void)pthread_cond_init(&store->kept, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
}

static void done_locks(struct store *store)
{
	(void)pthread_mutex_destroy(&store->admin);
	(void)pthread_mutex_destroy(&store->book);
	(void)pthread_mutex_destroy(&store->keeping);
	(void)pthread_mutex_destroy(&store->recovering);
	(void)pthread_mutex_destroy(&store->reserving);
	(void)pthread_mutex_destroy(&store->wake_lock);
	(void)pthread_mutex_destroy(&store->damage_lock);
	(void)pthread_rwlock_destroy(&store->table);
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->kept);
}

/* Open a folder of the store's own, making it if it is missing. */
static int open_folder(struct store *store, const char *name, struct folder **ret)
{
	char path[STORE_PATH + 16];

	(void)snprintf(path, sizeof(path), "%s/%s", store->folder, name);
	if (mkdir(path, 0700) && errno != EEXIST)
		return neg_errno();
	return folder_open(path, store->hook, store->hook_data, ret);
}

static int open_log(struct store *store)
{
	char damage[LOG_DAMAGE_MAX] = "";
	int r = log_open(store->log_folder, log_key, store, damage, &store->log);

	if (r == LOG_TOO_NEW)
		return STORE_TOO_NEW;
	if (r <= 0)
		return r;
	store_note_damage(store, "%s", damage);
	return STORE_DAMAGED;
}

static int open_all(struct store *store, const struct store_options *options)
{
	bool import = false;
	int r = cache_new(options->cache_bytes ? options->cache_bytes : CACHE_BYTES,
			  &store->segments.cache);

	if (r == 0)
		r = open_folder(store, "log", &store->log_folder);
	if (r == 0)
		r = open_folder(store, "segments", &store->segments.folder);
	if (r == 0)
		r = book_open(store);
	if (r == 0)
		r = import_prepare(store, &import);
	if (r == 0)
		r = open_log(store);
	if (r == 0)
		r = load_all(store);
	if (r == 0)
		r = replay_log(store);
	if (r == 0 && import)
		r = import_all(store);
	return r;
}

static void note_segment(void *userdata, const char *sentence)
{
	store_note_damage(userdata, "%s", sentence);
}

int store_open(const char *folder, const struct store_options *options, struct store **ret)
{
	cleanup(store_close_at) struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	init_locks(store);
	store->keys = options->keys;
	store->hook = options->hook;
	store->hook_data = options->hook_data;
	store->may_be_doomed = true;
	store->next_segment = 1;
	atomic_init(&store->segments.next_file_key, 1);
	store->segments.on_damage = note_segment;
	store->segments.userdata = store;
	int len = snprintf(store->path, STORE_PATH, "%s/catalog.sqlite", folder);
	if (len < 0 || (size_t)len >= STORE_PATH)
		return -ENAMETOOLONG;
	(void)snprintf(store->folder, STORE_PATH, "%s", folder);

	int r = open_all(store, options);
	if (r == STORE_DAMAGED && options->ret_damage)
		store_damage(store, options->ret_damage);
	if (r)
		return r;
	(void)!reserve_fill(store);
	*ret = TAKE(store);
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store)
		return nullptr;
	keeper_stop(store);
	table_done(store);
	log_close(store->log);
	cache_free(store->segments.cache);
	folder_close(store->log_folder);
	folder_close(store->segments.folder);
	(void)sqlite3_close_v2(store->db);
	done_locks(store);
	free(store);
	return nullptr;
}

int store_recover(struct store *store)
{
	struct live **list = nullptr;
	size_t n = 0;

	(void)pthread_mutex_lock(&store->recovering);
	int r = store_list(store, &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		(void)pthread_mutex_lock(&list[i]->turn);
		/* If only an append has failed, what came before it can still become durable. */
		if (live_settle(list[i]))
			live_roll_back(list[i], log_synced(store->log));
		(void)pthread_mutex_unlock(&list[i]->turn);
	}
	store_list_free(list, n);
	if (r == 0)
		r = log_reset(store->log);
	(void)pthread_mutex_unlock(&store->recovering);
	return r;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

/* Bytes of a collection's segments, each counted once. */
static uint64_t segments_size(struct live *live)
{
	cleanup(snapshot_unref_at) struct snapshot *now = live_visible(live);
	uint64_t pages = 0;

	for (size_t i = 0; i < now->n; i++)
		if (now->entry[i].part->segment && now->entry[i].part->number == 0)
			pages += segment_row(now->entry[i].part->segment)->pages;
	return pages * SEALED_PAGE;
}

uint64_t store_size(struct store *store)
{
	char wal[STORE_PATH + 8];
	struct live **list = nullptr;
	size_t n = 0;
	uint64_t size = size_of(store->path) + log_size(store->log);

	(void)snprintf(wal, sizeof(wal), "%s-wal", store->path);
	size += size_of(wal);
	if (store_list(store, &list, &n) == 0)
		for (size_t i = 0; i < n; i++)
			size += segments_size(list[i]);
	store_list_free(list, n);
	return size;
}

void store_cache(struct store *store, struct cache_figures *ret)
{
	cache_figures(store->segments.cache, ret);
}

int store_uuid(char ret[STORE_UUID])
{
	uint8_t b[16];
	int r = crypto_random(b, sizeof(b));

	if (r)
		return r;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(ret, STORE_UUID,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return 0;
}

bool store_has_room(struct store *store)
{
	return folder_has_room(store->log_folder);
}
