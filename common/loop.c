/* SPDX-License-Identifier: Apache-2.0 */
#include "common/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

struct loop {
	sd_event *event;
};

struct loop_source {
	sd_event_source *source;
	loop_io_fn *io;
	loop_call_fn *call;
	void *userdata;
};

/*
 * systemd names the process it means by LISTEN_PID and WATCHDOG_PID, as it sees it. As process 1 of a
 * space of its own (PrivatePIDs=) we have another number, and nobody but systemd started us.
 */
static void claim_environment(void)
{
	if (getpid() != 1)
		return;
	if (getenv("LISTEN_PID"))
		(void)setenv("LISTEN_PID", "1", true);
	if (getenv("WATCHDOG_PID"))
		(void)setenv("WATCHDOG_PID", "1", true);
}

int loop_new(struct loop **ret)
{
	cleanup(loop_free_at) struct loop *loop = calloc(1, sizeof(*loop));
	sigset_t signals;

	if (!loop)
		return -ENOMEM;
	claim_environment();

	int r = sd_event_new(&loop->event);
	if (r < 0)
		return r;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	if (sigprocmask(SIG_BLOCK, &signals, nullptr) < 0)
		return neg_errno();
	r = sd_event_add_signal(loop->event, nullptr, SIGTERM, nullptr, nullptr);
	if (r >= 0)
		r = sd_event_add_signal(loop->event, nullptr, SIGINT, nullptr, nullptr);
	if (r >= 0)
		r = sd_event_set_watchdog(loop->event, true);
	if (r < 0)
		return r;

	*ret = TAKE(loop);
	return 0;
}

struct loop *loop_free(struct loop *loop)
{
	if (!loop)
		return nullptr;
	(void)sd_event_unref(loop->event);
	free(loop);
	return nullptr;
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *userdata)
{
	struct loop_source *source = userdata;

	(void)s;
	return source->io(source->userdata, fd, events);
}

static int on_time(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct loop_source *source = userdata;

	(void)s;
	(void)usec;
	return source->call(source->userdata);
}

static int on_defer(sd_event_source *s, void *userdata)
{
	struct loop_source *source = userdata;

	(void)s;
	return source->call(source->userdata);
}

/* An empty source; its sd-event half is added by the caller. */
static struct loop_source *source_new(void *userdata)
{
	struct loop_source *source = calloc(1, sizeof(*source));

	if (source)
		source->userdata = userdata;
	return source;
}

int loop_io(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *userdata,
	    struct loop_source **ret)
{
	cleanup(loop_source_free_at) struct loop_source *source = source_new(userdata);

	if (!source)
		return -ENOMEM;
	source->io = fn;

	int r = sd_event_add_io(loop->event, &source->source, fd, events, on_io, source);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(source->source, true);
	if (r < 0)
		return r;

	*ret = TAKE(source);
	return 0;
}

int loop_io_events(struct loop_source *source, uint32_t events)
{
	return sd_event_source_set_io_events(source->source, events);
}

int loop_timer(struct loop *loop, uint64_t after_us, loop_call_fn *fn, void *userdata,
	       struct loop_source **ret)
{
	cleanup(loop_source_free_at) struct loop_source *source = source_new(userdata);

	if (!source)
		return -ENOMEM;
	source->call = fn;

	int r = sd_event_add_time_relative(loop->event, &source->source, CLOCK_MONOTONIC, after_us,
					   1, on_time, source);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(source->source, true);
	if (r < 0)
		return r;

	*ret = TAKE(source);
	return 0;
}

int loop_timer_again(struct loop_source *source, uint64_t after_us)
{
	int r = sd_event_source_set_time_relative(source->source, after_us);

	return r < 0 ? r : sd_event_source_set_enabled(source->source, SD_EVENT_ONESHOT);
}

int loop_defer(struct loop *loop, loop_call_fn *fn, void *userdata, struct loop_source **ret)
{
	cleanup(loop_source_free_at) struct loop_source *source = source_new(userdata);

	if (!source)
		return -ENOMEM;
	source->call = fn;

	int r = sd_event_add_defer(loop->event, &source->source, on_defer, source);
	if (r >= 0)
		r = sd_event_source_set_priority(source->source, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_exit_on_failure(source->source, true);
	if (r < 0)
		return r;

	*ret = TAKE(source);
	return 0;
}

int loop_defer_again(struct loop_source *source)
{
	return sd_event_source_set_enabled(source->source, SD_EVENT_ONESHOT);
}

struct loop_source *loop_source_free(struct loop_source *source)
{
	if (!source)
		return nullptr;
	(void)sd_event_source_disable_unref(source->source);
	free(source);
	return nullptr;
}

int loop_run(struct loop *loop, const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
	int r = sd_event_loop(loop->event);
	(void)sd_notify(0, "STOPPING=1");
	return r;
}

int loop_turn(struct loop *loop, uint64_t wait_us)
{
	int r = sd_event_run(loop->event, wait_us);

	return r < 0 ? r : 0;
}

void loop_end(struct loop *loop, int r)
{
	(void)sd_event_exit(loop->event, r);
}

void loop_status(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status);
}

struct sd_event *loop_event(struct loop *loop)
{
	return loop->event;
}

int loop_listen_fd(const char *name, unsigned int index)
{
	char **names = nullptr;

	claim_environment();
	int n = sd_listen_fds_with_names(0, &names);
	int fd = -ENOENT;

	for (int i = 0; i < n; i++) {
		if (fd < 0 && strcmp(names[i], name) == 0 && index-- == 0)
			fd = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return fd;
}
