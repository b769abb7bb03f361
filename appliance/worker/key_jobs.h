/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * key_jobs: the jobs that change what opens the data volume: its recovery key, its TPM.
 *
 * Layer 2 (appliance/worker). Each can be cut anywhere: until the last step what opened before still opens, and
 * doing the same again goes on from there. Each fills boot->done in.
 */

#include "appliance/worker/boot.h"

/* Return the recovery key that nobody has confirmed yet. It stays until key_jobs_confirm(). state: the state folder. */
void key_jobs_show(struct boot *boot, int state);

/*
 * Erase the recovery key that is kept here, because a person has it: they typed its last group, or all of it. If
 * it is a new one, the slots of older ones are destroyed first. A key that does not open the volume is never erased.
 */
void key_jobs_confirm(struct boot *boot, int state, const char *typed);

/*
 * Make a new recovery key beside the old one and return it; key_jobs_confirm() ends the old one. Asked again before
 * that: the same key.
 *
 * current  the recovery key of now; "" lets the TPM answer for it
 */
void key_jobs_new(struct boot *boot, int state, const char *current);

/* Give the volume's key to this machine's TPM instead of the one that had it. key: the recovery key. */
void key_jobs_bind(struct boot *boot, int state, const char *key);

/* Whether there is a recovery key that nobody has confirmed yet. */
[[nodiscard]] bool key_jobs_pending(int state);
