/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * spill: records that do not fit into memory, by part, in one sealed file without a name under a key nobody keeps.
 *
 * Layer 5 (service/crew). Written by any thread until spill_end(), then read by one.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct spill;

/* Begin a file in a folder for a number of parts. Returns 0 or -errno. */
[[nodiscard]] int spill_new(const char *folder, uint32_t parts, struct spill **ret);

/* Close; the file is gone then. nullptr is a no-op. Always returns nullptr. */
struct spill *spill_free(struct spill *spill);
CLEANUP_FN(struct spill, spill_free)

/* Append data[len] to a part; what one thread appends stays in order. Returns 0, -EMSGSIZE or -errno. */
[[nodiscard]] int spill_add(struct spill *spill, uint32_t part, const void *data, size_t len);

/* No more is coming. Returns 0 or -errno. */
[[nodiscard]] int spill_end(struct spill *spill);

/* Called with what was appended by one spill_add(); data is aligned to 8. Returns 0 or anything to stop with. */
typedef int spill_fn(void *userdata, uint8_t *data, size_t len);

/* Read a part from the beginning. Returns 0, what fn returned, -EBADMSG (the file is damaged) or -errno. */
[[nodiscard]] int spill_read(struct spill *spill, uint32_t part, spill_fn *fn, void *userdata);

/* Bytes written so far. */
[[nodiscard]] uint64_t spill_bytes(const struct spill *spill);
