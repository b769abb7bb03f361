/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/sealed.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "common/crypto/aead.h"
#include "common/secret.h"
#include "service/disk/file.h"
#include "service/disk/sealed_head.h"

constexpr size_t POOL = 8;	     /* ciphers kept set up; more readers at once make their own */
constexpr uint32_t EXPECT_PAGES = 4; /* from here on it pays to tell the kernel beforehand */

struct sealed {
	struct file *file;
	struct secret page_key;
	uint32_t pages;
	pthread_mutex_t lock; /* of what follows; never held while reading or deciphering */
	size_t idle;
	struct crypto_aead *pool[POOL];
};

int sealed_make(struct file **file, struct secret *page_key, uint32_t pages, struct sealed **ret)
{
	struct sealed *sealed = calloc(1, sizeof(*sealed));
	if (!sealed)
		return -ENOMEM;

	(void)pthread_mutex_init(&sealed->lock, nullptr); /* cannot fail without attributes */
	sealed->file = TAKE(*file);
	sealed->page_key = *page_key;
	sealed->pages = pages;
	*page_key = (struct secret) {};
	*ret = sealed;
	return 0;
}

int sealed_open(struct file **file, const uint8_t *key, const char *context, uint32_t pages,
		struct sealed **ret)
{
	auto_secret struct secret page_key = {};
	uint8_t head[SEALED_HEADER];
	uint64_t size;
	size_t len;

	int r = file_size(*file, &size);
	if (r)
		return r;
	r = file_read(*file, 0, head, sizeof(head), &len);
	if (r)
		return r;
	r = sealed_head_check(head, len, key, context, &page_key);
	if (r)
		return r;
	if (size != sealed_offset(pages))
		return SEALED_DAMAGED;
	return sealed_make(file, &page_key, pages, ret);
}

struct sealed *sealed_close(struct sealed *sealed)
{
	if (!sealed)
		return nullptr;
	for (size_t i = 0; i < sealed->idle; i++)
		crypto_aead_free(sealed->pool[i]);
	(void)pthread_mutex_destroy(&sealed->lock);
	secret_done(&sealed->page_key);
	file_close(sealed->file);
	free(sealed);
	return nullptr;
}

/* A cipher for this thread: one that is idle, or a new one. */
static int take_aead(struct sealed *sealed, struct crypto_aead **ret)
{
	struct crypto_aead *aead = nullptr;

	(void)pthread_mutex_lock(&sealed->lock);
	if (sealed->idle > 0)
		aead = sealed->pool[--sealed->idle];
	(void)pthread_mutex_unlock(&sealed->lock);
	if (!aead)
		return crypto_aead_new(sealed->page_key.data, ret);
	*ret = aead;
	return 0;
}

static void put_aead(struct sealed *sealed, struct crypto_aead *aead)
{
	(void)pthread_mutex_lock(&sealed->lock);
	if (sealed->idle < POOL)
		sealed->pool[sealed->idle++] = TAKE(aead);
	(void)pthread_mutex_unlock(&sealed->lock);
	crypto_aead_free(aead);
}

/*
 * Read a page to ret[SEALED_PAGE] and decipher it there. If more of the extent follows, its tag goes where the next page
 * will, which saves a system call; the next page then overwrites it.
 */
static int read_page(struct sealed *sealed, struct crypto_aead *aead, uint32_t page, bool more,
		     uint8_t *ret)
{
	uint8_t nonce[CRYPTO_NONCE], last_tag[CRYPTO_TAG];
	const uint8_t *tag = more ? ret + SEALED_PAGE : last_tag;
	size_t want = more ? SEALED_STEP : SEALED_PAGE, len, tag_len = CRYPTO_TAG;

	int r = file_read(sealed->file, sealed_offset(page), ret, want, &len);
	if (r)
		return r;
	if (!more) {
		r = file_read(sealed->file, sealed_offset(page) + SEALED_PAGE, last_tag,
			      sizeof(last_tag), &tag_len);
		if (r)
			return r;
	}
	if (len != want || tag_len != CRYPTO_TAG)
		return SEALED_DAMAGED;

	sealed_nonce(page, nonce);
	r = crypto_aead_open_apart(aead, nonce, (struct crypto_extra) {}, ret, SEALED_PAGE, tag,
				   ret);
	return r == CRYPTO_NOT_AUTHENTIC ? SEALED_DAMAGED : r;
}

int sealed_read(struct sealed *sealed, struct extent extent, uint8_t *ret, uint32_t *ret_page)
{
	struct crypto_aead *aead = nullptr;

	if (extent.pages == 0 || extent.pages > SEALED_EXTENT_MAX / SEALED_PAGE ||
	    extent.page > sealed->pages || extent.pages > sealed->pages - extent.page) {
		*ret_page = extent.page;
		return SEALED_DAMAGED;
	}
	if (extent.pages >= EXPECT_PAGES)
		(void)file_expect(sealed->file, sealed_offset(extent.page),
				  (uint64_t)extent.pages * SEALED_STEP);

	int r = take_aead(sealed, &aead);
	for (uint32_t i = 0; i < extent.pages && r == 0; i++) {
		r = read_page(sealed, aead, extent.page + i, i + 1 < extent.pages,
			      ret + (size_t)i * SEALED_PAGE);
		if (r == SEALED_DAMAGED)
			*ret_page = extent.page + i;
	}
	if (aead)
		put_aead(sealed, aead);
	return r;
}
