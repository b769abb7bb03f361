/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/disk-fixture.h"

static const uint8_t KEY[SEALED_KEY] = { 9 };

constexpr uint32_t PAGES = 64;

struct bench {
	struct disk disk;
	struct sealed *sealed; /* each page holds its number, again and again */
	struct cache *cache;
};

static bool bench_open(struct bench *bench, size_t budget_pages)
{
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
	uint8_t page[SEALED_PAGE / 16];

	if (!disk_make(&bench->disk) || file_create_unnamed(bench->disk.folder, &file) ||
	    sealed_writer_new(file, KEY, "pages", &writer))
		return false;
	for (uint32_t i = 0; i < PAGES; i++) {
		struct extent extent;

		memset(page, (int)i, sizeof(page));
		if (sealed_add(writer, page, sizeof(page), &extent))
			return false;
	}
	return sealed_writer_take(&writer, &file, &bench->sealed) == 0 &&
	       cache_new(budget_pages * SEALED_PAGE, &bench->cache) == 0;
}

static void bench_done(struct bench *bench)
{
	cache_free_at(&bench->cache);
	sealed_close_at(&bench->sealed);
	disk_done(&bench->disk);
}

#define auto_bench cleanup(bench_done)

static int pin(struct bench *bench, uint32_t page, uint32_t pages, struct pin **ret)
{
	const uint8_t *data = nullptr;
	struct pin_about about;

	int r = cache_pin(bench->cache, bench->sealed, 1, (struct extent) { page, pages }, &data,
			  ret, &about);
	for (uint32_t i = 0; r == 0 && i < pages; i++)
		if (data[i * SEALED_PAGE] != page + i)
			return -EBADMSG;
	return r;
}

/* Pin and let go at once. */
static int touch(struct bench *bench, uint32_t page, uint32_t pages)
{
	cleanup(cache_unpin_at) struct pin *held = nullptr;

	return pin(bench, page, pages, &held);
}

static struct cache_figures figures(struct bench *bench)
{
	struct cache_figures now;

	cache_figures(bench->cache, &now);
	return now;
}

static bool what_was_read_is_not_read_again(void)
{
	auto_bench struct bench bench = {};

	CHECK(bench_open(&bench, 16));
	for (uint32_t i = 0; i < 40; i++)
		CHECK_EQ(touch(&bench, i % 4 * 2, 2), 0);
	CHECK_EQ(figures(&bench).misses, 4u);
	CHECK_EQ(figures(&bench).hits, 36u);
	CHECK_EQ(figures(&bench).pages_read, 8u);
	CHECK_EQ(figures(&bench).used, 8 * SEALED_PAGE);
	return true;
}

static bool a_caller_hears_whether_it_had_to_read(void)
{
	auto_bench struct bench bench = {};
	const uint8_t *data;

	CHECK(bench_open(&bench, 16));
	for (int i = 0; i < 2; i++) {
		cleanup(cache_unpin_at) struct pin *held = nullptr;
		struct pin_about about = {};

		CHECK_EQ(cache_pin(bench.cache, bench.sealed, 1, (struct extent) { 3, 2 }, &data,
				   &held, &about),
			 0);
		CHECK_EQ(about.missed, i == 0);
	}
	return true;
}

static bool the_oldest_goes_first(void)
{
	auto_bench struct bench bench = {};

	CHECK(bench_open(&bench, 4));
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ(touch(&bench, i, 1), 0);
	CHECK_EQ(figures(&bench).used, 4 * SEALED_PAGE);
	CHECK_EQ(touch(&bench, 1, 1), 0); /* still there */
	CHECK_EQ(figures(&bench).misses, 5u);
	CHECK_EQ(touch(&bench, 0, 1), 0);
	CHECK_EQ(figures(&bench).misses, 6u);
	return true;
}

