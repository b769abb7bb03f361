/* SPDX-License-Identifier: Apache-2.0 */
#include "service/keys/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base.h"
#include "common/msg.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const char A[] = "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b";
static const char ABSENT[] = "00000000-0000-4000-8000-000000000000";

static bool a_uuid_is_lower_case_and_whole(void)
{
	static const char *const BAD[] = { "",
					   "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5",
					   "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5b0",
					   "0B4F2A7E-3c1d-4e5f-8a9b-0c1d2e3f4a5b",
					   "0b4f2a7e03c1d-4e5f-8a9b-0c1d2e3f4a5b",
					   "0b4f2a7e-3c1d-4e5f-8a9b-0c1d2e3f4a5/" };

	CHECK(keys_is_uuid(A));
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!keys_is_uuid(BAD[i]));
	CHECK(keys_is_purpose("segments-2"));
	CHECK(keys_is_purpose("abcdefghijklmnopqrstuvwxyz012345"));
	CHECK(!keys_is_purpose(""));
	CHECK(!keys_is_purpose("abcdefghijklmnopqrstuvwxyz0123456"));
	CHECK(!keys_is_purpose("Log"));
	CHECK(!keys_is_purpose("a/b"));
	return true;
}

static bool messages_come_back_as_they_went(void)
{
	static const uint16_t TYPES[] = { KEY_CREATE, KEY_DATA_NEW, KEY_DATA_UNWRAP,
					  KEY_ROTATE, KEY_REWRAP,   KEY_DESTROY };
	struct keys_request request = { .purpose = "log", .wrapped_len = 3, .wrapped = "abc" }, got;
	struct keys_answer answer = { .has_key = true, .key = { 5 }, .wrapped_len = 2 }, back;

	memcpy(request.uuid, A, sizeof(A));
	for (size_t i = 0; i < countof(TYPES); i++) {
		auto_buf struct buf out = buf_make(KEYS_PAYLOAD_MAX);

		keys_request_write(&out, TYPES[i], &request);
		CHECK_EQ(buf_error(&out), 0);
		CHECK(keys_request_read(TYPES[i], out.data, out.len, &got));
		CHECK(strcmp(got.uuid, A) == 0);
		for (size_t len = 0; len < out.len; len++)
			CHECK(!keys_request_read(TYPES[i], out.data, len, &got));
	}
	for (unsigned int status = 0; status < KEYS_STATUS_COUNT; status++) {
		auto_buf struct buf out = buf_make(KEYS_PAYLOAD_MAX);

		answer.status = (enum keys_status)status;
		answer.has_key = status % 2 == 0;
		keys_answer_write(&out, &answer);
		CHECK(keys_answer_read(out.data, out.len, &back));
		CHECK_EQ(back.status, status);
		CHECK_EQ(back.has_key, status % 2 == 0);
		CHECK_EQ(back.wrapped_len, 2);
		for (size_t len = 0; len < out.len; len++)
			CHECK(!keys_answer_read(out.data, len, &back));
	}
	return true;
}

/* What every kind of client must do. */
static bool behaves(struct keys *keys)
{
	auto_buf struct buf wrapped = buf_make(1024), again = buf_make(1024);
	uint8_t key[KEYS_DATA_KEY], got[KEYS_DATA_KEY];

	CHECK_EQ(keys_create(keys, "no uuid"), -EINVAL);
	CHECK_EQ(keys_data_new(keys, A, "No Purpose", key, &wrapped), -EINVAL);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_data_new(keys, A, "segments", key, &wrapped), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "segments", wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(key, got, sizeof(key)) == 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "log", wrapped.data, wrapped.len, got),
		 KEYS_NOT_AUTHENTIC);
	CHECK_EQ(keys_data_unwrap(keys, A, "segments", wrapped.data, 0, got), KEYS_NOT_AUTHENTIC);
	CHECK_EQ(keys_data_unwrap(keys, ABSENT, "segments", wrapped.data, wrapped.len, got),
		 KEYS_ABSENT);
	CHECK_EQ(keys_rotate(keys, A), 0);
	CHECK_EQ(keys_rotate(keys, ABSENT), KEYS_ABSENT);
	CHECK_EQ(keys_rewrap(keys, A, "segments", wrapped.data, wrapped.len, &again), 0);
	CHECK(again.len == wrapped.len && memcmp(again.data, wrapped.data, again.len) != 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "segments", again.data, again.len, got), 0);
	CHECK(memcmp(key, got, sizeof(key)) == 0);
	CHECK_EQ(keys_destroy(keys, A), 0);
	CHECK_EQ(keys_destroy(keys, A), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "segments", again.data, again.len, got), KEYS_ABSENT);
	return true;
}

static void remove_folder(char (*path)[22])
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", *path);
	if (system(command) != 0)
		(void)fprintf(stderr, "# %s is left\n", *path);
}

static bool a_folder_serves_in_process(void)
{
	cleanup(remove_folder) char folder[] = "/tmp/test-keys-XXXXXX";
	cleanup(keys_close_at) struct keys *keys = nullptr;

	CHECK(mkdtemp(folder));
	CHECK_EQ(keys_open_file(folder, &keys), 0);
	CHECK(behaves(keys));
	return true;
}

