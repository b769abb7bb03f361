/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "service/disk/log_internal.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/log-fixture.h"

static bool what_was_appended_is_read_again(void)
{
	auto_logbook struct logbook book = {};

	CHECK(logbook_make(&book));
	CHECK(logbook_holds(&book, 1, 0));
	for (uint8_t i = 1; i <= 20; i++) {
		uint64_t position = 0;

		CHECK_EQ(logbook_append(&book, i, &position), 0);
		CHECK_EQ(position, i);
	}
	CHECK_EQ(log_synced(book.log), 0u);
	CHECK(logbook_holds(&book, 1, 0)); /* nothing that is not durable */
	CHECK_EQ(log_sync(book.log, 7), 0);
	CHECK_EQ(log_synced(book.log), 20u);
	CHECK(logbook_holds(&book, 1, 20));
	CHECK_EQ(log_sync(book.log, 21), -EINVAL);
	CHECK_EQ(log_sync(book.log, 0), 0);

	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(log_synced(book.log), 20u);
	CHECK(logbook_holds(&book, 1, 20));
	CHECK_EQ(logbook_read(&book, 15), 0);
	CHECK_EQ(book.notes.n, 6u);
	CHECK_EQ(book.notes.positions[0], 15u);
	book.notes.stop = 7;
	CHECK_EQ(logbook_read(&book, 0), 7);
	CHECK_EQ(book.notes.n, 1u);
	return true;
}

static bool every_opening_begins_a_new_file(void)
{
	auto_logbook struct logbook book = {};

	CHECK(logbook_make(&book));
	for (uint8_t i = 1; i <= 5; i++) {
		CHECK_EQ(logbook_open(&book), 0);
		CHECK_EQ(logbook_add(&book, i), 0);
	}
	CHECK_EQ(book.disk.steps[FILE_CREATE], 1u);
	CHECK_EQ(logbook_open(&book), 0);
	CHECK(logbook_holds(&book, 1, 5));
	return true;
}

static bool a_full_file_is_followed_by_another(void)
{
	auto_logbook struct logbook book = {};
	uint64_t size = 0;

	CHECK(logbook_make(&book));
	book.log->file_max = 1000;
	for (uint8_t i = 1; i <= 40; i++)
		CHECK_EQ(logbook_append(&book, i, &(uint64_t) { 0 }), 0);
	CHECK(book.log->n > 4);
	CHECK_EQ(log_sync(book.log, 40), 0);
	CHECK(logbook_holds(&book, 1, 40));
	size = log_size(book.log);
	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(log_size(book.log), size);
	CHECK(logbook_holds(&book, 1, 40));
	CHECK_EQ(logbook_read(&book, 38), 0);
	CHECK_EQ(book.notes.n, 3u);
	return true;
}

