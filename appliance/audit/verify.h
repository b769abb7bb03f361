/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * verify: is a ledger whole, unchanged and signed: from its files and the public key alone.
 *
 * Layer 2 (appliance/audit). Reads only. Every file is untrusted input; memory does not grow with the ledger.
 * What is checked is in FORMAT.md section 6.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/merkle.h"
#include "common/base.h"

/* Also the exit status of `redoubt audit verify`. */
enum verify_verdict {
	VERIFY_VALID = 0,
	VERIFY_CANNOT = 1,     /* wrong use, or a file could not be read */
	VERIFY_INVALID = 2,    /* something was changed, forged or is not signed */
	VERIFY_INCOMPLETE = 3, /* something is missing, or the ledger ends too early */
	VERIFY_TAIL = 4,       /* all that is signed is valid; entries not signed yet follow */
};

constexpr size_t VERIFY_MESSAGE = 256;

struct verify_options {
	const char *vkey; /* the ledger's verifier key, text */
	const char *from; /* [from_len] a checkpoint of this ledger kept from earlier, or nullptr */
	size_t from_len;
	uint64_t max_age_s; /* the last checkpoint may be this old; 0: any age */
	uint64_t now_s;	    /* seconds since 1970 */
};

struct verify_report {
	enum verify_verdict verdict;
	uint64_t
		entries; /* under the checkpoint; if that is incomplete, how many of them there are */
	uint64_t promised;    /* how many the checkpoint is for */
	uint64_t checkpoints; /* signatures checked: one an epoch, and the last one */
	uint64_t epochs;
	uint64_t tail; /* entries not signed yet */
	uint64_t signed_time_s;
	struct merkle_hash root;
	char message[VERIFY_MESSAGE]; /* a sentence for people */
};

enum {
	VERIFY_OVER = 0, /* ask verify_result() */
	VERIFY_MORE,	 /* call verify_step() again */
};

struct verify;

/*
 * Begin.
 *
 * dir      the ledger's folder; borrowed until verify_free()
 * options  borrowed for the call
 *
 * Returns 0 or -ENOMEM. A key that is none shows in the verdict.
 */
[[nodiscard]] int verify_new(int dir, const struct verify_options *options, struct verify **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct verify *verify_free(struct verify *verify);
CLEANUP_FN(struct verify, verify_free)

/* Check up to 256 entries more. Returns VERIFY_OVER or VERIFY_MORE. */
[[nodiscard]] int verify_step(struct verify *verify);

/* What came out; whole once verify_step() has returned VERIFY_OVER. */
void verify_result(const struct verify *verify, struct verify_report *ret);

/*
 * Verify the ledger in a folder, or in a tar of one, from beginning to end.
 *
 * Returns 0 with the report, or -ENOMEM. What cannot be opened is VERIFY_CANNOT.
 */
[[nodiscard]] int verify_folder(const char *path, const struct verify_options *options,
				struct verify_report *ret);

/*
 * Verify a .tlog-proof text and the entry it is about.
 *
 * proof  [proof_len] untrusted
 * entry  [entry_len] the entry's exact bytes
 * vkey   of the epoch that signed the proof's checkpoint
 *
 * Returns VERIFY_VALID or VERIFY_INVALID, or VERIFY_CANNOT if vkey is none.
 */
[[nodiscard]] enum verify_verdict verify_proof(const char *proof, size_t proof_len,
					       const void *entry, size_t entry_len,
					       const char *vkey);
