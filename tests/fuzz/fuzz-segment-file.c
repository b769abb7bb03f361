/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/segment/segment.h"
#include "service/segment/segment_body.h"
#include "service/store/db.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "tests/fuzz/store-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is in the file. */
struct content {
	struct bytes body, footer;
	uint32_t pages, footer_page; /* of the file, as they turn out */
};

/* Seal the content in the place of a segment's file. */
static int write_segment(struct live *live, int64_t n, struct content *content)
{
	struct folder *folder = live->store->segments.folder;
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
	uint8_t key[SEALED_KEY];
	char name[32], context[SEALED_CONTEXT_MAX];
	struct extent extent = {};
	int64_t which;

	segment_name(n, name);
	segment_context(live->about.uuid, n, context);
	if (!live_key(live, 0, key, &which))
		return -ENOKEY;
	int r = segment_remove(&live->store->segments, n);
	if (r == 0)
		r = file_create(folder, name, &file);
	if (r == 0)
		r = sealed_writer_new(file, key, context, &writer);
	if (r == 0 && content->body.len > 0)
		r = sealed_add(writer, content->body.data, content->body.len, &extent);
	if (r == 0)
		r = sealed_add(writer, content->footer.data, content->footer.len, &extent);
	content->footer_page = extent.page;
	return r ? r : sealed_finish(writer, &content->pages);
}

/* Make the catalog tell the truth about where the footer is, and what the input says about the rest. */
static void tell_catalog(sqlite3 *db, const struct content *content, uint8_t chunks)
{
	auto_stmt sqlite3_stmt *stmt = nullptr;

	if (db_prepare(db, "UPDATE segment SET pages=?, footer=?, chunks=? WHERE collection=2",
		       &stmt))
		abort();
	(void)sqlite3_bind_int64(stmt, 1, content->pages);
	(void)sqlite3_bind_int64(stmt, 2, content->footer_page);
	(void)sqlite3_bind_int64(stmt, 3, chunks);
	if (db_done(stmt))
		abort();
}

/* Any bytes as a segment, sealed as they should be: how many chunks, 4 bytes length of the body, the body, the footer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fixture struct fixture f = {};
	struct reader in = reader_make(data, size);
	struct live *live = nullptr;
	uint8_t chunks = read_u8(&in);
	struct content content = { .body = read_bytes(&in, size) };

	if (in.failed || in.pos == in.len)
		return 0;
	content.footer = (struct bytes) { .data = in.data + in.pos, .len = in.len - in.pos };
	if (!store_read_make(&f) || store_keep(f.store, STORE_KEEP_SEAL) ||
	    store_find(f.store, "commons", "c", &live))
		abort();
	/* Of the two collections "other" was made, and sealed, first. */
	int r = write_segment(live, 2, &content);
	live_unref(live);
	if (r)
		abort();
	tell_catalog(f.store->db, &content, chunks);
	store_read_again(&f);
	return 0;
}
