/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store: people, their roles, SSH keys and API keys, in one SQLite file.
 *
 * Layer 2 (appliance/accounts). store.c opens the file and runs statements, store_people.c and store_keys.c
 * hold what can be asked; with them the only files here that include <sqlite3.h>.
 * Each call that changes something is one transaction, on disk (synchronous=FULL) when it returns 0 and
 * without a trace otherwise. Names and texts are checked by the caller; keys of people are their names.
 * Threads: one.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/apikey.h"
#include "appliance/accounts/sshkey.h"
#include "common/base.h"
#include "common/crypto/crypto.h"
#include "common/names.h"
#include "common/proto/people.h"

constexpr uint32_t STORE_PEOPLE_MAX =
	PEOPLE_MAX;			    /* the console lists them all, the bus in one message */
constexpr uint32_t STORE_SSH_KEYS_MAX = 32; /* a person: a few machines and tokens */
constexpr uint32_t STORE_API_KEYS_MAX = 100; /* a person: one for each program */
constexpr uint32_t STORE_UID_FIRST = PEOPLE_UID_FIRST;
constexpr uint32_t STORE_UID_LAST = PEOPLE_UID_LAST; /* never used twice */
constexpr size_t STORE_SOURCE_MAX = 256;

/* Outcomes above zero. */
enum {
	STORE_OK = 0,
	STORE_NOT_FOUND,
	STORE_EXISTS, /* the name, or the key, is taken */
	STORE_LIMIT,  /* as many as there may be, or the uids are used up */
	STORE_LAST_ADMIN, /* no admin who is active and has an SSH key would be left: nobody could manage the box */
	STORE_CORRUPT, /* the file is not a sound database of ours */
	STORE_TOO_NEW, /* written by a later release; leave it alone */
};

enum person_state : uint8_t {
	PERSON_ACTIVE,
	PERSON_SUSPENDED,
	PERSON_STATE_COUNT
};

struct person {
	char name[NAME_PERSON_MAX + 1];
	char email[NAME_EMAIL_MAX + 1];
	uint32_t uid;
	uint32_t roles; /* bit set of enum role */
	enum person_state state;
	uint32_t ssh_keys, api_keys;	    /* how many */
	uint64_t created_us, last_login_us; /* wall; 0: never */
	char last_source[STORE_SOURCE_MAX];
};

struct ssh_key_row {
	char person[NAME_PERSON_MAX + 1];
	struct sshkey key;
	uint64_t added_us, last_used_us;
};

enum api_key_state : uint8_t {
	API_KEY_ACTIVE,
	API_KEY_SUSPENDED,
	API_KEY_STATE_COUNT
};

struct api_key_row {
	int64_t row; /* names the key to store_api_key_used() */
	char id[APIKEY_ID];
	char name[NAME_API_KEY_MAX + 1];
	char owner[NAME_PERSON_MAX + 1];
	enum role role;
	enum api_key_state state;
	uint64_t created_us, expires_us, last_used_us; /* wall; 0: never */
};

struct store;

/*
 * Open the database, making it or bringing its schema up to this release if need be.
 *
 * path  the file's path; its folder exists
 *
 * Returns 0, STORE_CORRUPT, STORE_TOO_NEW, -EBUSY (another process has it), -ENOMEM, -ENOSPC or -EIO. *ret is set only on success.
 */
[[nodiscard]] int store_open(const char *path, struct store **ret);

/* Close and free; nullptr is a no-op. Always returns nullptr. */
struct store *store_close(struct store *store);
CLEANUP_FN(struct store, store_close)

/* What the last failure of the database was, for the log; never a value of a row. */
[[nodiscard]] const char *store_message(const struct store *store);

/* How many people there are, in any state. Returns 0 or -errno. */
[[nodiscard]] int store_people_count(struct store *store, uint32_t *ret);

/* The person of that name. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_person(struct store *store, const char *name, struct person *ret);

/* The person with that uid. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_person_by_uid(struct store *store, uint32_t uid, struct person *ret);

/* Called for each row; borrowed for the call. */
typedef void store_person_fn(void *userdata, const struct person *person);

