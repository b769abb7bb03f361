/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/bus/bus.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <systemd/sd-bus-vtable.h>
#include <systemd/sd-bus.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/utf8.h"

constexpr uint64_t RETRY_US = 1'000'000;
constexpr uint64_t NEVER_US = UINT64_MAX / 4; /* a timer that waits to be armed */
constexpr uint64_t CHANGED_EVERY_US = 100'000;
constexpr uint64_t ANSWER_TIMEOUT_US = 5'000'000;
constexpr size_t SENTENCE_MAX = 1024;
constexpr size_t CALLS_MAX = 256; /* unanswered at once; more means a handler forgets them */

struct question;

struct bus {
	struct loop *loop;
	sd_bus *handle;
	struct loop_source *retry;
	struct loop_source *changed;
	const char *name, *path;
	const struct bus_method *method;
	size_t n;
	void *service;
	size_t calls;		    /* not answered yet */
	bool is_changed;	    /* Changed is due */
	struct question *questions; /* on their way */
	sd_bus_vtable vtable[];
};

struct bus_call {
	struct bus *bus;
	sd_bus_message *request, *reply;
	int error; /* the first failure while building the reply */
};

static const char *const ERROR_NAMES[BUS_ERROR_COUNT] = {
	[BUS_DENIED] = "org.redoubt.Error.Denied",
	[BUS_NOT_FOUND] = "org.redoubt.Error.NotFound",
	[BUS_EXISTS] = "org.redoubt.Error.Exists",
	[BUS_INVALID] = "org.redoubt.Error.Invalid",
	[BUS_LOCKED] = "org.redoubt.Error.Locked",
	[BUS_AUDIT_UNAVAILABLE] = "org.redoubt.Error.AuditUnavailable",
	[BUS_FAILED] = "org.redoubt.Error.Failed",
};

static struct bus_call *call_free(struct bus_call *call)
{
	if (!call)
		return nullptr;
	call->bus->calls--;
	sd_bus_message_unref(call->request);
	sd_bus_message_unref(call->reply);
	free(call);
	return nullptr;
}

/* Make the call object around a message. */
static struct bus_call *call_new(struct bus *bus, sd_bus_message *m)
{
	struct bus_call *call = bus->calls < CALLS_MAX ? calloc(1, sizeof(*call)) : nullptr;

	if (!call)
		return nullptr;
	call->bus = bus;
	call->request = sd_bus_message_ref(m);
	call->error = sd_bus_message_new_method_return(m, &call->reply);
	bus->calls++;
	return call;
}

/* The table's row for the member that a message calls; there is one, the vtable was made from it. */
static const struct bus_method *method_of(const struct bus *bus, sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m);

	for (size_t i = 0; member && i < bus->n; i++)
		if (strcmp(bus->method[i].name, member) == 0)
			return &bus->method[i];
	return nullptr;
}

static int on_method(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	const struct bus_method *method = method_of(bus, m);
	struct bus_call *call = method ? call_new(bus, m) : nullptr;

	if (!call)
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					"Too many calls are waiting; try again in a moment.");
	method->handle(call, bus->service);
	return 1;
}

static int connect_bus(struct bus *bus);

static int on_retry(void *userdata)
{
	struct bus *bus = userdata;

	if (connect_bus(bus) < 0)
		return loop_timer_again(bus->retry, RETRY_US);
	return 0;
}

/* The bus has gone (restarted, stopped): connect again. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)m;
	(void)error;
	log_event(LOG_WARNING, EVENT_CONNECTION_LOST, 0, "the bus has gone, connecting again",
		  bus->name);
	return loop_timer_again(bus->retry, RETRY_US);
}

/* Connect, take the name and offer the methods. Returns 0 or -errno. */
static int connect_bus(struct bus *bus)
{
	bus->handle = sd_bus_flush_close_unref(bus->handle);

	int r = sd_bus_open_system(&bus->handle);
	if (r >= 0)
		r = sd_bus_match_signal(bus->handle, nullptr, "org.freedesktop.DBus.Local",
					"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
					"Disconnected", on_disconnected, bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus->handle, nullptr, bus->path, bus->name,
					     bus->vtable, bus);
	if (r >= 0)
		r = sd_bus_attach_event(bus->handle, loop_event(bus->loop), 0);
	if (r >= 0)
		r = sd_bus_request_name(bus->handle, bus->name, 0);
	if (r >= 0)
		return 0;

	bus->handle = sd_bus_flush_close_unref(bus->handle);
	return r;
}

