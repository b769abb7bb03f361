/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/base.h"
#include "common/utf8.h"

constexpr size_t SUBJECT_MAX = 256;

static const struct {
	const char *name;
	const char *help;
} EVENTS[] = {
	[EVENT_STARTED] = { "started", "the process is ready" },
	[EVENT_STOPPED] = { "stopped", "the process ends as asked" },
	[EVENT_START_FAILED] = { "start-failed", "the process cannot start; the text says why" },
	[EVENT_CONNECTION_LOST] = { "connection-lost", "a local connection ended or was not made" },
	[EVENT_FRAME_REFUSED] = { "frame-refused", "a peer sent what the protocol does not allow" },
	[EVENT_CONFIG_REFUSED] = { "config-refused",
				   "the configuration is not valid; see the text" },
	[EVENT_VOLUME] = { "volume", "the data volume was formatted, opened or refused" },
	[EVENT_LEDGER] = { "ledger", "the audit ledger cannot take or verify an entry" },
	[EVENT_ACCESS] = { "access", "somebody was let in or turned away" },
	[EVENT_REQUEST_FAILED] = { "request-failed", "a request ended by a fault of ours" },
	[EVENT_TLS] = { "tls", "a certificate was loaded, made or refused" },
	[EVENT_PROVISION] = { "provision", "a step of the first boot" },
	[EVENT_SELF_TEST] = { "self-test", "a sandbox check" },
	[EVENT_KEYS] = { "keys", "a collection key or the master key cannot be used" },
	[EVENT_STUCK] = { "stuck", "something did not end when it had to; the process was ended" },
};
static_assert(countof(EVENTS) == EVENT_COUNT);

/* Copy what may come from outside, with everything that could upset a terminal replaced. */
static void escape(const char *from, char *ret)
{
	size_t len = strnlen(from, SUBJECT_MAX);

	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(from + i, len - i);
		bool good = step > 0 && utf8_is_printable(from + i, step);

		if (good)
			memcpy(ret + i, from + i, step);
		else
			ret[i] = '?';
		i += good ? step : 1;
	}
	ret[len] = '\0';
}

void log_event(int priority, enum event_id event, int error, const char *text, const char *subject)
{
	char about[SUBJECT_MAX + 1] = "";
	char line[1024];

	if (subject)
		escape(subject, about);
	(void)snprintf(line, sizeof(line), "%s%s%s%s%s", text, subject ? ": " : "", about,
		       error ? ": " : "", error ? strerrordesc_np(-error) : "");

	int r = -ENOTCONN;
	if (getenv("JOURNAL_STREAM"))
		r = sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", priority, "REDOUBT_EVENT=%s",
				    EVENTS[event].name, "REDOUBT_HELP=%s", EVENTS[event].help,
				    "ERRNO=%d", -error, nullptr);
	/* front may make no socket; the journal reads its stderr and knows this prefix. */
	if (r < 0)
		(void)fprintf(stderr, "<%d>%s: %s\n", priority, EVENTS[event].name, line);
}
