/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-power: waits for the power button, then ends; the unit's SuccessAction=poweroff does the
 * rest. A virtual machine's "shut down" and an EC2 instance's "stop" arrive as this button.
 *
 * Standard input is the button's input device. The process can read that and nothing else.
 */

#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/sandbox.h"

static const struct sandbox SANDBOX = {};

enum exit_status : int {
	POWER_PRESSED = 0,
	POWER_FAILED = 1,
	POWER_USAGE = 2,
};

/* Read events until the button goes down. */
static int wait_for_button(int fd)
{
	for (;;) {
		struct input_event event;
		ssize_t n = read(fd, &event, sizeof(event));

		if (n != (ssize_t)sizeof(event))
			return POWER_FAILED; /* the device is gone, or this never was one */
		if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
			return POWER_PRESSED;
	}
}

int main(int argc, char **argv)
{
	bool self_test = argc == 2 && strcmp(argv[1], "--self-test") == 0;

	if (argc > 1 && !self_test) {
		(void)fprintf(stderr, "usage: redoubt-power [--self-test] <INPUT-DEVICE\n");
		return POWER_USAGE;
	}

	int r = sandbox_enter(&SANDBOX);
	if (r) {
		(void)fprintf(stderr, "the sandbox is not there: %s\n", strerror(-r));
		return POWER_FAILED;
	}
	if (self_test)
		return sandbox_self_test(nullptr, 0);
	return wait_for_button(STDIN_FILENO);
}
