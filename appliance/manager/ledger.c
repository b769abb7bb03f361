/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/ledger.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/tally.h"

constexpr size_t KINDS_MAX = 32; /* what is read, told apart within a minute */

struct ledger {
	struct audit_client *client;
	struct audit_event *kept[LEDGER_KEPT_MAX];
	size_t n;
	uint64_t dropped;
	bool open;
	struct tally *tally;
	struct audit_event due; /* scratch: too large for the stack */
};

int ledger_new(struct ledger **ret)
{
	cleanup(ledger_free_at) struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	int r = audit_client_new("audit-appliance.sock", &ledger->client);
	if (r == 0)
		r = tally_new(KINDS_MAX, &ledger->tally);
	if (r)
		return r;
	*ret = TAKE(ledger);
	return 0;
}

struct ledger *ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return nullptr;
	for (size_t i = 0; i < ledger->n; i++)
		free(ledger->kept[i]);
	ledger->tally = tally_free(ledger->tally);
	ledger->client = audit_client_free(ledger->client);
	free(ledger);
	return nullptr;
}

/* Spell the event out; an event that is kept says itself when it happened. */
static void fill(struct audit_event *to, const struct ledger_event *from, bool kept)
{
	auto_buf struct buf detail = buf_make(sizeof(to->detail) - 1);
	char now[CLOCK_TEXT];

	memset(to, 0, sizeof(*to));
	to->decision = from->decision;
	to->outcome = from->outcome;
	to->intent = from->intent;
	(void)snprintf(to->code, sizeof(to->code), "%s", from->code);
	(void)snprintf(to->actor_kind, sizeof(to->actor_kind), "%s",
		       from->person[0] ? "person" : "system");
	(void)snprintf(to->actor, sizeof(to->actor), "%s",
		       from->person[0] ? from->person : "redoubt-appliance");
	(void)snprintf(to->target, sizeof(to->target), "%s", from->target);

	buf_add_str(&detail, "{\"text\":");
	buf_add_json(&detail, from->text, strlen(from->text));
	if (kept) {
		clock_text_us(clock_wall_us(), now);
		buf_addf(&detail, ",\"happened\":\"%s\"", now);
	}
	buf_add_str(&detail, "}");
	const char *text = buf_text(&detail);
	(void)snprintf(to->detail, sizeof(to->detail), "%s", text ? text : "");
}

/* Keep it for later; the first event of a boot and the latest are worth more than those between. */
static int keep(struct ledger *ledger, const struct audit_event *event)
{
	struct audit_event *copy = malloc(sizeof(*copy));

	if (!copy)
		return LEDGER_UNAVAILABLE;
	*copy = *event;
	if (ledger->n == LEDGER_KEPT_MAX) {
		free(ledger->kept[1]);
		ledger->n--;
		memmove(&ledger->kept[1], &ledger->kept[2],
			(ledger->n - 1) * sizeof(ledger->kept[0]));
		ledger->dropped++;
	}
	ledger->kept[ledger->n++] = copy;
	return LEDGER_OK;
}

int ledger_record(struct ledger *ledger, const struct ledger_event *event, uint64_t *ret_index)
{
	auto_free struct audit_event *full = malloc(sizeof(*full));
	uint64_t index = AUDIT_NO_INTENT;

	if (ret_index)
		*ret_index = AUDIT_NO_INTENT;
	if (!full)
		return LEDGER_UNAVAILABLE;
	fill(full, event, !ledger->open);
	if (!ledger->open)
		return keep(ledger, full);
	if (audit_append(ledger->client, full, &index) != AUDIT_OK)
		return LEDGER_UNAVAILABLE;
	if (ret_index)
		*ret_index = index;
	return LEDGER_OK;
}

/* One line for all that there was no room for. */
static int append_dropped(struct ledger *ledger)
{
	char text[96];

	if (ledger->dropped == 0)
		return LEDGER_OK;
	(void)snprintf(text, sizeof(text), "%llu events before the ledger was open were not kept",
		       (unsigned long long)ledger->dropped);
	const struct ledger_event event = { .code = "appliance.events-dropped",
					    .person = "",
					    .target = "",
					    .text = text,
					    .outcome = AUDIT_DONE,
					    .intent = AUDIT_NO_INTENT };
	int r = ledger_record(ledger, &event, nullptr);
	if (r == LEDGER_OK)
		ledger->dropped = 0;
	return r;
}

int ledger_open(struct ledger *ledger)
{
	while (ledger->n > 0) {
		if (audit_append(ledger->client, ledger->kept[0], nullptr) != AUDIT_OK)
			return LEDGER_UNAVAILABLE;
		free(ledger->kept[0]);
		ledger->n--;
		memmove(&ledger->kept[0], &ledger->kept[1], ledger->n * sizeof(ledger->kept[0]));
	}
	ledger->open = true;
	return append_dropped(ledger);
}

void ledger_read(struct ledger *ledger, const char *session, const char *code, const char *person)
{
	const struct ledger_event event = { .code = code,
					    .person = person,
					    .target = "appliance",
					    .text = "",
					    .decision = AUDIT_ALLOW,
					    .outcome = AUDIT_DONE,
					    .intent = AUDIT_NO_INTENT };
	char key[TALLY_KEY_MAX];

	if (!ledger->open)
		return;
	fill(&ledger->due, &event, false);
	(void)snprintf(key, sizeof(key), "%s %s", session, code);
	if (tally_count(ledger->tally, key, &ledger->due, clock_mono_us(), clock_wall_us()) ==
		    TALLY_FIRST &&
	    audit_append(ledger->client, &ledger->due, nullptr) != AUDIT_OK)
		tally_unrecorded(ledger->tally);
}

void ledger_tick(struct ledger *ledger, uint64_t now_us)
{
	while (ledger->open && tally_due(ledger->tally, now_us, &ledger->due)) {
		if (audit_append(ledger->client, &ledger->due, nullptr) != AUDIT_OK)
			return;
		tally_recorded(ledger->tally, now_us);
	}
}

size_t ledger_kept(const struct ledger *ledger)
{
	return ledger->n;
}