static int on_changed_due(void *userdata)
{
	struct bus *bus = userdata;

	bus->is_changed = false;
	if (bus->handle)
		(void)sd_bus_emit_signal(bus->handle, bus->path, bus->name, "Changed", nullptr);
	return 0;
}

/* Spell the method table out as sd-bus wants it. */
static void fill_vtable(struct bus *bus)
{
	sd_bus_vtable *row = bus->vtable;

	*row++ = (sd_bus_vtable)SD_BUS_VTABLE_START(0);
	for (size_t i = 0; i < bus->n; i++)
		*row++ = (sd_bus_vtable)SD_BUS_METHOD(bus->method[i].name, bus->method[i].in,
						      bus->method[i].out, on_method,
						      SD_BUS_VTABLE_UNPRIVILEGED);
	*row++ = (sd_bus_vtable)SD_BUS_SIGNAL("Changed", "", 0);
	*row = (sd_bus_vtable)SD_BUS_VTABLE_END;
}

int bus_new(struct loop *loop, const char *name, const char *path, const struct bus_method *method,
	    size_t n, void *service, struct bus **ret)
{
	cleanup(bus_free_at) struct bus *bus =
		calloc(1, sizeof(*bus) + (n + 3) * sizeof(bus->vtable[0]));

	if (!bus)
		return -ENOMEM;
	bus->loop = loop;
	bus->name = name;
	bus->path = path;
	bus->method = method;
	bus->n = n;
	bus->service = service;
	fill_vtable(bus);

	int r = loop_timer(loop, NEVER_US, on_changed_due, bus, &bus->changed);
	if (r == 0)
		r = loop_timer(loop, NEVER_US, on_retry, bus, &bus->retry);
	if (r < 0)
		return r;

	r = connect_bus(bus);
	if (r < 0) {
		log_event(LOG_WARNING, EVENT_CONNECTION_LOST, r, "no bus yet, trying again", name);
		r = loop_timer_again(bus->retry, RETRY_US);
		if (r < 0)
			return r;
	}

	*ret = TAKE(bus);
	return 0;
}

/* A question on its way: what to call when the answer is there. The bus owns it until then. */
struct question {
	struct question *next;
	struct bus *bus;
	bus_authorized_fn *authorized;
	bus_unit_fn *unit;
	void *userdata;
};

/* Make a question and give it to the bus. Returns nullptr if there is no memory. */
static struct question *question_new(struct bus *bus, const struct question *form)
{
	struct question *question = malloc(sizeof(*question));

	if (!question)
		return nullptr;
	*question = *form;
	question->bus = bus;
	question->next = bus->questions;
	bus->questions = question;
	return question;
}

/* Take the question from the bus and free it. */
static void question_drop(struct question *question)
{
	struct question **at = &question->bus->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	free(question);
}

static void questions_free(struct bus *bus)
{
	while (bus->questions)
		question_drop(bus->questions);
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return nullptr;
	bus->retry = loop_source_free(bus->retry);
	bus->changed = loop_source_free(bus->changed);
	bus->handle = sd_bus_flush_close_unref(bus->handle);
	questions_free(bus);
	free(bus);
	return nullptr;
}

void bus_changed(struct bus *bus)
{
	if (!bus->is_changed && loop_timer_again(bus->changed, CHANGED_EVERY_US) >= 0)
		bus->is_changed = true;
}

uint32_t bus_uid(struct bus_call *call)
{
	sd_bus_creds *creds = nullptr;
	uid_t uid = UINT32_MAX;

	/* Of the sender, asked of the bus: the message itself cannot lie about it. */
	if (sd_bus_query_sender_creds(call->request, SD_BUS_CREDS_EUID, &creds) >= 0 &&
	    sd_bus_creds_get_euid(creds, &uid) < 0)
		uid = UINT32_MAX;
	sd_bus_creds_unref(creds);
	return uid;
}

