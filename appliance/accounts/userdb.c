/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/userdb.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/people.h"

constexpr time_t ANSWER_TIMEOUT_S = 5;
constexpr size_t SOCKET_NAME_MAX = 64;

struct userdb {
	char name[SOCKET_NAME_MAX];
	uint64_t next_id;
	uint8_t room[MSG_MAX];
};

int userdb_new(const char *name, struct userdb **ret)
{
	struct userdb *userdb = calloc(1, sizeof(*userdb));

	if (!userdb)
		return -ENOMEM;
	(void)snprintf(userdb->name, sizeof(userdb->name), "%s", name);
	*ret = userdb;
	return 0;
}

struct userdb *userdb_free(struct userdb *userdb)
{
	free(userdb);
	return nullptr;
}

static void write_one(void *userdata, const struct person *person)
{
	struct people_one one = { .uid = person->uid, .locked = person->state != PERSON_ACTIVE };

	(void)snprintf(one.name, sizeof(one.name), "%s", person->name);
	people_one_write(userdata, &one);
}

/* Connect, with a limit on how long sending and receiving may take. */
static int connect_gate(const struct userdb *userdb, int *ret)
{
	struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };
	auto_close int fd = -1;

	int r = msg_connect(userdb->name, &fd);
	if (r)
		return r;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return neg_errno();
	*ret = fd;
	fd = -1;
	return 0;
}

/* Send the wish and wait for its answer. */
static int ask(struct userdb *userdb, const struct buf *wish, struct msg *ret)
{
	struct msg question = { .type = PEOPLE_WISH,
				.id = userdb->next_id++,
				.payload = wish->data,
				.len = wish->len,
				.fd = -1 };
	auto_close int fd = -1;

	int r = connect_gate(userdb, &fd);
	if (r == 0)
		r = msg_send(fd, &question);
	if (r == 0)
		r = msg_recv(fd, userdb->room, ret);
	if (r)
		return r == MSG_AGAIN ? -ETIMEDOUT : r > 0 ? -ECONNRESET : r;
	close_at(&ret->fd);
	return ret->id == question.id ? 0 : -EBADMSG;
}

int userdb_sync(struct userdb *userdb, struct store *store, uint32_t *ret_refused)
{
	auto_buf struct buf wish = buf_make(MSG_PAYLOAD_MAX);
	struct msg answer = { .fd = -1 };

	int r = store_people_each(store, write_one, &wish);
	if (r == 0)
		r = buf_error(&wish);
	if (r == 0)
		r = ask(userdb, &wish, &answer);
	if (r)
		return r;
	if (answer.type != PEOPLE_TAKEN)
		return answer.type == PEOPLE_FAILED ? -EIO : -EBADMSG;

	struct reader in = reader_make(answer.payload, answer.len);
	uint32_t refused = read_u32(&in);
	if (!reader_end(&in))
		return -EBADMSG;
	*ret_refused = refused;
	return 0;
}
