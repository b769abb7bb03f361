/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * scratch: a run of bytes that is written and read anywhere, in memory as far as its query has some left, the rest in a sealed
 * file without a name under a key nobody keeps.
 *
 * Layer 5 (service/crew). For what SQLite puts into files for a while; records that go one way are spill's. Blocks of 4096 bytes, each
 * AES-256-GCM under a key of its own file with a number that no other sealing has had. Number and tag are kept in memory: a
 * block of another place or of an earlier time does not open. What is on disk is gone when the process is, however it ends.
 * Threads: belongs to one thread. After a failure every call fails in the same way.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct exec_query;
struct scratch;

constexpr size_t SCRATCH_BLOCK = 4096;
/* Of a query's memory all its scratches keep at most so much: a part in any case, and more while half of it is nobody's. */
constexpr size_t SCRATCH_SHARE_LEAST = 32;
constexpr size_t SCRATCH_SHARE = 3;

/* Begin one, empty. query is borrowed, its budget and figures count what the scratch takes. Returns 0, -ENOMEM or PIPE_TOO_LARGE. */
[[nodiscard]] int scratch_new(struct exec_query *query, struct scratch **ret);

/* Forget everything; nullptr is a no-op. Always returns nullptr. */
struct scratch *scratch_free(struct scratch *scratch);
CLEANUP_FN(struct scratch, scratch_free)

/*
 * Write data[len] at an offset. What lies between the end and there is zeros then.
 *
 * Returns 0, PIPE_CANCELLED, PIPE_TIMEOUT, PIPE_TOO_LARGE (no memory for what is to be known of its blocks, or no room on the disk),
 * PIPE_DAMAGED, -EFBIG or another -errno.
 */
[[nodiscard]] int scratch_write(struct scratch *scratch, uint64_t offset, const void *data,
				size_t len);

/* Read up to len bytes at an offset; *ret_len is less only at the end. Returns as scratch_write(); ret is undefined unless 0. */
[[nodiscard]] int scratch_read(struct scratch *scratch, uint64_t offset, void *ret, size_t len,
			       size_t *ret_len);

/* Make it end at a length, which is at most its size. Returns as scratch_write(). */
[[nodiscard]] int scratch_truncate(struct scratch *scratch, uint64_t len);

/* Its length in bytes. */
[[nodiscard]] uint64_t scratch_size(const struct scratch *scratch);
