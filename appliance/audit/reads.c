/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/reads.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/proto/audit.h"
#include "common/proto/tally.h"

constexpr size_t KINDS_MAX = 64; /* what is read, told apart within a minute */

struct reads {
	exports_record_fn *record;
	void *userdata;
	struct tally *tally;
	struct audit_event event; /* too large for the stack */
};

int reads_new(exports_record_fn *record, void *userdata, struct reads **ret)
{
	cleanup(reads_free_at) struct reads *reads = calloc(1, sizeof(*reads));

	if (!reads)
		return -ENOMEM;
	reads->record = record;
	reads->userdata = userdata;
	int r = tally_new(KINDS_MAX, &reads->tally);
	if (r)
		return r;
	*ret = TAKE(reads);
	return 0;
}

struct reads *reads_free(struct reads *reads)
{
	if (!reads)
		return nullptr;
	reads->tally = tally_free(reads->tally);
	free(reads);
	return nullptr;
}

void reads_note(struct reads *reads, const char *sender, const char *code, const char *person)
{
	struct audit_event *event = &reads->event;
	char key[TALLY_KEY_MAX];

	*event = (struct audit_event) { .decision = AUDIT_ALLOW,
					.outcome = AUDIT_DONE,
					.intent = AUDIT_NO_INTENT };
	(void)snprintf(event->code, sizeof(event->code), "%s", code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "person");
	(void)snprintf(event->actor, sizeof(event->actor), "%s", person);
	(void)snprintf(event->target, sizeof(event->target), "ledger");
	(void)snprintf(key, sizeof(key), "%s %s", sender, code);
	if (tally_count(reads->tally, key, event, clock_mono_us(), clock_wall_us()) ==
		    TALLY_FIRST &&
	    reads->record(reads->userdata, event, nullptr))
		tally_unrecorded(reads->tally);
}

void reads_tick(struct reads *reads, uint64_t now_us)
{
	while (tally_due(reads->tally, now_us, &reads->event)) {
		if (reads->record(reads->userdata, &reads->event, nullptr))
			return;
		tally_recorded(reads->tally, now_us);
	}
}

bool reads_are(const struct entry *entry)
{
	static const char *const CODES[] = {
		"audit.list",	    "audit.show",	"audit.proof",	"audit.verify",
		"person.list",	    "ssh-key.list",	"api-key.list", "role.list",
		"session.who-am-i", "appliance.status", "appliance.ca",
	};

	for (size_t i = 0; i < countof(CODES); i++)
		if (strcmp(entry->code, CODES[i]) == 0 && strcmp(entry->decision, "allow") == 0)
			return true;
	return false;
}
