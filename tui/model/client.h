/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * client: put questions to the services over the system bus, as the person who runs the program.
 *
 * Layer 2 (tui/model); with decode the only file that includes <systemd/sd-bus.h>. Connects when first
 * needed and again after the bus was gone. Trust: replies are untrusted, decode.h checks them.
 */

#include <stdint.h>

#include "common/base.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"

struct client;
struct loop;

enum result {
	RESULT_OK,
	RESULT_DENIED,
	RESULT_NOT_FOUND,
	RESULT_EXISTS,
	RESULT_INVALID,
	RESULT_LOCKED,
	RESULT_AUDIT_UNAVAILABLE,
	RESULT_FAILED,
	RESULT_UNREACHABLE, /* nobody answered: not running, or too slow */
};

constexpr size_t REPLY_MESSAGE = 512;

struct reply {
	enum result result;
	char message[REPLY_MESSAGE]; /* a sentence for people, as it came, unless RESULT_OK */
	struct rows *rows;	     /* only with RESULT_OK; borrowed or owned as the call says */
};

/* Called once for each question sent. The rows belong to the callee, which takes or frees them. */
typedef void client_reply_fn(void *userdata, uint64_t id, struct reply *reply);

/* Called when a service says that something it holds has changed. */
typedef void client_changed_fn(void *userdata, enum service service);

/*
 * Make a client; does not connect yet.
 *
 * loop  the event loop that client_send() needs, borrowed; nullptr for a program that only uses
 *       client_ask()
 *
 * Returns 0 or -ENOMEM. *ret is set only on success.
 */
[[nodiscard]] int client_new(struct loop *loop, struct client **ret);

/* Disconnect and free; questions under way are dropped unanswered. Always returns nullptr. */
struct client *client_free(struct client *client);
CLEANUP_FN(struct client, client_free)

/* Say who is told of changes and answers. */
void client_listen(struct client *client, client_reply_fn *on_reply, client_changed_fn *on_changed,
		   void *userdata);

/*
 * Send a question without waiting. The answer comes by the reply call-back, with this id, never
 * before this call returns; what stood in the way comes by it, too.
 *
 * Returns 0, or -ENOMEM or -EAGAIN (too many under way) if nothing was sent and nothing will come.
 */
[[nodiscard]] int client_send(struct client *client, const struct call *call, uint64_t id);

/* Forget a question under way; its answer will not come. */
void client_cancel(struct client *client, uint64_t id);

/* Put a question and wait for the answer, which the caller clears with reply_done(). */
void client_ask(struct client *client, const struct call *call, struct reply *ret);

/* As client_ask(), for an answer that begins with a descriptor: the caller closes *ret_fd, which is set only with RESULT_OK. */
void client_ask_fd(struct client *client, const struct call *call, struct reply *ret, int *ret_fd);

/* Free the rows of a reply. */
void reply_done(struct reply *reply);

#define auto_reply cleanup(reply_done)
