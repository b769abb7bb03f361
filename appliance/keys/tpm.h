/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tpm: the lock that a TPM 2.0 keeps: the key is sealed under the TPM's storage key.
 *
 * Layer 2 (appliance/keys). What is sealed can be opened by this very TPM only (fixedTPM,
 * fixedParent), whatever was started: it is bound to no PCR, because the volume's own slot is, and
 * a firmware update must lose no data. The value crosses the bus encrypted by a salted session.
 * Source: TPM 2.0 library part 3, sections 12.1, 12.2, 12.7, 24.1; TCG PC client storage key template.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/keyring/lock.h"

struct tpm;

/*
 * Make the lock's state. The TPM is not spoken to yet.
 *
 * fd    of the TPM, borrowed; or -1 to open path for each use
 * path  of a device, or of a stream socket with a TPM behind it; may be nullptr if fd is given
 *
 * Returns 0, -EINVAL (neither), -ENAMETOOLONG or -ENOMEM.
 */
[[nodiscard]] int tpm_new(int fd, const char *path, struct tpm **ret);

/* Free. nullptr is a no-op. Always returns nullptr. */
struct tpm *tpm_free(struct tpm *tpm);
CLEANUP_FN(struct tpm, tpm_free)

/* The lock; tpm is borrowed for as long as it is used. Cost: some tenths of a second on a slow TPM. */
[[nodiscard]] struct lock tpm_lock(struct tpm *tpm);

/* The response code of what failed last, in the library's numbers; 0 if nothing has. */
[[nodiscard]] unsigned int tpm_error(const struct tpm *tpm);
