/* SPDX-License-Identifier: Apache-2.0 */

/* The log beside what is sealed: it is cut as soon as it may be, whoever's documents are in memory still. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/disk/log.h"
#include "service/store/internal.h"
#include "service/store/reserve.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

constexpr size_t TEXT = 90'000; /* bytes of a document */
constexpr size_t EACH = 100;	/* documents of a batch */
constexpr uint64_t BATCHES = 32;

/* A batch of documents in which nothing repeats: it takes as much room as it is long, nearly. */
static const char *documents(uint64_t number, struct buf *out)
{
	static const char LETTERS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t state = number * 0x9e3779b97f4a7c15 + 1;

	buf_clear(out);
	for (size_t i = 0; i < EACH; i++) {
		buf_addf(out, "%s{\"_id\":\"%llu-%zu\",\"v\":\"", i ? "," : "[",
			 (unsigned long long)number, i);
		uint8_t *at = buf_reserve(out, TEXT);
		for (size_t j = 0; at && j < TEXT; j++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			at[j] = (uint8_t)LETTERS[state >> 58];
		}
		out->len += at ? TEXT : 0;
		buf_add_str(out, "\"}");
	}
	buf_add_str(out, "]");
	return buf_text(out);
}

static bool a_document_that_waits_does_not_hold_the_whole_log(void)
{
	auto_fixture struct fixture f = {};
	auto_buf struct buf json = buf_make(64u << 20);
	uint64_t most = 0;

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "few", 0), 0);
	CHECK_EQ(fixture_collection(&f, "many", 0), 0);
	CHECK_EQ(fixture_add(&f, "few", "[{\"_id\":\"1\"}]", 1, nullptr), 0);
	for (uint64_t i = 0; i < BATCHES; i++) {
		CHECK_EQ(fixture_add(&f, "many", documents(i, &json), 100 + i, nullptr), 0);
		CHECK_EQ(store_keep(f.store, STORE_KEEP_DUE), 0);
		uint64_t size = log_size(f.store->log);
		most = size > most ? size : most;
	}
	printf("# at most %llu MiB of log\n", (unsigned long long)most >> 20);
	CHECK(most < 5 * (uint64_t)LOG_FILE_MAX + LOG_FILE_MAX / 2);
	CHECK(most > 2 * (uint64_t)LOG_FILE_MAX); /* else nothing was tried */
	fixture_close(&f);
	CHECK_EQ(fixture_open(&f), 0);
	CHECK_EQ(fixture_count(&f, "few"), 1);
	CHECK_EQ(fixture_count(&f, "many"), (int64_t)(BATCHES * EACH));
	return true;
}

static bool what_deleting_needs_is_put_aside_and_given_up_once(void)
{
	auto_fixture struct fixture f = {};
	char path[STORE_PATH + 16];
	struct stat st;

	CHECK(fixture_init(&f));
	(void)snprintf(path, sizeof(path), "%s/reserve", f.store->folder);
	CHECK(stat(path, &st) == 0 && (size_t)st.st_size == RESERVE_BYTES);
	CHECK(!reserve_use(f.store, 0));
	CHECK(!reserve_use(f.store, -ENOMEM)); /* the disk has nothing to do with it */
	CHECK(reserve_use(f.store, -ENOSPC));
	CHECK(stat(path, &st) != 0);
	CHECK(!reserve_use(f.store, -ENOSPC));
	CHECK(reserve_fill(f.store));
	CHECK(stat(path, &st) == 0 && (size_t)st.st_size == RESERVE_BYTES);
	return true;
}

int main(void)
{
	RUN(a_document_that_waits_does_not_hold_the_whole_log);
	RUN(what_deleting_needs_is_put_aside_and_given_up_once);
	return tap_done();
}
