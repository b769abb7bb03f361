/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * loop: the one event loop of a process, over sd-event.
 *
 * Layer 1 (common); the only folder that includes <systemd/sd-event.h>, sd-daemon.h. SIGTERM and SIGINT end
 * the loop; the watchdog is fed if the unit asks for it. Nothing here blocks but loop_run().
 * Threads: one loop, one thread.
 */

#include <stdint.h>

#include "common/base.h"

struct loop;
struct loop_source;
struct sd_event;

/* Called when fd is ready; events is the ready set of EPOLL* bits. A negative return ends the loop with it. */
typedef int loop_io_fn(void *userdata, int fd, uint32_t events);

/* Called when a timer is due or a deferred call's turn has come. A negative return ends the loop with it. */
typedef int loop_call_fn(void *userdata);

/*
 * Make the loop, block SIGTERM and SIGINT and turn them into its end, and turn the watchdog on
 * if systemd asks for it.
 *
 * Returns 0, -ENOMEM, or another -errno of sd_event_new(3), sd_event_add_signal(3).
 */
[[nodiscard]] int loop_new(struct loop **ret);

/* Free the loop; its sources must be gone. Always returns nullptr. */
struct loop *loop_free(struct loop *loop);
CLEANUP_FN(struct loop, loop_free)

/*
 * Watch a descriptor for EPOLLIN, EPOLLOUT, …
 *
 * fd   borrowed; must stay open until the source is freed
 * ret  set only on success; free with loop_source_free(), also from within the call-back
 *
 * Returns 0, -ENOMEM or another -errno of sd_event_add_io(3).
 */
[[nodiscard]] int loop_io(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn,
			  void *userdata, struct loop_source **ret);

/* Change the set of events an io source waits for. Returns 0 or -errno. */
[[nodiscard]] int loop_io_events(struct loop_source *source, uint32_t events);

/*
 * Call fn once, after_us microseconds from now (monotonic). loop_timer_again() re-arms it.
 *
 * Returns 0, -ENOMEM or another -errno of sd_event_add_time_relative(3).
 */
[[nodiscard]] int loop_timer(struct loop *loop, uint64_t after_us, loop_call_fn *fn, void *userdata,
			     struct loop_source **ret);

/* Arm a timer source again, after_us microseconds from now. Returns 0 or -errno. */
[[nodiscard]] int loop_timer_again(struct loop_source *source, uint64_t after_us);

/*
 * Call fn once after every event of this turn has been handled and before the loop waits again;
 * loop_defer_again() re-arms it. For group commits.
 *
 * Returns 0, -ENOMEM or another -errno of sd_event_add_post(3), sd_event_add_defer(3).
 */
[[nodiscard]] int loop_defer(struct loop *loop, loop_call_fn *fn, void *userdata,
			     struct loop_source **ret);

/* Arm a deferred call again for this turn (or the next, from within it). Returns 0 or -errno. */
[[nodiscard]] int loop_defer_again(struct loop_source *source);

/* Stop watching and free. nullptr is a no-op. Always returns nullptr. */
struct loop_source *loop_source_free(struct loop_source *source);
CLEANUP_FN(struct loop_source, loop_source_free)

/* Tell systemd READY=1 with a one-line status, then run until loop_end(), SIGTERM or SIGINT. Returns what ended it. */
[[nodiscard]] int loop_run(struct loop *loop, const char *status);

/* Wait at most wait_us for something to happen and handle it; for tests, and for clients that have no loop of their own. Returns 0 or -errno. */
[[nodiscard]] int loop_turn(struct loop *loop, uint64_t wait_us);

/* End the loop; loop_run() returns r. */
void loop_end(struct loop *loop, int r);

/* Tell systemd one line about how things are (STATUS=). */
void loop_status(const char *status);

/* The sd-event object, for the libraries that attach themselves to one (sd-bus). Borrowed. */
[[nodiscard]] struct sd_event *loop_event(struct loop *loop);

/*
 * The listening descriptor that systemd passed under this FileDescriptorName (or LISTEN_FDNAMES).
 *
 * index  0 for the first of that name, 1 for the second, …
 *
 * Returns the descriptor, or -ENOENT if there is none. Call before the loop starts; the
 * environment is kept, so asking for several names works.
 */
[[nodiscard]] int loop_listen_fd(const char *name, unsigned int index);
