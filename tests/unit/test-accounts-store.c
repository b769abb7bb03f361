/* SPDX-License-Identifier: Apache-2.0 */

/* store: what is kept, what is refused, and that a failure at any point leaves all or nothing. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/sshkey.h"
#include "appliance/accounts/store.h"
#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-keys.h"

static char folder[] = "/tmp/test-store-XXXXXX";
static char path[64];

/* Start from no database. */
static void clear_folder(void)
{
	char file[80];

	static const char *const ENDS[] = { "", "-wal", "-shm", "-journal" };
	for (size_t i = 0; i < countof(ENDS); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", path, ENDS[i]);
		(void)unlink(file);
	}
}

static struct store *fresh(void)
{
	struct store *store = nullptr;

	clear_folder();
	return store_open(path, &store) ? nullptr : store;
}

/* The key of a line; one of the last four is overwritten. */
static struct sshkey *key_of(const char *line)
{
	static struct sshkey keys[4];
	static unsigned int next;
	struct sshkey *key = &keys[next++ % countof(keys)];

	(void)!sshkey_parse(line, strlen(line), key);
	return key;
}

static int add(struct store *store, const char *name, uint32_t roles, const struct sshkey *key)
{
	struct person person = { .roles = roles, .email = "x@example.org" };

	(void)snprintf(person.name, sizeof(person.name), "%s", name);
	return store_person_add(store, &person, key, 1'000'000);
}

/* A key that is nobody's yet: sound as a row, whatever libssh says of it. */
static struct sshkey *numbered_key(unsigned int n)
{
	struct sshkey *key = key_of(KEY_ED25519);

	(void)snprintf(key->fingerprint, sizeof(key->fingerprint), "SHA256:%u", n);
	return key;
}

static int add_api_key(struct store *store, const char *owner, const char *name, uint8_t hash)
{
	struct api_key_row row = { .id = "rdt_123456", .role = ROLE_MEMBER, .created_us = 5 };
	uint8_t bytes[CRYPTO_HASH] = { hash };

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.owner, sizeof(row.owner), "%s", owner);
	return store_api_key_add(store, &row, bytes);
}

/* The store with ann, admin with a key, and bob, member without. */
static struct store *with_people(void)
{
	struct store *store = fresh();
	struct sshkey *key = key_of(KEY_ED25519);

	if (store && (add(store, "ann", role_bit(ROLE_ADMIN), key) ||
		      add(store, "bob", role_bit(ROLE_MEMBER) | role_bit(ROLE_READ_ONLY), nullptr)))
		store = store_close(store);
	return store;
}

static bool people_are_found_by_name_and_uid_and_survive_a_restart(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct person person;
	uint32_t n = 0;

	CHECK(store);
	for (int round = 0; round < 2; round++) {
		CHECK_EQ(store_people_count(store, &n), 0);
		CHECK_EQ(n, 2u);
		CHECK_EQ(store_person(store, "ann", &person), 0);
		CHECK_EQ(person.uid, 20000u);
		CHECK_EQ(person.roles, role_bit(ROLE_ADMIN));
		CHECK_EQ(person.state, PERSON_ACTIVE);
		CHECK_EQ(person.ssh_keys, 1u);
		CHECK_EQ(person.created_us, UINT64_C(1000000));
		CHECK_EQ(store_person_by_uid(store, 20001, &person), 0);
		CHECK(strcmp(person.name, "bob") == 0);
		CHECK_EQ(person.roles, role_bit(ROLE_MEMBER) | role_bit(ROLE_READ_ONLY));
		CHECK_EQ(store_person(store, "eve", &person), STORE_NOT_FOUND);
		CHECK_EQ(store_person_by_uid(store, 0, &person), STORE_NOT_FOUND);
		CHECK(strcmp(person.name, "bob") == 0); /* unchanged by a miss */

		store = store_close(store);
		CHECK_EQ(store_open(path, &store), 0);
	}
	return true;
}

