/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appliance/worker/run.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"

static char said[4096];

/* Run a line of sh; what it says is in said. */
static int sh(const char *line, const char *input, const char *secret, int timeout_s)
{
	auto_buf struct buf output = buf_make(sizeof(said) - 1);
	const char *const argv[] = { "/bin/sh", "-c", line, nullptr };
	struct run run = { .argv = argv,
			   .input = input,
			   .input_len = input ? strlen(input) : 0,
			   .secret = secret,
			   .secret_len = secret ? strlen(secret) : 0,
			   .timeout_s = timeout_s };
	int r = run_program(&run, &output);

	memset(said, 0, sizeof(said));
	if (output.len > 0)
		memcpy(said, output.data, output.len);
	return r;
}

static bool the_exit_status_and_the_words_come_back(void)
{
	CHECK_EQ(sh("echo out; echo err >&2; exit 3", nullptr, nullptr, 10), 3);
	CHECK(strcmp(said, "out\nerr\n") == 0);
	return true;
}

static bool input_and_secret_reach_the_program(void)
{
	CHECK_EQ(sh("cat; cat /dev/fd/3; stat -L -c %a /dev/fd/3", "in ", "key ", 10), 0);
	CHECK(strcmp(said, "in key 600\n") == 0);
	return true;
}

static bool no_other_descriptor_and_no_environment_is_passed_on(void)
{
	CHECK_EQ(sh("for n in 3 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || echo $n; done; "
		    "echo \"$HOME$USER$REDOUBT_RUN\"",
		    nullptr, nullptr, 10),
		 0);
	CHECK(strcmp(said, "\n") == 0);
	return true;
}

static bool a_program_that_hangs_is_killed(void)
{
	CHECK_EQ(sh("exec sleep 60", nullptr, nullptr, 1), 256);
	return true;
}

static bool more_words_than_there_is_room_for_are_dropped(void)
{
	CHECK_EQ(sh("i=0; while [ $i -lt 300 ]; do echo 0123456789012345678901234567890123456789; "
		    "i=$((i+1)); done",
		    nullptr, nullptr, 10),
		 0);
	CHECK(strlen(said) > 2000);
	return true;
}

static bool a_program_that_is_not_there_is_127(void)
{
	auto_buf struct buf output = buf_make(128);
	const char *const argv[] = { "/nonexistent", nullptr };
	struct run run = { .argv = argv, .timeout_s = 10 };

	CHECK_EQ(run_program(&run, &output), 127);
	return true;
}

int main(void)
{
	RUN(the_exit_status_and_the_words_come_back);
	RUN(input_and_secret_reach_the_program);
	RUN(no_other_descriptor_and_no_environment_is_passed_on);
	RUN(a_program_that_hangs_is_killed);
	RUN(more_words_than_there_is_room_for_are_dropped);
	RUN(a_program_that_is_not_there_is_127);
	return tap_done();
}
