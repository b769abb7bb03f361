/* SPDX-License-Identifier: Apache-2.0 */
#include "service/keys/keys.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common/bytes.h"
#include "common/keyring/keyfile.h"
#include "common/keyring/keyring.h"
#include "common/keyring/lock.h"
#include "common/keyring/master.h"
#include "common/log.h"
#include "common/msg.h"

constexpr size_t PATH_LEN = sizeof(((struct sockaddr_un *)nullptr)->sun_path);

struct keys {
	pthread_mutex_t mutex;
	/* With redoubt-keys: */
	char path[PATH_LEN]; /* "" for the default */
	int sock;
	uint64_t next_id;
	/* In this process: */
	int dir;
	struct master *master;
	struct keyring *keyring; /* nullptr with redoubt-keys */
	uint8_t room[MSG_MAX];
};

/* --- open and close ------------------------------------------------------------------------- */

static struct keys *keys_new(void)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return nullptr;
	keys->sock = keys->dir = -1;
	(void)pthread_mutex_init(&keys->mutex, nullptr); /* cannot fail without attributes */
	return keys;
}

int keys_open(const char *socket_path, struct keys **ret)
{
	if (socket_path && strlen(socket_path) >= PATH_LEN)
		return -ENAMETOOLONG;

	struct keys *keys = keys_new();
	if (!keys)
		return -ENOMEM;
	(void)snprintf(keys->path, sizeof(keys->path), "%s", socket_path ? socket_path : "");
	*ret = keys;
	return 0;
}

int keys_open_file(const char *folder, struct keys **ret)
{
	cleanup(keys_close_at) struct keys *keys = keys_new();
	const struct lock lock = lock_clear();

	if (!keys)
		return -ENOMEM;
	int r = keyfile_folder(folder, &keys->dir);
	if (r == 0)
		r = master_new(keys->dir, &lock, 1, &keys->master);
	if (r == 0)
		r = keyring_open(keys->dir, master_provider(keys->master, "file"), &keys->keyring);
	if (r == 0)
		r = master_open(keys->master);
	if (r)
		return r > 0 ? -EBADMSG : r;
	*ret = TAKE(keys);
	return 0;
}

struct keys *keys_close(struct keys *keys)
{
	if (!keys)
		return nullptr;
	close_at(&keys->sock);
	keys->keyring = keyring_close(keys->keyring);
	keys->master = master_free(keys->master);
	close_at(&keys->dir);
	explicit_bzero(keys->room, sizeof(keys->room));
	(void)pthread_mutex_destroy(&keys->mutex);
	free(keys);
	return nullptr;
}

/* --- with redoubt-keys ------------------------------------------------------------------------ */

static int connect_path(const char *path, int *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return neg_errno();
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return neg_errno();
	*ret = fd;
	fd = -1;
	return 0;
}

static int connect_daemon(struct keys *keys)
{
	const struct timeval limit = { .tv_sec = KEYS_TIMEOUT_S };
	auto_close int fd = -1;
	int r = keys->path[0] ? connect_path(keys->path, &fd)
			      : msg_connect("keys-engine.sock", &fd);

	if (r)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();
	keys->sock = fd;
	fd = -1;
	return 0;
}

/* Send one frame and wait for its answer. Returns 0, MSG_ or -errno. */
static int exchange(struct keys *keys, const struct msg *request, struct keys_answer *ret)
{
	struct msg answer;
	int r = keys->sock < 0 ? connect_daemon(keys) : 0;

	if (r == 0)
		r = msg_send(keys->sock, request);
	if (r == 0)
		r = msg_recv(keys->sock, keys->room, &answer);
	if (r)
		return r;
	close_at(&answer.fd);
	bool good = answer.type == KEY_ANSWER && answer.id == request->id &&
		    keys_answer_read(answer.payload, answer.len, ret);
	explicit_bzero(keys->room, MSG_HEADER + answer.len);
	return good ? 0 : MSG_MALFORMED;
}

