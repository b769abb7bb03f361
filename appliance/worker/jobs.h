/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * jobs: the table of jobs, one function each, and the sandbox check of the program that runs them.
 *
 * Layer 2 (appliance/worker).
 */

#include "appliance/worker/boot.h"
#include "common/base.h"
#include "common/proto/job.h"

/* What is to happen to the machine once the answer has been sent. */
enum jobs_end {
	JOBS_END_NOTHING,
	JOBS_END_POWER_OFF,
	JOBS_END_REBOOT,
};

/* Do the job; boot->done is filled in on every path. */
enum jobs_end jobs_run(const struct job *job, struct boot *boot);

/* Ask systemd to power off or reboot, by the signals it has for that: systemd(1). */
void jobs_end(enum jobs_end end);

/* Try what the worker's row of the process table forbids; prints TAP. Returns 0 if all was refused. */
[[nodiscard]] int jobs_self_test(void);
