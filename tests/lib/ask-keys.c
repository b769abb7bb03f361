/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ask-keys: stand in engine's place and ask redoubt-keys, for its integration test.
 *
 *   ask-keys create|rotate|destroy UUID
 *   ask-keys new UUID PURPOSE               prints "ok KEY WRAPPED" in hexadecimal
 *   ask-keys unwrap UUID PURPOSE WRAPPED    prints "ok KEY"
 *   ask-keys rewrap UUID PURPOSE WRAPPED    prints "ok - WRAPPED"
 *   ask-keys work COUNT                     makes COUNT collections, rotates and destroys some; prints
 *                                           "kept UUID KEY WRAPPED" or "destroyed UUID - WRAPPED" once it is so
 *   ask-keys check                          reads such lines and says which do not hold; "checked N"
 *   ask-keys garbage                        sends what is no request; prints "closed" when that ends the connection
 *   ask-keys recovery TEXT FOLDER           writes recovery.pub and recovery to FOLDER, as the worker would
 *
 * Other answers are "absent", "not-authentic", "unavailable" or "fault N"; the exit status is 0 for ok, else 1.
 */

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/lock.h"
#include "common/msg.h"
#include "service/keys/keys.h"

constexpr size_t HEX_MAX = 2 * KEYS_WRAPPED_MAX + 1;
static const char PURPOSE[] = "test";

static int say(int r)
{
	static const char *const TEXTS[] = { "ok", "absent", "not-authentic", "unavailable" };

	if (r < 0)
		(void)printf("fault %d\n", r);
	else
		(void)printf("%s\n", TEXTS[r]);
	return r != 0;
}

/* Say a key, or "-", and wrapped bytes, or nothing. */
static int say_result(int r, const uint8_t *key, const struct buf *wrapped)
{
	char key_text[2 * KEYS_DATA_KEY + 1] = "-", text[HEX_MAX] = "";

	if (r)
		return say(r);
	if (key)
		crypto_hex(key, KEYS_DATA_KEY, key_text);
	if (wrapped)
		crypto_hex(wrapped->data, wrapped->len, text);
	(void)printf("ok %s %s\n", key_text, text);
	return 0;
}

static size_t unhex(const char *text, uint8_t ret[KEYS_WRAPPED_MAX])
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len && i < KEYS_WRAPPED_MAX; i++) {
		const char digits[] = { text[2 * i], text[2 * i + 1], '\0' };

		ret[i] = (uint8_t)strtoul(digits, nullptr, 16);
	}
	return len < KEYS_WRAPPED_MAX ? len : KEYS_WRAPPED_MAX;
}

static int do_plain(struct keys *keys, char **arg)
{
	if (strcmp(arg[0], "create") == 0)
		return say(keys_create(keys, arg[1]));
	if (strcmp(arg[0], "rotate") == 0)
		return say(keys_rotate(keys, arg[1]));
	return say(keys_destroy(keys, arg[1]));
}

static int do_new(struct keys *keys, char **arg)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY];
	int r = keys_data_new(keys, arg[1], arg[2], key, &wrapped);

	return say_result(r, key, &wrapped);
}

static int do_unwrap(struct keys *keys, char **arg)
{
	uint8_t key[KEYS_DATA_KEY], wrapped[KEYS_WRAPPED_MAX];
	size_t len = unhex(arg[3], wrapped);

	return say_result(keys_data_unwrap(keys, arg[1], arg[2], wrapped, len, key), key, nullptr);
}

static int do_rewrap(struct keys *keys, char **arg)
{
	auto_buf struct buf again = buf_make(KEYS_WRAPPED_MAX);
	uint8_t wrapped[KEYS_WRAPPED_MAX];
	size_t len = unhex(arg[3], wrapped);

	return say_result(keys_rewrap(keys, arg[1], arg[2], wrapped, len, &again), nullptr, &again);
}

static int random_uuid(char ret[KEYS_UUID])
{
	uint8_t byte[16];
	char hex[33];
	int r = crypto_random(byte, sizeof(byte));

	crypto_hex(byte, sizeof(byte), hex);
	(void)snprintf(ret, KEYS_UUID, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12,
		       hex + 15, hex + 18);
	return r;
}

