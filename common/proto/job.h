/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * job: what appliance asks a worker. One connection, one job, then the worker exits.
 *
 * Layer 1 (common/proto). Encoders and decoders; a decoder checks every length and text.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum : uint16_t {
	JOB = 0x0501,	       /* appliance → worker: struct job */
	JOB_PROGRESS = 0x0502, /* worker → appliance: struct job_progress; any number of times */
	JOB_DONE = 0x0503,     /* worker → appliance: struct job_done; the last frame */
};

enum job_kind : uint8_t {
	JOB_BOOT,      /* find the configuration, apply it, open or format the data volume */
	JOB_PROVISION, /* the same with the configuration (JSON) in argument */
	JOB_UNLOCK,    /* open the data volume with the recovery key or passphrase in argument */
	JOB_TAKE_RECOVERY_KEY,	 /* return the recovery key that nobody has confirmed yet */
	JOB_INSTALL_CERTIFICATE, /* argument: chain PEM, second: key PEM; check, store */
	JOB_VOLUME_STATUS, /* return JSON: {volume: {device, cipher, …}, tls_names, tls_expires, ca_fingerprint, ssh_host_key, recovery_key_pending} */
	JOB_CHECK_HARDENING, /* run hardening/ checks; return JSON lines {id,title,result,detail} */
	JOB_RENEW_CERTIFICATE, /* make the server's certificate anew; whoever asks vouches for the clock */
	JOB_CONFIG_READ, /* argument: show, status or diff; return the JSON, a JSON object, or text */
	JOB_CONFIG_CHANGE, /* argument: edit (second: JSON), accept (second: SHA-256), pin, unpin, confirm,
			      rollback, rollback-trial, or "set SETTING" (second: a value a line) */
	JOB_POWER_OFF,
	JOB_REBOOT,
	JOB_CONFIRM_RECOVERY_KEY, /* argument: its last group, typed back; erase it, end older ones */
	JOB_NEW_RECOVERY_KEY, /* argument: the one of now, or "" for the TPM; return a new one */
	JOB_BIND_TPM, /* argument: the recovery key; give the volume's key to this machine's TPM */
	JOB_KIND_COUNT,
};

enum job_outcome : uint8_t {
	JOB_OK,
	JOB_NEEDS_CONFIG, /* no configuration found: ask for one */
	JOB_LOCKED,	  /* the volume is there, but no key opens it */
	JOB_FOREIGN_DATA, /* the disk is not blank and not ours: not touched */
	JOB_NO_DISK,	  /* no disk that could be the data disk */
	JOB_REFUSED,	  /* the argument is not valid; text says what, where, how to mend it */
	JOB_FAULT,	  /* it did not work; text says why */
	JOB_OUTCOME_COUNT,
};

constexpr size_t JOB_ARGUMENT_MAX = 24 * 1024;
constexpr size_t JOB_DATA_MAX = 48 * 1024;

struct job {
	enum job_kind kind;
	char argument[JOB_ARGUMENT_MAX];
	char second[JOB_ARGUMENT_MAX];
};

struct job_progress {
	uint8_t percent;
	char text[256];
};

struct job_done {
	enum job_outcome outcome;
	char text[512];
	char data[JOB_DATA_MAX]; /* what the job returns, or "" */
};

/* Append the encoding; a failure sticks to out. */
void job_write(struct buf *out, const struct job *job);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool job_read(const void *data, size_t len, struct job *ret);

/* Append the encoding; a failure sticks to out. */
void job_progress_write(struct buf *out, const struct job_progress *progress);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool job_progress_read(const void *data, size_t len, struct job_progress *ret);

/* Append the encoding; a failure sticks to out. */
void job_done_write(struct buf *out, const struct job_done *done);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool job_done_read(const void *data, size_t len, struct job_done *ret);
