/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "common/base.h"
#include "common/loop.h"
#include "tui/model/decode.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"

constexpr size_t PENDING_MAX = 32; /* a view asks for at most a handful at once */
constexpr uint64_t S_US = 1000000;

struct pending {
	struct client *client;
	sd_bus_slot *slot; /* nullptr while free or while failed */
	uint64_t id;
	enum method_id method;
	bool used;
	struct loop_source *later; /* tells of a question that could not even be sent */
	struct reply failed;
};

struct client {
	struct loop *loop; /* borrowed */
	sd_bus *bus;
	struct pending pending[PENDING_MAX];
	client_reply_fn *on_reply;
	client_changed_fn *on_changed;
	void *userdata;
};

/* What an error on the bus means. The first that fits; the last fits all. */
static const struct {
	const char *name; /* nullptr: any */
	enum result result;
	bool ours; /* its text is a sentence for people */
	const char *text;
} ERRORS[] = {
	/* clang-format off */
	{ "org.redoubt.Error.Denied",           RESULT_DENIED,            true,  "This is not allowed." },
	{ "org.redoubt.Error.NotFound",         RESULT_NOT_FOUND,         true,  "There is no such thing." },
	{ "org.redoubt.Error.Exists",           RESULT_EXISTS,            true,  "It exists already." },
	{ "org.redoubt.Error.Invalid",          RESULT_INVALID,           true,  "That cannot be right." },
	{ "org.redoubt.Error.Locked",           RESULT_LOCKED,            true,  "The data volume is locked." },
	{ "org.redoubt.Error.AuditUnavailable", RESULT_AUDIT_UNAVAILABLE, true,  "The audit ledger takes no entries, so nothing was done." },
	{ "org.redoubt.Error.Failed",           RESULT_FAILED,            true,  "It did not work." },
	{ "org.freedesktop.DBus.Error.AccessDenied",   RESULT_DENIED,     false, "does not take this question from you." },
	{ "org.freedesktop.DBus.Error.InvalidArgs",    RESULT_INVALID,    false, "did not understand the question." },
	{ "org.freedesktop.DBus.Error.UnknownMethod",  RESULT_FAILED,     false, "cannot do this in this release." },
	{ "org.freedesktop.DBus.Error.ServiceUnknown", RESULT_UNREACHABLE, false, "is not running." },
	{ "org.freedesktop.DBus.Error.NameHasNoOwner", RESULT_UNREACHABLE, false, "is not running." },
	{ "org.freedesktop.DBus.Error.NoReply",        RESULT_UNREACHABLE, false, "did not answer." },
	{ "org.freedesktop.DBus.Error.Timeout",        RESULT_UNREACHABLE, false, "did not answer in time." },
	{ "org.freedesktop.DBus.Error.Disconnected",   RESULT_UNREACHABLE, false, "cannot be reached: the message bus is gone." },
	{ nullptr,                                     RESULT_FAILED,      false, "answered with an error." },
	/* clang-format on */
};

static void set_reply(struct reply *reply, enum result result, const char *subject,
		      const char *text)
{
	reply->result = result;
	(void)snprintf(reply->message, sizeof(reply->message), "%s%s%s", subject,
		       *subject ? " " : "", text);
	if (*subject && reply->message[0] >= 'a' && reply->message[0] <= 'z')
		reply->message[0] = (char)(reply->message[0] - 'a' + 'A');
}

static void reply_from_error(struct reply *reply, enum method_id method, const sd_bus_error *error)
{
	const char *title = SERVICES[METHODS[method].service].title;
	size_t i = 0;

	while (ERRORS[i].name && (!error->name || strcmp(ERRORS[i].name, error->name) != 0))
		i++;
	if (!ERRORS[i].ours)
		set_reply(reply, ERRORS[i].result, title, ERRORS[i].text);
	else if (error->message && *error->message)
		set_reply(reply, ERRORS[i].result, "", error->message);
	else
		set_reply(reply, ERRORS[i].result, "", ERRORS[i].text);
}

