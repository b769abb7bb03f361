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

struct exec; /* the process's threads and memory for queries */

/*
 * Start the threads.
 *
 * threads       0: one per core
 * memory        bytes for all queries together
 * spill_folder  on the encrypted volume; sealed files without a name
 */
[[nodiscard]] int exec_new(unsigned int threads, size_t memory, const char *spill_folder,
			   struct exec **ret);

/* Stop them; no query may be left. nullptr is a no-op. Always returns nullptr. */
struct exec *exec_free(struct exec *exec);
CLEANUP_FN(struct exec, exec_free)

struct query_figures {
	uint64_t rows_read, bytes_read, pages_read, pages_missed; /* pages: of the cache */
	uint64_t chunks, chunks_skipped, spilled_bytes, cpu_us;
};