static bool a_name_is_given_once_and_a_uid_never_again(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct person person;

	CHECK(store);
	CHECK_EQ(add(store, "bob", role_bit(ROLE_ADMIN), nullptr), STORE_EXISTS);
	CHECK_EQ(store_person_remove(store, "bob"), 0);
	CHECK_EQ(store_person_remove(store, "bob"), STORE_NOT_FOUND);
	CHECK_EQ(add(store, "bob", role_bit(ROLE_MEMBER), nullptr), 0);
	CHECK_EQ(store_person(store, "bob", &person), 0);
	CHECK_EQ(person.uid, 20002u);
	return true;
}

static bool the_last_admin_who_can_sign_in_stays(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct sshkey *key = key_of(KEY_SK_ED25519);
	struct person person;

	CHECK(store);
	CHECK_EQ(store_person_remove(store, "ann"), STORE_LAST_ADMIN);
	CHECK_EQ(store_person_set_state(store, "ann", PERSON_SUSPENDED), STORE_LAST_ADMIN);
	CHECK_EQ(store_person_set_roles(store, "ann", role_bit(ROLE_MEMBER)), STORE_LAST_ADMIN);
	CHECK_EQ(store_ssh_key_remove(store, "ann", PRINT_ED25519), STORE_LAST_ADMIN);

	/* Another admin without a key could not sign in: ann still is the last. */
	CHECK_EQ(store_person_set_roles(store, "bob", role_bit(ROLE_ADMIN)), 0);
	CHECK_EQ(store_person_remove(store, "ann"), STORE_LAST_ADMIN);
	CHECK_EQ(store_person(store, "ann", &person), 0);
	CHECK_EQ(person.roles, role_bit(ROLE_ADMIN));
	CHECK_EQ(person.state, PERSON_ACTIVE);
	CHECK_EQ(person.ssh_keys, 1u);

	CHECK_EQ(store_ssh_key_add(store, "bob", key, 9), 0);
	CHECK_EQ(store_person_set_state(store, "bob", PERSON_SUSPENDED), 0);
	CHECK_EQ(store_person_remove(store, "ann"), STORE_LAST_ADMIN);
	CHECK_EQ(store_person_set_state(store, "bob", PERSON_ACTIVE), 0);
	CHECK_EQ(store_person_remove(store, "ann"), 0);
	return true;
}

static bool an_ssh_key_has_one_owner_and_goes_with_them(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct sshkey *taken = key_of(KEY_ED25519), *own = key_of(KEY_RSA_4096);
	struct ssh_key_row row;

	CHECK(store);
	CHECK_EQ(store_ssh_key_add(store, "bob", taken, 9), STORE_EXISTS);
	CHECK_EQ(add(store, "cas", role_bit(ROLE_MEMBER), taken), STORE_EXISTS);
	CHECK_EQ(store_ssh_key_add(store, "eve", own, 9), STORE_NOT_FOUND);
	CHECK_EQ(store_ssh_key_add(store, "bob", own, 9), 0);
	CHECK_EQ(store_ssh_key(store, "ann", own->fingerprint, &row), STORE_NOT_FOUND);
	CHECK_EQ(store_ssh_key(store, "bob", own->fingerprint, &row), 0);
	CHECK(strcmp(row.key.base64, own->base64) == 0);
	CHECK_EQ(row.key.bits, 4096u);
	CHECK_EQ(store_ssh_key_used(store, own->fingerprint, 11), 0);
	CHECK_EQ(store_ssh_key(store, "bob", own->fingerprint, &row), 0);
	CHECK_EQ(row.last_used_us, UINT64_C(11));
	CHECK_EQ(store_person_remove(store, "bob"), 0);
	CHECK_EQ(add(store, "cas", role_bit(ROLE_MEMBER), own), 0);
	return true;
}

