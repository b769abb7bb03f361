/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "service/disk/log_internal.h"
#include "tests/lib/tap.h"
#include "tests/unit/log-fixture.h"

/* What a crash, a failing disk or somebody's hand may do to the log. */

/* Flip each bit of a file of the three; how much of it a fault may be mistaken for a crash: the last so many bytes. */
static bool flip_all(const char *name, size_t lenient, uint8_t last)
{
	auto_logbook struct logbook book = {};
	size_t len;

	CHECK(make_three(&book));
	auto_free uint8_t *bytes = disk_load(&book.disk, name, &len);
	CHECK(bytes);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(disk_store(&book.disk, name, bytes, len));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);

		int r = logbook_open(&book);
		if (bit / 8 >= len - lenient) {
			CHECK_EQ(r, 0);
			CHECK(logbook_holds(&book, 1, last));
			continue;
		}
		if (r == 0)
			r = logbook_read(&book, 0);
		CHECK_EQ(r, LOG_DAMAGED);
		CHECK(!book.notes.wrong);
	}
	return true;
}

static bool no_flipped_bit_yields_a_wrong_batch(void)
{
	/* The end of an older file says only what the next file's header says again. */
	CHECK(flip_all(FIRST, 64, 9));
	CHECK(flip_all("00000000000000000004.log", 64, 9));
	CHECK(flip_all("00000000000000000007.log", 64, 9));
	return true;
}

static bool a_flipped_bit_in_what_was_not_durable_cuts_the_end(void)
{
	auto_logbook struct logbook book = {};
	size_t len;

	CHECK(logbook_make(&book));
	CHECK_EQ(logbook_add(&book, 1), 0);
	CHECK_EQ(logbook_append(&book, 2, &(uint64_t) { 0 }), 0);
	CHECK_EQ(logbook_append(&book, 3, &(uint64_t) { 0 }), 0);
	auto_free uint8_t *bytes = disk_load(&book.disk, FIRST, &len);
	CHECK(bytes);
	size_t second = 64 + 82 + 64;
	size_t third = second + 80 + 3;
	for (size_t bit = 8 * second; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(disk_store(&book.disk, FIRST, bytes, len));
		CHECK_EQ(logbook_open(&book), 0);
		CHECK(logbook_holds(&book, 1, bit / 8 < third ? 1 : 2));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return true;
}

/* Ends of the frames of batches 1 to 4 in a file: each is synced, so a mark follows. */
static size_t whole_before(size_t cut)
{
	static const size_t ENDS[] = { 64 + 82, 64 + 82 + 64 + 83, 64 + 82 + 64 + 83 + 64 + 84,
				       64 + 82 + 64 + 83 + 64 + 84 + 64 + 85 };
	size_t n = 0;

	while (n < countof(ENDS) && cut >= ENDS[n])
		n++;
	return n;
}

static bool a_log_cut_anywhere_yields_its_whole_batches_and_goes_on(void)
{
	auto_logbook struct logbook book = {};
	size_t len;

	CHECK(logbook_make(&book));
	for (uint8_t i = 1; i <= 4; i++)
		CHECK_EQ(logbook_add(&book, i), 0);
	auto_free uint8_t *bytes = disk_load(&book.disk, FIRST, &len);
	CHECK(bytes);
	CHECK_EQ(len, 64 + 4 * 144 + 14u);
	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t whole = (uint8_t)whole_before(cut);
		auto_logbook struct logbook again = {};

		CHECK(disk_make(&again.disk));
		CHECK(disk_store(&again.disk, FIRST, bytes, cut));
		CHECK_EQ(logbook_open(&again), 0);
		CHECK(logbook_holds(&again, 1, whole));
		CHECK_EQ(logbook_add(&again, whole + 1), 0);
		CHECK_EQ(logbook_open(&again), 0);
		CHECK(logbook_holds(&again, 1, whole + 1));
		CHECK_EQ(logbook_add(&again, whole + 2), 0);
		CHECK(logbook_holds(&again, 1, whole + 2));
	}
	return true;
}

