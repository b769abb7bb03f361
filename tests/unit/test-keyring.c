/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/crc32c.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/keyset.h"
#include "common/keyring/lock.h"
#include "common/keyring/master.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const char A[] = "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b";
static const char B[] = "11111111-2222-4333-8444-555555555555";

/* A folder of a test's own, removed with what is in it. */
struct folder {
	char path[64];
	int fd;
};

static int remove_one(void *user, const char *name)
{
	const int *dir = user;

	if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
		(void)unlinkat(*dir, name, 0);
	return 0;
}

static void folder_done(struct folder *folder)
{
	if (folder->fd >= 0)
		(void)keyfile_each(folder->fd, "", remove_one, &folder->fd);
	close_at(&folder->fd);
	(void)rmdir(folder->path);
}

static bool folder_make(struct folder *ret)
{
	(void)snprintf(ret->path, sizeof(ret->path), "/tmp/test-keyring-XXXXXX");
	ret->fd = -1;
	return mkdtemp(ret->path) && keyfile_folder(ret->path, &ret->fd) == 0;
}

#define auto_folder cleanup(folder_done)

/* A keyring over a clear master file. */
struct ring {
	struct master *master;
	struct keyring *keyring;
};

static void ring_done(struct ring *ring)
{
	ring->keyring = keyring_close(ring->keyring);
	ring->master = master_free(ring->master);
}

static int ring_open(int dir, struct ring *ret)
{
	const struct lock lock = lock_clear();

	*ret = (struct ring) {};
	int r = master_new(dir, &lock, 1, &ret->master);
	if (r == 0)
		r = keyring_open(dir, master_provider(ret->master, "file"), &ret->keyring);
	return r;
}

#define auto_ring cleanup(ring_done)

/* --- keysets ---------------------------------------------------------------------------------- */

