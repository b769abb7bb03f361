/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-audit: writes the ledger and nothing else. Producers append over their sockets; people with AUDIT_READ
 * review it over D-Bus.
 *
 * Frames of one turn of the loop become one batch: one write, one fdatasync, then the acknowledgements.
 */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/audit/ledger.h"
#include "appliance/audit/review.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/proto/audit.h"
#include "common/sandbox.h"

constexpr uint64_t SECOND_US = 1'000'000;
constexpr uint64_t BATCH_WAIT_US = 2'000; /* a busy loop commits after this all the same */
constexpr uint64_t LATER_US =
	20'000; /* an intent whose outcome does not come is made durable after this */
constexpr uint64_t IDLE_SIGN_US =
	60 * SECOND_US; /* nothing new: still sign, to show that it is alive */
constexpr uint64_t EPOCH_US = 3600 * SECOND_US;
constexpr size_t TEXT_MAX = 512;

/* The sockets, and so the producers: a peer's number is its place here. */
static const char *const PRODUCERS[] = { "accounts", "engine", "appliance", "keys" };
constexpr uint32_t ALL_PEERS = 0b1111;
static_assert(ALL_PEERS == (1u << countof(PRODUCERS)) - 1);

/* A frame in the batch; channel is nullptr once its connection has gone. */
struct waiter {
	struct channel *channel;
	uint64_t id, index;
	bool quiet; /* an intent that is not answered: its outcome is */
};

/* What a connection has announced last and not told the outcome of. */
struct announced {
	uint64_t index; /* AUDIT_NO_INTENT: nothing */
	int refused;	/* LEDGER_REFUSED or LEDGER_LIMITED: it was not recorded */
};

struct server {
	struct loop *loop;
	struct ledger *ledger;
	struct review *review;
	struct listener *listener[countof(PRODUCERS)];
	struct loop_source *commit, *later, *second;
	bool later_armed;
	struct waiter waiter[LEDGER_BATCH];
	size_t n_waiters;
	uint64_t batch_since_us, signed_us, epoch_us;
	enum ledger_state last_state;
	struct audit_event event; /* scratch: too large for the stack */
};

/* Say why a frame was not recorded. */
static int refuse(struct channel *channel, uint64_t id, uint16_t type, const char *text)
{
	auto_buf struct buf out = buf_make(TEXT_MAX);

	buf_add_str(&out, text);
	return channel_send(channel, type, id, &out, -1);
}

/* Show and log a change of state, once. */
static void show_state(struct server *server)
{
	static const struct {
		int priority;
		const char *text;
	} STATES[] = {
		[LEDGER_OK] = { LOG_NOTICE, "recording" },
		[LEDGER_LOW] = { LOG_ERR,
				 "space is short: only what frees it or lets an admin in is recorded" },
		[LEDGER_REFUSING] = { LOG_ERR, "nothing is recorded, every action is refused" },
		[LEDGER_TAMPERED] = { LOG_CRIT,
				      "the ledger has been changed, every action is refused" },
	};
	enum ledger_state state = ledger_state(server->ledger);

	if (state == server->last_state)
		return;
	server->last_state = state;
	log_event(STATES[state].priority, EVENT_LEDGER, 0, STATES[state].text,
		  ledger_why(server->ledger));
	loop_status(STATES[state].text);
	review_changed(server->review);
}

/* Note that what a connection has announced is not recorded, so that its outcome is refused, too. 0: it is. */
static void note_refused(struct channel *channel, int refused)
{
	struct announced *announced = channel_data(channel);

	if (announced && refused)
		*announced = (struct announced) { AUDIT_NO_INTENT, refused };
}

/* Answer everybody in the batch: with their indices, or that nothing was recorded. */
static int answer_all(struct server *server, int outcome)
{
	auto_buf struct buf out = buf_make(sizeof(uint64_t));
	size_t n = server->n_waiters;

	server->n_waiters = 0;
	for (size_t i = 0; i < n; i++) {
		const struct waiter *waiter = &server->waiter[i];
		int r = 0;

		if (!waiter->channel)
			continue;
		if (waiter->quiet) {
			note_refused(waiter->channel, outcome ? LEDGER_REFUSED : 0);
			continue;
		}
		buf_clear(&out);
		write_u64(&out, waiter->index);
		if (outcome == 0)
			r = channel_send(waiter->channel, AUDIT_APPENDED, waiter->id, &out, -1);
		else
			r = refuse(waiter->channel, waiter->id, AUDIT_REFUSED,
				   "the ledger could not record it");
		/* The peer does not read, or there is no memory: it must not wait for ever. */
		if (r < 0)
			channel_close(waiter->channel);
	}
	return 0;
}

