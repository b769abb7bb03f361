/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * exec: the threads and the memory that a process gives to queries; pipe.h runs them.
 *
 * Layer 5 (service/exec). Knows nothing of plans, so that who only starts and counts need not either.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct folder;
struct exec; /* the process's threads and memory for queries */

/*
 * Start the threads.
 *
 * threads       0: one per core
 * memory        bytes for all queries together
 * spill_folder  on the encrypted volume, for sealed files without a name; nullptr: what does not fit into memory is refused
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int exec_new(unsigned int threads, size_t memory, const char *spill_folder,
			   struct exec **ret);

/* As exec_new(), in an open folder, which is given away on success; it or what it points to may be nullptr. */
[[nodiscard]] int exec_new_in(unsigned int threads, size_t memory, struct folder **spill_folder,
			      struct exec **ret);

/* Stop them; no query may be left. nullptr is a no-op. Always returns nullptr. */
struct exec *exec_free(struct exec *exec);
CLEANUP_FN(struct exec, exec_free)

struct query_figures {
	uint64_t rows_read, bytes_read;
	uint64_t pages_read,
		pages_missed; /* needed, from the cache or the disk; of these, from the disk */
	uint64_t chunks, chunks_skipped, spilled_bytes, cpu_us;
};
