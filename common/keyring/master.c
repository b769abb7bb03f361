/* SPDX-License-Identifier: Apache-2.0 */
#include "common/keyring/master.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/crypto.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/keyset.h"

static const char MAGIC[8] = "RDTMASTR";
constexpr uint32_t FORMAT = 1;
constexpr size_t FILE_MAX = 64 * 1024;

struct slot {
	uint8_t kind;
	size_t len;
	uint8_t data[LOCK_SLOT_MAX];
};

/* A file, taken apart; wrapped points into it. */
struct parts {
	struct slot slot[MASTER_LOCKS_MAX];
	size_t n_slots;
	uint32_t version[KEYSET_MAX];
	const uint8_t *wrapped[KEYSET_MAX];
	size_t n_keys;
};

struct master {
	int dir;
	struct lock lock[MASTER_LOCKS_MAX];
	size_t n_locks;
	size_t n_kept; /* the first of them have slots; the others only open what is there */
	enum lock_kind opened_by; /* 0: closed */
	struct slot slot[MASTER_LOCKS_MAX];
	size_t n_slots;
	struct keyset outer; /* the one key that the slots hold */
	struct keyset keys;  /* the versions of the master key */
};

int master_new(int dir, const struct lock *lock, size_t n, struct master **ret)
{
	if (n == 0 || n > MASTER_LOCKS_MAX)
		return -EINVAL;

	struct master *master = calloc(1, sizeof(*master));
	if (!master)
		return -ENOMEM;
	master->dir = dir;
	memcpy(master->lock, lock, n * sizeof(*lock));
	master->n_locks = n;
	master->n_kept = n;
	*ret = master;
	return 0;
}

void master_keep_only(struct master *master, size_t n)
{
	master->n_kept = n < master->n_locks ? n : master->n_locks;
}

/* Forget all that is secret. */
static void close_master(struct master *master)
{
	keyset_done(&master->outer);
	keyset_done(&master->keys);
	explicit_bzero(master->slot, sizeof(master->slot));
	master->n_slots = 0;
	master->opened_by = 0;
}

struct master *master_free(struct master *master)
{
	if (master)
		close_master(master);
	free(master);
	return nullptr;
}

enum lock_kind master_opened_by(const struct master *master)
{
	return master->opened_by;
}

/* --- the file --------------------------------------------------------------------------------- */

static struct wrap_context master_context(uint32_t version)
{
	return (struct wrap_context) { .purpose = "master-key", .name = "", .number = version };
}

static bool read_slot(struct reader *in, struct slot *ret)
{
	ret->kind = read_u8(in);
	struct bytes data = read_bytes(in, sizeof(ret->data));

	ret->len = data.len;
	if (data.len > 0)
		memcpy(ret->data, data.data, data.len);
	return data.len > 0;
}

/* Take a file apart. Returns whether it has the form; opens nothing. */
static bool read_parts(const uint8_t *data, size_t len, struct parts *ret)
{
	if (len < sizeof(MAGIC) + 4 || memcmp(data, MAGIC, sizeof(MAGIC)) != 0)
		return false;

	struct reader sum = reader_make(data + len - 4, 4);
	if (read_u32(&sum) != crc32c(data, len - 4))
		return false;

	struct reader in = reader_make(data + sizeof(MAGIC), len - sizeof(MAGIC) - 4);
	uint32_t format = read_u32(&in);
	ret->n_slots = read_u32(&in);
	if (format != FORMAT || ret->n_slots == 0 || ret->n_slots > MASTER_LOCKS_MAX)
		return false;
	for (size_t i = 0; i < ret->n_slots; i++)
		if (!read_slot(&in, &ret->slot[i]))
			return false;
	ret->n_keys = read_u32(&in);
	if (ret->n_keys == 0 || ret->n_keys > KEYSET_MAX)
		return false;
	for (size_t i = 0; i < ret->n_keys; i++) {
		ret->version[i] = read_u32(&in);
		struct bytes wrapped = read_bytes(&in, KEYSET_WRAPPED);
		if (wrapped.len != KEYSET_WRAPPED)
			return false;
		ret->wrapped[i] = wrapped.data;
	}
	return reader_end(&in);
}

bool master_is_well_formed(const uint8_t *data, size_t len, uint32_t *ret_kinds)
{
	auto_free struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts || !read_parts(data, len, parts))
		return false;
	*ret_kinds = 0;
	for (size_t i = 0; i < parts->n_slots; i++)
		*ret_kinds |= parts->slot[i].kind < 32 ? 1u << parts->slot[i].kind : 0;
	explicit_bzero(parts->slot, sizeof(parts->slot));
	return true;
}

int master_kinds(int dir, uint32_t *ret_kinds)
{
	auto_wiped struct buf data = buf_make(FILE_MAX);
	int r = keyfile_read(dir, MASTER_FILE, &data);

	*ret_kinds = 0;
	if (r)
		return r == KEYFILE_ABSENT ? 0 : r;
	return master_is_well_formed(data.data, data.len, ret_kinds) ? 0 : MASTER_DAMAGED;
}

