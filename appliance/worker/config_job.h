/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * config_job: what an admin may ask of the stored configuration, and may change in it.
 *
 * Layer 2 (appliance/worker). common/proto/job.h names the requests. A change is checked as a whole,
 * stored, put into force, and taken back if that fails. What could shut its author out (the network,
 * who may reach ssh) is on trial until it is confirmed.
 */

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/job.h"

/* Carry out JOB_CONFIG_READ: argument is show, status or diff; the answer is in done->data. */
void config_job_read(const struct job *job, struct job_done *done);

/* Carry out JOB_CONFIG_CHANGE: argument and second as in job.h. */
void config_job_change(const struct job *job, struct job_done *done);

/* Append what the appliance's status says of it: ,"config_trial":…,"notices":[…],"events":[…]. */
void config_job_describe(int state, struct buf *ret);
