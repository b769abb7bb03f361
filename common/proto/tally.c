/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/proto/audit.h"

struct slot {
	char key[TALLY_KEY_MAX];
	bool used;
	uint64_t since_us; /* of the window, monotonic */
	uint64_t count;	   /* not told of yet */
	uint64_t first_us, last_us;
	struct audit_event event;
};

struct tally {
	size_t n, last, due; /* the last slot is for all that have none of their own */
	struct slot slot[];
};

int tally_new(size_t slots, struct tally **ret)
{
	struct tally *tally = calloc(1, sizeof(*tally) + (slots + 1) * sizeof(tally->slot[0]));

	if (!tally)
		return -ENOMEM;
	tally->n = slots + 1;
	*ret = tally;
	return 0;
}

struct tally *tally_free(struct tally *tally)
{
	free(tally);
	return nullptr;
}

/* The slot of that key, or a free one, or the one for all others. */
static size_t find(const struct tally *tally, const char *key)
{
	size_t room = tally->n - 1;

	for (size_t i = 0; i + 1 < tally->n; i++) {
		if (tally->slot[i].used && strncmp(tally->slot[i].key, key, TALLY_KEY_MAX - 1) == 0)
			return i;
		if (!tally->slot[i].used && room == tally->n - 1)
			room = i;
	}
	return room;
}

int tally_count(struct tally *tally, const char *key, const struct audit_event *event,
		uint64_t mono_us, uint64_t wall_us)
{
	size_t i = find(tally, key);
	struct slot *slot = &tally->slot[i];

	tally->last = i;
	if (!slot->used) {
		slot->used = true;
		slot->since_us = mono_us;
		slot->count = 0;
		slot->first_us = slot->last_us = wall_us;
		slot->event = *event;
		(void)snprintf(slot->key, sizeof(slot->key), "%s", key);
		return TALLY_FIRST;
	}
	if (i == tally->n - 1) { /* of several: whose they are is not told */
		slot->event.actor[0] = slot->event.source[0] = slot->event.target[0] = '\0';
		(void)snprintf(slot->event.actor_kind, sizeof(slot->event.actor_kind), "several");
		(void)snprintf(slot->event.detail, sizeof(slot->event.detail), "{\"last\":\"%s\"}",
			       event->code);
	}
	if (slot->count == 0)
		slot->first_us = wall_us;
	slot->count++;
	slot->last_us = wall_us;
	return TALLY_COUNTED;
}

void tally_unrecorded(struct tally *tally)
{
	tally->slot[tally->last].count++;
}

/* Put the count in front of the detail's own members; if they do not fit beside it, instead of them. */
static void add_count(const struct slot *slot, struct audit_event *ret)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	const char *rest = slot->event.detail;
	bool more = rest[0] == '{' && rest[1] != '}' && rest[1] != '\0';

	clock_text_us(slot->first_us, first);
	clock_text_us(slot->last_us, last);
	for (int with = more; with >= 0; with--) {
		int len =
			snprintf(ret->detail, sizeof(ret->detail),
				 "{\"count\":%" PRIu64 ",\"from\":\"%s\",\"to\":\"%s\"%s%s",
				 slot->count, first, last, with ? "," : "}", with ? rest + 1 : "");

		if (len > 0 && (size_t)len < sizeof(ret->detail))
			return;
	}
}

bool tally_due(struct tally *tally, uint64_t mono_us, struct audit_event *ret)
{
	for (size_t i = 0; i < tally->n; i++) {
		struct slot *slot = &tally->slot[i];

		if (!slot->used ||
		    (mono_us - slot->since_us < TALLY_WINDOW_US && mono_us != UINT64_MAX))
			continue;
		if (slot->count == 0) {
			slot->used = false;
			continue;
		}
		*ret = slot->event;
		add_count(slot, ret);
		tally->due = i;
		return true;
	}
	return false;
}

void tally_recorded(struct tally *tally, uint64_t mono_us)
{
	struct slot *slot = &tally->slot[tally->due];

	slot->count = 0;
	slot->since_us = mono_us;
	if (mono_us == UINT64_MAX)
		slot->used = false;
}
