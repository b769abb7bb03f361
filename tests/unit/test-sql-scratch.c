/* SPDX-License-Identifier: Apache-2.0 */

/* What SQLite does over pipes, with so little memory that its tables and sorts go to disk: sealed, counted, and with an end. */

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "service/disk/file.h"
#include "service/sql/scratch_vfs.h"
#include "service/store/db.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/engine-fixture.h"
#include "tests/unit/sealed-file.h"

constexpr uint32_t DOCUMENTS = 8000;
constexpr size_t LITTLE = 2u << 20;
static const char MARK[] = "in-clear";

static const char *const TEXTS[] = {
	"SELECT k, v FROM d UNION SELECT k, v + 1 FROM d ORDER BY 1, 2",
	"SELECT k, v FROM d INTERSECT SELECT k, v FROM d WHERE v > 100 ORDER BY 1 DESC, 2",
	"SELECT k, v FROM d EXCEPT SELECT k, v FROM d WHERE v < 100 ORDER BY 2, 1",
	"SELECT k, ROW_NUMBER() OVER (PARTITION BY g ORDER BY k, v) r, SUM(v) OVER (PARTITION BY g ORDER BY v ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) s FROM d ORDER BY s, r, k",
	"SELECT DISTINCT k, FIRST_VALUE(k) OVER (PARTITION BY g ORDER BY v) f FROM d ORDER BY k, f",
	"WITH a AS (SELECT k, v, RANK() OVER (ORDER BY g) r FROM d) SELECT x.k, y.v FROM a x JOIN a y ON x.k = y.k AND x.v < y.v ORDER BY 1, 2 LIMIT 5000",
	"SELECT v, (SELECT MAX(k) FROM (SELECT k, v FROM d UNION SELECT UPPER(k), v FROM d) e WHERE e.v = d.v) m FROM d WHERE v < 1500 ORDER BY v",
};

static struct fixture f;
static struct sql_error error;
static struct folder *folder;

/* What the disk does at a write. */
static struct {
	uint32_t writes;
	uint32_t full_at, cancel_at, damage_at, look_at; /* 0: never */
	uint64_t wait_us;				 /* a write ends after that moment */
	atomic_bool cancel;
	uint32_t marks;
	size_t bytes;
} disk;

/* Change something in every block that there is. */
static void damage(void)
{
	auto_close int fd = sealed_file_first(f.folder);
	uint8_t byte;

	for (off_t at = 77; pread(fd, &byte, 1, at) == 1; at += 4096) {
		byte ^= 1;
		if (pwrite(fd, &byte, 1, at) != 1)
			return;
	}
}

static int on_step(void *, enum file_step step, const char *, size_t)
{
	if (step != FILE_WRITE)
		return 0;
	uint32_t n = ++disk.writes;
	if (n == disk.full_at)
		return -ENOSPC;
	if (n == disk.cancel_at)
		disk.cancel = true;
	if (n == disk.damage_at)
		damage();
	if (n == disk.look_at)
		disk.marks = sealed_file_marks(f.folder, MARK, &disk.bytes);
	while (clock_mono_us() < disk.wait_us)
		(void)usleep(1000);
	return 0;
}

static int ask(const char *text, size_t memory, struct sql_result *ret)
{
	struct sql_query query = { .text = text,
				   .len = strlen(text),
				   .deadline_us = clock_mono_us() + 60'000'000,
				   .cancel = &disk.cancel,
				   .result_max = 8u << 20,
				   .rows_max = 100'000,
				   .memory = memory };

	error = (struct sql_error) {};
	disk.writes = 0;
	/* With more in use than that, SQLite's caches keep next to nothing. */
	(void)sqlite3_soft_heap_limit64(memory ? 1 : 0);
	if (disk.wait_us)
		query.deadline_us = disk.wait_us;
	return sql_run(f.session, &query, ret, &error);
}

