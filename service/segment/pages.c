/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/pages.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "service/chunk/chunk.h"
#include "service/disk/sealed.h"

constexpr size_t BYTES_MAX = 2u << 30; /* a builder's documents take half of it */
constexpr size_t LARGE = 3;	       /* pages; one more of them is little */

struct pages pages_make(void)
{
	return (struct pages) { .data = buf_make(BYTES_MAX) };
}

void pages_done(struct pages *pages)
{
	buf_done(&pages->data);
}

void pages_clear(struct pages *pages)
{
	buf_clear(&pages->data);
	pages->n_open = 0;
}

static size_t pages_of(size_t bytes)
{
	return (bytes + SEALED_PAGE - 1) / SEALED_PAGE;
}

/* Keep the room at the end of a page in mind, instead of the fullest one. */
static void remember(struct pages *pages, size_t page, size_t used)
{
	size_t at = 0;

	if (used >= SEALED_PAGE)
		return;
	if (pages->n_open < PAGES_OPEN)
		at = pages->n_open++;
	else
		for (size_t i = 1; i < PAGES_OPEN; i++)
			if (pages->open[i].used > pages->open[at].used)
				at = i;
	pages->open[at].page = (uint32_t)page;
	pages->open[at].used = (uint32_t)used;
}

/* Put a small blob into a page that has room for it. Returns whether there was one. */
static bool fill_up(struct pages *pages, const void *data, size_t len, struct blob *ret)
{
	for (size_t i = 0; i < pages->n_open; i++) {
		size_t offset = pages->open[i].used;

		if (SEALED_PAGE - offset < len)
			continue;
		memcpy(pages->data.data + pages->open[i].page * SEALED_PAGE + offset, data, len);
		*ret = (struct blob) { .page = pages->open[i].page,
				       .pages = 1,
				       .offset = (uint32_t)offset,
				       .len = (uint32_t)len };
		pages->open[i].used += (uint32_t)len;
		return true;
	}
	return false;
}

/* Fill the last page with zeros and keep its room in mind. */
static int close_page(struct pages *pages)
{
	size_t used = pages->data.len % SEALED_PAGE;

	if (used == 0)
		return 0;
	uint8_t *room = buf_reserve(&pages->data, SEALED_PAGE - used);
	if (!room)
		return buf_error(&pages->data);
	memset(room, 0, SEALED_PAGE - used);
	size_t page = pages->data.len / SEALED_PAGE;
	pages->data.len += SEALED_PAGE - used;
	remember(pages, page, used);
	return 0;
}

int pages_add(struct pages *pages, const void *data, size_t len, struct blob *ret)
{
	size_t used = pages->data.len % SEALED_PAGE, least = pages_of(len);

	if (len > UINT32_MAX)
		return -EMSGSIZE;
	if (least == 1 && fill_up(pages, data, len, ret))
		return 0;
	if (used + len > least * SEALED_PAGE && least < LARGE) {
		int r = close_page(pages);
		if (r)
			return r;
		used = 0;
	}
	*ret = (struct blob) { .page = (uint32_t)(pages->data.len / SEALED_PAGE),
			       .pages = (uint32_t)pages_of(used + len),
			       .offset = (uint32_t)used,
			       .len = (uint32_t)len };
	buf_add(&pages->data, data, len);
	return buf_error(&pages->data);
}