static bool a_wrapped_key_has_the_written_form(void)
{
	auto_keyset struct keyset set = {};
	auto_buf struct buf wrapped = buf_make(1024);
	const struct wrap_context context = { .purpose = "segments", .name = A };
	uint8_t key[CRYPTO_KEY] = { 9 }, got[CRYPTO_KEY];

	CHECK_EQ(keyset_init(&set), 0);
	CHECK_EQ(keyset_wrap(&set, &context, key, &wrapped), -ENOKEY);
	CHECK_EQ(keyset_grow(&set), 0);
	CHECK_EQ(keyset_grow(&set), 0);
	CHECK_EQ(keyset_wrap(&set, &context, key, &wrapped), 0);
	CHECK_EQ(wrapped.len, 65); /* FORMAT.md section 1 */
	CHECK_EQ(wrapped.data[0], 1);
	CHECK(memcmp(wrapped.data + 1, "\2\0\0\0", 4) == 0);

	/* The same by hand: what is authenticated along is spelled out. */
	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	static const char EXTRA[] = "\1\2\0\0\0\10\0\0\0segments\44\0\0\0"
				    "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b\0\0\0";
	CHECK_EQ(crypto_aead_new(keyset_key(&set, 1), &aead), 0);
	CHECK_EQ(crypto_aead_open(aead, wrapped.data + 5,
				  (struct crypto_extra) { EXTRA, sizeof(EXTRA) }, wrapped.data + 17,
				  48, got),
		 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	return true;
}

static bool a_wrapped_key_opens_for_its_context_only(void)
{
	auto_keyset struct keyset set = {}, other = {};
	auto_buf struct buf wrapped = buf_make(1024);
	const struct wrap_context context = { .purpose = "p", .name = "n", .number = 1 };
	const struct wrap_context others[] = { { .purpose = "q", .name = "n", .number = 1 },
					       { .purpose = "p", .name = "m", .number = 1 },
					       { .purpose = "p", .name = "n", .number = 2 },
					       { .purpose = "pn", .name = "", .number = 1 } };
	uint8_t key[CRYPTO_KEY] = { 9 }, got[CRYPTO_KEY] = { 1 };

	CHECK_EQ(keyset_init(&set), 0);
	CHECK_EQ(keyset_init(&other), 0);
	CHECK_EQ(keyset_grow(&set), 0);
	CHECK_EQ(keyset_grow(&other), 0);
	CHECK_EQ(keyset_wrap(&set, &context, key, &wrapped), 0);
	for (size_t i = 0; i < countof(others); i++)
		CHECK_EQ(keyset_unwrap(&set, &others[i], wrapped.data, wrapped.len, got),
			 KEYSET_NOT_AUTHENTIC);
	CHECK_EQ(keyset_unwrap(&other, &context, wrapped.data, wrapped.len, got),
		 KEYSET_NOT_AUTHENTIC);
	for (size_t bit = 0; bit < 8 * wrapped.len; bit++) {
		wrapped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_EQ(keyset_unwrap(&set, &context, wrapped.data, wrapped.len, got),
			 KEYSET_NOT_AUTHENTIC);
		wrapped.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < wrapped.len; len++)
		CHECK_EQ(keyset_unwrap(&set, &context, wrapped.data, len, got),
			 KEYSET_NOT_AUTHENTIC);
	CHECK_EQ(got[0], 1); /* never touched */
	CHECK_EQ(keyset_unwrap(&set, &context, wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	return true;
}

static bool a_keyset_takes_256_versions_in_order(void)
{
	auto_keyset struct keyset set = {};
	const uint8_t key[CRYPTO_KEY] = {};

	CHECK_EQ(keyset_init(&set), 0);
	CHECK_EQ(keyset_add(&set, 0, key), -EINVAL);
	CHECK_EQ(keyset_add(&set, 3, key), 0);
	CHECK_EQ(keyset_add(&set, 3, key), -EINVAL);
	for (size_t i = 1; i < KEYSET_MAX; i++)
		CHECK_EQ(keyset_grow(&set), 0);
	CHECK_EQ(keyset_newest(&set), 258);
	CHECK_EQ(keyset_grow(&set), KEYSET_FULL);
	CHECK_EQ(set.n, KEYSET_MAX);
	return true;
}

/* --- files ------------------------------------------------------------------------------------ */

static bool a_file_is_replaced_and_destroyed_whole(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_buf struct buf data = buf_make(64);
	struct stat st;

	CHECK(folder_make(&folder));
	CHECK_EQ(keyfile_read(folder.fd, "x", &data), KEYFILE_ABSENT);
	CHECK_EQ(keyfile_write(folder.fd, "x", "old", 3), 0);
	CHECK_EQ(keyfile_write(folder.fd, "x", "newer", 5), 0);
	CHECK_EQ(keyfile_read(folder.fd, "x", &data), 0);
	CHECK_EQ(data.len, 5);
	CHECK_EQ(fstatat(folder.fd, "x", &st, 0), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(keyfile_destroy(folder.fd, "x"), 0);
	CHECK_EQ(keyfile_destroy(folder.fd, "x"), 0);
	CHECK_EQ(keyfile_read(folder.fd, "x", &data), KEYFILE_ABSENT);
	CHECK_EQ(symlinkat("/etc/hostname", folder.fd, "y"), 0);
	CHECK_EQ(keyfile_read(folder.fd, "y", &data), -ELOOP);
	CHECK_EQ(keyfile_read(folder.fd, ".", &data), -EINVAL);
	return true;
}

static bool what_a_crash_left_is_swept_away(void)
{
	auto_folder struct folder folder = { .fd = -1 };

	CHECK(folder_make(&folder));
	CHECK_EQ(keyfile_write(folder.fd, ".a.key.gone", "secret", 6), 0);
	CHECK_EQ(keyfile_write(folder.fd, ".b.key.new", "secret", 6), 0);
	CHECK_EQ(keyfile_write(folder.fd, "c.key", "kept", 4), 0);
	CHECK_EQ(linkat(folder.fd, ".a.key.gone", folder.fd, "link", 0), 0);
	CHECK_EQ(keyfile_sweep(folder.fd), 0);
	CHECK(faccessat(folder.fd, ".a.key.gone", F_OK, 0) < 0);
	CHECK(faccessat(folder.fd, ".b.key.new", F_OK, 0) < 0);
	CHECK_EQ(faccessat(folder.fd, "c.key", F_OK, 0), 0);

	auto_buf struct buf data = buf_make(64); /* and not only unlinked: overwritten */
	CHECK_EQ(keyfile_read(folder.fd, "link", &data), 0);
	CHECK_EQ(data.len, 6);
	CHECK(memcmp(data.data, "\0\0\0\0\0\0", 6) == 0);
	return true;
}

/* --- the master file -------------------------------------------------------------------------- */

static bool the_master_file_is_made_once(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring first = {}, second = {};
	auto_buf struct buf wrapped = buf_make(1024);
	const struct wrap_context context = { .purpose = "p", .name = "n" };
	uint8_t key[CRYPTO_KEY], got[CRYPTO_KEY];
	uint32_t kinds = 0;

	CHECK(folder_make(&folder));
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 0);
	CHECK_EQ(ring_open(folder.fd, &first), 0);
	struct provider one = master_provider(first.master, "file");
	CHECK_EQ(one.table->generate(one.self, &context, key, &wrapped), 0);
	CHECK_EQ(master_opened_by(first.master), LOCK_CLEAR);
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 1u << LOCK_CLEAR);

	CHECK_EQ(ring_open(folder.fd, &second), 0);
	struct provider two = master_provider(second.master, "file");
	CHECK_EQ(two.table->unwrap(two.self, &context, wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	CHECK_EQ(two.table->destroy(two.self), 0);
	CHECK_EQ(two.table->unwrap(two.self, &context, wrapped.data, wrapped.len, got),
		 PROVIDER_NOT_AUTHENTIC); /* a new one was made: it opens nothing of the old */
	return true;
}

static bool a_lost_master_file_is_not_made_anew_over_keys(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring ring = {}, later = {};

	CHECK(folder_make(&folder));
	CHECK_EQ(ring_open(folder.fd, &ring), 0);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	CHECK_EQ(unlinkat(folder.fd, MASTER_FILE, 0), 0);
	CHECK_EQ(ring_open(folder.fd, &later), 0);
	CHECK_EQ(master_open(later.master), MASTER_DAMAGED);
	CHECK_EQ(keyring_create(later.keyring, B), KEYRING_UNAVAILABLE);
	CHECK(faccessat(folder.fd, MASTER_FILE, F_OK, 0) < 0);
	return true;
}

/* A lock that stands for a TPM: a number that must be the same, and a switch. */
struct fake_tpm {
	uint8_t number;
	bool absent;
	int asked;
};

static int fake_seal(void *self, const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	const struct fake_tpm *tpm = self;

	if (tpm->absent)
		return LOCK_UNAVAILABLE;
	buf_add(ret, &tpm->number, 1);
	buf_add(ret, key, CRYPTO_KEY);
	return buf_error(ret);
}

static int fake_open(void *self, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	struct fake_tpm *tpm = self;

	tpm->asked++;
	if (tpm->absent)
		return LOCK_UNAVAILABLE;
	if (len != CRYPTO_KEY + 1 || slot[0] != tpm->number)
		return LOCK_REFUSED;
	memcpy(ret_key, slot + 1, CRYPTO_KEY);
	return 0;
}

static bool fake_fits(void *, const uint8_t *, size_t)
{
	return true;
}

static struct lock fake_lock(struct fake_tpm *tpm)
{
	return (struct lock) { LOCK_TPM, tpm, fake_seal, fake_open, fake_fits };
}

/* Open a folder's master with a TPM and a recovery key. Returns what master_open() does. */
static int open_locked(int dir, struct fake_tpm *tpm, struct lock_recovery *recovery,
		       struct master **ret)
{
	const struct lock locks[] = { fake_lock(tpm), lock_recovery(recovery) };

	*ret = master_free(*ret);
	int r = master_new(dir, locks, countof(locks), ret);
	return r ? r : master_open(*ret);
}

static bool make_recovery(const char *text, struct lock_recovery *ret)
{
	*ret = (struct lock_recovery) {};
	return lock_recovery_seed(text, ret->seed) == 0 &&
	       crypto_box_public(ret->seed, ret->public_key) == 0;
}

static bool a_replaced_tpm_is_enrolled_with_the_recovery_key(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	cleanup(master_free_at) struct master *master = nullptr;
	struct fake_tpm old = { .number = 1 }, new = { .number = 2 };
	struct lock_recovery recovery, wrong;
	auto_buf struct buf wrapped = buf_make(1024);
	const struct wrap_context context = { .purpose = "p", .name = "n" };
	uint8_t key[CRYPTO_KEY], got[CRYPTO_KEY];

	CHECK(folder_make(&folder));
	CHECK(make_recovery("abcdef-ghjkmn", &recovery));
	CHECK(make_recovery("abcdef-ghjkmp", &wrong));
	CHECK_EQ(open_locked(folder.fd, &old, &recovery, &master), 0);
	struct provider provider = master_provider(master, "tpm");
	CHECK_EQ(provider.table->generate(provider.self, &context, key, &wrapped), 0);
	CHECK_EQ(open_locked(folder.fd, &old, &recovery, &master), 0);
	CHECK_EQ(master_opened_by(master), LOCK_TPM);

	CHECK_EQ(open_locked(folder.fd, &new, &recovery, &master), MASTER_LOCKED);
	memcpy(wrong.public_key, recovery.public_key, sizeof(wrong.public_key));
	wrong.has_seed = true;
	CHECK_EQ(open_locked(folder.fd, &new, &wrong, &master), MASTER_LOCKED);
	recovery.has_seed = true;
	CHECK_EQ(open_locked(folder.fd, &new, &recovery, &master), 0);
	CHECK_EQ(master_opened_by(master), LOCK_RECOVERY);

	recovery.has_seed = false; /* from now on the new TPM opens it, the old one does not */
	CHECK_EQ(open_locked(folder.fd, &old, &recovery, &master), MASTER_LOCKED);
	CHECK_EQ(open_locked(folder.fd, &new, &recovery, &master), 0);
	CHECK_EQ(master_opened_by(master), LOCK_TPM);
	provider = master_provider(master, "tpm");
	CHECK_EQ(provider.table->unwrap(provider.self, &context, wrapped.data, wrapped.len, got),
		 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	return true;
}

static bool what_opens_the_volume_opens_the_keyring_and_old_slots_go(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	cleanup(master_free_at) struct master *master = nullptr;
	struct fake_tpm tpm = { .number = 1 }, other = { .number = 2 };
	struct lock_recovery recovery;
	struct lock_volume volume = { .secret = { 7 } }, wrong = { .secret = { 8 }, true };
	uint32_t kinds = 0;

	/* As an earlier release has made it, and as it was left in a machine with another TPM. */
	CHECK(folder_make(&folder));
	CHECK(make_recovery("abcdef-ghjkmn", &recovery));
	CHECK_EQ(open_locked(folder.fd, &tpm, &recovery, &master), 0);

	struct lock locks[] = { lock_volume(&volume), fake_lock(&other), lock_recovery(&recovery) };
	const size_t n_locks = sizeof(locks) / sizeof(locks[0]);
	for (int round = 0; round < 4; round++) {
		master = master_free(master);
		CHECK_EQ(master_new(folder.fd, locks, n_locks, &master), 0);
		master_keep_only(master, 1);
		volume.has_secret = round > 0;
		recovery.has_seed = round < 3; /* from then on nobody needs it */
		CHECK_EQ(master_open(master), 0);
		CHECK_EQ((int)master_opened_by(master), round < 2 ? LOCK_RECOVERY : LOCK_VOLUME);
		CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
		CHECK_EQ(kinds,
			 round == 0 ? 1u << LOCK_TPM | 1u << LOCK_RECOVERY : 1u << LOCK_VOLUME);
	}
	master = master_free(master);
	locks[0] = lock_volume(&wrong);
	CHECK_EQ(master_new(folder.fd, locks, 1, &master), 0);
	CHECK_EQ(master_open(master), MASTER_LOCKED);
	wrong.has_secret = false;
	CHECK_EQ(master_open(master), MASTER_LOCKED);
	return true;
}

static bool a_keyring_is_not_made_without_the_volumes_secret(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	cleanup(master_free_at) struct master *master = nullptr;
	struct lock_volume volume = { .secret = { 7 } };
	const struct lock lock = lock_volume(&volume);
	uint32_t kinds = 0;

	CHECK(folder_make(&folder));
	CHECK_EQ(master_new(folder.fd, &lock, 1, &master), 0);
	CHECK_EQ(master_open(master), MASTER_LOCKED);
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 0);
	volume.has_secret = true;
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = master_open(master);
		if (!fault_end())
			break;
		CHECK(r < 0 || r == 0);
	}
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 1u << LOCK_VOLUME);
	return true;
}

static bool a_tpm_that_is_late_is_asked_again(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	cleanup(master_free_at) struct master *master = nullptr;
	struct fake_tpm tpm = { .number = 1, .absent = true };
	struct lock_recovery recovery;
	auto_buf struct buf wrapped = buf_make(1024);
	const struct wrap_context context = { .purpose = "p", .name = "n" };
	uint8_t key[CRYPTO_KEY];
	uint32_t kinds = 0;

	CHECK(folder_make(&folder));
	CHECK(make_recovery("abcdef-ghjkmn", &recovery));
	CHECK_EQ(open_locked(folder.fd, &tpm, &recovery, &master), MASTER_LOCKED);
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 0); /* not with the recovery key alone */
	struct provider provider = master_provider(master, "tpm");
	CHECK_EQ(provider.table->generate(provider.self, &context, key, &wrapped),
		 PROVIDER_UNAVAILABLE);
	tpm.absent = false;
	CHECK_EQ(provider.table->generate(provider.self, &context, key, &wrapped), 0);
	CHECK_EQ(master_kinds(folder.fd, &kinds), 0);
	CHECK_EQ(kinds, 1u << LOCK_TPM | 1u << LOCK_RECOVERY);

	/* While it is away the recovery key opens; the slot stays as it is. */
	tpm.absent = true;
	recovery.has_seed = true;
	CHECK_EQ(open_locked(folder.fd, &tpm, &recovery, &master), 0);
	tpm.absent = recovery.has_seed = false;
	CHECK_EQ(open_locked(folder.fd, &tpm, &recovery, &master), 0);
	return true;
}

static bool another_recovery_key_replaces_the_slot(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	cleanup(master_free_at) struct master *master = nullptr;
	struct fake_tpm tpm = { .number = 1 }, other = { .number = 2 };
	struct lock_recovery one, two;

	CHECK(folder_make(&folder));
	CHECK(make_recovery("one", &one));
	CHECK(make_recovery("two", &two));
	CHECK_EQ(open_locked(folder.fd, &tpm, &one, &master), 0);
	CHECK_EQ(open_locked(folder.fd, &tpm, &two, &master), 0);
	one.has_seed = two.has_seed = true;
	CHECK_EQ(open_locked(folder.fd, &other, &one, &master), MASTER_LOCKED);
	CHECK_EQ(open_locked(folder.fd, &other, &two, &master), 0);
	return true;
}

/* Recompute a file's sum, so that what is behind it is looked at. */
static void seal_sum(uint8_t *data, size_t len)
{
	uint32_t sum = crc32c(data, len - 4);

	for (size_t i = 0; i < 4; i++)
		data[len - 4 + i] = (uint8_t)(sum >> (8 * i));
}

static bool no_damaged_file_is_taken(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring ring = {};
	auto_buf struct buf data = buf_make(4096), master = buf_make(4096);
	uint8_t key[CRYPTO_KEY];
	auto_buf struct buf wrapped = buf_make(1024);
	char name[64];
	uint32_t kinds;

	CHECK(folder_make(&folder));
	CHECK_EQ(ring_open(folder.fd, &ring), 0);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	(void)snprintf(name, sizeof(name), "%s.key", A);
	CHECK_EQ(keyfile_read(folder.fd, name, &data), 0);
	CHECK_EQ(keyfile_read(folder.fd, MASTER_FILE, &master), 0);
	for (size_t bit = 0; bit < 8 * data.len; bit++) {
		data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(!keyring_is_well_formed(data.data, data.len));
		data.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < master.len; len++)
		CHECK(!master_is_well_formed(master.data, len, &kinds));
	/* Whoever can mend the sum still cannot change a key, its version, its collection or its provider. */
	for (size_t at = 8; at < data.len - 4; at++) {
		data.data[at] ^= 0x11;
		seal_sum(data.data, data.len);
		CHECK_EQ(keyfile_write(folder.fd, name, data.data, data.len), 0);
		CHECK_EQ(keyring_data_new(ring.keyring, A, "p", key, &wrapped), KEYRING_DAMAGED);
		data.data[at] ^= 0x11;
	}
	/* Nor give one collection's key to another. */
	(void)snprintf(name, sizeof(name), "%s.key", B);
	seal_sum(data.data, data.len);
	CHECK_EQ(keyfile_write(folder.fd, name, data.data, data.len), 0);
	CHECK_EQ(keyring_data_new(ring.keyring, B, "p", key, &wrapped), KEYRING_DAMAGED);
	CHECK_EQ(wrapped.len, 0);
	return true;
}

/* --- collections ------------------------------------------------------------------------------ */

static bool a_data_key_comes_back_for_its_collection_and_purpose(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring ring = {};
	auto_buf struct buf wrapped = buf_make(1024);
	uint8_t key[CRYPTO_KEY], got[CRYPTO_KEY];

	CHECK(folder_make(&folder));
	CHECK_EQ(ring_open(folder.fd, &ring), 0);
	CHECK_EQ(keyring_has(ring.keyring, A), KEYRING_ABSENT);
	CHECK_EQ(keyring_data_new(ring.keyring, A, "p", key, &wrapped), KEYRING_ABSENT);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	CHECK_EQ(keyring_create(ring.keyring, B), 0);
	CHECK_EQ(keyring_has(ring.keyring, A), 0);
	CHECK_EQ(keyring_data_new(ring.keyring, A, "p", key, &wrapped), 0);
	CHECK_EQ(keyring_create(ring.keyring, A), 0); /* again: nothing changes */
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, B, "p", wrapped.data, wrapped.len, got),
		 KEYRING_NOT_AUTHENTIC);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "q", wrapped.data, wrapped.len, got),
		 KEYRING_NOT_AUTHENTIC);
	return true;
}