/* Make the batch durable and answer. A disk that fails ends the process: a new one looks at the disk anew. */
static int commit(struct server *server)
{
	if (server->n_waiters == 0)
		return 0;

	int r = ledger_commit(server->ledger);
	(void)answer_all(server, r);
	show_state(server);
	if (r < 0) {
		log_event(LOG_CRIT, EVENT_LEDGER, r, "batch not recorded, starting anew", nullptr);
		loop_end(server->loop, r);
		return r;
	}
	if (r > 0)
		return 0; /* no space, or refused: it has been said */

	struct ledger_status status;
	review_changed(server->review);
	ledger_status(server->ledger, &status);
	if (status.size - status.signed_size < LEDGER_UNSIGNED)
		return 0;
	r = ledger_publish(server->ledger);
	server->signed_us = clock_mono_us();
	if (r < 0)
		loop_end(server->loop, r);
	return r < 0 ? r : 0;
}

static int on_commit(void *userdata)
{
	return commit(userdata);
}

/* Add one event to the batch, committing what is there first if it is full. */
static int add(struct server *server, const char *producer, uint64_t *ret_index)
{
	int r = ledger_add(server->ledger, producer, &server->event, ret_index);

	if (r == LEDGER_BATCH_FULL || (r == 0 && server->n_waiters == countof(server->waiter))) {
		int committed = commit(server);

		if (committed < 0)
			return committed;
		if (r == LEDGER_BATCH_FULL)
			r = ledger_add(server->ledger, producer, &server->event, ret_index);
	}
	return r;
}

/* Record an event of our own, with what is in the batch; see exports.h. */
static int record_own(void *userdata, const struct audit_event *event, uint64_t *ret_index)
{
	struct server *server = userdata;
	struct ledger_status status;
	uint64_t index = 0;

	server->event = *event;
	int r = add(server, "audit", &index);
	if (r)
		return r;
	server->waiter[server->n_waiters++] =
		(struct waiter) { .index = index }; /* nobody to answer */
	r = commit(server);
	if (r)
		return r;
	ledger_status(server->ledger, &status);
	if (status.size <= index)
		return LEDGER_REFUSED;
	if (ret_index)
		*ret_index = index;
	return 0;
}

/* What is said to who asks when an event was not added. Returns what a handler does. */
static int refuse_for(struct server *server, struct channel *channel, uint64_t id, int why)
{
	if (why == LEDGER_REFUSED)
		return refuse(channel, id, AUDIT_REFUSED, ledger_why(server->ledger));
	if (why == LEDGER_LIMITED)
		return refuse(channel, id, AUDIT_LIMITED,
			      "its actor has used up a share of the room that the ledger has");
	if (why == LEDGER_BAD_EVENT)
		return refuse(channel, id, AUDIT_REFUSED,
			      "detail is not a JSON object, or the code or intent is not yours");
	loop_end(server->loop, why);
	return why;
}

/* An outcome of what the connection announced last: name it. Returns 0 or why that is not recorded. */
static int find_announced(struct server *server, struct channel *channel)
{
	struct announced *announced = channel_data(channel);

	if (server->event.intent != AUDIT_LAST_INTENT)
		return 0;
	if (!announced || announced->index == AUDIT_NO_INTENT)
		return announced && announced->refused ? announced->refused : LEDGER_BAD_EVENT;
	server->event.intent = announced->index;
	announced->index = AUDIT_NO_INTENT;
	return 0;
}

/* Put a frame that is in the batch into the list of those who wait for it, and see that it is committed. */
static int wait_for_commit(struct server *server, const struct waiter *waiter)
{
	uint64_t now_us = clock_mono_us();
	int r = 0;

	if (server->n_waiters == 0)
		server->batch_since_us = now_us;
	server->waiter[server->n_waiters++] = *waiter;
	if (server->n_waiters == countof(server->waiter) ||
	    (!waiter->quiet && now_us - server->batch_since_us >= BATCH_WAIT_US)) {
		r = commit(server);
	} else if (!waiter->quiet) {
		r = loop_defer_again(server->commit);
	} else if (!server->later_armed) {
		server->later_armed = true;
		r = loop_timer_again(server->later, LATER_US);
	}
	if (r < 0)
		loop_end(server->loop, r);
	return r < 0 ? r : 0;
}

static int on_later(void *userdata)
{
	struct server *server = userdata;

	server->later_armed = false;
	return commit(server);
}

static int on_append(struct channel *channel, void *userdata, struct msg *in)
{
	struct server *server = userdata;
	uint64_t index = 0;

	if (!audit_event_read(in->payload, in->len, &server->event))
		return MSG_MALFORMED;

	int r = find_announced(server, channel);
	if (r == 0)
		r = add(server, PRODUCERS[channel_peer(channel)], &index);
	if (r)
		return refuse_for(server, channel, in->id, r);
	return wait_for_commit(
		server, &(struct waiter) { .channel = channel, .id = in->id, .index = index });
}

