/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/keys/tpm.h"
#include "common/base.h"
#include "common/crc32c.h"
#include "common/keyring/keyring.h"
#include "common/keyring/keyset.h"
#include "common/keyring/lock.h"
#include "common/keyring/master.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Try the bytes as each kind of file, slot and wrapped key. None of them can be authentic. */
static void try_all(const uint8_t *data, size_t size)
{
	const struct wrap_context context = { .purpose = "p", .name = "n" };
	struct lock_recovery recovery = { .has_seed = true };
	cleanup(tpm_free_at) struct tpm *tpm = nullptr;
	auto_keyset struct keyset set = {};
	uint8_t key[CRYPTO_KEY];
	uint32_t kinds = 0;

	(void)!keyring_is_well_formed(data, size);
	if (master_is_well_formed(data, size, &kinds) && size < CRYPTO_KEY)
		abort();
	if (tpm_new(-1, "/dev/null/no-tpm", &tpm) || keyset_init(&set) || keyset_grow(&set))
		return;
	const struct lock locks[] = { tpm_lock(tpm), lock_recovery(&recovery) };
	for (size_t i = 0; i < countof(locks); i++)
		if (locks[i].open(locks[i].self, data, size, key) == 0)
			abort();
	if (keyset_unwrap(&set, &context, data, size, key) == 0)
		abort();
}

/* Any bytes at all, as they are and with a sum that fits, so that what is behind it is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	try_all(copy, size);
	if (size < 4)
		return 0;
	uint32_t sum = crc32c(copy, size - 4);
	for (size_t i = 0; i < 4; i++)
		copy[size - 4 + i] = (uint8_t)(sum >> (8 * i));
	try_all(copy, size);
	return 0;
}
