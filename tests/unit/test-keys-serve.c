/* SPDX-License-Identifier: Apache-2.0 */

/* serve: the real server behind the real client, over a socket, with a master key in clear and no ledger. */

#include "appliance/keys/serve.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/keys/tpm.h"
#include "common/base.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/lock.h"
#include "common/keyring/master.h"
#include "common/loop.h"
#include "common/msg.h"
#include "service/keys/keys.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const char A[] = "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b";

/* A server in a thread of its own, on a socket in a folder of its own. */
struct server {
	char folder[32], path[64];
	int dir, sock;
	_Atomic bool stop;
	pthread_t thread;
	struct loop *loop;
	struct listener *listener;
	struct master *master;
	struct keyring *keyring;
	struct serve serve;
};

static void *turn(void *user)
{
	struct server *server = user;

	while (!server->stop)
		if (loop_turn(server->loop, 20'000) < 0)
			return nullptr;
	return nullptr;
}

static int listen_at(const char *path, int *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 4) < 0)
		return neg_errno();
	*ret = fd;
	fd = -1;
	return 0;
}

static int start(struct server *server)
{
	const struct lock lock = lock_clear();

	*server = (struct server) { .folder = "/tmp/test-serve-XXXXXX", .dir = -1, .sock = -1 };
	if (!mkdtemp(server->folder))
		return neg_errno();
	(void)snprintf(server->path, sizeof(server->path), "%s/sock", server->folder);
	int r = keyfile_folder(server->folder, &server->dir);
	if (r == 0)
		r = listen_at(server->path, &server->sock);
	if (r == 0)
		r = master_new(server->dir, &lock, 1, &server->master);
	if (r == 0)
		r = keyring_open(server->dir, master_provider(server->master, "file"),
				 &server->keyring);
	if (r == 0)
		r = loop_new(&server->loop);
	server->serve = (struct serve) { .keyring = server->keyring, .provider = "file" };
	if (r == 0)
		r = listener_new(server->loop, server->sock, SERVE_ENGINE, &SERVE_TABLE,
				 &server->serve, &server->listener);
	return r ? r : -pthread_create(&server->thread, nullptr, turn, server);
}

/* Stop the thread; let what hangs on the loop be freed by it first. */
static void stop(struct server *server)
{
	char command[64];

	server->stop = true;
	(void)pthread_join(server->thread, nullptr);
	for (int i = 0; i < 4; i++)
		(void)!loop_turn(server->loop, 1000);
	server->listener = listener_free(server->listener);
	server->loop = loop_free(server->loop);
	server->keyring = keyring_close(server->keyring);
	server->master = master_free(server->master);
	close_at(&server->sock);
	close_at(&server->dir);
	(void)snprintf(command, sizeof(command), "rm -rf %s", server->folder);
	if (system(command) != 0)
		(void)fprintf(stderr, "# %s is left\n", server->folder);
}

/* A client's whole life with the server. */
static bool lives(struct keys *keys)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX),
			    again = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY], got[KEYS_DATA_KEY] = {};

	CHECK_EQ(keys_rotate(keys, A), KEYS_ABSENT);
	CHECK_EQ(keys_data_new(keys, A, "log", key, &wrapped), KEYS_ABSENT);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_data_new(keys, A, "log", key, &wrapped), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "log", wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(key, got, sizeof(key)) == 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "segments", wrapped.data, wrapped.len, got),
		 KEYS_NOT_AUTHENTIC);
	CHECK_EQ(keys_rotate(keys, A), 0);
	CHECK_EQ(keys_rewrap(keys, A, "log", wrapped.data, wrapped.len, &again), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "log", again.data, again.len, got), 0);
	CHECK(memcmp(key, got, sizeof(key)) == 0);
	CHECK_EQ(keys_destroy(keys, A), 0);
	CHECK_EQ(keys_destroy(keys, A), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "log", again.data, again.len, got), KEYS_ABSENT);
	return true;
}

static bool client_and_server_understand_each_other(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	cleanup(stop) struct server server;

	CHECK_EQ(start(&server), 0);
	CHECK_EQ(keys_open(server.path, &keys), 0);
	bool good = lives(keys);
	keys = keys_close(keys); /* before the loop ends, which frees the connection */
	return good;
}