static bool api_keys_are_found_by_hash_and_go_with_their_owner(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct api_key_row row;
	uint8_t hash[CRYPTO_HASH] = { 1 };

	CHECK(store);
	CHECK_EQ(add_api_key(store, "eve", "etl", 1), STORE_NOT_FOUND);
	CHECK_EQ(add_api_key(store, "bob", "etl", 1), 0);
	CHECK_EQ(add_api_key(store, "bob", "etl", 2), STORE_EXISTS);
	CHECK_EQ(add_api_key(store, "ann", "etl", 3), 0);
	CHECK_EQ(store_api_key_by_hash(store, hash, &row), 0);
	CHECK(strcmp(row.owner, "bob") == 0 && strcmp(row.name, "etl") == 0);
	CHECK_EQ(row.role, ROLE_MEMBER);
	CHECK_EQ(row.state, API_KEY_ACTIVE);
	CHECK_EQ(store_api_key_used(store, row.row, 7), 0);
	CHECK_EQ(store_api_key_set_state(store, "bob", "etl", API_KEY_SUSPENDED), 0);
	CHECK_EQ(store_api_key(store, "bob", "etl", &row), 0);
	CHECK_EQ(row.state, API_KEY_SUSPENDED);
	CHECK_EQ(row.last_used_us, UINT64_C(7));
	CHECK_EQ(store_person_remove(store, "bob"), 0);
	CHECK_EQ(store_api_key_by_hash(store, hash, &row), STORE_NOT_FOUND);
	CHECK_EQ(store_api_key_delete(store, "ann", "etl"), 0);
	CHECK_EQ(store_api_key_delete(store, "ann", "etl"), STORE_NOT_FOUND);
	CHECK_EQ(store_api_key_set_state(store, "ann", "etl", API_KEY_ACTIVE), STORE_NOT_FOUND);
	return true;
}

static bool limits_hold(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	char name[32];

	CHECK(store);
	for (unsigned int i = 0; i < STORE_SSH_KEYS_MAX; i++) {
		struct sshkey *key = numbered_key(i);

		CHECK_EQ(store_ssh_key_add(store, "bob", key, 1), 0);
	}
	struct sshkey *one_more = numbered_key(1000);
	CHECK_EQ(store_ssh_key_add(store, "bob", one_more, 1), STORE_LIMIT);
	for (unsigned int i = 0; i < STORE_API_KEYS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "key %u", i);
		CHECK_EQ(add_api_key(store, "bob", name, (uint8_t)(i + 1)), 0);
	}
	CHECK_EQ(add_api_key(store, "bob", "one more", 255), STORE_LIMIT);
	for (unsigned int i = 2; i < STORE_PEOPLE_MAX; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		CHECK_EQ(add(store, name, role_bit(ROLE_READ_ONLY), nullptr), 0);
	}
	CHECK_EQ(add(store, "onemore", role_bit(ROLE_READ_ONLY), nullptr), STORE_LIMIT);
	return true;
}

static void count_row(void *userdata, const struct person *person)
{
	(void)person;
	++*(unsigned int *)userdata;
}

static void count_ssh(void *userdata, const struct ssh_key_row *row)
{
	(void)row;
	++*(unsigned int *)userdata;
}

static void count_api(void *userdata, const struct api_key_row *row)
{
	(void)row;
	++*(unsigned int *)userdata;
}

static bool lists_are_whole(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	unsigned int people = 0, ssh = 0, own = 0, all = 0;

	CHECK(store);
	CHECK_EQ(add_api_key(store, "bob", "one", 1), 0);
	CHECK_EQ(add_api_key(store, "ann", "two", 2), 0);
	CHECK_EQ(store_people_each(store, count_row, &people), 0);
	CHECK_EQ(store_ssh_keys_each(store, "ann", count_ssh, &ssh), 0);
	CHECK_EQ(store_api_keys_each(store, "ann", count_api, &own), 0);
	CHECK_EQ(store_api_keys_each(store, nullptr, count_api, &all), 0);
	CHECK_EQ(people, 2u);
	CHECK_EQ(ssh, 1u);
	CHECK_EQ(own, 1u);
	CHECK_EQ(all, 2u);
	return true;
}