/* An intent that is not answered: it waits for its outcome, or a little, to be made durable with it. */
static int on_announce(struct channel *channel, void *userdata, struct msg *in)
{
	struct server *server = userdata;
	struct announced *announced = channel_data(channel);
	uint64_t index = 0;

	if (!announced || !audit_event_read(in->payload, in->len, &server->event) ||
	    server->event.outcome != AUDIT_INTENT || server->event.intent != AUDIT_NO_INTENT)
		return MSG_MALFORMED;

	int r = add(server, PRODUCERS[channel_peer(channel)], &index);
	*announced = (struct announced) { r ? AUDIT_NO_INTENT : index, r > 0 ? r : 0 };
	if (r > 0)
		return 0; /* its outcome is told */
	if (r < 0) {
		loop_end(server->loop, r);
		return r;
	}
	return wait_for_commit(
		server, &(struct waiter) {
				.channel = channel, .id = in->id, .index = index, .quiet = true });
}

static void on_opened(struct channel *channel, void *userdata)
{
	struct announced *announced = calloc(1, sizeof(*announced));

	(void)userdata;
	if (announced)
		announced->index = AUDIT_NO_INTENT;
	channel_set_data(channel, announced); /* without memory it can announce nothing */
}

static void on_closed(struct channel *channel, void *userdata)
{
	struct server *server = userdata;
	struct announced *announced = channel_data(channel);

	for (size_t i = 0; i < server->n_waiters; i++)
		if (server->waiter[i].channel == channel)
			server->waiter[i].channel = nullptr;
	/* Who announced it has died: nobody will tell how it ended. The second's turn makes that durable. */
	if (announced && announced->index != AUDIT_NO_INTENT) {
		int r = commit(server); /* the ledger must not do it behind those who wait */

		if (r == 0)
			r = ledger_give_up(server->ledger, announced->index);
		if (r < 0)
			loop_end(server->loop, r);
	}
	channel_set_data(channel, nullptr);
	free(announced);
}

static const struct channel_request REQUESTS[] = {
	{ AUDIT_APPEND, ALL_PEERS, 16, MSG_PAYLOAD_MAX, on_append },
	{ AUDIT_ANNOUNCE, ALL_PEERS, 16, MSG_PAYLOAD_MAX, on_announce },
};
static const struct channel_table TABLE = {
	.name = "redoubt-audit",
	.request = REQUESTS,
	.n = countof(REQUESTS),
	.opened = on_opened,
	.closed = on_closed,
};

/* Sign what is new, at least once a minute; begin a new epoch when it is time. */
static int keep_signed(struct server *server, uint64_t now_us)
{
	struct ledger_status status;
	int r = 0;

	ledger_status(server->ledger, &status);
	if (status.size == status.signed_size && now_us - server->signed_us < IDLE_SIGN_US)
		return 0;
	if (now_us - server->epoch_us >= EPOCH_US || status.epoch_size >= LEDGER_EPOCH) {
		r = commit(server);
		if (r == 0)
			r = ledger_rotate(server->ledger);
		server->epoch_us = now_us;
	} else {
		r = ledger_publish(server->ledger);
	}
	if (r == 0)
		server->signed_us = now_us;
	return r;
}

/* See to the room, and add what is to be told of it, with nobody's event in the batch. Returns 0 or -errno. */
static int see_to_room(struct server *server, bool all)
{
	int r = commit(server);

	if (r < 0)
		return r;
	if (ledger_look_for_space(server->ledger, all) && ledger_state(server->ledger) == LEDGER_OK)
		log_event(LOG_NOTICE, EVENT_LEDGER, 0, "there is space again", nullptr);
	r = ledger_commit(server->ledger);
	return r < 0 ? r : 0;
}

static int on_second(void *userdata)
{
	struct server *server = userdata;
	int r = see_to_room(server, false);

	review_tick(server->review, clock_mono_us());
	if (r >= 0)
		r = keep_signed(server, clock_mono_us());
	show_state(server);
	if (r < 0) {
		log_event(LOG_CRIT, EVENT_LEDGER, r, "ledger not signed, starting anew", nullptr);
		loop_end(server->loop, r);
		return r;
	}
	return loop_timer_again(server->second, SECOND_US);
}

static bool read_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/engine") ||
	       sandbox_try_read("/var/lib/redoubt/accounts") || sandbox_try_read("/run/userdb") ||
	       sandbox_try_read("/proc/1/environ");
}

static const struct sandbox_trial TRIALS[] = {
	{ "make an internet socket", sandbox_try_inet_socket },
	{ "run a program", sandbox_try_exec },
	{ "read other services' data", read_data },
};

