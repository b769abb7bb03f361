/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * epoch: the statement by which one key names the next, inside the ledger.
 *
 * Layer 2 (appliance/audit). Pure functions; entries read back are untrusted input.
 * Format: FORMAT.md section 5.
 */

#include <stdint.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/secret.h"

constexpr size_t EPOCH_PATH_MAX = 32;

struct epoch_statement {
	uint64_t epoch; /* that begins with this */
	uint64_t size;	/* of the tree before the entry that holds the statement */
	struct merkle_hash root;
	struct note_key previous, next;
};

enum {
	EPOCH_OK = 0,
	EPOCH_MALFORMED, /* no statement, or not signed by the key before */
};

/* The path of the last checkpoint signed in an epoch: "epoch/7". */
void epoch_path(uint64_t epoch, char ret[EPOCH_PATH_MAX]);

/*
 * Append the detail of an epoch.rotate entry, a JSON object.
 *
 * private_key  of statement->previous
 *
 * Returns 0 or -EIO; a failure to append sticks to out.
 */
[[nodiscard]] int epoch_statement_write(struct buf *out, const struct epoch_statement *statement,
					const struct secret *private_key);

/* Whether an entry rotates keys: the ledger's own, with that code. */
[[nodiscard]] bool epoch_is_rotation(const struct entry *entry);

/*
 * Read an epoch.rotate entry and check its signature by the key it calls the previous one: whether that is
 * the right key is the caller's to check, as are epoch, size and root.
 *
 * Returns 0 or EPOCH_MALFORMED.
 */
[[nodiscard]] int epoch_statement_read(const struct entry *entry, struct epoch_statement *ret);
