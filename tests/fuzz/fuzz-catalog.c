/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/bytes.h"
#include "service/store/db.h"
#include "service/store/internal.h"
#include "tests/fuzz/store-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is put in the place of a right value of collection 2 and its segment. */
static const char *const CHANGES[] = {
	"UPDATE collection SET position=? WHERE n=2",
	"UPDATE collection SET retention_secs=? WHERE n=2",
	"UPDATE collection SET purged=? WHERE n=2",
	"UPDATE data_key SET n=? WHERE collection=2",
	"UPDATE segment SET place=? WHERE collection=2",
	"UPDATE segment SET data_key=? WHERE collection=2",
	"UPDATE segment SET pages=? WHERE collection=2",
	"UPDATE segment SET footer=? WHERE collection=2",
	"UPDATE segment SET chunks=? WHERE collection=2",
	"UPDATE segment SET rows=? WHERE collection=2",
	"UPDATE deleted SET chunk=?",
	"UPDATE deleted SET since_us=?",
};

/* Put the rest of the input in the place of a blob. */
static void put_blob(sqlite3 *db, const char *sql, const struct reader *in)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;

	if (db_prepare(db, sql, &stmt))
		abort();
	(void)sqlite3_bind_blob(stmt, 1, in->data + in->pos, (int)(in->len - in->pos),
				SQLITE_STATIC);
	(void)!db_done(stmt);
}

/* The input: a byte for each change and eight for its value; then 254 or 255 and a blob. */
static void tamper(sqlite3 *db, struct reader *in)
{
	uint8_t what = read_u8(in);

	while (!in->failed && what < countof(CHANGES)) {
		auto_stmt sqlite3_stmt *stmt = nullptr;

		if (db_prepare(db, CHANGES[what], &stmt))
			abort();
		(void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)read_u64(in));
		(void)!db_done(stmt);
		what = read_u8(in);
	}
	if (!in->failed && what == 254)
		put_blob(db, "UPDATE data_key SET wrapped=? WHERE collection=2", in);
	if (!in->failed && what == 255)
		put_blob(db, "UPDATE deleted SET bitmap=?", in);
}

/* Any values in the catalog's rows of a collection: it is opened, or refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fixture struct fixture f = {};
	struct reader in = reader_make(data, size);

	if (!store_read_make(&f) || store_keep(f.store, STORE_KEEP_SEAL) ||
	    fixture_delete(&f, "c", "a2") || store_keep(f.store, STORE_KEEP_SEAL))
		abort();
	tamper(f.store->db, &in);
	store_read_again(&f);
	return 0;
}
