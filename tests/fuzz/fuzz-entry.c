/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/tile.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/proto/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An event that is taken becomes one line of JSON that says the same and is nobody else's. */
static void write_event(const struct audit_event *event)
{
	static const struct entry_stamp STAMP = { .index = 7,
						  .boot = "boot",
						  .producer = "engine" };
	auto_buf struct buf out = buf_make(TILE_ENTRY_MAX);
	auto_entry struct entry entry = {};

	if (event->code[0] == '\0' || entry_write(&out, &STAMP, event) != 0)
		return;
	for (size_t i = 0; i < out.len; i++)
		if (out.data[i] < 0x20)
			abort();
	int r = entry_read(out.data, out.len, &entry);
	if (r == -ENOMEM)
		return;
	if (r || entry.index != 7 || strcmp(entry.producer, "engine") != 0 ||
	    strcmp(entry.code, event->code) != 0 || strcmp(entry.actor, event->actor) != 0 ||
	    strcmp(entry.target, event->target) != 0 || entry.intent != event->intent ||
	    epoch_is_rotation(&entry))
		abort();
}

/* Any bytes as a producer's event, and as an entry found in a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct audit_event *event = calloc(1, sizeof(*event));
	auto_buf struct buf detail = buf_make(TILE_ENTRY_MAX);
	auto_entry struct entry entry = {};
	struct epoch_statement statement;
	char action[64];

	if (!copy || !event)
		return 0;
	memcpy(copy, data, size);
	if (audit_event_read(copy, size, event))
		write_event(event);
	if (entry_read(copy, size, &entry) == 0) {
		entry_detail(&entry, &detail);
		entry_action(&entry, action, sizeof(action));
		(void)!entry_matches(&entry, "a");
		(void)!epoch_statement_read(&entry, &statement);
	}
	return 0;
}