const char *bus_sender(struct bus_call *call)
{
	const char *name = sd_bus_message_get_sender(call->request);

	return name ? name : "";
}

struct bus_watch {
	sd_bus_track *track;
	bus_gone_fn *fn;
	void *userdata;
};

static int on_gone(sd_bus_track *track, void *userdata)
{
	struct bus_watch *watch = userdata;

	(void)track;
	watch->fn(watch->userdata);
	return 0;
}

int bus_watch(struct bus_call *call, bus_gone_fn *fn, void *userdata, struct bus_watch **ret)
{
	struct bus_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct bus_watch) { .fn = fn, .userdata = userdata };
	int r = sd_bus_track_new(call->bus->handle, &watch->track, on_gone, watch);
	if (r >= 0)
		r = sd_bus_track_add_sender(watch->track, call->request);
	if (r < 0) {
		watch = bus_watch_free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

struct bus_watch *bus_watch_free(struct bus_watch *watch)
{
	if (!watch)
		return nullptr;
	watch->track = sd_bus_track_unref(watch->track);
	free(watch);
	return nullptr;
}

const char *bus_arg_str(struct bus_call *call)
{
	const char *value = nullptr;

	return sd_bus_message_read_basic(call->request, 's', &value) > 0 ? value : "";
}

uint64_t bus_arg_number(struct bus_call *call)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;
	char type = 0;

	if (sd_bus_message_peek_type(call->request, &type, nullptr) <= 0)
		return 0;
	if (type == 'u')
		return sd_bus_message_read_basic(call->request, 'u', &narrow) > 0 ? narrow : 0;
	return sd_bus_message_read_basic(call->request, 't', &wide) > 0 ? wide : 0;
}

size_t bus_arg_strv(struct bus_call *call, const char *ret[static BUS_STRV_MAX])
{
	const char *value;
	size_t n = 0;

	if (sd_bus_message_enter_container(call->request, 'a', "s") <= 0)
		return 0;
	while (sd_bus_message_read_basic(call->request, 's', &value) > 0) {
		if (n < BUS_STRV_MAX)
			ret[n] = value;
		n++;
	}
	(void)sd_bus_message_exit_container(call->request);
	return n <= BUS_STRV_MAX ? n : BUS_STRV_MAX + 1;
}

/* Remember the first failure of building a reply. */
static void note(struct bus_call *call, int r)
{
	if (r < 0 && call->error >= 0)
		call->error = r;
}

void bus_rows_begin(struct bus_call *call)
{
	note(call, sd_bus_message_open_container(call->reply, 'a', "a{sv}"));
}

void bus_rows_end(struct bus_call *call)
{
	note(call, sd_bus_message_close_container(call->reply));
}

void bus_row_begin(struct bus_call *call)
{
	note(call, sd_bus_message_open_container(call->reply, 'a', "{sv}"));
}

void bus_row_end(struct bus_call *call)
{
	note(call, sd_bus_message_close_container(call->reply));
}

/* A copy of value that is fit for the bus, or value itself if it is already. */
static const char *clean(const char *value, char **ret_copy)
{
	size_t len = strlen(value);

	if (utf8_is_valid(value, len))
		return value;

	char *copy = strdup(value);
	for (size_t i = 0; copy && i < len;) {
		size_t step = utf8_step(copy + i, len - i);

		if (step == 0)
			copy[i] = '?';
		i += step ? step : 1;
	}
	*ret_copy = copy;
	return copy ? copy : "";
}

void bus_put_str(struct bus_call *call, const char *key, const char *value)
{
	auto_free char *copy = nullptr;

	note(call, sd_bus_message_append(call->reply, "{sv}", key, "s", clean(value, &copy)));
}

void bus_put_number(struct bus_call *call, const char *key, uint64_t value)
{
	note(call, sd_bus_message_append(call->reply, "{sv}", key, "t", value));
}

void bus_put_bool(struct bus_call *call, const char *key, bool value)
{
	note(call, sd_bus_message_append(call->reply, "{sv}", key, "b", (int)value));
}

