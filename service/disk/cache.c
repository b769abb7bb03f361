/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/cache.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base.h"
#include "service/disk/sealed.h"

constexpr size_t BUCKETS_MIN = 1u << 10;
constexpr size_t BUCKETS_MAX = 1u << 20;
/* Of the budget, at most so much is kept for what was used again and again. */
constexpr size_t PROTECTED_TENTHS = 8;
/* Used again before so much of the budget was read meanwhile, it is still the same scan that uses it. */
constexpr size_t SAME_SCAN_PART = 16;

enum state : uint8_t {
	LOADING, /* one thread reads it; others wait */
	READY,
	FAILED, /* no longer in the table; goes with the last that waits */
};

enum list_name : uint8_t {
	PROBATION, /* used once */
	PROTECTED, /* used again later */
	LIST_COUNT,
};

/* An extent. In a list only while it is not pinned. */
struct pin {
	struct cache *cache;
	uint64_t file_key;
	struct extent extent;
	struct pin *bucket_next;
	struct pin *newer, *older;
	uint8_t *data; /* [len], mapped */
	size_t len;
	uint64_t born; /* bytes that had been read when it was */
	uint32_t pins; /* those that wait for it included */
	uint32_t page; /* the wrong one, if FAILED */
	int error;     /* if FAILED */
	enum state state;
	enum list_name list; /* where it goes when the last pin is gone */
	bool forgotten;	     /* it goes when the last pin is gone */
};

struct list {
	struct pin *newest, *oldest;
	size_t bytes;
};

struct cache {
	pthread_mutex_t lock;	/* of all that follows; not held while reading and mapping */
	pthread_cond_t changed; /* an extent was read, or memory that was leaving has left */
	size_t budget;
	size_t used;	/* bytes mapped, or about to be */
	size_t leaving; /* of these, bytes that a thread is about to unmap */
	uint64_t hits, misses, pages_read;
	struct list lists[LIST_COUNT];
	size_t mask; /* buckets - 1 */
	struct pin *buckets[];
};

/* Extents that are in no table and list any more and whose memory has to go, once the lock is free. */
struct room {
	struct pin *leaving; /* chained by bucket_next */
};

int cache_new(size_t budget, struct cache **ret)
{
	size_t buckets = BUCKETS_MIN;

	while (buckets < BUCKETS_MAX && buckets < budget / SEALED_PAGE)
		buckets *= 2;
	struct cache *cache = calloc(1, sizeof(*cache) + buckets * sizeof(cache->buckets[0]));
	if (!cache)
		return -ENOMEM;

	/* Neither can fail without attributes. */
	(void)pthread_mutex_init(&cache->lock, nullptr);
	(void)pthread_cond_init(&cache->changed, nullptr);
	cache->budget = budget;
	cache->mask = buckets - 1;
	*ret = cache;
	return 0;
}

static void lock(struct cache *cache)
{
	(void)pthread_mutex_lock(&cache->lock);
}

static void unlock(struct cache *cache)
{
	(void)pthread_mutex_unlock(&cache->lock);
}

/* The anchor of the bucket's chain. Multiplication spreads neighbouring pages (Fibonacci hashing). */
static struct pin **bucket_of(struct cache *cache, uint64_t file_key, uint32_t page)
{
	uint64_t hash = (file_key * 0x9E3779B97F4A7C15 ^ page) * 0x9E3779B97F4A7C15;

	return &cache->buckets[hash >> 32 & cache->mask];
}

static struct pin *find(struct cache *cache, uint64_t file_key, struct extent extent)
{
	struct pin *pin = *bucket_of(cache, file_key, extent.page);

	while (pin && (pin->file_key != file_key || pin->extent.page != extent.page ||
		       pin->extent.pages != extent.pages))
		pin = pin->bucket_next;
	return pin;
}

static void table_remove(struct cache *cache, struct pin *pin)
{
	struct pin **at = bucket_of(cache, pin->file_key, pin->extent.page);

	while (*at != pin)
		at = &(*at)->bucket_next;
	*at = pin->bucket_next;
	pin->bucket_next = nullptr;
}

static void list_remove(struct cache *cache, struct pin *pin)
{
	struct list *list = &cache->lists[pin->list];

	*(pin->newer ? &pin->newer->older : &list->newest) = pin->older;
	*(pin->older ? &pin->older->newer : &list->oldest) = pin->newer;
	pin->newer = pin->older = nullptr;
	list->bytes -= pin->len;
}

static void list_add(struct cache *cache, struct pin *pin)
{
	struct list *list = &cache->lists[pin->list];

	pin->older = list->newest;
	*(pin->older ? &pin->older->newer : &list->oldest) = pin;
	list->newest = pin;
	list->bytes += pin->len;
}

/* Keep the protected list within its part: its oldest go back on probation. */
static void demote(struct cache *cache)
{
	struct list *list = &cache->lists[PROTECTED];

	while (list->oldest && list->bytes > cache->budget / 10 * PROTECTED_TENTHS) {
		struct pin *pin = list->oldest;

		list_remove(cache, pin);
		pin->list = PROBATION;
		list_add(cache, pin);
	}
}