static bool what_is_used_again_and_again_outlives_a_scan(void)
{
	auto_bench struct bench bench = {};

	CHECK(bench_open(&bench, 16));
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQ(touch(&bench, i, 1), 0);
	for (uint32_t i = 8; i < 12; i++) /* time passes */
		CHECK_EQ(touch(&bench, i, 1), 0);
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQ(touch(&bench, i, 1), 0);
	for (uint32_t i = 12; i < PAGES; i++) { /* a scan that uses all twice */
		CHECK_EQ(touch(&bench, i, 1), 0);
		CHECK_EQ(touch(&bench, i, 1), 0);
	}
	CHECK_EQ(figures(&bench).misses, PAGES);
	for (uint32_t i = 0; i < 8; i++)
		CHECK_EQ(touch(&bench, i, 1), 0);
	CHECK_EQ(figures(&bench).misses, PAGES);
	return true;
}

static bool what_is_pinned_stays_and_the_budget_too(void)
{
	auto_bench struct bench bench = {};
	cleanup(cache_unpin_at) struct pin *a = nullptr, *b = nullptr, *c = nullptr;

	CHECK(bench_open(&bench, 4));
	CHECK_EQ(pin(&bench, 0, 3, &a), 0);
	CHECK_EQ(pin(&bench, 8, 1, &b), 0);
	CHECK_EQ(pin(&bench, 9, 1, &c), -ENOMEM);
	CHECK(!c);
	CHECK_EQ(pin(&bench, 20, 5, &c), -ENOMEM);
	cache_unpin_at(&b);
	CHECK_EQ(pin(&bench, 30, 2, &c), -ENOMEM); /* and page 8 was not thrown out in vain */
	CHECK_EQ(pin(&bench, 8, 1, &c), 0);
	CHECK_EQ(figures(&bench).misses, 5u);
	cache_shrink(bench.cache, 0);
	CHECK_EQ(figures(&bench).used, 4 * SEALED_PAGE);
	cache_set_budget(bench.cache, SEALED_PAGE);
	cache_unpin_at(&a);
	CHECK_EQ(figures(&bench).used, SEALED_PAGE);
	cache_set_budget(bench.cache, 0);
	CHECK_EQ(pin(&bench, 8, 1, &b), 0); /* there is one already */
	cache_unpin_at(&b);
	cache_unpin_at(&c);
	CHECK_EQ(figures(&bench).used, 0u);
	return true;
}

static bool a_file_that_goes_away_is_forgotten(void)
{
	auto_bench struct bench bench = {};
	cleanup(cache_unpin_at) struct pin *held = nullptr;
	const uint8_t *data;
	struct pin_about about;

	CHECK(bench_open(&bench, 16));
	CHECK_EQ(pin(&bench, 0, 3, &held), 0);
	CHECK_EQ(touch(&bench, 8, 2), 0);
	cleanup(cache_unpin_at) struct pin *other = nullptr;
	CHECK_EQ(cache_pin(bench.cache, bench.sealed, 2, (struct extent) { 8, 2 }, &data, &other,
			   &about),
		 0);
	cache_forget(bench.cache, 1);
	CHECK_EQ(figures(&bench).used, 5 * SEALED_PAGE);
	cache_unpin_at(&held);
	CHECK_EQ(figures(&bench).used, 2 * SEALED_PAGE);
	return true;
}

static bool an_extent_that_cannot_be_read_leaves_nothing_behind(void)
{
	auto_bench struct bench bench = {};
	struct pin *none = nullptr;
	const uint8_t *data;
	struct pin_about about = {};

	CHECK(bench_open(&bench, 16));
	CHECK_EQ(cache_pin(bench.cache, bench.sealed, 1, (struct extent) { PAGES - 1, 2 }, &data,
			   &none, &about),
		 SEALED_DAMAGED);
	CHECK_EQ(about.page, PAGES - 1);
	CHECK_EQ(cache_pin(bench.cache, bench.sealed, 1, (struct extent) { 3, 0 }, &data, &none,
			   &about),
		 SEALED_DAMAGED);
	CHECK_EQ(about.page, 3u);
	CHECK(!none);
	CHECK_EQ(figures(&bench).used, 0u);
	return true;
}

constexpr size_t THREADS = 6;

struct crowd {
	struct bench bench;
	atomic_size_t failures, refusals, over;
	atomic_size_t seed;
	size_t rounds;
};

