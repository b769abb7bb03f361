/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * master: the provider whose master key lies in a file that locks keep: the tpm and file providers.
 *
 * Layer 1 (common/keyring). The file is opened at the first use, so that a TPM that is not there
 * yet is asked again at the next. Once open, the master key stays in locked memory.
 * Its form is in appliance/keys/FORMAT.md section 3.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/keyring/lock.h"
#include "common/keyring/provider.h"

#define MASTER_FILE "master"

constexpr size_t MASTER_LOCKS_MAX = 4;

enum {
	MASTER_OK = 0,
	MASTER_LOCKED,	/* no lock opens it now */
	MASTER_DAMAGED, /* the file is not in its form, or keys are there and it is not */
};

struct master;

/*
 * Make the provider. Nothing is read or written yet.
 *
 * dir   the keyring's folder; borrowed, must stay open
 * lock  [n] 1 to MASTER_LOCKS_MAX, in the order to try; what they point to is borrowed
 *
 * Returns 0, -EINVAL or -ENOMEM.
 */
[[nodiscard]] int master_new(int dir, const struct lock *lock, size_t n, struct master **ret);

/*
 * Keep slots for the first n locks only. The others open a file that an earlier release has made; once it is open, its
 * slots of their kinds go, in the same writing that makes those of the first.
 */
void master_keep_only(struct master *master, size_t n);

/* Wipe and free. nullptr is a no-op. Always returns nullptr. */
struct master *master_free(struct master *master);
CLEANUP_FN(struct master, master_free)

/*
 * Open the file, or make it if there is none and no key either. Slots that are missing, or that
 * do not open with the lock they are for (another TPM), are made anew. Does nothing if it is open.
 *
 * Returns 0, MASTER_LOCKED, MASTER_DAMAGED or -errno.
 */
[[nodiscard]] int master_open(struct master *master);

/* Which lock has opened it; 0 while it is closed. */
[[nodiscard]] enum lock_kind master_opened_by(const struct master *master);

/* The five functions. name is what is written beside wrapped keys: "tpm" or "file". */
[[nodiscard]] struct provider master_provider(struct master *master, const char *name);

/*
 * Whether data[len] has the form of a master file; opens nothing.
 *
 * ret_kinds  bit set of the kinds of its slots: 1 << LOCK_CLEAR, …
 */
[[nodiscard]] bool master_is_well_formed(const uint8_t *data, size_t len, uint32_t *ret_kinds);

/* The kinds of the slots of the file in a folder; none if there is no file. Returns 0, MASTER_DAMAGED or -errno. */
[[nodiscard]] int master_kinds(int dir, uint32_t *ret_kinds);