/* Where the ledger is: $REDOUBT_STATE/audit. Written to ret[room]. */
static void state_path(char *ret, size_t room)
{
	const char *state = getenv("REDOUBT_STATE");

	(void)snprintf(ret, room, "%s/audit", state ? state : "/var/lib/redoubt");
}

static int enter_sandbox(const char *path)
{
	const struct sandbox_path paths[] = { { path, SANDBOX_READ_WRITE } };
	const struct sandbox table = { .path = paths,
				       .n_paths = countof(paths),
				       .calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS };

	return sandbox_enter(&table);
}

/* Serve the sockets that were passed in. Returns 0, -ENOENT if there is none, or -errno. */
static int listen_all(struct server *server)
{
	size_t n = 0;

	for (size_t i = 0; i < countof(PRODUCERS); i++) {
		int fd = loop_listen_fd(PRODUCERS[i], 0);

		if (fd < 0)
			continue;
		int r = listener_new(server->loop, fd, (unsigned int)i, &TABLE, server,
				     &server->listener[i]);
		if (r < 0)
			return r;
		n++;
	}
	return n > 0 ? 0 : -ENOENT;
}

static int start(struct server *server, const char *path)
{
	int r = ledger_open(path, &server->ledger);

	if (r)
		return r > 0 ? -EBUSY : r;
	r = loop_new(&server->loop);
	if (r == 0)
		r = listen_all(server);
	if (r == 0)
		r = loop_defer(server->loop, on_commit, server, &server->commit);
	if (r == 0)
		r = loop_timer(server->loop, LATER_US, on_later, server, &server->later);
	if (r == 0)
		r = loop_timer(server->loop, SECOND_US, on_second, server, &server->second);
	if (r == 0)
		r = enter_sandbox(path);
	if (r == 0)
		r = review_new(server->loop, server->ledger, record_own, server, &server->review);
	if (r < 0)
		return r;

	server->signed_us = server->epoch_us = clock_mono_us();
	r = ledger_begin(server->ledger);
	show_state(server);
	return r < 0 ? r : 0;
}

static void stop(struct server *server)
{
	server->review = review_free(server->review);
	for (size_t i = 0; i < countof(server->listener); i++)
		server->listener[i] = listener_free(server->listener[i]);
	server->commit = loop_source_free(server->commit);
	server->later = loop_source_free(server->later);
	server->second = loop_source_free(server->second);
	server->ledger = ledger_close(server->ledger);
}

static int run(void)
{
	auto_free struct server *server = calloc(1, sizeof(*server));
	char path[512];

	if (!server)
		return 1;
	state_path(path, sizeof(path));
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN); /* NOLINT: whoever reads an export may go at any time */
	int r = start(server, path);
	if (r < 0) {
		log_event(LOG_ERR, EVENT_START_FAILED, r, "ledger not opened", path);
		stop(server);
		return 1;
	}
	log_event(LOG_INFO, EVENT_STARTED, 0, "ledger opened", path);
	r = loop_run(server->loop,
		     server->last_state == LEDGER_OK ? "recording" : ledger_why(server->ledger));
	if (r >= 0)
		review_tick(server->review, UINT64_MAX);
	if (r >= 0)
		r = see_to_room(server, true);
	if (r >= 0 && ledger_publish(server->ledger) < 0)
		r = -EIO;
	log_event(LOG_INFO, EVENT_STOPPED, r < 0 ? r : 0, "ledger closed", path);
	stop(server);
	return r < 0;
}

static int self_test(void)
{
	char path[512];

	state_path(path, sizeof(path));
	int r = enter_sandbox(path);
	if (r < 0) {
		(void)printf("Bail out! sandbox not entered: %s\n", strerrordesc_np(-r));
		return 1;
	}
	return sandbox_self_test(TRIALS, countof(TRIALS));
}

static int help(void)
{
	(void)printf("redoubt-audit: writes the ledger of what happened on this appliance\n\n"
		     "  redoubt-audit              serve the sockets passed in by systemd\n"
		     "  redoubt-audit --self-test  try what it must not be able to do; prints TAP\n"
		     "  redoubt-audit --help       this text\n\n"
		     "The ledger is in $REDOUBT_STATE/audit, by default /var/lib/redoubt/audit.\n"
		     "To check it: redoubt audit verify FOLDER --vkey KEY\n");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} OPTIONS[] = { { "--self-test", self_test }, { "--help", help } };

	if (argc == 1)
		return run();
	for (size_t i = 0; argc == 2 && i < countof(OPTIONS); i++)
		if (strcmp(argv[1], OPTIONS[i].name) == 0)
			return OPTIONS[i].run();
	(void)fprintf(stderr, "redoubt-audit: unknown argument; try --help\n");
	return 2;
}
