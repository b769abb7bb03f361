/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/segment.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/segment/segment_body.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

constexpr uint32_t PAGES = 2;

/* The segment of FORMAT.md section 8, written out by hand; zeros follow in both pages. */
static const char BODY[] = "\x01\x01\x01\x01\x02"	      /* the document's shapes: 0, 1 */
			   "\x00\x02\x00\x00\x00\x10\x02"     /* _id: plain, of 2 bytes each */
			   "a1a2\x01\x01\x01\x01\x02"	      /* its order: 0, 1 */
			   "\x70\x00\x40\x1e\x18\x24\x0a\x06" /* _event_time, always the same */
			   "\x00\x02\x00\x00\x00\x10\x03"
			   "AdaBob"				      /* name */
			   "\x01\x01\x04\x01\x04\x10\x24"	      /* age's kinds, 36 */
			   "\x01\x01\x0e\x01\xe0\x01\x01\x02\x01\x08" /* tags' kinds, ends */
			   "\x00\x02\x00\x00\x00\x10\x01xy";	      /* their elements */
static const char FOOTER[] =
	"SGF1\x01\x00\x00\x00"			   /* one chunk */
	"\x00\x00\x00\x00\x01\x00\x00\x00"	   /* from page 0 on, one page */
	"\xbb\x00\x00\x00RDCH\x01\x02\x07\x02\x08" /* a head of so many bytes */
	"\x44\x00\x00\x80\x80\x02\x04\x00\x01\x00\x05"
	"\x44\x01\x03_id\x40"
	"a1\0\0\0\0\0\0"
	"a2\0\0\0\0\0\0"
	"\x90\x01\x00\x01\x00\x0b\x00\x01\x00\x05" /* strings and their order */
	"\x44\x02\x0b_event_time\x80\x10\x80\x80\xf2\x81\x83\x89\x85\x06\x00"
	"\x04\x00\x01\x00\x08"
	"\x44\x03\x04name\x40"
	"Ada\0\0\0\0\0"
	"Bob\0\0\0\0\0"
	"\x10\x00\x01\x00\x0d"
	"\x40\x04\x03"
	"age\x01\x11\x48\x00\x05\x00\x01\x00\x05\x00\x01\x00\x02"
	"\x40\x05\x04tags\x01\x81\x80\x01\x21\x00\x01\x00\x05\x00\x01\x00\x05"
	"\x45\x01\x02\x40"
	"x\0\0\0\0\0\0\0"
	"y\0\0\0\0\0\0\0"
	"\x10\x00\x01\x00\x09"
	"\x02\x04\x00\x00\x00\x00\x04\x00\x00\x00\x02"; /* the document's shapes */

/* Read the pages of a collection's segment 1 into ret[PAGES * SEALED_PAGE]. */
static bool read_pages(struct fixture *f, uint8_t *ret)
{
	cleanup(live_unref_at) struct live *live = nullptr;
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	uint8_t key[SEALED_KEY];
	char context[SEALED_CONTEXT_MAX];
	int64_t n;
	uint32_t page;

	CHECK_EQ(store_find(f->store, "commons", "two", &live), 0);
	CHECK(live_key(live, 0, key, &n));
	segment_context(live->about.uuid, 1, context);
	CHECK_EQ(file_open(f->store->segments.folder, "1.segment", &file), 0);
	CHECK_EQ(sealed_open(&file, key, context, PAGES, &sealed), 0);
	CHECK_EQ(sealed_read(sealed, (struct extent) { 0, PAGES }, ret, &page), 0);
	return true;
}

/* Whether a page is these bytes and then zeros. */
static bool is_just(const uint8_t *page, const char *bytes, size_t len)
{
	size_t end = SEALED_PAGE;

	while (end > len && page[end - 1] == 0)
		end--;
	return end == len && memcmp(page, bytes, len) == 0;
}

static bool a_segment_is_as_the_format_says(void)
{
	static uint8_t page[PAGES][SEALED_PAGE];
	auto_fixture struct fixture f = {};

	CHECK(fixture_init(&f));
	CHECK_EQ(fixture_collection(&f, "two", 0), 0);
	CHECK_EQ(fixture_add(&f, "two",
			     "[{\"_id\":\"a1\",\"name\":\"Ada\",\"age\":36},"
			     "{\"_id\":\"a2\",\"name\":\"Bob\",\"tags\":[\"x\",\"y\"]}]",
			     1, nullptr),
		 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	CHECK(read_pages(&f, page[0]));
	CHECK(is_just(page[0], BODY, sizeof(BODY) - 1));
	CHECK(is_just(page[1], FOOTER, sizeof(FOOTER) - 1));
	return true;
}

int main(void)
{
	RUN(a_segment_is_as_the_format_says);
	return tap_done();
}
