/* SPDX-License-Identifier: Apache-2.0 */
#include "common/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static int fail(void *userdata)
{
	(void)userdata;
	return -EIO;
}

static int fail_io(void *userdata, int fd, uint32_t events)
{
	(void)userdata;
	(void)fd;
	(void)events;
	return -EPIPE;
}

static int end(void *userdata)
{
	loop_end(userdata, 7);
	return 0;
}

static bool a_failing_timer_ends_the_loop_with_its_error(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(loop_source_free_at) struct loop_source *timer = nullptr;

	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(loop_timer(loop, 0, fail, nullptr, &timer), 0);
	CHECK_EQ(loop_run(loop, "testing"), -EIO);
	return true;
}

static bool a_failing_deferred_call_ends_the_loop_with_its_error(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(loop_source_free_at) struct loop_source *later = nullptr;

	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(loop_defer(loop, fail, nullptr, &later), 0);
	CHECK_EQ(loop_run(loop, "testing"), -EIO);
	return true;
}

static bool a_failing_descriptor_ends_the_loop_with_its_error(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(loop_source_free_at) struct loop_source *io = nullptr;
	int ends[2];

	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(pipe(ends), 0);
	auto_close int out = ends[0];
	auto_close int in = ends[1];
	CHECK_EQ(write(in, "x", 1), 1);
	CHECK_EQ(loop_io(loop, out, EPOLLIN, fail_io, nullptr, &io), 0);
	CHECK_EQ(loop_run(loop, "testing"), -EPIPE);
	return true;
}

static bool the_loop_ends_with_what_it_is_told(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;
	cleanup(loop_source_free_at) struct loop_source *timer = nullptr;

	CHECK_EQ(loop_new(&loop), 0);
	CHECK_EQ(loop_timer(loop, 0, end, loop, &timer), 0);
	CHECK_EQ(loop_run(loop, "testing"), 7);
	return true;
}

static bool every_failed_allocation_of_a_source_is_survived(void)
{
	cleanup(loop_free_at) struct loop *loop = nullptr;

	CHECK_EQ(loop_new(&loop), 0);
	for (size_t n = 1;; n++) {
		cleanup(loop_source_free_at) struct loop_source *timer = nullptr;

		fault_at(n);
		int r = loop_timer(loop, 0, fail, nullptr, &timer);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!timer);
	}
}

int main(void)
{
	RUN(a_failing_timer_ends_the_loop_with_its_error);
	RUN(a_failing_deferred_call_ends_the_loop_with_its_error);
	RUN(a_failing_descriptor_ends_the_loop_with_its_error);
	RUN(the_loop_ends_with_what_it_is_told);
	RUN(every_failed_allocation_of_a_source_is_survived);
	return tap_done();
}
