/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gone: which rows of a chunk are deleted, as a bit set that is changed by copying it.
 *
 * Layer 4 (service/segment). Reference counted; whoever holds the only reference may change it, nobody else.
 * Format of the catalog's blob: FORMAT.md section 8.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/chunk/chunk.h"

constexpr size_t GONE_WORDS = CHUNK_ROWS / 64;

struct gone;

/* Make one with the rows of another, or with none if that is nullptr. Returns 0 or -ENOMEM. */
[[nodiscard]] int gone_copy(const struct gone *from, struct gone **ret);

/* Take part in its life; nullptr is welcome. Returns gone. */
struct gone *gone_ref(struct gone *gone);

/* Leave it. nullptr is a no-op. Always returns nullptr. */
struct gone *gone_unref(struct gone *gone);
CLEANUP_FN(struct gone, gone_unref)

/* Whether the caller's reference is the only one. */
[[nodiscard]] bool gone_is_own(const struct gone *gone);

/* Add a row; only if gone_is_own(). Returns whether it was not in it. */
[[nodiscard]] bool gone_add(struct gone *gone, uint32_t row);

/* Its words, [GONE_WORDS]; nullptr for nullptr. */
[[nodiscard]] const uint64_t *gone_words(const struct gone *gone);

/* Number of rows in it; 0 for nullptr. */
[[nodiscard]] uint32_t gone_count(const struct gone *gone);

/* Whether a set of words has a row; a set that is nullptr has none. */
[[nodiscard]] bool gone_has(const uint64_t *words, uint32_t row);

/* How many of the rows from to to - 1 are in a set of words, which may be nullptr. */
[[nodiscard]] uint32_t gone_between(const uint64_t *words, uint32_t from, uint32_t to);

/* Append the blob of a set. A failure sticks to out. */
void gone_write(const struct gone *gone, struct buf *out);

/* Read a blob of a set of rows below rows. Returns 0, -EBADMSG or -ENOMEM. */
[[nodiscard]] int gone_read(const uint8_t *data, size_t len, uint32_t rows, struct gone **ret);