static int append_keys(const struct master *master, const struct keyset *keys, struct buf *out)
{
	auto_buf struct buf wrapped = buf_make(KEYSET_WRAPPED);

	write_u32(out, (uint32_t)keys->n);
	for (size_t i = 0; i < keys->n; i++) {
		struct wrap_context context = master_context(keys->version[i]);

		buf_clear(&wrapped);
		int r = keyset_wrap(&master->outer, &context, keyset_key(keys, i), &wrapped);
		if (r)
			return r;
		write_u32(out, keys->version[i]);
		write_bytes(out, wrapped.data, wrapped.len);
	}
	return buf_error(out);
}

/* Write the file with these slots and versions. */
static int write_file(const struct master *master, const struct slot *slot, size_t n,
		      const struct keyset *keys)
{
	auto_wiped struct buf out = buf_make(FILE_MAX);

	buf_add(&out, MAGIC, sizeof(MAGIC));
	write_u32(&out, FORMAT);
	write_u32(&out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		write_u8(&out, slot[i].kind);
		write_bytes(&out, slot[i].data, slot[i].len);
	}
	int r = append_keys(master, keys, &out);
	if (r)
		return r;
	write_u32(&out, crc32c(out.data, out.len));
	r = buf_error(&out);
	return r ? r : keyfile_write(master->dir, MASTER_FILE, out.data, out.len);
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Make a slot for a lock. Returns 0, LOCK_ or -errno. */
static int make_slot(const struct lock *lock, const uint8_t key[CRYPTO_KEY], struct slot *ret)
{
	auto_wiped struct buf data = buf_make(sizeof(ret->data));
	int r = lock->seal(lock->self, key, &data);

	if (r)
		return r;
	ret->kind = lock->kind;
	ret->len = data.len;
	memcpy(ret->data, data.data, data.len);
	return 0;
}

/* The slot of this kind, or nullptr. */
static struct slot *find_slot(struct slot *slot, size_t n, uint8_t kind)
{
	for (size_t i = 0; i < n; i++)
		if (slot[i].kind == kind)
			return &slot[i];
	return nullptr;
}

static int found_key(void *user, const char *)
{
	*(bool *)user = true;
	return 0;
}

/* The first start: a key for the slots, a first master key, the file. */
static int make_master(struct master *master)
{
	bool keys_there = false;
	int r = keyfile_each(master->dir, ".key", found_key, &keys_there);

	if (r)
		return r;
	if (keys_there) /* a new master key would open none of them, and hide that the old one is missing */
		return MASTER_DAMAGED;
	r = keyset_grow(&master->outer);
	if (r == 0)
		r = keyset_grow(&master->keys);
	for (size_t i = 0; r == 0 && i < master->n_kept; i++) {
		r = make_slot(&master->lock[i], keyset_key(&master->outer, 0), &master->slot[i]);
		if (r > 0)
			return MASTER_LOCKED; /* not without every lock: one alone may be lost */
		master->n_slots = i + 1;
	}
	if (r == 0)
		r = write_file(master, master->slot, master->n_slots, &master->keys);
	if (r == 0)
		master->opened_by = master->lock[0].kind;
	return r;
}

/* Open one of the slots. Returns 0 and which lock did, MASTER_LOCKED or -errno. */
static int open_slots(struct master *master, bool opens[static MASTER_LOCKS_MAX],
		      uint8_t ret_key[CRYPTO_KEY])
{
	int fault = MASTER_LOCKED;

	for (size_t i = 0; i < master->n_locks; i++) {
		const struct lock *lock = &master->lock[i];
		const struct slot *slot = find_slot(master->slot, master->n_slots, lock->kind);

		if (!slot || master->opened_by != 0)
			continue;
		int r = lock->open(lock->self, slot->data, slot->len, ret_key);
		opens[i] = r == 0;
		if (r == 0)
			master->opened_by = lock->kind;
		if (r < 0)
			fault = r;
	}
	return master->opened_by != 0 ? 0 : fault;
}

/* Unwrap the master key's versions. Returns 0, MASTER_DAMAGED or -errno. */
static int open_keys(struct master *master, const struct parts *parts)
{
	uint8_t key[CRYPTO_KEY];
	int r = 0;

	for (size_t i = 0; r == 0 && i < parts->n_keys; i++) {
		struct wrap_context context = master_context(parts->version[i]);

		r = keyset_unwrap(&master->outer, &context, parts->wrapped[i], KEYSET_WRAPPED, key);
		if (r == 0)
			r = keyset_add(&master->keys, parts->version[i], key);
	}
	explicit_bzero(key, sizeof(key));
	return r > 0 || r == -EINVAL ? MASTER_DAMAGED : r;
}

/* Whether one of the locks that are kept has slots of this kind. */
static bool is_kept(const struct master *master, uint8_t kind)
{
	for (size_t i = 0; i < master->n_kept; i++)
		if (master->lock[i].kind == kind)
			return true;
	return false;
}

/* Take the slots away that no lock that is kept is for, once there is one that is. Returns whether there were any. */
static bool drop_slots(struct master *master)
{
	size_t n = 0, was = master->n_slots;

	for (size_t i = 0; i < was; i++)
		n += is_kept(master, master->slot[i].kind);
	if (master->n_kept == master->n_locks || n == 0)
		return false;
	n = 0;
	for (size_t i = 0; i < was; i++)
		if (is_kept(master, master->slot[i].kind))
			master->slot[n++] = master->slot[i];
	explicit_bzero(master->slot + n, (MASTER_LOCKS_MAX - n) * sizeof(master->slot[0]));
	master->n_slots = n;
	return n < was;
}

/*
 * Make the slots anew that the locks at hand would not open: the TPM was replaced, or a lock is
 * new. tried[i] and not opened: the lock had its chance before another one opened the file.
 */
static int renew_slots(struct master *master, const bool opens[static MASTER_LOCKS_MAX])
{
	bool changed = false, tried = true;

	for (size_t i = 0; i < master->n_kept; i++) {
		const struct lock *lock = &master->lock[i];
		struct slot *slot = find_slot(master->slot, master->n_slots, lock->kind);

		if (opens[i])
			tried = false; /* those after it were not asked */
		if (opens[i] || (slot && !tried && lock->fits(lock->self, slot->data, slot->len)) ||
		    (!slot && master->n_slots == MASTER_LOCKS_MAX))
			continue;
		struct slot made;
		int r = make_slot(lock, keyset_key(&master->outer, 0), &made);
		if (r > 0)
			continue; /* a TPM that is not there keeps its slot */
		if (r < 0)
			return r;
		*(slot ? slot : &master->slot[master->n_slots++]) = made;
		explicit_bzero(&made, sizeof(made));
		changed = true;
	}
	changed |= drop_slots(master);
	return changed ? write_file(master, master->slot, master->n_slots, &master->keys) : 0;
}

/* Open the file that was read. */
static int open_parts(struct master *master, const struct parts *parts)
{
	bool opens[MASTER_LOCKS_MAX] = {};
	uint8_t key[CRYPTO_KEY];

	memcpy(master->slot, parts->slot, sizeof(master->slot));
	master->n_slots = parts->n_slots;
	int r = open_slots(master, opens, key);
	if (r == 0)
		r = keyset_add(&master->outer, 1, key);
	explicit_bzero(key, sizeof(key));
	if (r == 0)
		r = open_keys(master, parts);
	return r ? r : renew_slots(master, opens);
}

/* Read and open the file, or make it. */
static int open_file(struct master *master)
{
	auto_wiped struct buf data = buf_make(FILE_MAX);
	auto_free struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	int r = keyfile_read(master->dir, MASTER_FILE, &data);
	if (r == KEYFILE_ABSENT)
		return make_master(master);
	if (r)
		return r;
	r = read_parts(data.data, data.len, parts) ? open_parts(master, parts) : MASTER_DAMAGED;
	explicit_bzero(parts->slot, sizeof(parts->slot));
	return r;
}

int master_open(struct master *master)
{
	if (master->opened_by != 0)
		return 0;

	int r = keyset_init(&master->outer);
	if (r == 0)
		r = keyset_init(&master->keys);
	if (r == 0)
		r = open_file(master);
	if (r)
		close_master(master);
	return r;
}

/* --- the five functions ----------------------------------------------------------------------- */

static int ready(struct master *master)
{
	int r = master_open(master);

	return r > 0 ? PROVIDER_UNAVAILABLE : r;
}

static int master_wrap(void *self, const struct wrap_context *context,
		       const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	struct master *master = self;
	int r = ready(master);

	return r ? r : keyset_wrap(&master->keys, context, key, ret);
}

static int master_unwrap(void *self, const struct wrap_context *context, const uint8_t *wrapped,
			 size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	struct master *master = self;
	int r = ready(master);

	if (r)
		return r;
	r = keyset_unwrap(&master->keys, context, wrapped, len, ret_key);
	return r > 0 ? PROVIDER_NOT_AUTHENTIC : r;
}

static int master_generate(void *self, const struct wrap_context *context,
			   uint8_t ret_key[CRYPTO_KEY], struct buf *ret)
{
	uint8_t key[CRYPTO_KEY];
	int r = crypto_random(key, sizeof(key));

	if (r == 0)
		r = master_wrap(self, context, key, ret);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return r;
}

static int master_rotate(void *self)
{
	struct master *master = self;
	int r = ready(master);

	if (r)
		return r;
	r = keyset_grow(&master->keys);
	if (r)
		return r > 0 ? -ENOSPC : r;
	r = write_file(master, master->slot, master->n_slots, &master->keys);
	if (r) /* which version is on the disk is not known: look */
		close_master(master);
	return r;
}

static int master_destroy(void *self)
{
	struct master *master = self;

	close_master(master);
	return keyfile_destroy(master->dir, MASTER_FILE);
}

struct provider master_provider(struct master *master, const char *name)
{
	static const struct provider_table TABLE = { .wrap = master_wrap,
						     .unwrap = master_unwrap,
						     .generate = master_generate,
						     .rotate = master_rotate,
						     .destroy = master_destroy };

	return (struct provider) { .name = name, .table = &TABLE, .self = master };
}