static bool an_older_file_cut_anywhere_is_damage(void)
{
	auto_logbook struct logbook book = {};
	size_t len;

	CHECK(make_three(&book));
	auto_free uint8_t *bytes = disk_load(&book.disk, FIRST, &len);
	CHECK(bytes);
	for (size_t cut = 0; cut < len - 64; cut++) {
		CHECK(disk_store(&book.disk, FIRST, bytes, cut));
		int r = logbook_open(&book);
		if (r == 0)
			r = logbook_read(&book, 0);
		CHECK_EQ(r, LOG_DAMAGED);
	}
	return true;
}

static bool a_count_of_positions_that_is_lost_is_damage(void)
{
	auto_logbook struct logbook book = {};

	CHECK(make_three(&book));
	CHECK_EQ(log_trim(book.log, 7), 0);
	CHECK(disk_store(&book.disk, "00000000000000000007.log", (const uint8_t *)"", 0));
	CHECK_EQ(logbook_open(&book), LOG_DAMAGED);
	return true;
}

static bool a_write_torn_at_any_byte_loses_only_itself(void)
{
	for (int torn = 1; torn <= 84; torn++) {
		auto_logbook struct logbook book = {};
		uint64_t position = 0, before = 0;

		CHECK(logbook_make(&book));
		CHECK_EQ(logbook_add(&book, 1), 0);
		CHECK_EQ(logbook_append(&book, 2, &before), 0);
		book.disk.fail_with = torn;
		book.disk.fail_at = book.disk.step + 1;
		CHECK_EQ(logbook_append(&book, 3, &position), -EIO);
		CHECK_EQ(position, 0u);
		CHECK_EQ(logbook_append(&book, 3, &position), -EROFS);
		CHECK_EQ(log_sync(book.log, before), 0);

		if (torn % 2) { /* go on, or crash */
			CHECK_EQ(log_reset(book.log), 0);
			CHECK_EQ(logbook_add(&book, 3), 0);
			CHECK(logbook_holds(&book, 1, 3));
		}
		CHECK_EQ(logbook_open(&book), 0);
		CHECK(logbook_holds(&book, 1, torn % 2 ? 3 : 2));
		CHECK_EQ(logbook_add(&book, torn % 2 ? 4 : 3), 0);
		CHECK_EQ(logbook_open(&book), 0);
		CHECK(logbook_holds(&book, 1, torn % 2 ? 4 : 3));
	}
	return true;
}

static bool after_a_failed_sync_nothing_is_durable_until_reset(void)
{
	auto_logbook struct logbook book = {};
	uint64_t position, lost;

	CHECK(logbook_make(&book));
	CHECK_EQ(logbook_add(&book, 1), 0);
	CHECK_EQ(logbook_append(&book, 77, &position), 0);
	CHECK_EQ(logbook_append(&book, 78, &lost), 0);
	book.disk.fail_at = book.disk.step + 1;
	CHECK_EQ(log_sync(book.log, position), -EIO);
	CHECK_EQ(log_sync(book.log, position), -EIO);
	CHECK_EQ(log_sync(book.log, lost), -EIO);
	CHECK_EQ(log_sync(book.log, 1), 0);
	CHECK_EQ(logbook_append(&book, 2, &position), -EROFS);
	CHECK_EQ(log_synced(book.log), 1u);
	CHECK_EQ(log_reset(book.log), 0);
	CHECK_EQ(log_reset(book.log), 0);
	CHECK_EQ(log_sync(book.log, lost), -EIO);
	CHECK_EQ(logbook_append(&book, 2, &position), 0);
	CHECK(position > lost); /* no position is used twice */
	CHECK_EQ(log_sync(book.log, position), 0);
	CHECK_EQ(log_sync(book.log, lost), -EIO);
	CHECK(logbook_holds(&book, 1, 2));
	CHECK_EQ(logbook_open(&book), 0);
	CHECK(logbook_holds(&book, 1, 2));
	return true;
}

/*
 * What a client does: add batches 1 to 12 in turn, over several files, trim some, go on after each failure.
 * *ret_acked is the last batch that was acknowledged.
 */
static bool use(struct logbook *book, uint8_t *ret_acked)
{
	for (uint8_t i = 1; i <= 12; i++) {
		if (logbook_add(book, i)) {
			CHECK_EQ(log_reset(book->log), 0);
			CHECK_EQ(logbook_add(book, i), 0);
		}
		*ret_acked = i;
		if (i == 8)
			(void)!log_trim(book->log, 3);
	}
	return true;
}

