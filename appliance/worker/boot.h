/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * boot: the jobs that lead to an open data volume.
 *
 * Layer 2 (appliance/worker). Each fills done with its outcome and a sentence for people; a fault
 * of the machine is an outcome too (JOB_FAULT): the caller has nothing else to do with it.
 * Source: docs/architecture.md section 4.
 */

#include "common/proto/job.h"

/* Tell how far a job has come; percent is 0 to 100. */
typedef void boot_progress_fn(void *userdata, unsigned int percent, const char *text);

struct boot {
	boot_progress_fn *progress;
	void *userdata;
	struct job_done *done;
};

/* Find the configuration, put it into force, open or make the volume. */
void boot_start(struct boot *boot);

/* The same with the configuration typed on the console. */
void boot_provision(struct boot *boot, const char *config);

/* Open the volume with the recovery key (or another passphrase of it). */
void boot_unlock(struct boot *boot, const char *key);