static bool a_folder_keeps_keys_from_one_process_to_the_next(void)
{
	cleanup(remove_folder) char folder[] = "/tmp/test-keys-XXXXXX";
	cleanup(keys_close_at) struct keys *keys = nullptr;
	auto_buf struct buf wrapped = buf_make(1024);
	uint8_t key[KEYS_DATA_KEY], got[KEYS_DATA_KEY];

	CHECK(mkdtemp(folder));
	CHECK_EQ(keys_open_file(folder, &keys), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_data_new(keys, A, "log", key, &wrapped), 0);
	keys = keys_close(keys);
	CHECK_EQ(keys_open_file(folder, &keys), 0);
	CHECK_EQ(keys_data_unwrap(keys, A, "log", wrapped.data, wrapped.len, got), 0);
	CHECK(memcmp(key, got, sizeof(key)) == 0);
	keys = keys_close(keys);
	CHECK_EQ(keys_open_file("/tmp/test-keys-is-not-there", &keys), -ENOENT);
	return true;
}

/* A server that answers each connection's requests with what a script says, then closes it. */
struct server {
	int listener;
	const char *
		script; /* a letter a request: o ok, s silence, i wrong id, g garbage, c close, / next connection */
	pthread_t thread;
	char path[64];
};

static void answer_request(int sock, const struct msg *in, char how)
{
	auto_buf struct buf out = buf_make(1024);
	const struct keys_answer answer = { .status = KEYS_STATUS_OK };

	keys_answer_write(&out, &answer);
	struct msg msg = { .type = KEY_ANSWER,
			   .id = how == 'i' ? in->id + 1 : in->id,
			   .payload = out.data,
			   .len = how == 'g' ? out.len - 1 : out.len,
			   .fd = -1 };
	if (msg_send(sock, &msg))
		(void)fprintf(stderr, "# answer not sent\n");
}

static void *serve(void *user)
{
	struct server *server = user;
	static uint8_t room[MSG_MAX];
	auto_close int sock = accept(server->listener, nullptr, nullptr);

	for (const char *at = server->script; *at; at++) {
		struct msg in;

		if (*at == '/') {
			close_at(&sock);
			sock = accept(server->listener, nullptr, nullptr);
			continue;
		}
		if (msg_recv(sock, room, &in))
			break;
		if (*at == 'c')
			close_at(&sock);
		else if (*at != 's')
			answer_request(sock, &in, *at);
	}
	return nullptr;
}

static bool server_start(struct server *server, const char *script)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(server->path, sizeof(server->path), "/tmp/test-keys-%d.sock", getpid());
	(void)unlink(server->path);
	memcpy(address.sun_path, server->path, sizeof(server->path));
	server->script = script;
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	return server->listener >= 0 &&
	       bind(server->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       listen(server->listener, 4) == 0 &&
	       pthread_create(&server->thread, nullptr, serve, server) == 0;
}

static void server_stop(struct server *server)
{
	(void)pthread_join(server->thread, nullptr);
	close_at(&server->listener);
	(void)unlink(server->path);
}

static bool a_lost_connection_is_made_anew(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	struct server server;

	CHECK(server_start(&server, "o/oc/o"));
	CHECK_EQ(keys_open(server.path, &keys), 0);
	CHECK_EQ(keys_create(keys, A), 0);
	CHECK_EQ(keys_create(keys, A), 0); /* closed between two requests */
	CHECK_EQ(keys_create(keys, A), 0); /* closed instead of an answer */
	server_stop(&server);
	CHECK_EQ(keys_create(keys, A), KEYS_UNAVAILABLE);
	return true;
}

static bool an_answer_that_is_not_ours_ends_the_connection(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	uint8_t key[KEYS_DATA_KEY] = { 7 };
	auto_buf struct buf wrapped = buf_make(1024);
	struct server server;

	CHECK(server_start(&server, "i/g/o"));
	CHECK_EQ(keys_open(server.path, &keys), 0);
	CHECK_EQ(keys_create(keys, A), KEYS_UNAVAILABLE);
	CHECK_EQ(keys_create(keys, A), KEYS_UNAVAILABLE);
	CHECK_EQ(keys_data_new(keys, A, "log", key, &wrapped), -EPROTO); /* ok, but without a key */
	CHECK_EQ(key[0], 7);
	CHECK_EQ(wrapped.len, 0);
	keys = keys_close(keys);
	server_stop(&server);
	return true;
}

static bool nobody_there_is_an_outcome(void)
{
	cleanup(keys_close_at) struct keys *keys = nullptr;
	char path[256] = "";

	CHECK_EQ(keys_open("/tmp/test-keys-nobody.sock", &keys), 0);
	CHECK_EQ(keys_create(keys, A), KEYS_UNAVAILABLE);
	keys = keys_close(keys);
	memset(path, 'x', sizeof(path) - 1);
	CHECK_EQ(keys_open(path, &keys), -ENAMETOOLONG);
	return true;
}

static bool opening_survives_the_lack_of_memory(void)
{
	cleanup(remove_folder) char folder[] = "/tmp/test-keys-XXXXXX";

	CHECK(mkdtemp(folder));
	for (size_t n = 1; n < 100; n++) {
		cleanup(keys_close_at) struct keys *keys = nullptr;

		fault_at(n);
		int r = keys_open_file(folder, &keys);
		bool failed = fault_end();
		CHECK(failed ? r < 0 && !keys : r == 0);
		if (!failed)
			return behaves(keys);
	}
	return false;
}

int main(void)
{
	RUN(a_uuid_is_lower_case_and_whole);
	RUN(messages_come_back_as_they_went);
	RUN(a_folder_serves_in_process);
	RUN(a_folder_keeps_keys_from_one_process_to_the_next);
	RUN(a_lost_connection_is_made_anew);
	RUN(an_answer_that_is_not_ours_ends_the_connection);
	RUN(nobody_there_is_an_outcome);
	RUN(opening_survives_the_lack_of_memory);
	return tap_done();
}