/* Whether all that was acknowledged, from position 3 on, is there, once, and nothing else but perhaps the batch after. */
static bool holds_what_was_acked(struct logbook *book, uint8_t acked)
{
	CHECK_EQ(logbook_read(book, 0), 0);
	CHECK(!book->notes.wrong);
	const struct notes *notes = &book->notes;
	if (notes->n == 0)
		return acked == 0;
	CHECK(notes->batches[0] <= 4);
	for (size_t i = 1; i < notes->n; i++)
		CHECK_EQ(notes->batches[i], notes->batches[i - 1] + 1);
	unsigned int last = notes->batches[notes->n - 1];
	CHECK(last == acked || last == acked + 1u);
	return true;
}

static bool every_step_that_fails_once_is_survived(void)
{
	for (size_t step = 1;; step++) {
		auto_logbook struct logbook book = {};
		uint8_t acked = 0;

		CHECK(logbook_make(&book));
		book.log->file_max = 400;
		book.disk.fail_at = step;
		book.disk.fail_with = step % 2 ? -ENOSPC : 30;
		CHECK(use(&book, &acked));
		bool failed = book.disk.failed;
		CHECK_EQ(acked, 12);
		CHECK(holds_what_was_acked(&book, 12));
		CHECK_EQ(logbook_open(&book), 0);
		CHECK(holds_what_was_acked(&book, 12));
		if (!failed)
			return step > 40;
	}
}

static int exit_hook(void *userdata, enum file_step step, const char *name, size_t len)
{
	size_t *countdown = userdata;

	(void)name;
	if (--*countdown > 0)
		return 0;
	if (step == FILE_WRITE) { /* tear it; the next step ends the process */
		*countdown = 1;
		return (int)len / 2 + 1;
	}
	_exit(1);
}

/* In a child: use the log until the hook ends it; each acknowledgement is a byte in the pipe. */
[[noreturn]] static void use_and_die(const char *path, size_t steps, int acks)
{
	struct logbook book = {};
	struct folder *folder = nullptr;
	size_t countdown = steps;

	if (folder_open(path, exit_hook, &countdown, &folder) ||
	    log_open(folder, logbook_key, &book, book.damage, &book.log))
		_exit(3);
	book.log->file_max = 400;
	for (uint8_t i = 1; i <= 12; i++) {
		if (logbook_add(&book, i))
			_exit(1);
		if (write(acks, &i, 1) != 1)
			_exit(3);
		if (i == 8)
			(void)!log_trim(book.log, 3);
	}
	_exit(0);
}

static bool a_process_that_ends_at_any_step_leaves_what_it_acknowledged(void)
{
	for (size_t steps = 1;; steps++) {
		auto_logbook struct logbook book = {};
		int pipes[2], status;
		uint8_t acked = 0;

		CHECK(disk_make(&book.disk));
		CHECK(pipe(pipes) == 0);
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0)
			use_and_die(book.disk.path, steps, pipes[1]);
		(void)close(pipes[1]);
		while (read(pipes[0], &acked, 1) == 1)
			;
		(void)close(pipes[0]);
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
		CHECK(WEXITSTATUS(status) <= 1);

		CHECK_EQ(logbook_open(&book), 0);
		CHECK(holds_what_was_acked(&book, acked));
		CHECK_EQ(logbook_add(&book, acked + 1), 0);
		CHECK_EQ(logbook_open(&book), 0);
		if (WEXITSTATUS(status) == 0)
			return steps > 40 && acked == 12;
	}
}

int main(void)
{
	RUN(no_flipped_bit_yields_a_wrong_batch);
	RUN(a_flipped_bit_in_what_was_not_durable_cuts_the_end);
	RUN(a_log_cut_anywhere_yields_its_whole_batches_and_goes_on);
	RUN(an_older_file_cut_anywhere_is_damage);
	RUN(a_count_of_positions_that_is_lost_is_damage);
	RUN(a_write_torn_at_any_byte_loses_only_itself);
	RUN(after_a_failed_sync_nothing_is_durable_until_reset);
	RUN(every_step_that_fails_once_is_survived);
	RUN(a_process_that_ends_at_any_step_leaves_what_it_acknowledged);
	return tap_done();
}