/* FORMAT.md section 2, written out once more. */
static bool a_file_is_as_the_format_says(void)
{
	auto_logbook struct logbook book = {};
	uint8_t key[32] = { 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
			    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
	uint8_t file_key[32], nonce[12] = { 64 }, plain[2];
	size_t len;

	CHECK(logbook_make(&book));
	CHECK_EQ(logbook_add(&book, 1), 0);
	auto_free uint8_t *bytes = disk_load(&book.disk, FIRST, &len);
	CHECK(bytes);
	CHECK_EQ(len, 64 + 64 + 2 + 16 + 64u);

	CHECK(memcmp(bytes, "rdt-log\n\1\0\1\0\0\0\0\0", 16) == 0);
	CHECK(memcmp(bytes + 32, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 28) ==
	      0);
	struct reader in = reader_make(bytes + 60, 4);
	CHECK_EQ(read_u32(&in), crc32c(bytes, 60));

	const uint8_t *frame = bytes + 64;
	CHECK(memcmp(frame, "rdtf\1\4\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32) ==
	      0);
	CHECK(memcmp(frame + 32, "\2\0\0\0\0\0\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 24) == 0);
	in = reader_make(frame + 56, 8);
	CHECK_EQ(read_u32(&in), crc32c(frame + 64, 18));
	CHECK_EQ(read_u32(&in), crc32c(frame, 60));

	const uint8_t *mark = frame + 64 + 18;
	CHECK(memcmp(mark, "rdtf\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 32) ==
	      0);

	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	CHECK_EQ(crypto_hkdf(key, 32, (struct crypto_extra) { bytes + 16, 16 },
			     (struct crypto_extra) { "redoubt log 1", 13 }, file_key, 32),
		 0);
	CHECK_EQ(crypto_aead_new(file_key, &aead), 0);
	CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) { frame, 56 }, frame + 64, 18,
				  plain),
		 0);
	CHECK(plain[0] == 1 && plain[1] == 1);
	return true;
}

static bool the_example_of_the_format_is_read(void)
{
	auto_logbook struct logbook book = {};
	struct disk corpus = { .path = "tests/fuzz/corpus/disk-log" };
	size_t len;

	CHECK(disk_make(&book.disk));
	auto_free uint8_t *bytes = disk_load(&corpus, "six", &len);
	CHECK(bytes && disk_store(&book.disk, FIRST, bytes, len));
	CHECK_EQ(logbook_open(&book), 0);
	CHECK(logbook_holds(&book, 1, 6));
	return true;
}

static bool a_collection_that_is_gone_is_skipped(void)
{
	auto_logbook struct logbook book = {};

	CHECK(logbook_make(&book));
	for (uint8_t i = 1; i <= 9; i++)
		CHECK_EQ(logbook_add(&book, i), 0);
	book.gone = 2;
	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(logbook_read(&book, 0), 0);
	CHECK_EQ(book.notes.n, 6u);
	CHECK(!book.notes.wrong);
	CHECK_EQ(logbook_add(&book, 1), -ENOENT);
	CHECK_EQ(logbook_add(&book, 10), -ENOENT);
	CHECK_EQ(logbook_add(&book, 11), 0);
	return true;
}

static bool another_key_is_damage_that_is_named(void)
{
	auto_logbook struct logbook book = {};

	CHECK(logbook_make(&book));
	for (uint8_t i = 3; i <= 5; i++)
		CHECK_EQ(logbook_add(&book, i), 0);
	CHECK(strcmp(log_damage(book.log), "") == 0);
	book.changed = 2;
	CHECK_EQ(logbook_read(&book, 0), LOG_DAMAGED);
	CHECK_EQ(book.notes.n, 1u);
	CHECK(strstr(log_damage(book.log), FIRST));
	CHECK(strstr(log_damage(book.log), "not authentic"));
	CHECK_EQ(logbook_read(&book, 3), 0);
	return true;
}

static bool a_forgotten_key_is_asked_for_again(void)
{
	auto_logbook struct logbook book = {};

	CHECK(logbook_make(&book));
	CHECK_EQ(logbook_add(&book, 1), 0);
	book.gone = 2;
	CHECK_EQ(logbook_add(&book, 4), 0); /* not asked */
	log_forget(book.log, 2);
	CHECK_EQ(logbook_add(&book, 4), -ENOENT);
	return true;
}

static bool a_batch_too_large_is_refused(void)
{
	auto_logbook struct logbook book = {};
	struct log_batch batch = { .collection = 1, .len = LOG_BATCH_MAX + 1 };
	uint64_t position;

	CHECK(logbook_make(&book));
	CHECK_EQ(log_append(book.log, &batch, &position), -EMSGSIZE);
	CHECK_EQ(logbook_add(&book, 1), 0);
	return true;
}

static bool a_large_batch_is_read_again(void)
{
	auto_logbook struct logbook book = {};
	auto_free uint8_t *data = calloc(1, 20u << 20);
	struct log_batch batch = { .collection = 1, .data = data, .len = 20u << 20 };
	uint64_t position;

	CHECK(data && logbook_make(&book));
	CHECK_EQ(log_append(book.log, &batch, &position), 0);
	CHECK_EQ(log_sync(book.log, position), 0);
	CHECK_EQ(book.log->buffer.room, 0u);
	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(logbook_read(&book, 0), 0);
	CHECK_EQ(book.notes.n, 1u);
	return true;
}

static bool what_is_past_is_removed(void)
{
	auto_logbook struct logbook book = {};

	CHECK(make_three(&book));
	CHECK_EQ(log_trim(book.log, 3), 0);
	CHECK(logbook_holds(&book, 1, 9));
	CHECK_EQ(log_trim(book.log, 4), 0);
	CHECK(logbook_holds(&book, 4, 9));
	CHECK_EQ(log_trim(book.log, 100), 0);
	CHECK(logbook_holds(&book, 7, 9)); /* the newest stays: it counts the positions */
	CHECK_EQ(logbook_open(&book), 0);
	CHECK(logbook_holds(&book, 7, 9));
	CHECK_EQ(logbook_add(&book, 10), 0);
	CHECK(logbook_holds(&book, 7, 10));
	return true;
}

static bool a_large_file_that_is_past_gives_way_to_an_empty_one(void)
{
	auto_logbook struct logbook book = {};
	auto_free uint8_t *data = calloc(1, 2u << 20);
	struct log_batch batch = { .collection = 1, .data = data, .len = 2u << 20 };
	uint64_t position;

	CHECK(data && logbook_make(&book));
	CHECK_EQ(log_append(book.log, &batch, &position), 0);
	CHECK_EQ(log_trim(book.log, position + 1), 0);
	CHECK(log_size(book.log) > 2u << 20); /* not durable yet */
	CHECK_EQ(log_sync(book.log, position), 0);
	CHECK_EQ(log_trim(book.log, position), 0);
	CHECK(log_size(book.log) > 2u << 20);
	CHECK_EQ(log_trim(book.log, position + 1), 0);
	CHECK_EQ(log_size(book.log), 64u);
	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(log_synced(book.log), 1u);
	CHECK_EQ(logbook_append(&book, 2, &position), 0);
	CHECK(position > 1);
	CHECK_EQ(log_sync(book.log, position), 0);
	CHECK(logbook_holds(&book, 2, 2));
	return true;
}

static bool a_missing_file_is_damage(void)
{
	auto_logbook struct logbook book = {};

	CHECK(make_three(&book));
	CHECK_EQ(folder_remove(book.disk.folder, "00000000000000000004.log"), 0);
	CHECK_EQ(logbook_open(&book), 0);
	CHECK_EQ(logbook_read(&book, 7), 0);
	CHECK_EQ(logbook_read(&book, 0), LOG_DAMAGED);
	CHECK(strstr(log_damage(book.log), "missing"));
	return true;
}

static bool files_that_changed_places_are_damage(void)
{
	auto_logbook struct logbook book = {};

	CHECK(make_three(&book));
	CHECK_EQ(folder_rename(book.disk.folder, FIRST, "x"), 0);
	CHECK_EQ(folder_rename(book.disk.folder, "00000000000000000004.log", FIRST), 0);
	CHECK_EQ(folder_rename(book.disk.folder, "x", "00000000000000000004.log"), 0);
	CHECK_EQ(logbook_open(&book), LOG_DAMAGED);
	return true;
}

static bool a_later_version_is_left_alone(void)
{
	auto_logbook struct logbook book = {};
	size_t len;

	CHECK(logbook_make(&book));
	CHECK_EQ(logbook_add(&book, 1), 0);
	auto_free uint8_t *bytes = disk_load(&book.disk, FIRST, &len);
	CHECK(bytes);
	bytes[8] = 2;
	bytes_put(bytes + 60, crc32c(bytes, 60), 4);
	CHECK(disk_store(&book.disk, FIRST, bytes, len));
	CHECK_EQ(logbook_open(&book), LOG_TOO_NEW);
	CHECK(!book.log);
	return true;
}

constexpr size_t THREADS = 8;
constexpr size_t ROUNDS = 25;

struct crowd {
	struct logbook book;
	atomic_size_t failures;
	atomic_uint next;
};

static int slow_hook(void *userdata, enum file_step step, const char *name, size_t len)
{
	if (step == FILE_SYNC)
		(void)usleep(1000); /* what a disk takes */
	return disk_hook(userdata, step, name, len);
}

static void *add_many(void *userdata)
{
	struct crowd *crowd = userdata;

	for (size_t i = 0; i < ROUNDS; i++) {
		uint8_t batch = (uint8_t)atomic_fetch_add(&crowd->next, 1);

		crowd->failures += logbook_add(&crowd->book, batch) != 0;
	}
	return nullptr;
}

static void crowd_done(struct crowd *crowd)
{
	logbook_done(&crowd->book);
}

static bool one_sync_serves_all_that_wait(void)
{
	cleanup(crowd_done) struct crowd crowd = {};
	struct logbook *book = &crowd.book;
	pthread_t threads[THREADS];

	CHECK(logbook_make(book));
	log_close_at(&book->log);
	folder_close_at(&book->disk.folder);
	CHECK_EQ(folder_open(book->disk.path, slow_hook, &book->disk, &book->disk.folder), 0);
	CHECK_EQ(log_open(book->disk.folder, logbook_key, book, book->damage, &book->log), 0);
	CHECK_EQ(logbook_add(book, 200), 0);
	size_t before = book->disk.steps[FILE_SYNC];
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], nullptr, add_many, &crowd) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], nullptr) == 0);
	CHECK_EQ(crowd.failures, 0u);
	CHECK_EQ(log_synced(book->log), THREADS * ROUNDS + 1);
	printf("# %zu batches, %zu syncs\n", THREADS * ROUNDS,
	       book->disk.steps[FILE_SYNC] - before);
	CHECK((book->disk.steps[FILE_SYNC] - before) * 2 < THREADS * ROUNDS);
	CHECK_EQ(logbook_read(book, 0), 0);
	CHECK_EQ(book->notes.n, THREADS * ROUNDS + 1);
	CHECK(!book->notes.wrong);
	return true;
}