static bool rotation_keeps_what_was_and_rewraps_it(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring ring = {};
	auto_buf struct buf old = buf_make(1024), new = buf_make(1024);
	uint8_t key[CRYPTO_KEY], got[CRYPTO_KEY];

	CHECK(folder_make(&folder));
	CHECK_EQ(ring_open(folder.fd, &ring), 0);
	CHECK_EQ(keyring_rotate(ring.keyring, A), KEYRING_ABSENT);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	CHECK_EQ(keyring_data_new(ring.keyring, A, "p", key, &old), 0);
	CHECK_EQ(keyring_rotate(ring.keyring, A), 0);
	CHECK_EQ(keyring_rotate_master(ring.keyring), 0);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", old.data, old.len, got), 0);
	CHECK_EQ(keyring_rewrap(ring.keyring, A, "p", old.data, old.len, &new), 0);
	CHECK_EQ(old.data[1], 1);
	CHECK_EQ(new.data[1], 2); /* the version that wrapped it */
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", new.data, new.len, got), 0);
	CHECK(memcmp(got, key, sizeof(key)) == 0);
	CHECK_EQ(keyring_rewrap(ring.keyring, A, "q", old.data, old.len, &new),
		 KEYRING_NOT_AUTHENTIC);
	for (size_t i = 2; i < KEYSET_MAX; i++)
		CHECK_EQ(keyring_rotate(ring.keyring, A), 0);
	CHECK_EQ(keyring_rotate(ring.keyring, A), KEYRING_FULL);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", old.data, old.len, got), 0);
	return true;
}