static bool what_is_removed_is_not_in_the_file_any_more(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	auto_free char *bytes = malloc(1u << 20);

	CHECK(store && bytes);
	CHECK_EQ(add(store, "carolineofmonaco", role_bit(ROLE_MEMBER), nullptr), 0);
	CHECK_EQ(store_person_remove(store, "carolineofmonaco"), 0);
	store = store_close(store); /* the log is folded into the file */

	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, bytes, 1u << 20);
	CHECK(len > 4096);
	CHECK(memmem(bytes, (size_t)len, "bob", 3)); /* the search works */
	CHECK(!memmem(bytes, (size_t)len, "carolineofmonaco", 16));
	return true;
}

static bool hostile_names_are_only_texts(void)
{
	cleanup(store_close_at) struct store *store = with_people();
	struct person person;
	uint32_t n = 0;

	CHECK(store);
	CHECK_EQ(store_person(store, "' OR 1=1 --", &person), STORE_NOT_FOUND);
	CHECK_EQ(store_person_remove(store, "ann'; DROP TABLE person; --"), STORE_NOT_FOUND);
	CHECK_EQ(store_people_count(store, &n), 0);
	CHECK_EQ(n, 2u);
	return true;
}

static int write_file(const char *bytes, size_t len)
{
	clear_folder();
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && write(fd, bytes, len) == (ssize_t)len ? 0 : -1;
}

static bool a_file_that_is_not_ours_is_refused_and_left_alone(void)
{
	char rubbish[6000];
	struct store *store = nullptr;
	struct stat info;

	memset(rubbish, 'x', sizeof(rubbish));
	CHECK_EQ(write_file(rubbish, sizeof(rubbish)), 0);
	CHECK_EQ(store_open(path, &store), STORE_CORRUPT);
	CHECK(!store);
	CHECK(stat(path, &info) == 0 && info.st_size == (off_t)sizeof(rubbish));

	sqlite3 *db = nullptr;
	clear_folder();
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, "CREATE TABLE other(x)", nullptr, nullptr, nullptr), SQLITE_OK);
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);
	CHECK_EQ(store_open(path, &store), STORE_CORRUPT);
	return true;
}

static bool a_later_releases_file_is_left_alone(void)
{
	struct store *store = with_people();
	sqlite3 *db = nullptr;

	CHECK(store);
	store = store_close(store);
	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr),
		 SQLITE_OK);
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);
	CHECK_EQ(store_open(path, &store), STORE_TOO_NEW);
	CHECK(!store);
	return true;
}

static bool a_link_in_the_files_place_is_refused(void)
{
	struct store *store = nullptr;

	clear_folder();
	CHECK_EQ(symlink("/tmp/elsewhere-of-store", path), 0);
	CHECK(store_open(path, &store) != 0);
	CHECK(access("/tmp/elsewhere-of-store", F_OK) != 0);
	return true;
}

/* One of each change. Returns the first failure. */
static int change_all(struct store *store, const struct sshkey *key)
{
	int r = add(store, "cas", role_bit(ROLE_MEMBER), key);
	if (r == 0)
		r = store_person_set_roles(store, "cas", role_bit(ROLE_READ_ONLY));
	if (r == 0)
		r = add_api_key(store, "cas", "etl", 9);
	if (r == 0)
		r = store_person_remove(store, "cas");
	return r;
}

static bool the_store_is_sound(struct store *store)
{
	unsigned int people = 0;
	struct person person;

	CHECK_EQ(store_people_each(store, count_row, &people), 0);
	CHECK(people == 2 || people == 3);
	CHECK_EQ(store_person(store, "ann", &person), 0);
	CHECK_EQ(person.roles, role_bit(ROLE_ADMIN));
	/* If cas is there, then with roles: people and their roles come in one transaction. */
	int r = store_person(store, "cas", &person);
	CHECK(r == STORE_NOT_FOUND || (r == 0 && person.roles != 0 && person.ssh_keys == 1));
	return true;
}