static void reply_from_message(struct reply *reply, enum method_id method, sd_bus_message *message)
{
	const struct method *about = &METHODS[method];

	(void)sd_bus_message_sensitive(message); /* keys come this way */
	if (sd_bus_message_is_method_error(message, nullptr)) {
		reply_from_error(reply, method, sd_bus_message_get_error(message));
		return;
	}

	int r = decode_reply(message, about->out, &reply->rows);
	if (r < 0)
		set_reply(reply, RESULT_FAILED, "", "There is not enough memory for the answer.");
	else if (r > 0)
		set_reply(reply, RESULT_FAILED, SERVICES[about->service].title,
			  "gave an answer that makes no sense.");
}

int client_new(struct loop *loop, struct client **ret)
{
	struct client *client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;

	client->loop = loop;
	*ret = client;
	return 0;
}

static void forget(struct pending *pending)
{
	pending->slot = sd_bus_slot_unref(pending->slot);
	pending->later = loop_source_free(pending->later);
	pending->used = false;
}

struct client *client_free(struct client *client)
{
	if (!client)
		return nullptr;
	for (size_t i = 0; i < PENDING_MAX; i++)
		forget(&client->pending[i]);
	client->bus = sd_bus_flush_close_unref(client->bus);
	free(client);
	return nullptr;
}

void client_listen(struct client *client, client_reply_fn *on_reply, client_changed_fn *on_changed,
		   void *userdata)
{
	client->on_reply = on_reply;
	client->on_changed = on_changed;
	client->userdata = userdata;
}

static int changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	const char *path = sd_bus_message_get_path(message);

	(void)error;
	for (size_t i = 0; path && client->on_changed && i < SERVICE_COUNT; i++)
		if (strcmp(path, SERVICES[i].path) == 0)
			client->on_changed(client->userdata, (enum service)i);
	return 0;
}

/* Ask the bus for the signals, and the event loop for its time. Only a console needs either. */
static int attach(struct client *client, sd_bus *bus)
{
	int r = sd_bus_attach_event(bus, loop_event(client->loop), 0);

	for (size_t i = 0; r >= 0 && i < SERVICE_COUNT; i++)
		r = sd_bus_match_signal_async(bus, nullptr, SERVICES[i].bus, SERVICES[i].path,
					      SERVICES[i].bus, "Changed", changed, nullptr, client);
	return r;
}

/* Be connected, or at least connecting. Returns 0 or -errno. */
static int connect_bus(struct client *client)
{
	if (client->bus && sd_bus_is_open(client->bus) > 0)
		return 0;
	client->bus = sd_bus_close_unref(client->bus);

	sd_bus *bus = nullptr;
	int r = sd_bus_open_system(&bus);
	if (r >= 0 && client->loop)
		r = attach(client, bus);
	if (r < 0) {
		(void)sd_bus_close_unref(bus);
		return r;
	}
	client->bus = bus;
	return 0;
}

