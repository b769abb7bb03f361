/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spill: records that do not fit into memory, by part, in one sealed file without a name under a key nobody keeps.
 *
 * Layer 5 (service/crew). Written by any thread until spill_end(), then read by any. Records of a part come back in the order
 * in which they were appended. What is on disk is gone when the process is, however it ends.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/vector/pile.h"

struct folder;
struct spill;

constexpr size_t SPILL_BUFFER =
	65'536; /* bytes that a part takes while it is written, and a reader while it reads */

/*
 * Begin a file in a folder.
 *
 * parts   how many there are from the beginning
 * budget  counts the buffers; or nullptr
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int spill_new(struct folder *folder, uint32_t parts, struct budget *budget,
			    struct spill **ret);

/* Close; the file is gone then. nullptr is a no-op. Always returns nullptr. */
struct spill *spill_free(struct spill *spill);
CLEANUP_FN(struct spill, spill_free)

/* Begin one more part. Returns 0 or -ENOMEM. */
[[nodiscard]] int spill_part(struct spill *spill, uint32_t *ret);

/* Append data[len] to a part; what one thread appends stays in order. Returns 0, -EMSGSIZE, -EDQUOT, -ENOSPC or another -errno. */
[[nodiscard]] int spill_add(struct spill *spill, uint32_t part, const void *data, size_t len);

/* Write what a part still has in memory, which is freed; more may come all the same. Returns as spill_add(). */
[[nodiscard]] int spill_flush(struct spill *spill, uint32_t part);

/* No more is coming. Returns 0 or -errno. */
[[nodiscard]] int spill_end(struct spill *spill);

/* Called with what was appended by one spill_add(); data is aligned to 8. Returns 0 or anything to stop with. */
typedef int spill_fn(void *userdata, uint8_t *data, size_t len);

/* Read a part from the beginning. Returns 0, what fn returned, -EBADMSG (the file is damaged) or -errno. */
[[nodiscard]] int spill_read(struct spill *spill, uint32_t part, spill_fn *fn, void *userdata);

/* A part on its way back, record by record. Belongs to one thread. */
struct spill_reader {
	struct spill *spill;
	uint32_t part, extent; /* the next to be read */
	uint8_t *data;	       /* [size] of the extent before, room bytes allocated */
	size_t size, at, room;
	struct budget *budget;
};

/* Begin to read a part. budget counts the buffer; or nullptr. spill_reader_done() is to be called. */
void spill_reader_init(struct spill_reader *reader, struct spill *spill, uint32_t part,
		       struct budget *budget);

/* Free what it owns. Harmless on a zeroed or done one. */
void spill_reader_done(struct spill_reader *reader);

/*
 * The next record, aligned to 8; valid until the next call.
 *
 * Returns 0, SPILL_NO_MORE, -EBADMSG, -ENOMEM, -EDQUOT or another -errno.
 */
[[nodiscard]] int spill_next(struct spill_reader *reader, uint8_t **ret, size_t *ret_len);

enum {
	SPILL_NO_MORE = 210,
};

/* Bytes written so far. */
[[nodiscard]] uint64_t spill_bytes(const struct spill *spill);