/* One collection's life; prints what became of it. Returns not 0 as soon as an answer is not ok. */
static int live(struct keys *keys, unsigned long i)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX),
			    again = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY];
	char uuid[KEYS_UUID];
	int r = random_uuid(uuid);

	if (r == 0)
		r = keys_create(keys, uuid);
	if (r == 0)
		r = keys_data_new(keys, uuid, PURPOSE, key, &wrapped);
	if (r == 0 && i % 2 == 0)
		r = keys_rotate(keys, uuid);
	if (r == 0)
		r = keys_rewrap(keys, uuid, PURPOSE, wrapped.data, wrapped.len, &again);
	if (r == 0 && i % 3 == 0)
		r = keys_destroy(keys, uuid);
	if (r)
		return r;
	char key_text[2 * KEYS_DATA_KEY + 1] = "-", text[HEX_MAX];
	if (i % 3 != 0)
		crypto_hex(key, sizeof(key), key_text);
	crypto_hex(again.data, again.len, text);
	(void)printf("%s %s %s %s\n", i % 3 == 0 ? "destroyed" : "kept", uuid, key_text, text);
	return 0;
}

static int do_work(struct keys *keys, char **arg)
{
	unsigned long count = strtoul(arg[1], nullptr, 10);

	(void)setvbuf(stdout, nullptr, _IOLBF, 0);
	for (unsigned long i = 0; i < count; i++)
		if (live(keys, i))
			return 1;
	return 0;
}

/* Whether a line of do_work() holds. */
static bool holds(struct keys *keys, const char *uuid, const char *key_text, const char *text)
{
	uint8_t key[KEYS_DATA_KEY], wrapped[KEYS_WRAPPED_MAX];
	char got[2 * KEYS_DATA_KEY + 1];
	size_t len = unhex(text, wrapped);
	int r = keys_data_unwrap(keys, uuid, PURPOSE, wrapped, len, key);

	if (strcmp(key_text, "-") == 0)
		return r == KEYS_ABSENT;
	crypto_hex(key, sizeof(key), got);
	return r == 0 && strcmp(got, key_text) == 0;
}

static int do_check(struct keys *keys, char **)
{
	char line[1024], uuid[64], key_text[128], text[HEX_MAX];
	unsigned int good = 0, bad = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%*s %63s %127s %256s", uuid, key_text, text) == 3 &&
		    holds(keys, uuid, key_text, text)) {
			good++;
			continue;
		}
		(void)printf("does not hold: %s", line);
		bad++;
	}
	(void)printf("checked %u\n", good);
	return bad != 0;
}

static int do_garbage(struct keys *, char **)
{
	static const uint8_t JUNK[] = "this is no uuid and no request of ours either";
	static uint8_t room[MSG_MAX];
	auto_close int fd = -1;
	struct msg answer;

	int r = msg_connect("keys-engine.sock", &fd);
	if (r == 0)
		r = msg_send(fd, &(struct msg) { .type = KEY_DATA_UNWRAP,
						 .payload = JUNK,
						 .len = sizeof(JUNK),
						 .fd = -1 });
	if (r == 0)
		r = msg_recv(fd, room, &answer);
	(void)printf(r == MSG_CLOSED ? "closed\n" : "answered %d\n", r);
	return r != MSG_CLOSED;
}

static int do_recovery(struct keys *, char **arg)
{
	uint8_t seed[CRYPTO_BOX_SEED], public_key[CRYPTO_BOX_PUBLIC];
	auto_close int dir = -1;
	int r = keyfile_folder(arg[2], &dir);

	if (r == 0)
		r = lock_recovery_seed(arg[1], seed);
	if (r == 0)
		r = crypto_box_public(seed, public_key);
	if (r == 0)
		r = keyfile_write(dir, "recovery.pub", public_key, sizeof(public_key));
	if (r == 0)
		r = keyfile_write(dir, "recovery", seed, sizeof(seed));
	return say(r);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(struct keys *, char **);
	} VERBS[] = { { "create", 1, do_plain },    { "rotate", 1, do_plain },
		      { "destroy", 1, do_plain },   { "new", 2, do_new },
		      { "unwrap", 3, do_unwrap },   { "rewrap", 3, do_rewrap },
		      { "work", 1, do_work },	    { "check", 0, do_check },
		      { "garbage", 0, do_garbage }, { "recovery", 2, do_recovery } };
	cleanup(keys_close_at) struct keys *keys = nullptr;

	if (keys_open(nullptr, &keys))
		return 1;
	for (size_t i = 0; argc >= 2 && i < countof(VERBS); i++)
		if (strcmp(argv[1], VERBS[i].name) == 0 && argc == VERBS[i].arguments + 2)
			return VERBS[i].run(keys, argv + 1);
	(void)fprintf(stderr, "ask-keys: see the top of tests/lib/ask-keys.c\n");
	return 2;
}