/* Pin one to three extents at random, look at them, let go. */
static void *use_at_random(void *userdata)
{
	struct crowd *crowd = userdata;
	unsigned int seed = (unsigned int)atomic_fetch_add(&crowd->seed, 1);

	for (size_t i = 0; i < crowd->rounds; i++) {
		struct pin *held[3] = {};

		for (size_t k = 0; k < countof(held); k++) {
			unsigned int dice = (unsigned int)rand_r(&seed);
			uint32_t pages = dice % 8 < 6 ? 1 : 1 + dice % 5;
			uint32_t page = dice / 64 % (dice % 3 ? 8 : PAGES - 5);
			int r = pin(&crowd->bench, page, pages, &held[k]);

			crowd->refusals += r == -ENOMEM;
			crowd->failures += r != 0 && r != -ENOMEM;
		}
		struct cache_figures now = figures(&crowd->bench);
		crowd->over += now.used > now.budget;
		for (size_t k = 0; k < countof(held); k++)
			cache_unpin_at(&held[k]);
	}
	return nullptr;
}

static bool run_crowd(struct crowd *crowd, size_t budget_pages, size_t rounds)
{
	pthread_t threads[THREADS];

	crowd->rounds = rounds;
	CHECK(bench_open(&crowd->bench, budget_pages));
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], nullptr, use_at_random, crowd) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], nullptr) == 0);
	CHECK_EQ(crowd->failures, 0u);
	CHECK_EQ(crowd->over, 0u);
	cache_shrink(crowd->bench.cache, 0);
	CHECK_EQ(figures(&crowd->bench).used, 0u);
	return true;
}

static void crowd_done(struct crowd *crowd)
{
	bench_done(&crowd->bench);
}

static bool the_budget_is_kept_exactly_by_many_threads(void)
{
	cleanup(crowd_done) struct crowd tight = {}, wide = {};

	CHECK(run_crowd(&tight, 7, 400)); /* less than they want to pin at once */
	CHECK(tight.refusals > 0);
	CHECK(run_crowd(&wide, 6 * 3 * 5, 400));
	CHECK_EQ(wide.refusals, 0u);
	return true;
}

static void *use_all(void *userdata)
{
	struct crowd *crowd = userdata;

	for (uint32_t i = 0; i < PAGES; i++)
		crowd->failures += touch(&crowd->bench, i, 1) != 0;
	return nullptr;
}

static bool threads_that_want_the_same_read_it_once(void)
{
	cleanup(crowd_done) struct crowd crowd = {};
	pthread_t threads[THREADS];

	CHECK(bench_open(&crowd.bench, PAGES));
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], nullptr, use_all, &crowd) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], nullptr) == 0);
	CHECK_EQ(crowd.failures, 0u);
	CHECK_EQ(figures(&crowd.bench).pages_read, PAGES);
	CHECK_EQ(figures(&crowd.bench).hits, (THREADS - 1) * PAGES);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	auto_bench struct bench bench = {};

	CHECK(bench_open(&bench, 16));
	for (size_t n = 1;; n++) {
		cleanup(cache_free_at) struct cache *cache = nullptr;
		cleanup(cache_unpin_at) struct pin *held = nullptr;
		const uint8_t *data;
		struct pin_about about;

		fault_at(n);
		int r = cache_new(1u << 20, &cache);
		if (r == 0)
			r = cache_pin(cache, bench.sealed, 1, (struct extent) { 1, 1 }, &data,
				      &held, &about);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!held);
	}
}

int main(void)
{
	RUN(what_was_read_is_not_read_again);
	RUN(a_caller_hears_whether_it_had_to_read);
	RUN(the_oldest_goes_first);
	RUN(what_is_used_again_and_again_outlives_a_scan);
	RUN(what_is_pinned_stays_and_the_budget_too);
	RUN(a_file_that_goes_away_is_forgotten);
	RUN(an_extent_that_cannot_be_read_leaves_nothing_behind);
	RUN(the_budget_is_kept_exactly_by_many_threads);
	RUN(threads_that_want_the_same_read_it_once);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
