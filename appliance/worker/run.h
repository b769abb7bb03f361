/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * run: start one program, feed it, wait for it, keep what it says.
 *
 * Layer 2 (appliance/worker). No shell, a fixed environment, no descriptor but what is named here.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"

struct run {
	const char *const *argv; /* nullptr-terminated; argv[0] is the path */
	const void *input; /* [input_len] for its standard input, at most 64 KiB; or nullptr */
	size_t input_len;
	const void *secret; /* [secret_len] for its descriptor 3 (a sealed memfd); or nullptr */
	size_t secret_len;
	int timeout_s;
};

constexpr int RUN_SECRET_FD = 3;

/*
 * Run a program to its end.
 *
 * output  its standard output and error are appended, as far as there is room
 *
 * Returns its exit status, 0 to 255 (127: it could not be started); 256 if a signal or the timeout
 * ended it; or -errno if there was no process.
 */
[[nodiscard]] int run_program(const struct run *run, struct buf *output);