static void *trim_often(void *userdata)
{
	struct crowd *crowd = userdata;

	while (crowd->next < THREADS * ROUNDS) {
		uint64_t synced = log_synced(crowd->book.log);

		crowd->failures += log_trim(crowd->book.log, synced > 20 ? synced - 20 : 0) != 0;
		crowd->failures += log_size(crowd->book.log) > 1u << 20;
		log_forget(crowd->book.log, 2);
	}
	return nullptr;
}

static bool files_come_and_go_under_many_threads(void)
{
	cleanup(crowd_done) struct crowd crowd = {};
	struct logbook *book = &crowd.book;
	pthread_t threads[THREADS], trimmer;

	CHECK(logbook_make(book));
	book->log->file_max = 1000;
	CHECK(pthread_create(&trimmer, nullptr, trim_often, &crowd) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], nullptr, add_many, &crowd) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], nullptr) == 0);
	CHECK(pthread_join(trimmer, nullptr) == 0);
	CHECK_EQ(crowd.failures, 0u);
	CHECK_EQ(logbook_read(book, 0), 0);
	CHECK(!book->notes.wrong);
	CHECK(book->notes.n >= 20);
	CHECK_EQ(book->notes.positions[book->notes.n - 1], THREADS * ROUNDS);
	CHECK_EQ(logbook_open(book), 0);
	CHECK_EQ(log_synced(book->log), THREADS * ROUNDS);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		auto_logbook struct logbook book = {};
		uint64_t position = 0;

		CHECK(make_three(&book));
		log_close_at(&book.log);
		fault_at(n);
		int r = log_open(book.disk.folder, logbook_key, &book, book.damage, &book.log);
		if (r == 0)
			r = logbook_append(&book, 10, &position);
		if (r == 0)
			r = log_sync(book.log, position);
		if (r == 0)
			r = logbook_read(&book, 0);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		if (!book.log)
			CHECK_EQ(logbook_open(&book), 0);
		if (position == 0) /* an append that failed before it wrote can be tried again */
			CHECK_EQ(logbook_add(&book, 10), 0);
		CHECK(logbook_holds(&book, 1, 10));
	}
}

int main(void)
{
	RUN(what_was_appended_is_read_again);
	RUN(every_opening_begins_a_new_file);
	RUN(a_full_file_is_followed_by_another);
	RUN(a_file_is_as_the_format_says);
	RUN(the_example_of_the_format_is_read);
	RUN(a_collection_that_is_gone_is_skipped);
	RUN(another_key_is_damage_that_is_named);
	RUN(a_forgotten_key_is_asked_for_again);
	RUN(a_batch_too_large_is_refused);
	RUN(a_large_batch_is_read_again);
	RUN(what_is_past_is_removed);
	RUN(a_large_file_that_is_past_gives_way_to_an_empty_one);
	RUN(a_missing_file_is_damage);
	RUN(files_that_changed_places_are_damage);
	RUN(a_later_version_is_left_alone);
	RUN(one_sync_serves_all_that_wait);
	RUN(files_come_and_go_under_many_threads);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