/* Take an unpinned extent out of everything; its bytes stay counted as used, and as leaving, until release(). */
static void detach(struct cache *cache, struct pin *pin, struct room *room)
{
	list_remove(cache, pin);
	table_remove(cache, pin);
	cache->leaving += pin->len;
	pin->bucket_next = room->leaving;
	room->leaving = pin;
}

/* Detach the extents worth least, until so many bytes are detached or none is left. */
static void evict(struct cache *cache, size_t wanted, struct room *room)
{
	for (size_t got = 0; got < wanted;) {
		struct pin *pin = cache->lists[PROBATION].oldest;

		if (!pin)
			pin = cache->lists[PROTECTED].oldest;
		if (!pin)
			return;
		got += pin->len;
		detach(cache, pin, room);
	}
}

/* Bytes that nobody has pinned. */
static size_t evictable(const struct cache *cache)
{
	return cache->lists[PROBATION].bytes + cache->lists[PROTECTED].bytes;
}

/* How many bytes too many there would be with len more, once what is leaving has left. */
static size_t excess(const struct cache *cache, size_t len)
{
	size_t after = cache->used - cache->leaving + len;

	return after > cache->budget ? after - cache->budget : 0;
}

/* Unmap what was detached and say so. Called and returns without the lock. */
static void release(struct cache *cache, struct room *room)
{
	size_t bytes = 0;

	if (!room->leaving)
		return;
	while (room->leaving) {
		struct pin *pin = room->leaving;

		room->leaving = pin->bucket_next;
		bytes += pin->len;
		if (pin->data)
			(void)munmap(pin->data, pin->len);
		free(pin);
	}
	lock(cache);
	cache->used -= bytes;
	cache->leaving -= bytes;
	(void)pthread_cond_broadcast(&cache->changed);
	unlock(cache);
}

/*
 * Count len bytes as used, and make room for them. Called and returns with the lock, which is given up meanwhile if
 * memory has to leave. One extent of the very size hands its memory over: that saves unmapping and faulting in.
 */
static int reserve(struct cache *cache, size_t len, uint8_t **ret_data)
{
	*ret_data = nullptr;
	while (cache->used + len > cache->budget) {
		struct room room = {};
		size_t wanted = excess(cache, len);

		if (wanted > evictable(cache))
			return -ENOMEM;
		if (wanted == 0) { /* what others are unmapping is enough */
			(void)pthread_cond_wait(&cache->changed, &cache->lock);
			continue;
		}
		evict(cache, wanted, &room);
		assert(room.leaving); /* there was enough */
		if (cache->used <= cache->budget && room.leaving && !room.leaving->bucket_next &&
		    room.leaving->len == len) {
			*ret_data = room.leaving->data;
			cache->leaving -= len;
			free(room.leaving);
			return 0; /* used stays as it is */
		}
		unlock(cache);
		release(cache, &room);
		lock(cache);
	}
	cache->used += len;
	return 0;
}