static bool destroyed_is_destroyed_even_for_a_key_of_the_same_name(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	auto_ring struct ring ring = {};
	auto_buf struct buf wrapped = buf_make(1024);
	uint8_t key[CRYPTO_KEY], got[CRYPTO_KEY];

	CHECK(folder_make(&folder));
	CHECK_EQ(ring_open(folder.fd, &ring), 0);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	CHECK_EQ(keyring_data_new(ring.keyring, A, "p", key, &wrapped), 0);
	CHECK_EQ(keyring_destroy(ring.keyring, A), 0);
	CHECK_EQ(keyring_destroy(ring.keyring, A), 0);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", wrapped.data, wrapped.len, got),
		 KEYRING_ABSENT);
	CHECK_EQ(keyring_create(ring.keyring, A), 0);
	CHECK_EQ(keyring_data_unwrap(ring.keyring, A, "p", wrapped.data, wrapped.len, got),
		 KEYRING_NOT_AUTHENTIC);
	return true;
}

static bool each_step_survives_the_lack_of_memory(void)
{
	auto_folder struct folder folder = { .fd = -1 };
	size_t n = 1;

	CHECK(folder_make(&folder));
	for (bool failed = true; failed && n < 500; n++) {
		auto_ring struct ring ring = {};
		auto_buf struct buf wrapped = buf_make(1024), again = buf_make(1024);
		uint8_t key[CRYPTO_KEY];

		fault_at(n);
		int r = ring_open(folder.fd, &ring);
		if (r == 0)
			r = keyring_create(ring.keyring, A);
		if (r == 0)
			r = keyring_rotate(ring.keyring, A);
		if (r == 0)
			r = keyring_data_new(ring.keyring, A, "p", key, &wrapped);
		if (r == 0)
			r = keyring_rewrap(ring.keyring, A, "p", wrapped.data, wrapped.len, &again);
		failed = fault_end();
		CHECK(failed ? r < 0 : r == 0);
		CHECK_EQ(keyfile_destroy(folder.fd, "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b.key"), 0);
	}
	CHECK(n > 20 && n < 500);
	return true;
}

int main(void)
{
	RUN(a_wrapped_key_has_the_written_form);
	RUN(a_wrapped_key_opens_for_its_context_only);
	RUN(a_keyset_takes_256_versions_in_order);
	RUN(a_file_is_replaced_and_destroyed_whole);
	RUN(what_a_crash_left_is_swept_away);
	RUN(the_master_file_is_made_once);
	RUN(a_lost_master_file_is_not_made_anew_over_keys);
	RUN(a_replaced_tpm_is_enrolled_with_the_recovery_key);
	RUN(what_opens_the_volume_opens_the_keyring_and_old_slots_go);
	RUN(a_keyring_is_not_made_without_the_volumes_secret);
	RUN(a_tpm_that_is_late_is_asked_again);
	RUN(another_recovery_key_replaces_the_slot);
	RUN(no_damaged_file_is_taken);
	RUN(a_data_key_comes_back_for_its_collection_and_purpose);
	RUN(rotation_keeps_what_was_and_rewraps_it);
	RUN(destroyed_is_destroyed_even_for_a_key_of_the_same_name);
	RUN(each_step_survives_the_lack_of_memory);
	return tap_done();
}