/* What the daemon says, as the caller hears it. */
static int status_outcome(enum keys_status status)
{
	switch (status) {
	case KEYS_STATUS_OK:
		return KEYS_OK;
	case KEYS_STATUS_ABSENT:
		return KEYS_ABSENT;
	case KEYS_STATUS_NOT_AUTHENTIC:
		return KEYS_NOT_AUTHENTIC;
	case KEYS_STATUS_PROVIDER:
	case KEYS_STATUS_LEDGER:
		return KEYS_UNAVAILABLE;
	case KEYS_STATUS_FULL:
		return KEYS_FULL;
	case KEYS_STATUS_FAULT:
	case KEYS_STATUS_COUNT:
		break;
	}
	return -EIO;
}

/*
 * Ask redoubt-keys. A connection that turns out to be closed (the daemon was restarted) is made
 * anew once and the request sent again: each request may be repeated without harm.
 */
static int ask(struct keys *keys, uint16_t type, const struct keys_request *request,
	       struct keys_answer *ret)
{
	auto_buf struct buf payload = buf_make(KEYS_PAYLOAD_MAX);

	keys_request_write(&payload, type, request);
	if (buf_error(&payload))
		return buf_error(&payload);

	struct msg msg = { .type = type,
			   .id = keys->next_id++,
			   .payload = payload.data,
			   .len = payload.len,
			   .fd = -1 };
	bool was_connected = keys->sock >= 0;
	int r = exchange(keys, &msg, ret);
	if (r == MSG_CLOSED && was_connected) {
		close_at(&keys->sock);
		r = exchange(keys, &msg, ret);
	}
	if (r == 0)
		return status_outcome(ret->status);
	/* A late answer must not be taken for the next one's. */
	close_at(&keys->sock);
	log_event(LOG_ERR, EVENT_CONNECTION_LOST, r < 0 ? r : 0, "redoubt-keys did not answer",
		  request->uuid);
	return KEYS_UNAVAILABLE;
}

/* --- in this process -------------------------------------------------------------------------- */

static int keyring_outcome(int r)
{
	switch (r) {
	case KEYRING_ABSENT:
		return KEYS_ABSENT;
	case KEYRING_NOT_AUTHENTIC:
		return KEYS_NOT_AUTHENTIC;
	case KEYRING_UNAVAILABLE:
		return KEYS_UNAVAILABLE;
	case KEYRING_FULL:
		return KEYS_FULL;
	case KEYRING_DAMAGED:
		return -EIO; /* as redoubt-keys' KEYS_STATUS_FAULT */
	default:
		return r;
	}
}

/* Carry a request out on the keyring of this process. */
static int do_here(struct keyring *keyring, uint16_t type, const struct keys_request *request,
		   struct keys_answer *ret)
{
	auto_buf struct buf wrapped = buf_make(KEYS_WRAPPED_MAX);
	int r = -EINVAL;

	*ret = (struct keys_answer) {};
	if (type == KEY_CREATE)
		r = keyring_create(keyring, request->uuid);
	if (type == KEY_ROTATE)
		r = keyring_rotate(keyring, request->uuid);
	if (type == KEY_DESTROY)
		r = keyring_destroy(keyring, request->uuid);
	if (type == KEY_DATA_NEW)
		r = keyring_data_new(keyring, request->uuid, request->purpose, ret->key, &wrapped);
	if (type == KEY_DATA_UNWRAP)
		r = keyring_data_unwrap(keyring, request->uuid, request->purpose, request->wrapped,
					request->wrapped_len, ret->key);
	if (type == KEY_REWRAP)
		r = keyring_rewrap(keyring, request->uuid, request->purpose, request->wrapped,
				   request->wrapped_len, &wrapped);
	if (r)
		return keyring_outcome(r);
	ret->has_key = type == KEY_DATA_NEW || type == KEY_DATA_UNWRAP;
	ret->wrapped_len = wrapped.len;
	if (wrapped.len > 0)
		memcpy(ret->wrapped, wrapped.data, wrapped.len);
	return 0;
}

