/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/store.h"

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/store_sql.h"
#include "common/crypto/crypto.h"

/* Read a row of SSH_KEY_COLUMNS. */
static void read_ssh_key(struct sqlite3_stmt *row, struct ssh_key_row *ret)
{
	*ret = (struct ssh_key_row) {};
	sql_column_text(row, 0, ret->person, sizeof(ret->person));
	sql_column_text(row, 1, ret->key.type, sizeof(ret->key.type));
	sql_column_text(row, 2, ret->key.base64, sizeof(ret->key.base64));
	sql_column_text(row, 3, ret->key.comment, sizeof(ret->key.comment));
	sql_column_text(row, 4, ret->key.fingerprint, sizeof(ret->key.fingerprint));
	ret->key.bits = (uint32_t)sql_column_number(row, 5);
	ret->added_us = sql_column_number(row, 6);
	ret->last_used_us = sql_column_number(row, 7);
}

int store_ssh_keys_each(struct store *store, const char *person, store_ssh_key_fn *fn,
			void *userdata)
{
	auto_sql struct sqlite3_stmt *row = nullptr;
	struct ssh_key_row key;

	int r = sql_start(store, SQL_SSH_KEYS, PARAMS(text_param(person)), &row);
	if (r)
		return r;
	while ((r = sql_next(store, row)) == 1) {
		read_ssh_key(row, &key);
		fn(userdata, &key);
	}
	return r;
}

int store_ssh_key(struct store *store, const char *person, const char *fingerprint,
		  struct ssh_key_row *ret)
{
	auto_sql struct sqlite3_stmt *row = nullptr;

	int r = sql_start(store, SQL_SSH_KEY, PARAMS(text_param(person), text_param(fingerprint)),
			  &row);
	if (r == 0)
		r = sql_next(store, row);
	if (r <= 0)
		return r ? r : STORE_NOT_FOUND;
	read_ssh_key(row, ret);
	return 0;
}

static int add_ssh_key(struct store *store, const char *person, const struct sshkey *key,
		       uint64_t now_us)
{
	struct person owner;

	int r = store_person(store, person, &owner);
	if (r)
		return r;
	if (owner.ssh_keys >= STORE_SSH_KEYS_MAX)
		return STORE_LIMIT;
	return sql_run(store, SQL_SSH_KEY_ADD,
		       PARAMS(text_param(person), text_param(key->fingerprint),
			      text_param(key->type), number_param(key->bits),
			      text_param(key->base64), text_param(key->comment),
			      number_param(now_us)));
}

int store_ssh_key_add(struct store *store, const char *person, const struct sshkey *key,
		      uint64_t now_us)
{
	int r = sql_begin(store);

	return r ? r : sql_end(store, add_ssh_key(store, person, key, now_us));
}

int store_ssh_key_remove(struct store *store, const char *person, const char *fingerprint)
{
	int r = sql_begin(store);

	if (r)
		return r;
	r = sql_change(store, SQL_SSH_KEY_REMOVE,
		       PARAMS(text_param(person), text_param(fingerprint)));
	if (r == 0)
		r = sql_keep_an_admin(store);
	return sql_end(store, r);
}

int store_ssh_key_used(struct store *store, const char *fingerprint, uint64_t now_us)
{
	return sql_change(store, SQL_SSH_KEY_USED,
			  PARAMS(text_param(fingerprint), number_param(now_us)));
}

/* Read a row of API_KEY_COLUMNS. A role that is not known allows nothing. */
static void read_api_key(struct sqlite3_stmt *row, struct api_key_row *ret)
{
	char role[64];

	*ret = (struct api_key_row) {};
	ret->row = (int64_t)sql_column_number(row, 0);
	sql_column_text(row, 1, ret->id, sizeof(ret->id));
	sql_column_text(row, 2, ret->name, sizeof(ret->name));
	sql_column_text(row, 3, ret->owner, sizeof(ret->owner));
	sql_column_text(row, 4, role, sizeof(role));
	ret->role = access_role_find(role);
	ret->state =
		sql_column_number(row, 5) == API_KEY_ACTIVE ? API_KEY_ACTIVE : API_KEY_SUSPENDED;
	ret->created_us = sql_column_number(row, 6);
	ret->expires_us = sql_column_number(row, 7);
	ret->last_used_us = sql_column_number(row, 8);
}

int store_api_keys_each(struct store *store, const char *owner, store_api_key_fn *fn,
			void *userdata)
{
	auto_sql struct sqlite3_stmt *row = nullptr;
	struct param who = text_param(owner);
	struct api_key_row key;

	int r = owner ? sql_start(store, SQL_API_KEYS, &who, 1, &row)
		      : sql_start(store, SQL_API_KEYS_ALL, nullptr, 0, &row);
	if (r)
		return r;
	while ((r = sql_next(store, row)) == 1) {
		read_api_key(row, &key);
		fn(userdata, &key);
	}
	return r;
}

/* The one API key that a statement finds. */
static int find_api_key(struct store *store, enum statement which, const struct param *param,
			size_t n, struct api_key_row *ret)
{
	auto_sql struct sqlite3_stmt *row = nullptr;

	int r = sql_start(store, which, param, n, &row);
	if (r == 0)
		r = sql_next(store, row);
	if (r <= 0)
		return r ? r : STORE_NOT_FOUND;
	read_api_key(row, ret);
	return 0;
}

int store_api_key(struct store *store, const char *owner, const char *name, struct api_key_row *ret)
{
	return find_api_key(store, SQL_API_KEY, PARAMS(text_param(owner), text_param(name)), ret);
}

int store_api_key_by_hash(struct store *store, const uint8_t hash[CRYPTO_HASH],
			  struct api_key_row *ret)
{
	return find_api_key(store, SQL_API_KEY_BY_HASH, PARAMS(blob_param(hash, CRYPTO_HASH)), ret);
}

static int add_api_key(struct store *store, const struct api_key_row *row,
		       const uint8_t hash[CRYPTO_HASH])
{
	struct person owner;

	int r = store_person(store, row->owner, &owner);
	if (r)
		return r;
	if (owner.api_keys >= STORE_API_KEYS_MAX)
		return STORE_LIMIT;
	return sql_run(store, SQL_API_KEY_ADD,
		       PARAMS(text_param(row->owner), blob_param(hash, CRYPTO_HASH),
			      text_param(row->id), text_param(row->name),
			      text_param(access_role_name(row->role)), number_param(API_KEY_ACTIVE),
			      number_param(row->created_us), number_param(row->expires_us)));
}

int store_api_key_add(struct store *store, const struct api_key_row *row,
		      const uint8_t hash[CRYPTO_HASH])
{
	int r = sql_begin(store);

	return r ? r : sql_end(store, add_api_key(store, row, hash));
}

int store_api_key_set_state(struct store *store, const char *owner, const char *name,
			    enum api_key_state state)
{
	return sql_change(store, SQL_API_KEY_STATE,
			  PARAMS(text_param(owner), text_param(name), number_param(state)));
}

int store_api_key_delete(struct store *store, const char *owner, const char *name)
{
	return sql_change(store, SQL_API_KEY_DELETE, PARAMS(text_param(owner), text_param(name)));
}

int store_api_key_used(struct store *store, int64_t row, uint64_t now_us)
{
	return sql_change(store, SQL_API_KEY_USED,
			  PARAMS(number_param((uint64_t)row), number_param(now_us)));
}
