/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bus: serve tables of methods on the system bus, and ask accounts who may do what.
 *
 * Layer 2 (appliance/bus); with tui/model the only folder that includes sd-bus.
 * A method is a row in a table; its handler reads typed arguments, and answers at once or later.
 * Without a bus (not started yet, restarted) the service goes on and connects again each second.
 * $DBUS_SYSTEM_BUS_ADDRESS names another bus for tests.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/loop.h"

struct bus;
struct bus_call;

/*
 * Answer one method call. Exactly one of bus_reply(), bus_fail() must be called on it, now or
 * later; the call is freed by them.
 */
typedef void bus_handle_fn(struct bus_call *call, void *service);

struct bus_method {
	const char *name;
	const char *in, *out; /* D-Bus signatures; the library refuses calls that do not match in */
	bus_handle_fn *handle;
};

/* What goes wrong for people, and its D-Bus error name. */
enum bus_error {
	BUS_DENIED,	       /* org.redoubt.Error.Denied */
	BUS_NOT_FOUND,	       /* org.redoubt.Error.NotFound */
	BUS_EXISTS,	       /* org.redoubt.Error.Exists */
	BUS_INVALID,	       /* org.redoubt.Error.Invalid */
	BUS_LOCKED,	       /* org.redoubt.Error.Locked */
	BUS_AUDIT_UNAVAILABLE, /* org.redoubt.Error.AuditUnavailable */
	BUS_FAILED,	       /* org.redoubt.Error.Failed */
	BUS_ERROR_COUNT,
};

/*
 * Serve one object under a well-known name.
 *
 * name       "org.redoubt.Audit1"; also the interface
 * path       "/org/redoubt/Audit1"
 * method     [n] borrowed for the life of the bus
 * service    handed to the handlers; borrowed
 *
 * Returns 0 or -ENOMEM; that there is no bus yet is not an error.
 */
[[nodiscard]] int bus_new(struct loop *loop, const char *name, const char *path,
			  const struct bus_method *method, size_t n, void *service,
			  struct bus **ret);

/* Leave the bus and free; calls not answered are answered Failed. nullptr is a no-op. Always returns nullptr. */
struct bus *bus_free(struct bus *bus);
CLEANUP_FN(struct bus, bus_free)

/* Emit the signal Changed, at most once a turn of the loop and ten times a second. */
void bus_changed(struct bus *bus);

/* The caller's uid as the bus vouches for it; UINT32_MAX if it cannot say. */
[[nodiscard]] uint32_t bus_uid(struct bus_call *call);

/* The connection that calls, by its unique name; borrowed until the call is answered. */
[[nodiscard]] const char *bus_sender(struct bus_call *call);

/* Called once, when the connection that is watched has gone, however it went. */
typedef void bus_gone_fn(void *userdata);

struct bus_watch;

/*
 * Watch the connection that calls.
 *
 * ret  set only on success; free with bus_watch_free(), also from within the call-back
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int bus_watch(struct bus_call *call, bus_gone_fn *fn, void *userdata,
			    struct bus_watch **ret);

/* Stop watching; nullptr is a no-op. Always returns nullptr. */
struct bus_watch *bus_watch_free(struct bus_watch *watch);

/* The next argument, a string; borrowed until the call is answered. "" if there is none. */
[[nodiscard]] const char *bus_arg_str(struct bus_call *call);

/* The next argument, a u or t; 0 if there is none. */
[[nodiscard]] uint64_t bus_arg_number(struct bus_call *call);

constexpr size_t BUS_STRV_MAX = 64; /* more strings in one argument than any method of ours takes */

/*
 * The next argument, an as: up to BUS_STRV_MAX strings, borrowed until the call is answered.
 *
 * Returns how many, or BUS_STRV_MAX + 1 if there were more: refuse the call.
 */
[[nodiscard]] size_t bus_arg_strv(struct bus_call *call, const char *ret[static BUS_STRV_MAX]);

/* Start the answer's aa{sv}. Rows follow, then bus_rows_end(), then bus_reply(). */
void bus_rows_begin(struct bus_call *call);

/* End the answer's aa{sv}. */
void bus_rows_end(struct bus_call *call);

/* Start one a{sv}: the whole answer, or one row. Puts follow, then bus_row_end(). */
void bus_row_begin(struct bus_call *call);

/* End one a{sv}. */
void bus_row_end(struct bus_call *call);

/* Put key = a string into the row; bytes that are not UTF-8 are shown as '?'. */
void bus_put_str(struct bus_call *call, const char *key, const char *value);

/* Put key = a number (t) into the row. */
void bus_put_number(struct bus_call *call, const char *key, uint64_t value);

/* Put key = a truth value into the row. */
void bus_put_bool(struct bus_call *call, const char *key, bool value);

/* Put key = n strings into the row. */
void bus_put_strv(struct bus_call *call, const char *key, const char *const *value, size_t n);

/* Put a string that is the whole answer, or one of several out arguments. */
void bus_answer_str(struct bus_call *call, const char *value);

/* Put a truth value that is the whole answer, or one of several out arguments. */
void bus_answer_bool(struct bus_call *call, bool value);

/*
 * Put a descriptor (h): one of several out arguments.
 *
 * fd  borrowed: the message holds its own copy
 */
void bus_answer_fd(struct bus_call *call, int fd);

/* Send the answer built so far (empty if nothing was put) and free the call. If building it failed, the caller gets Failed. */
void bus_reply(struct bus_call *call);

/* Answer with an error and a sentence for people, printf(3) style, and free the call. */
[[gnu::format(printf, 3, 4)]] void bus_fail(struct bus_call *call, enum bus_error error,
					    const char *format, ...);

/*
 * What accounts said: whether the person may, and who it is ("" if nobody or not reachable).
 */
typedef void bus_authorized_fn(void *userdata, bool allowed, const char *person);

/*
 * Ask org.redoubt.Accounts1.Authorize whether the user with this uid holds a privilege. The
 * answer comes later, exactly once; no answer within 5 s, or no accounts, means no.
 *
 * Returns 0, or -errno if the question could not be sent: fn is not called then.
 */
[[nodiscard]] int bus_authorize(struct bus *bus, uint32_t uid, const char *privilege,
				const char *resource, bus_authorized_fn *fn, void *userdata);

/*
 * The ActiveState of a systemd unit ("active", "failed", …), later, exactly once; "" if unknown.
 *
 * Returns 0, or -errno if the question could not be sent: fn is not called then.
 */
typedef void bus_unit_fn(void *userdata, const char *active_state);

/* See above. unit is a plain unit name such as "redoubt-engine.service". */
[[nodiscard]] int bus_unit_state(struct bus *bus, const char *unit, bus_unit_fn *fn,
				 void *userdata);
