/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * sealed: a file of encrypted, authenticated pages, written once from front to back and read anywhere.
 *
 * Layer 2 (service/disk). Segments and spill files are sealed files.
 * Format: FORMAT.md section 1. A plain header {magic, version, cipher, page size, file id[16], context, key commitment[32]};
 * then pages of 65,536 bytes of content, each AES-256-GCM, nonce = page number, under HKDF-SHA-256(data key, file id, the
 * header). The file id is random and the file is written once, so no nonce repeats under a key; a page of another file, of
 * another place or under another header does not open.
 * Extent: neighbouring pages that are read as one run of bytes. What belongs together is put into one extent.
 * Trust: nothing of a page is looked at before its tag has been checked; a wrong page is an outcome that names it.
 * Threads: a writer belongs to one thread; a reader may be shared.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/disk/file.h"

constexpr size_t SEALED_KEY = 32;
constexpr size_t SEALED_PAGE = 65'536;		 /* bytes of content */
constexpr size_t SEALED_EXTENT_MAX = 512u << 20; /* no column of a chunk is larger */
constexpr size_t SEALED_CONTEXT_MAX = 64;

enum {
	SEALED_OK = 0,
	SEALED_DAMAGED,	  /* a page or the header is not what was written */
	SEALED_OTHER_KEY, /* the header does not commit to this key */
	SEALED_TOO_NEW,
};

struct extent {
	uint32_t page;	/* the first */
	uint32_t pages; /* 1 or more */
};

struct sealed_writer;

/*
 * Begin a file.
 *
 * file     empty, as of file_create(); borrowed until the writer is freed. A file is begun once: after a failure it is removed
 * key      SEALED_KEY bytes; copied into locked memory
 * context  what the file is, for instance "segment 7 of 3f0c…": at most SEALED_CONTEXT_MAX - 1 bytes; authenticated, in clear
 *
 * Returns 0, -ENOMEM, -EEXIST (not empty), -EMSGSIZE (context) or -errno.
 */
[[nodiscard]] int sealed_writer_new(struct file *file, const uint8_t *key, const char *context,
				    struct sealed_writer **ret);

/*
 * Begin a file under a random key that nobody else ever has: for what a query spills, in a file of file_create_unnamed().
 * Read it after sealed_writer_take(). Returns as sealed_writer_new().
 */
[[nodiscard]] int sealed_writer_new_spill(struct file *file, struct sealed_writer **ret);

/* Free; does not finish the file. nullptr is a no-op. Always returns nullptr. */
struct sealed_writer *sealed_writer_free(struct sealed_writer *writer);
CLEANUP_FN(struct sealed_writer, sealed_writer_free)

/*
 * Append data[len], 1 to SEALED_EXTENT_MAX bytes, as an extent of its own (the last page is filled with zeros).
 *
 * Returns 0, -EMSGSIZE, -EINVAL (nothing to add, or finished) or -errno; after a failed write, that again and again.
 */
[[nodiscard]] int sealed_add(struct sealed_writer *writer, const void *data, size_t len,
			     struct extent *ret);

/* Write what is buffered; file_sync() is the caller's. *ret_pages is how many pages the file has. Returns 0 or -errno. */
[[nodiscard]] int sealed_finish(struct sealed_writer *writer, uint32_t *ret_pages);

struct sealed;

/*
 * Finish, if it is not yet, and turn the writer into a reader of the same file, which needs no key and no sync.
 *
 * writer, file  given away on success (both pointers become nullptr); file is the one the writer was begun with
 *
 * Returns 0, -ENOMEM or -errno.
 */
[[nodiscard]] int sealed_writer_take(struct sealed_writer **writer, struct file **file,
				     struct sealed **ret);

/*
 * Open a finished file.
 *
 * file     given away on success (the caller's pointer becomes nullptr)
 * context  what it must be; another is SEALED_DAMAGED
 * pages    how many it must have
 *
 * Returns 0, SEALED_DAMAGED (also if the length is wrong), SEALED_OTHER_KEY, SEALED_TOO_NEW, -ENOMEM or -errno.
 */
[[nodiscard]] int sealed_open(struct file **file, const uint8_t *key, const char *context,
			      uint32_t pages, struct sealed **ret);

/* Close; nullptr is a no-op. Always returns nullptr. */
struct sealed *sealed_close(struct sealed *sealed);
CLEANUP_FN(struct sealed, sealed_close)

/*
 * Read and check an extent.
 *
 * ret       [extent.pages * SEALED_PAGE]; undefined unless 0 is returned
 * ret_page  set to the page that is wrong on SEALED_DAMAGED
 *
 * Returns 0, SEALED_DAMAGED (also if the extent is outside the file) or -errno. Cost: about 0.1 ms a MiB.
 */
[[nodiscard]] int sealed_read(struct sealed *sealed, struct extent extent, uint8_t *ret,
			      uint32_t *ret_page);