static int map(size_t len, uint8_t **ret)
{
	void *data = mmap(nullptr, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (data == MAP_FAILED)
		return neg_errno();
	(void)madvise(data, len, MADV_DONTDUMP); /* documents in clear do not belong in a core */
	*ret = data;
	return 0;
}

/* Let go of one pin, with the lock; what has to be freed goes to room. */
static void unpin(struct cache *cache, struct pin *pin, struct room *room)
{
	assert(pin->pins > 0);
	pin->pins--;
	if (pin->pins > 0)
		return;
	if (pin->state == FAILED) { /* no memory, in no table */
		pin->bucket_next = room->leaving;
		room->leaving = pin;
		return;
	}
	list_add(cache, pin);
	if (pin->forgotten)
		detach(cache, pin, room);
	else if (pin->list == PROTECTED)
		demote(cache);

	evict(cache, excess(cache, 0), room); /* the budget may have shrunk while it was pinned */
}

/* Pin an extent that is in the table. Called with the lock, returns without. */
static int pin_known(struct cache *cache, struct pin *pin, const uint8_t **ret_data,
		     struct pin **ret, struct pin_about *ret_about)
{
	struct room room = {};

	cache->hits++;
	if (pin->pins == 0)
		list_remove(cache, pin);
	pin->pins++;
	while (pin->state == LOADING)
		(void)pthread_cond_wait(&cache->changed, &cache->lock);

	if (pin->state == READY) {
		if (cache->pages_read * SEALED_PAGE - pin->born > cache->budget / SAME_SCAN_PART)
			pin->list = PROTECTED;
		unlock(cache);
		*ret_data = pin->data;
		*ret = pin;
		ret_about->missed = false;
		return 0;
	}

	int error = pin->error;
	if (error == SEALED_DAMAGED)
		ret_about->page = pin->page;
	unpin(cache, pin, &room);
	unlock(cache);
	release(cache, &room);
	return error;
}

/* Read an extent into memory that is counted already. Called and returns without the lock. */
static int load(struct pin *pin, struct sealed *sealed, uint8_t *data)
{
	int r = data ? 0 : map(pin->len, &data);

	if (r)
		return r;
	r = sealed_read(sealed, pin->extent, data, &pin->page);
	if (r) {
		(void)munmap(data, pin->len);
		return r;
	}
	pin->data = data;
	return 0;
}

/* Tell those who wait how the reading went. Called with the lock. */
static void loaded(struct cache *cache, struct pin *pin, int r)
{
	if (r == 0) {
		cache->pages_read += pin->extent.pages;
		pin->born = cache->pages_read * SEALED_PAGE;
		pin->state = READY;
	} else {
		table_remove(cache, pin);
		cache->used -= pin->len;
		pin->len = 0;
		pin->error = r;
		pin->state = FAILED;
	}
	(void)pthread_cond_broadcast(&cache->changed);
}

/* Read an extent that is in the table for the first time, as its first user. Called with the lock, returns without. */
static int pin_new(struct cache *cache, struct pin *pin, struct sealed *sealed,
		   const uint8_t **ret_data, struct pin **ret, struct pin_about *ret_about)
{
	size_t len = pin->len;
	struct room room = {};
	uint8_t *data;

	cache->misses++;
	pin->len = 0; /* nothing is counted for it yet */
	int r = reserve(cache, len, &data);
	if (r == 0) {
		pin->len = len;
		unlock(cache);
		r = load(pin, sealed, data);
		lock(cache);
	}
	loaded(cache, pin, r);
	if (r == 0) {
		unlock(cache);
		*ret_data = pin->data;
		*ret = pin;
		ret_about->missed = true;
		return 0;
	}
	if (r == SEALED_DAMAGED)
		ret_about->page = pin->page;
	unpin(cache, pin, &room);
	unlock(cache);
	release(cache, &room);
	return r;
}

int cache_pin(struct cache *cache, struct sealed *sealed, uint64_t file_key, struct extent extent,
	      const uint8_t **ret_data, struct pin **ret, struct pin_about *ret_about)
{
	if (extent.pages == 0 || extent.pages > SEALED_EXTENT_MAX / SEALED_PAGE) {
		ret_about->page = extent.page;
		return SEALED_DAMAGED;
	}

	lock(cache);
	struct pin *pin = find(cache, file_key, extent);
	if (pin)
		return pin_known(cache, pin, ret_data, ret, ret_about);

	pin = malloc(sizeof(*pin));
	if (!pin) {
		unlock(cache);
		return -ENOMEM;
	}
	struct pin **bucket = bucket_of(cache, file_key, extent.page);
	*pin = (struct pin) { .cache = cache,
			      .file_key = file_key,
			      .extent = extent,
			      .bucket_next = *bucket,
			      .len = extent.pages * SEALED_PAGE,
			      .pins = 1 };
	*bucket = pin;
	return pin_new(cache, pin, sealed, ret_data, ret, ret_about);
}

struct pin *cache_unpin(struct pin *pin)
{
	struct room room = {};

	if (!pin)
		return nullptr;
	struct cache *cache = pin->cache;
	lock(cache);
	unpin(cache, pin, &room);
	unlock(cache);
	release(cache, &room);
	return nullptr;
}

void cache_forget(struct cache *cache, uint64_t file_key)
{
	struct room room = {};

	lock(cache);
	for (size_t i = 0; i <= cache->mask; i++)
		for (struct pin *pin = cache->buckets[i], *next; pin; pin = next) {
			next = pin->bucket_next;
			if (pin->file_key != file_key)
				continue;
			pin->forgotten = true;
			if (pin->pins == 0)
				detach(cache, pin, &room);
		}
	unlock(cache);
	release(cache, &room);
}

void cache_shrink(struct cache *cache, size_t bytes)
{
	struct room room = {};

	lock(cache);
	size_t kept = cache->used - cache->leaving;
	if (kept > bytes)
		evict(cache, kept - bytes, &room);
	unlock(cache);
	release(cache, &room);
}

void cache_set_budget(struct cache *cache, size_t budget)
{
	lock(cache);
	cache->budget = budget;
	demote(cache);
	unlock(cache);
	cache_shrink(cache, budget);
}

void cache_figures(struct cache *cache, struct cache_figures *ret)
{
	lock(cache);
	*ret = (struct cache_figures) { .used = cache->used,
					.budget = cache->budget,
					.hits = cache->hits,
					.misses = cache->misses,
					.pages_read = cache->pages_read };
	unlock(cache);
}

struct cache *cache_free(struct cache *cache)
{
	if (!cache)
		return nullptr;
	cache_shrink(cache, 0);
	assert(cache->used == 0); /* nothing may be pinned */
	(void)pthread_cond_destroy(&cache->changed);
	(void)pthread_mutex_destroy(&cache->lock);
	free(cache);
	return nullptr;
}
