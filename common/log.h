/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * log: structured lines to the journal; to stderr where there is no journal.
 *
 * Layer 1 (common); the only folder that includes <systemd/sd-journal.h>. Mains and edges log;
 * libraries return errors. Never pass secrets, bodies or clients' queries.
 */

#include <syslog.h> /* LOG_ERR … */

/* What happened; each has one line of help in log.c. Numbers are stable: append only. */
enum event_id {
	EVENT_STARTED,
	EVENT_STOPPED,
	EVENT_START_FAILED,
	EVENT_CONNECTION_LOST,
	EVENT_FRAME_REFUSED,
	EVENT_CONFIG_REFUSED,
	EVENT_VOLUME,
	EVENT_LEDGER,
	EVENT_ACCESS,
	EVENT_REQUEST_FAILED,
	EVENT_TLS,
	EVENT_PROVISION,
	EVENT_SELF_TEST,
	EVENT_KEYS,
	EVENT_STUCK,
	EVENT_COUNT,
};

/*
 * Write one line.
 *
 * priority  LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG
 * error     a negative errno that goes along, or 0
 * text      what did not happen, to what and why; a constant
 * subject   what it is about, possibly from outside (escaped, cut at 256 bytes), or nullptr
 */
void log_event(int priority, enum event_id event, int error, const char *text, const char *subject);