static bool a_key_with_all_its_versions_is_said_to_be_full(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	cleanup(stop) struct server server;
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY];
	int r = 0;

	CHECK_EQ(start(&server), 0);
	CHECK_EQ(keys_open(server.path, &keys), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	for (int i = 0; r == 0 && i < 1000; i++)
		r = keys_rotate(keys, A);
	CHECK_EQ(r, KEYS_FULL);
	CHECK_EQ(keys_data_new(keys, A, "log", key, &wrapped), 0);
	keys = keys_close(keys);
	return true;
}

/* What four threads do with one client. */
static void *hammer(void *user)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	uint8_t key[KEYS_DATA_KEY], got[KEYS_DATA_KEY] = {};
	struct keys *keys = user;

	for (int i = 0; i < 100; i++) {
		buf_clear(&wrapped);
		if (keys_data_new(keys, A, "log", key, &wrapped) ||
		    keys_data_unwrap(keys, A, "log", wrapped.data, wrapped.len, got) ||
		    memcmp(key, got, sizeof(key)) != 0)
			return keys;
	}
	return nullptr;
}

static bool threads_share_one_client(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	cleanup(stop) struct server server;
	pthread_t thread[4];
	bool good = true;

	CHECK_EQ(start(&server), 0);
	CHECK_EQ(keys_open(server.path, &keys), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	for (size_t i = 0; i < countof(thread); i++)
		CHECK_EQ(pthread_create(&thread[i], nullptr, hammer, keys), 0);
	for (size_t i = 0; i < countof(thread); i++) {
		void *failed = nullptr;

		good &= pthread_join(thread[i], &failed) == 0 && !failed;
	}
	keys = keys_close(keys);
	return good;
}

/* Send one frame and see whether the server closes the connection. */
static bool closes(const char *path, uint16_t type, const void *payload, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	static uint8_t room[MSG_MAX];
	struct msg answer;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       msg_send(fd,
			&(struct msg) { .type = type, .payload = payload, .len = len, .fd = -1 }) ==
		       0 &&
	       msg_recv(fd, room, &answer) == MSG_CLOSED;
}

static bool a_malformed_request_ends_its_connection_only(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	cleanup(stop) struct server server;
	auto_buf struct buf good = buf_make(KEYS_PAYLOAD_MAX);
	struct keys_request request = { .purpose = "log" };

	CHECK_EQ(start(&server), 0);
	CHECK_EQ(keys_open(server.path, &keys), 0);
	memcpy(request.uuid, A, sizeof(A));
	keys_request_write(&good, KEY_CREATE, &request);
	CHECK(closes(server.path, KEY_CREATE, good.data, good.len - 1));
	CHECK(closes(server.path, KEY_DATA_NEW, good.data, good.len));
	CHECK(closes(server.path, KEY_ANSWER, good.data, good.len));
	CHECK(closes(server.path, 0x0101, good.data, good.len));
	good.data[4] = 'X'; /* no hexadecimal digit */
	CHECK(closes(server.path, KEY_CREATE, good.data, good.len));
	CHECK_EQ(keys_create(keys, A), 0);
	keys = keys_close(keys);
	return true;
}

static bool a_tpm_that_is_not_there_is_an_outcome(void)
{
	cleanup(tpm_free_at) struct tpm *tpm = nullptr;
	auto_buf struct buf slot = buf_make(LOCK_SLOT_MAX);
	uint8_t key[CRYPTO_KEY] = {};

	CHECK_EQ(tpm_new(-1, nullptr, &tpm), -EINVAL);
	fault_at(1);
	CHECK_EQ(tpm_new(-1, "/dev/null/no-tpm", &tpm), -ENOMEM);
	CHECK(fault_end());
	CHECK_EQ(tpm_new(-1, "/dev/null/no-tpm", &tpm), 0);
	const struct lock lock = tpm_lock(tpm);
	CHECK_EQ(lock.seal(lock.self, key, &slot), LOCK_UNAVAILABLE);
	CHECK_EQ(slot.len, 0);
	CHECK(tpm_error(tpm) != 0);
	CHECK_EQ(lock.open(lock.self, key, sizeof(key), key), LOCK_REFUSED); /* no slot of ours */
	return true;
}

int main(void)
{
	RUN(client_and_server_understand_each_other);
	RUN(a_key_with_all_its_versions_is_said_to_be_full);
	RUN(threads_share_one_client);
	RUN(a_malformed_request_ends_its_connection_only);
	RUN(a_tpm_that_is_not_there_is_an_outcome);
	return tap_done();
}