/* --- what may be asked ------------------------------------------------------------------------ */

/* Check the texts, and carry the request out wherever that is. */
static int call(struct keys *keys, uint16_t type, struct keys_request *request, const char *uuid,
		const char *purpose, struct keys_answer *ret)
{
	if (!keys_is_uuid(uuid) || (purpose && !keys_is_purpose(purpose)))
		return -EINVAL;
	(void)snprintf(request->uuid, sizeof(request->uuid), "%s", uuid);
	(void)snprintf(request->purpose, sizeof(request->purpose), "%s", purpose ? purpose : "");

	(void)pthread_mutex_lock(&keys->mutex);
	int r = keys->keyring ? do_here(keys->keyring, type, request, ret)
			      : ask(keys, type, request, ret);
	(void)pthread_mutex_unlock(&keys->mutex);
	return r;
}

/* Give key and wrapped bytes to the caller, as far as it wants them, and wipe the answer. */
static int give(int r, struct keys_answer *answer, uint8_t *ret_key, struct buf *wrapped)
{
	if (r == 0 && ((ret_key && !answer->has_key) || (wrapped && answer->wrapped_len == 0)))
		r = -EPROTO;
	if (r == 0 && wrapped) {
		buf_add(wrapped, answer->wrapped, answer->wrapped_len);
		r = buf_error(wrapped);
	}
	if (r == 0 && ret_key)
		memcpy(ret_key, answer->key, KEYS_DATA_KEY);
	explicit_bzero(answer, sizeof(*answer));
	return r;
}

/* A request that is about the collection as a whole. */
static int call_plain(struct keys *keys, uint16_t type, const char *uuid)
{
	struct keys_request request = {};
	struct keys_answer answer = {};

	return give(call(keys, type, &request, uuid, nullptr, &answer), &answer, nullptr, nullptr);
}

/* A request with wrapped bytes; more than any of ours has cannot be authentic. */
static int call_wrapped(struct keys *keys, uint16_t type, const char *uuid, const char *purpose,
			struct bytes wrapped, struct keys_answer *ret)
{
	struct keys_request request = { .wrapped_len = wrapped.len };

	if (wrapped.len > sizeof(request.wrapped))
		return KEYS_NOT_AUTHENTIC;
	if (wrapped.len > 0)
		memcpy(request.wrapped, wrapped.data, wrapped.len);
	return call(keys, type, &request, uuid, purpose, ret);
}

int keys_create(struct keys *keys, const char *uuid)
{
	return call_plain(keys, KEY_CREATE, uuid);
}

int keys_rotate(struct keys *keys, const char *uuid)
{
	return call_plain(keys, KEY_ROTATE, uuid);
}

int keys_destroy(struct keys *keys, const char *uuid)
{
	return call_plain(keys, KEY_DESTROY, uuid);
}

int keys_data_new(struct keys *keys, const char *uuid, const char *purpose,
		  uint8_t ret_key[KEYS_DATA_KEY], struct buf *wrapped)
{
	struct keys_request request = {};
	struct keys_answer answer = {};
	int r = call(keys, KEY_DATA_NEW, &request, uuid, purpose, &answer);

	return give(r, &answer, ret_key, wrapped);
}

int keys_data_unwrap(struct keys *keys, const char *uuid, const char *purpose,
		     const uint8_t *wrapped, size_t len, uint8_t ret_key[KEYS_DATA_KEY])
{
	struct keys_answer answer = {};
	int r = call_wrapped(keys, KEY_DATA_UNWRAP, uuid, purpose, (struct bytes) { wrapped, len },
			     &answer);

	return give(r, &answer, ret_key, nullptr);
}

int keys_rewrap(struct keys *keys, const char *uuid, const char *purpose, const uint8_t *wrapped,
		size_t len, struct buf *ret)
{
	struct keys_answer answer = {};
	int r = call_wrapped(keys, KEY_REWRAP, uuid, purpose, (struct bytes) { wrapped, len },
			     &answer);

	return give(r, &answer, nullptr, ret);
}