void bus_put_strv(struct bus_call *call, const char *key, const char *const *value, size_t n)
{
	sd_bus_message *m = call->reply;

	note(call, sd_bus_message_open_container(m, 'e', "sv"));
	note(call, sd_bus_message_append_basic(m, 's', key));
	note(call, sd_bus_message_open_container(m, 'v', "as"));
	note(call, sd_bus_message_open_container(m, 'a', "s"));
	for (size_t i = 0; i < n; i++)
		bus_answer_str(call, value[i]);
	for (int depth = 0; depth < 3; depth++)
		note(call, sd_bus_message_close_container(m));
}

void bus_answer_str(struct bus_call *call, const char *value)
{
	auto_free char *copy = nullptr;

	note(call, sd_bus_message_append_basic(call->reply, 's', clean(value, &copy)));
}

void bus_answer_bool(struct bus_call *call, bool value)
{
	int truth = value;

	note(call, sd_bus_message_append_basic(call->reply, 'b', &truth));
}

void bus_answer_fd(struct bus_call *call, int fd)
{
	note(call, sd_bus_message_append_basic(call->reply, 'h', &fd));
}

void bus_reply(struct bus_call *call)
{
	if (call->error < 0) {
		bus_fail(call, BUS_FAILED, "The answer could not be made: %s.",
			 strerrordesc_np(-call->error));
		return;
	}
	(void)sd_bus_send(nullptr, call->reply, nullptr);
	(void)call_free(call);
}

void bus_fail(struct bus_call *call, enum bus_error error, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	auto_free char *copy = nullptr;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);

	(void)sd_bus_reply_method_errorf(call->request, ERROR_NAMES[error], "%s",
					 clean(sentence, &copy));
	(void)call_free(call);
}

static int on_authorized(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	const char *person = "";
	int allowed = 0;

	(void)error;
	if (sd_bus_message_is_method_error(m, nullptr) ||
	    sd_bus_message_read(m, "bs", &allowed, &person) < 0) {
		allowed = 0;
		person = "";
	}
	question->authorized(question->userdata, allowed, person);
	question_drop(question);
	return 0;
}

int bus_authorize(struct bus *bus, uint32_t uid, const char *privilege, const char *resource,
		  bus_authorized_fn *fn, void *userdata)
{
	sd_bus_message *m = nullptr;

	if (!bus->handle)
		return -ENOTCONN;

	struct question *question =
		question_new(bus, &(struct question) { .authorized = fn, .userdata = userdata });
	if (!question)
		return -ENOMEM;

	int r = sd_bus_message_new_method_call(bus->handle, &m, "org.redoubt.Accounts1",
					       "/org/redoubt/Accounts1", "org.redoubt.Accounts1",
					       "Authorize");
	if (r >= 0)
		r = sd_bus_message_append(m, "uss", uid, privilege, resource);
	if (r >= 0)
		r = sd_bus_call_async(bus->handle, nullptr, m, on_authorized, question,
				      ANSWER_TIMEOUT_US);
	sd_bus_message_unref(m);
	if (r < 0)
		question_drop(question);
	return r < 0 ? r : 0;
}

static int on_unit_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	const char *state = "";

	(void)error;
	if (sd_bus_message_is_method_error(m, nullptr) ||
	    sd_bus_message_read(m, "v", "s", &state) < 0)
		state = "";
	question->unit(question->userdata, state);
	question_drop(question);
	return 0;
}

int bus_unit_state(struct bus *bus, const char *unit, bus_unit_fn *fn, void *userdata)
{
	auto_free char *path = nullptr;
	sd_bus_message *m = nullptr;

	if (!bus->handle)
		return -ENOTCONN;

	struct question *question =
		question_new(bus, &(struct question) { .unit = fn, .userdata = userdata });
	if (!question)
		return -ENOMEM;

	int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	if (r >= 0)
		r = sd_bus_message_new_method_call(bus->handle, &m, "org.freedesktop.systemd1",
						   path, "org.freedesktop.DBus.Properties", "Get");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", "org.freedesktop.systemd1.Unit", "ActiveState");
	if (r >= 0)
		r = sd_bus_call_async(bus->handle, nullptr, m, on_unit_state, question,
				      ANSWER_TIMEOUT_US);
	sd_bus_message_unref(m);
	if (r < 0)
		question_drop(question);
	return r < 0 ? r : 0;
}