static bool it_goes_to_disk_and_the_answer_is_the_same(void)
{
	for (size_t i = 0; i < countof(TEXTS); i++) {
		cleanup(sql_result_done) struct sql_result much = {}, little = {};

		CHECK_EQ(ask(TEXTS[i], 0, &much), 0);
		CHECK_EQ(much.figures.spilled_bytes, 0u);
		CHECK(much.n_rows > 1000);
		CHECK_EQ(ask(TEXTS[i], LITTLE, &little), 0);
		CHECK(little.figures.spilled_bytes > 500'000);
		CHECK(strcmp(buf_text(&much.rows), buf_text(&little.rows)) == 0);
	}
	return true;
}

static bool nothing_of_it_is_on_disk_in_clear(void)
{
	for (size_t i = 0; i < countof(TEXTS); i++) {
		cleanup(sql_result_done) struct sql_result result = {};

		disk.look_at = 20;
		CHECK_EQ(ask(TEXTS[i], LITTLE, &result), 0);
		disk.look_at = 0;
		CHECK(disk.bytes > 50'000);
		CHECK_EQ(disk.marks, 0u);
	}
	return sealed_file_first(f.folder) < 0; /* and what was there is gone */
}

static bool a_full_disk_is_a_sentence(void)
{
	for (size_t i = 0; i < countof(TEXTS); i++)
		for (disk.full_at = 1; disk.full_at < 20; disk.full_at += 6) {
			cleanup(sql_result_done) struct sql_result result = {};

			CHECK_EQ(ask(TEXTS[i], LITTLE, &result), SQL_REFUSED);
			CHECK_EQ(error.kind, SQL_TOO_LARGE);
			CHECK(strstr(error.message, "no room"));
		}
	disk.full_at = 0;
	return true;
}

static bool damage_is_a_sentence_and_never_an_answer(void)
{
	for (size_t i = 0; i < countof(TEXTS); i++) {
		cleanup(sql_result_done) struct sql_result result = {};

		disk.damage_at = 20;
		CHECK_EQ(ask(TEXTS[i], LITTLE, &result), SQL_REFUSED);
		CHECK_EQ(error.kind, SQL_DAMAGED);
		CHECK(strstr(error.message, "damaged"));
	}
	disk.damage_at = 0;
	return true;
}

static bool a_query_ends_when_it_is_cancelled_or_late(void)
{
	for (size_t i = 0; i < countof(TEXTS); i++) {
		cleanup(sql_result_done) struct sql_result result = {};

		disk.cancel_at = 10;
		CHECK_EQ(ask(TEXTS[i], LITTLE, &result), SQL_REFUSED);
		CHECK_EQ(error.kind, SQL_CANCELLED);
		CHECK(disk.writes < 20); /* at the next one, not when all is on disk */
		disk.cancel_at = 0;
		disk.cancel = false;
		disk.wait_us = clock_mono_us() + 300'000;
		CHECK_EQ(ask(TEXTS[i], LITTLE, &result), SQL_REFUSED);
		CHECK_EQ(error.kind, SQL_TIMEOUT);
		disk.wait_us = 0;
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	cleanup(sql_result_done) struct sql_result good = {};

	CHECK_EQ(ask(TEXTS[3], LITTLE, &good), 0);
	for (size_t n = 1;; n += 1 + n / 30) {
		cleanup(sql_result_done) struct sql_result result = {};

		fault_at(n);
		int r = ask(TEXTS[3], LITTLE, &result);
		bool hit = fault_end();
		if (r == 0)
			CHECK(strcmp(buf_text(&good.rows), buf_text(&result.rows)) == 0);
		if (!hit)
			return r == 0;
		CHECK(r == 0 || r == -ENOMEM || r == -EIO ||
		      (r == SQL_REFUSED && error.kind == SQL_TOO_LARGE));
	}
}

static bool a_query_after_a_failed_one_has_its_answer(void)
{
	cleanup(sql_result_done) struct sql_result result = {};

	disk.full_at = 5;
	CHECK_EQ(ask(TEXTS[0], LITTLE, &result), SQL_REFUSED);
	disk.full_at = 0;
	CHECK_EQ(ask(TEXTS[0], LITTLE, &result), 0);
	return true;
}

/* The fence: whatever SQLite would open, it is not there. */
static bool nothing_with_a_name_can_be_opened(void)
{
	struct scratch_vfs vfs = {};
	sqlite3 *db = nullptr;
	char path[64];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	CHECK_EQ(scratch_vfs_init(&vfs), 0);
	(void)snprintf(path, sizeof(path), "%s/new", f.folder);
	CHECK_EQ(sqlite3_open_v2(path, &db, flags, vfs.name), SQLITE_CANTOPEN);
	(void)sqlite3_close(db);
	CHECK_EQ(sqlite3_open_v2(":memory:", &db, flags, vfs.name), SQLITE_OK);
	CHECK(sqlite3_exec(db, "ATTACH '/etc/passwd' AS other", nullptr, nullptr, nullptr) !=
	      SQLITE_OK);
	CHECK(sqlite3_exec(db, "VACUUM INTO 'other'", nullptr, nullptr, nullptr) != SQLITE_OK);
	/* Between queries there are no scratches either. */
	CHECK_EQ(sqlite3_exec(db, "PRAGMA temp_store = FILE", nullptr, nullptr, nullptr),
		 SQLITE_OK);
	(void)sqlite3_close(db);
	scratch_vfs_done(&vfs);
	CHECK(access(path, F_OK) != 0);
	return sqlite3_vfs_find("scratch") == nullptr;
}

static int is_memory(void *, int, char **value, char **)
{
	return strcmp(value[0], "2") != 0;
}

static bool without_a_folder_all_of_it_stays_in_memory(void)
{
	struct exec *exec = nullptr;
	struct sql_session *session = nullptr;

	CHECK_EQ(exec_new(1, LITTLE, nullptr, &exec), 0);
	CHECK_EQ(sql_session_new(f.store, exec, &session), 0);
	CHECK_EQ(sqlite3_exec(sql_session_db(session), "PRAGMA temp_store", is_memory, nullptr,
			      nullptr),
		 SQLITE_OK);
	sql_session_free(session);
	exec_free(exec);
	return true;
}

static int add_documents(void)
{
	auto_buf struct buf json = buf_make(8u << 20);

	buf_add_str(&json, "[");
	for (uint32_t i = 0; i < DOCUMENTS; i++)
		buf_addf(
			&json,
			"%s{\"_id\":\"%u\",\"v\":%u,\"g\":%u,\"k\":\"%s key %u, and what makes it long enough for a page to hold but few of them at any time\"}",
			i ? "," : "", i, i * 7919 % DOCUMENTS, i % 7, MARK, i * 13 % 2500);
	buf_add_str(&json, "]");
	const char *text = buf_text(&json);
	int r = text ? fixture_collection(&f, "d") : -ENOMEM;
	return r ? r : fixture_add(&f, "d", text);
}

/* The fixture, with a disk that does what it is told. */
static bool init(void)
{
	char path[48];

	/* Sorts may go to disk with a page; how much they have is the query's memory then. */
	if (sqlite3_config(SQLITE_CONFIG_PMASZ, 1u) != SQLITE_OK || !fixture_init(&f))
		return false;
	(void)snprintf(path, sizeof(path), "%s/engine", f.folder);
	f.session = sql_session_free(f.session);
	f.exec = exec_free(f.exec);
	return folder_open(path, on_step, nullptr, &folder) == 0 &&
	       exec_new_in(2, 3 * SQL_MEMORY_MAX, &folder, &f.exec) == 0 &&
	       sql_session_new(f.store, f.exec, &f.session) == 0 && add_documents() == 0;
}

int main(void)
{
	if (!init())
		return 1;
	RUN(it_goes_to_disk_and_the_answer_is_the_same);
	RUN(nothing_of_it_is_on_disk_in_clear);
	RUN(a_full_disk_is_a_sentence);
	RUN(damage_is_a_sentence_and_never_an_answer);
	RUN(a_query_ends_when_it_is_cancelled_or_late);
	RUN(a_query_after_a_failed_one_has_its_answer);
	RUN(every_failed_allocation_is_survived);
	RUN(nothing_with_a_name_can_be_opened);
	RUN(without_a_folder_all_of_it_stays_in_memory);
	fixture_done(&f);
	return tap_done();
}