/* Call fn for each person, by name. Returns 0 or -errno, then possibly after some calls. */
[[nodiscard]] int store_people_each(struct store *store, store_person_fn *fn, void *userdata);

/*
 * Add a person, active, with the next uid and, if key is not nullptr, a first SSH key.
 *
 * roles  bit set of grantable roles, not empty
 *
 * Returns 0, STORE_EXISTS (name or key), STORE_LIMIT or -errno.
 */
[[nodiscard]] int store_person_add(struct store *store, const struct person *person,
				   const struct sshkey *key, uint64_t now_us);

/* Replace a person's roles. Returns 0, STORE_NOT_FOUND, STORE_LAST_ADMIN or -errno. */
[[nodiscard]] int store_person_set_roles(struct store *store, const char *name, uint32_t roles);

/* Suspend a person or make them active. Returns 0, STORE_NOT_FOUND, STORE_LAST_ADMIN or -errno. */
[[nodiscard]] int store_person_set_state(struct store *store, const char *name,
					 enum person_state state);

/* Remove a person with all keys; the uid is not given out again. Returns 0, STORE_NOT_FOUND, STORE_LAST_ADMIN or -errno. */
[[nodiscard]] int store_person_remove(struct store *store, const char *name);

/* Note when and from where a person signed in. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_person_signed_in(struct store *store, const char *name, const char *source,
					 uint64_t now_us);

/* Called for each row; borrowed for the call. */
typedef void store_ssh_key_fn(void *userdata, const struct ssh_key_row *row);

/* Call fn for each SSH key of a person, oldest first. Returns 0 or -errno, then possibly after some calls. */
[[nodiscard]] int store_ssh_keys_each(struct store *store, const char *person, store_ssh_key_fn *fn,
				      void *userdata);

/* The SSH key of a person with that fingerprint. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_ssh_key(struct store *store, const char *person, const char *fingerprint,
				struct ssh_key_row *ret);

/* Add an SSH key. Returns 0, STORE_NOT_FOUND (no such person), STORE_EXISTS (somebody's already), STORE_LIMIT or -errno. */
[[nodiscard]] int store_ssh_key_add(struct store *store, const char *person,
				    const struct sshkey *key, uint64_t now_us);

/* Remove an SSH key. Returns 0, STORE_NOT_FOUND, STORE_LAST_ADMIN or -errno. */
[[nodiscard]] int store_ssh_key_remove(struct store *store, const char *person,
				       const char *fingerprint);

/* Note that an SSH key was used. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_ssh_key_used(struct store *store, const char *fingerprint, uint64_t now_us);

/* Called for each row; borrowed for the call. */
typedef void store_api_key_fn(void *userdata, const struct api_key_row *row);

/* Call fn for each API key of a person, or of all if owner is nullptr. Returns 0 or -errno, then possibly after some calls. */
[[nodiscard]] int store_api_keys_each(struct store *store, const char *owner, store_api_key_fn *fn,
				      void *userdata);

/* An API key by its owner and name. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_api_key(struct store *store, const char *owner, const char *name,
				struct api_key_row *ret);

/* The API key with that hash. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_api_key_by_hash(struct store *store, const uint8_t hash[CRYPTO_HASH],
					struct api_key_row *ret);

/*
 * Add an API key: row's id, name, owner, role, created_us, expires_us; active.
 *
 * Returns 0, STORE_NOT_FOUND (no such person), STORE_EXISTS (the owner has one of that name), STORE_LIMIT or -errno.
 */
[[nodiscard]] int store_api_key_add(struct store *store, const struct api_key_row *row,
				    const uint8_t hash[CRYPTO_HASH]);

/* Suspend an API key or make it active. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_api_key_set_state(struct store *store, const char *owner, const char *name,
					  enum api_key_state state);

/* Delete an API key. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_api_key_delete(struct store *store, const char *owner, const char *name);

/* Note that an API key was used. Returns 0, STORE_NOT_FOUND or -errno. */
[[nodiscard]] int store_api_key_used(struct store *store, int64_t row, uint64_t now_us);
