/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * export: a ledger as a tar stream, piece by piece, while it goes on growing.
 *
 * Layer 2 (appliance/audit). The stream holds what is evidence, as FORMAT.md names it, under the checkpoint of the moment
 * of export_new(): that checkpoint first, the ends of epochs, bundles and tiles in order, the checkpoint again. So
 * a stream that was cut off says how much it should have held, and no key is ever in it.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/ledger.h"
#include "common/base.h"
#include "common/buf.h"

enum {
	EXPORT_END = 0, /* the last piece has been appended */
	EXPORT_MORE,
};

constexpr size_t EXPORT_PIECE_MAX = 24u << 20; /* a bundle of the longest entries, and its tiles */

struct export;

/*
 * Begin to export what has been signed.
 *
 * ledger  borrowed until export_free(); may go on appending and publishing
 * from    0, or how many entries somebody has already: only files that are new since then are exported, and unpacked
 *         over the earlier ones they make a whole ledger
 *
 * Returns 0, LEDGER_NO_ENTRY (from is beyond what is signed), LEDGER_DAMAGED, -ENOMEM or another -errno.
 */
[[nodiscard]] int export_new(struct ledger *ledger, uint64_t from, struct export **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct export *export_free(struct export *export);
CLEANUP_FN(struct export, export_free)

/*
 * Append the next piece of the stream to out, whose cap is at least EXPORT_PIECE_MAX above its length.
 *
 * Returns EXPORT_MORE, EXPORT_END, LEDGER_DAMAGED, -ENOMEM or another -errno.
 */
[[nodiscard]] int export_next(struct export *export, struct buf *out);

/* How many entries the exported checkpoint is for. */
[[nodiscard]] uint64_t export_size(const struct export *export);

/* The root of the exported checkpoint. */
[[nodiscard]] struct merkle_hash export_root(const struct export *export);