static int append_list(sd_bus_message *message, const struct call *call)
{
	int r = sd_bus_message_open_container(message, 'a', "s");

	for (size_t i = 0; r >= 0 && i < call->n_list; i++)
		r = sd_bus_message_append_basic(message, 's', call->list[i]);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_arguments(sd_bus_message *message, const struct call *call)
{
	size_t texts = 0;
	size_t numbers = 0;
	int r = 0;

	for (const char *type = METHODS[call->method].in; *type && r >= 0; type++) {
		if (*type == 'A') {
			r = append_list(message, call);
		} else if (*type == 's') {
			const char *text = call->text[texts++];

			r = sd_bus_message_append_basic(message, 's', text ? text : "");
		} else if (*type == 't') {
			r = sd_bus_message_append_basic(message, 't', &call->number[numbers++]);
		} else {
			auto number = (uint32_t)call->number[numbers++];

			r = sd_bus_message_append_basic(message, 'u', &number);
		}
	}
	return r;
}

/* Build the message for a question. Returns 0 or -errno. */
static int make_message(struct client *client, const struct call *call, sd_bus_message **ret)
{
	const struct method *method = &METHODS[call->method];
	const struct service_name *service = &SERVICES[method->service];
	sd_bus_message *message = nullptr;

	int r = connect_bus(client);
	if (r == 0)
		r = sd_bus_message_new_method_call(client->bus, &message, service->bus,
						   service->path, service->bus, method->name);
	if (r >= 0)
		r = sd_bus_message_sensitive(message);
	if (r >= 0)
		r = append_arguments(message, call);
	if (r < 0) {
		sd_bus_message_unref(message);
		return r;
	}
	*ret = message;
	return 0;
}

/* What to say when not even the question could be put. */
static void reply_from_errno(struct reply *reply, enum method_id method, int r)
{
	if (r == -ENOMEM)
		set_reply(reply, RESULT_FAILED, "", "There is not enough memory for the question.");
	else if (r == -EINVAL) /* sd-bus refuses what is not UTF-8 */
		set_reply(reply, RESULT_INVALID, "", "Only valid UTF-8 text can be sent.");
	else
		set_reply(reply, RESULT_UNREACHABLE, SERVICES[METHODS[method].service].title,
			  "cannot be reached: the message bus is gone.");
}

static void deliver(struct pending *pending, struct reply *reply)
{
	struct client *client = pending->client;
	uint64_t id = pending->id;

	forget(pending); /* first: the callee may send the next question */
	client->on_reply(client->userdata, id, reply);
}

static int replied(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct pending *pending = userdata;
	struct reply reply = {};

	(void)error;
	reply_from_message(&reply, pending->method, message);
	deliver(pending, &reply);
	return 0;
}

static int failed_to_send(void *userdata)
{
	struct pending *pending = userdata;
	struct reply reply = pending->failed;

	deliver(pending, &reply);
	return 0;
}

static struct pending *find_pending(struct client *client, bool used, uint64_t id)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (client->pending[i].used == used && (!used || client->pending[i].id == id))
			return &client->pending[i];
	return nullptr;
}

int client_send(struct client *client, const struct call *call, uint64_t id)
{
	struct pending *pending = find_pending(client, false, 0);
	sd_bus_message *message = nullptr;

	if (!pending)
		return -EAGAIN;
	*pending = (struct pending) { .client = client, .id = id, .method = call->method };

	int r = make_message(client, call, &message);
	if (r == 0)
		r = sd_bus_call_async(client->bus, &pending->slot, message, replied, pending,
				      METHODS[call->method].timeout_s * S_US);
	sd_bus_message_unref(message);
	if (r < 0) {
		reply_from_errno(&pending->failed, call->method, r);
		r = loop_timer(client->loop, 0, failed_to_send, pending, &pending->later);
	}
	if (r < 0)
		return -ENOMEM;
	pending->used = true;
	return 0;
}

void client_cancel(struct client *client, uint64_t id)
{
	struct pending *pending = find_pending(client, true, id);

	if (pending)
		forget(pending);
}

/* Take the descriptor that stands first in an answer. Returns it, or -1. */
static int take_fd(sd_bus_message *message)
{
	int fd = -1;

	if (sd_bus_message_is_method_error(message, nullptr) ||
	    sd_bus_message_read_basic(message, 'h', &fd) <= 0)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, 0); /* the message closes its own */
}

void client_ask_fd(struct client *client, const struct call *call, struct reply *ret, int *ret_fd)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *question = nullptr;
	sd_bus_message *answer = nullptr;

	*ret = (struct reply) {};
	int r = make_message(client, call, &question);
	if (r == 0)
		r = sd_bus_call(client->bus, question, METHODS[call->method].timeout_s * S_US,
				&error, &answer);
	auto_close int fd = r >= 0 && ret_fd ? take_fd(answer) : -1;
	if (r >= 0)
		reply_from_message(ret, call->method, answer);
	else if (error.name)
		reply_from_error(ret, call->method, &error);
	else
		reply_from_errno(ret, call->method, r);
	if (ret_fd && ret->result == RESULT_OK && fd >= 0) {
		*ret_fd = fd;
		fd = -1;
	} else if (ret_fd && ret->result == RESULT_OK) {
		set_reply(ret, RESULT_FAILED, SERVICES[METHODS[call->method].service].title,
			  "gave an answer that makes no sense.");
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(question);
	sd_bus_message_unref(answer);
}

void client_ask(struct client *client, const struct call *call, struct reply *ret)
{
	client_ask_fd(client, call, ret, nullptr);
}

void reply_done(struct reply *reply)
{
	reply->rows = rows_free(reply->rows);
}
