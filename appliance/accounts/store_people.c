/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/store.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/store_sql.h"

/* The set that a list of role names, parted by blanks, makes. A name that is not known gives nothing. */
static uint32_t roles_of(char *names)
{
	uint32_t roles = 0;
	char *rest = nullptr;

	for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(nullptr, " ", &rest)) {
		enum role role = access_role_find(name);

		if (role < ROLE_COUNT)
			roles |= role_bit(role);
	}
	return roles;
}

/* Read a row of PERSON_COLUMNS. */
static void read_person(struct sqlite3_stmt *row, struct person *ret)
{
	char roles[128];

	*ret = (struct person) {};
	sql_column_text(row, 0, ret->name, sizeof(ret->name));
	sql_column_text(row, 1, ret->email, sizeof(ret->email));
	ret->uid = (uint32_t)sql_column_number(row, 2);
	ret->state = sql_column_number(row, 3) == PERSON_ACTIVE ? PERSON_ACTIVE : PERSON_SUSPENDED;
	ret->created_us = sql_column_number(row, 4);
	ret->last_login_us = sql_column_number(row, 5);
	sql_column_text(row, 6, ret->last_source, sizeof(ret->last_source));
	sql_column_text(row, 7, roles, sizeof(roles));
	ret->roles = roles_of(roles);
	ret->ssh_keys = (uint32_t)sql_column_number(row, 8);
	ret->api_keys = (uint32_t)sql_column_number(row, 9);
}

/* The one person that a statement finds. */
static int find_person(struct store *store, enum statement which, struct param key,
		       struct person *ret)
{
	auto_sql struct sqlite3_stmt *row = nullptr;

	int r = sql_start(store, which, &key, 1, &row);
	if (r == 0)
		r = sql_next(store, row);
	if (r <= 0)
		return r ? r : STORE_NOT_FOUND;
	read_person(row, ret);
	return 0;
}

int store_people_count(struct store *store, uint32_t *ret)
{
	uint64_t n = 0;
	int r = sql_number(store, SQL_PEOPLE_COUNT, nullptr, 0, &n);

	if (r == 0)
		*ret = (uint32_t)n;
	return r > 0 ? -EIO : r;
}

int store_person(struct store *store, const char *name, struct person *ret)
{
	return find_person(store, SQL_PERSON, text_param(name), ret);
}

int store_person_by_uid(struct store *store, uint32_t uid, struct person *ret)
{
	return find_person(store, SQL_PERSON_BY_UID, number_param(uid), ret);
}

int store_people_each(struct store *store, store_person_fn *fn, void *userdata)
{
	auto_sql struct sqlite3_stmt *row = nullptr;
	struct person person;

	int r = sql_start(store, SQL_PEOPLE, nullptr, 0, &row);
	if (r)
		return r;
	while ((r = sql_next(store, row)) == 1) {
		read_person(row, &person);
		fn(userdata, &person);
	}
	return r;
}

/* Write a person's roles; in a transaction. */
static int add_roles(struct store *store, const char *name, uint32_t roles)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < ROLE_COUNT; i++)
		if (roles >> i & 1)
			r = sql_run(store, SQL_ROLE_ADD,
				    PARAMS(text_param(name),
					   text_param(access_role_name((enum role)i))));
	return r;
}

int sql_keep_an_admin(struct store *store)
{
	uint64_t n = 0;
	int r = sql_number(
		store, SQL_ADMINS_COUNT,
		PARAMS(number_param(PERSON_ACTIVE), text_param(access_role_name(ROLE_ADMIN))), &n);

	return r == 0 && n == 0 ? STORE_LAST_ADMIN : r;
}

static int add_person(struct store *store, const struct person *person, const struct sshkey *key,
		      uint64_t now_us)
{
	uint64_t uid = 0;
	uint32_t n = 0;

	int r = store_people_count(store, &n);
	if (r)
		return r;
	if (n >= STORE_PEOPLE_MAX)
		return STORE_LIMIT;
	r = sql_number(store, SQL_UID_TAKE, PARAMS(number_param(STORE_UID_LAST)), &uid);
	if (r)
		return r == STORE_NOT_FOUND ? STORE_LIMIT : r;
	r = sql_run(store, SQL_PERSON_ADD,
		    PARAMS(text_param(person->name), text_param(person->email), number_param(uid),
			   number_param(PERSON_ACTIVE), number_param(now_us)));
	if (r == 0)
		r = add_roles(store, person->name, person->roles);
	if (r == 0 && key)
		r = sql_run(store, SQL_SSH_KEY_ADD,
			    PARAMS(text_param(person->name), text_param(key->fingerprint),
				   text_param(key->type), number_param(key->bits),
				   text_param(key->base64), text_param(key->comment),
				   number_param(now_us)));
	return r;
}

int store_person_add(struct store *store, const struct person *person, const struct sshkey *key,
		     uint64_t now_us)
{
	int r = sql_begin(store);

	return r ? r : sql_end(store, add_person(store, person, key, now_us));
}

static int set_roles(struct store *store, const char *name, uint32_t roles)
{
	struct person person;

	int r = store_person(store, name, &person);
	if (r == 0)
		r = sql_run(store, SQL_ROLES_CLEAR, PARAMS(text_param(name)));
	if (r == 0)
		r = add_roles(store, name, roles);
	return r ? r : sql_keep_an_admin(store);
}

int store_person_set_roles(struct store *store, const char *name, uint32_t roles)
{
	int r = sql_begin(store);

	return r ? r : sql_end(store, set_roles(store, name, roles));
}

int store_person_set_state(struct store *store, const char *name, enum person_state state)
{
	int r = sql_begin(store);

	if (r)
		return r;
	r = sql_change(store, SQL_PERSON_STATE, PARAMS(text_param(name), number_param(state)));
	if (r == 0)
		r = sql_keep_an_admin(store);
	return sql_end(store, r);
}

int store_person_remove(struct store *store, const char *name)
{
	int r = sql_begin(store);

	if (r)
		return r;
	r = sql_change(store, SQL_PERSON_REMOVE, PARAMS(text_param(name)));
	if (r == 0)
		r = sql_keep_an_admin(store);
	return sql_end(store, r);
}

int store_person_signed_in(struct store *store, const char *name, const char *source,
			   uint64_t now_us)
{
	return sql_change(store, SQL_PERSON_SIGNED_IN,
			  PARAMS(text_param(name), text_param(source), number_param(now_us)));
}
