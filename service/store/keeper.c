/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/clock.h"
#include "common/heap.h"
#include "service/disk/cache.h"
#include "service/disk/log.h"
#include "service/store/internal.h"
#include "service/store/keep.h"
#include "service/store/keep_merge.h"
#include "service/store/live.h"
#include "service/store/reserve.h"
#include "service/store/store.h"

constexpr time_t ROUND_S = 1;
constexpr uint64_t PAUSE_US = 2'000'000; /* without use; then memory that is free goes back */
constexpr uint64_t IDLE_US = 30'000'000; /* then the cache's, too */

/* Remember the first of several failures. */
static void note(int r, int *first)
{
	*first = *first ? *first : r;
}

int store_keep(struct store *store, enum store_keep how)
{
	struct live **list = nullptr;
	size_t n = 0;
	int r = store_list(store, &list, &n), first = 0;

	if (r)
		return r;
	(void)pthread_mutex_lock(&store->keeping);
	for (size_t i = 0; i < n;
	     i++) /* one that cannot be kept does not keep the others from it */
		note(keep_memory(list[i], how), &first);
	note(keep_log_short(store), &first);
	for (size_t i = 0; i < n; i++)
		note(list[i]->broken ? 0 : keep_merge(list[i], how), &first);
	(void)pthread_mutex_unlock(&store->keeping);
	store_list_free(list, n);
	note(keep_doomed(store), &first);
	(void)!reserve_fill(store);
	return first;
}

/* How long the store has not been used. */
struct idle {
	uint64_t used; /* what had been read, written and sealed then */
	uint64_t since_us;
	bool trimmed, shrunk; /* what has been done since */
};

/* Give memory back once nothing has been read or written for a while: what is free soon, the cache's later. */
static void rest(struct store *store, struct idle *idle)
{
	struct cache_figures figures;
	uint64_t now_us = clock_mono_us();

	cache_figures(store->segments.cache, &figures);
	(void)pthread_mutex_lock(&store->keeping);
	auto used = (uint64_t)store->next_segment;
	(void)pthread_mutex_unlock(&store->keeping);
	used += figures.hits + figures.misses + log_synced(store->log);
	if (used != idle->used) {
		*idle = (struct idle) { .used = used, .since_us = now_us };
		return;
	}
	bool shrinks = !idle->shrunk && now_us - idle->since_us > IDLE_US;
	if (shrinks)
		cache_shrink(store->segments.cache, 0);
	if (shrinks || (!idle->trimmed && now_us - idle->since_us > PAUSE_US))
		heap_trim();
	idle->shrunk |= shrinks;
	idle->trimmed |= now_us - idle->since_us > PAUSE_US;
}

/* Wait for work, or for the time. Returns whether to go on. */
static bool wait_for_work(struct store *store, int error)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ROUND_S;
	(void)pthread_mutex_lock(&store->wake_lock);
	store->keeper_error = error;
	store->rounds++;
	(void)pthread_cond_broadcast(&store->kept);
	if (!store->end)
		(void)pthread_cond_timedwait(&store->wake, &store->wake_lock, &until);
	bool goes_on = !store->end;
	(void)pthread_mutex_unlock(&store->wake_lock);
	return goes_on;
}

static void *run(void *argument)
{
	struct store *store = argument;
	struct idle idle = {};
	int r = 0;

	while (wait_for_work(store, r)) {
		r = store_keep(store, STORE_KEEP_DUE);
		rest(store, &idle);
	}
	return nullptr;
}

int store_start_keeper(struct store *store)
{
	int r = -pthread_create(&store->keeper, nullptr, run, store);

	atomic_store(&store->has_keeper, r == 0);
	return r;
}

void keeper_stop(struct store *store)
{
	if (!atomic_load(&store->has_keeper))
		return;
	(void)pthread_mutex_lock(&store->wake_lock);
	store->end = true;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->wake_lock);
	(void)pthread_join(store->keeper, nullptr);
	atomic_store(&store->has_keeper, false);
}