/* SQLite takes its memory from here, so that its allocations fail in turn like ours. */
static void *counted_malloc(int n)
{
	size_t *block = malloc(sizeof(size_t) * 2 + (size_t)n);

	if (block)
		block[0] = (size_t)n;
	return block ? block + 2 : nullptr;
}

static void counted_free(void *ptr)
{
	free(ptr ? (size_t *)ptr - 2 : nullptr);
}

static void *counted_realloc(void *ptr, int n)
{
	size_t *block = realloc((size_t *)ptr - 2, sizeof(size_t) * 2 + (size_t)n);

	if (block)
		block[0] = (size_t)n;
	return block ? block + 2 : nullptr;
}

static int counted_size(void *ptr)
{
	return ptr ? (int)((size_t *)ptr)[-2] : 0;
}

static int counted_roundup(int n)
{
	return (n + 7) & ~7;
}

static int counted_init(void *unused)
{
	(void)unused;
	return SQLITE_OK;
}

static void counted_done(void *unused)
{
	(void)unused;
}

static bool every_failed_allocation_leaves_all_or_nothing(void)
{
	size_t failures = 0;
	struct sshkey key = *key_of(KEY_SK_ED25519);

	for (size_t n = 1;; n++) {
		cleanup(store_close_at) struct store *store = with_people();

		CHECK(store);
		fault_at(n);
		int r = change_all(store, &key);
		bool failed = fault_end();

		failures += r != 0;
		/* SQLite does without some memory: then the change succeeds all the same. */
		CHECK(r == 0 || r == -ENOMEM || r == -EIO);
		CHECK(the_store_is_sound(store));
		if (!failed)
			break;
	}
	CHECK(failures > 5);
	return true;
}

static bool every_failed_allocation_while_opening_is_survived(void)
{
	struct store *made = with_people();
	size_t failures = 0;

	CHECK(made);
	made = store_close(made);
	for (size_t n = 1;; n++) {
		cleanup(store_close_at) struct store *store = nullptr;

		fault_at(n);
		int r = store_open(path, &store);
		bool failed = fault_end();

		failures += r != 0;
		CHECK(r == 0 || (r < 0 && !store));
		if (!failed)
			break;
	}
	CHECK(failures > 20);

	cleanup(store_close_at) struct store *store = nullptr;
	CHECK_EQ(store_open(path, &store), 0);
	CHECK(the_store_is_sound(store));
	return true;
}

int main(void)
{
	static const sqlite3_mem_methods MEMORY = {
		counted_malloc,	 counted_free, counted_realloc, counted_size,
		counted_roundup, counted_init, counted_done,	nullptr,
	};

	/* Without the look-aside and page caches, which would hide most allocations. */
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &MEMORY) != SQLITE_OK ||
	    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK || !mkdtemp(folder))
		return 99;
	(void)snprintf(path, sizeof(path), "%s/accounts.db", folder);

	RUN(people_are_found_by_name_and_uid_and_survive_a_restart);
	RUN(a_name_is_given_once_and_a_uid_never_again);
	RUN(the_last_admin_who_can_sign_in_stays);
	RUN(an_ssh_key_has_one_owner_and_goes_with_them);
	RUN(api_keys_are_found_by_hash_and_go_with_their_owner);
	RUN(limits_hold);
	RUN(lists_are_whole);
	RUN(what_is_removed_is_not_in_the_file_any_more);
	RUN(hostile_names_are_only_texts);
	RUN(a_file_that_is_not_ours_is_refused_and_left_alone);
	RUN(a_later_releases_file_is_left_alone);
	RUN(a_link_in_the_files_place_is_refused);
	RUN(every_failed_allocation_leaves_all_or_nothing);
	RUN(every_failed_allocation_while_opening_is_survived);

	clear_folder();
	(void)rmdir(folder);
	return tap_done();
}
