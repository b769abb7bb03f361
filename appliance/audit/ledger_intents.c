/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/note.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/proto/audit.h"

static const char FILE_NAME[] = "intents";
constexpr size_t FILE_MAX = LEDGER_INTENTS * 21 + 64;

/* Where intent index is or belongs in the ordered list. */
static size_t place_of(const struct ledger *ledger, uint64_t index)
{
	size_t low = 0, high = ledger->n_intents;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ledger->intent[middle] < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Add an intent; the oldest is forgotten when there are too many. Indices only grow. */
static int open_intent(struct ledger *ledger, uint64_t index)
{
	if (!ledger->intent)
		ledger->intent = calloc(LEDGER_INTENTS, sizeof(*ledger->intent));
	if (!ledger->intent)
		return -ENOMEM;
	if (ledger->n_intents > 0 && ledger->intent[ledger->n_intents - 1] >= index)
		return 0; /* noted already */
	if (ledger->n_intents == LEDGER_INTENTS)
		memmove(ledger->intent, ledger->intent + 1,
			--ledger->n_intents * sizeof(*ledger->intent));
	ledger->intent[ledger->n_intents++] = index;
	ledger->intents_changed = true;
	return 0;
}

bool ledger_intent_is_open(const struct ledger *ledger, uint64_t index)
{
	size_t at = place_of(ledger, index);

	return at < ledger->n_intents && ledger->intent[at] == index;
}

/* Whether the batch has an outcome of that intent already. */
static bool ends_in_batch(const struct ledger *ledger, uint64_t intent)
{
	if (ledger_next_index(ledger) == ledger->size)
		return false;
	for (size_t i = 0; i < ledger->n_ended; i++)
		if (ledger->ended[i] == intent)
			return true;
	return false;
}

void ledger_intent_ended(struct ledger *ledger, uint64_t index, uint64_t intent)
{
	if (index == ledger->size) /* the first of its batch */
		ledger->n_ended = 0;
	if (intent != AUDIT_NO_INTENT)
		ledger->ended[ledger->n_ended++] = intent;
}

int ledger_outcome_fits(struct ledger *ledger, const char *producer, uint64_t intent)
{
	auto_page struct ledger_page page = {};
	auto_entry struct entry entry = {};
	struct bytes text = {};

	if (intent >= ledger_next_index(ledger) || ends_in_batch(ledger, intent) ||
	    (intent < ledger->size && !ledger_intent_is_open(ledger, intent)))
		return LEDGER_BAD_EVENT;
	if (intent >= ledger->held_first) {
		text = ledger_held(ledger, intent);
	} else {
		int r = ledger_page_read(ledger, intent, &page);

		if (r)
			return r > 0 ? LEDGER_BAD_EVENT : r;
		text = page.entry[intent - page.first];
	}
	int r = entry_read(text.data, text.len, &entry);
	if (r)
		return r > 0 ? LEDGER_BAD_EVENT : r;
	return strcmp(entry.outcome, "intent") == 0 && strcmp(entry.producer, producer) == 0
		       ? 0
		       : LEDGER_BAD_EVENT;
}

static void close_intent(struct ledger *ledger, uint64_t index)
{
	size_t at = place_of(ledger, index);

	if (at == ledger->n_intents || ledger->intent[at] != index)
		return;
	memmove(ledger->intent + at, ledger->intent + at + 1,
		(--ledger->n_intents - at) * sizeof(*ledger->intent));
	ledger->intents_changed = true;
}

int ledger_intent_note(struct ledger *ledger, uint64_t index, const struct entry *entry)
{
	if (strcmp(entry->outcome, "intent") == 0)
		return open_intent(ledger, index);
	if (entry->intent != AUDIT_NO_INTENT)
		close_intent(ledger, entry->intent);
	return 0;
}

int ledger_intents_save(struct ledger *ledger)
{
	auto_buf struct buf out = buf_make(FILE_MAX);

	if (!ledger->intents_changed && ledger->size - ledger->intents_size < WAL_SEGMENT_ENTRIES)
		return 0;
	buf_addf(&out, "size %" PRIu64 "\n", ledger->size);
	for (size_t i = 0; i < ledger->n_intents; i++)
		buf_addf(&out, "%" PRIu64 "\n", ledger->intent[i]);
	buf_add_str(&out, "end\n");

	int r = buf_error(&out);
	if (r == 0)
		r = folder_put(ledger->dir, FILE_NAME, out.data, out.len);
	if (r)
		return r;
	ledger->intents_changed = false;
	ledger->intents_size = ledger->size;
	return 0;
}

/* Read the file. Returns whether it is whole; *ret_size is then up to where it holds. */
static bool read_file(struct ledger *ledger, uint64_t *ret_size)
{
	auto_buf struct buf text = buf_make(FILE_MAX);
	struct bytes rest, line;
	uint64_t number = 0;

	if (folder_read(ledger->dir, FILE_NAME, &text))
		return false;
	rest = (struct bytes) { text.data, text.len };
	if (!note_line(&rest, &line) || line.len < 6 || memcmp(line.data, "size ", 5) != 0 ||
	    !note_number((struct bytes) { line.data + 5, line.len - 5 }, ret_size) ||
	    *ret_size > ledger->size)
		return false;
	while (note_line(&rest, &line) && note_number(line, &number))
		if (number >= *ret_size || open_intent(ledger, number))
			return false;
	return rest.len == 0 && line.len == 3 && memcmp(line.data, "end", 3) == 0;
}

int ledger_intents_load(struct ledger *ledger)
{
	cleanup(ledger_page_done) struct ledger_page page = {};
	uint64_t from = 0;
	int r = 0;

	/* The file saves reading all entries; without it they are read. */
	if (!read_file(ledger, &from)) {
		ledger->n_intents = 0;
		from = 0;
	}
	for (uint64_t at = from; r == 0 && at < ledger->size; at = page.first + page.n) {
		r = ledger_page_read(ledger, at, &page);
		for (unsigned int i = 0; r == 0 && i < page.n; i++) {
			auto_entry struct entry entry = {};

			r = entry_read(page.entry[i].data, page.entry[i].len, &entry);
			if (r == 0)
				r = ledger_intent_note(ledger, page.first + i, &entry);
		}
	}
	return r > 0 ? LEDGER_DAMAGED : r;
}

int ledger_intents_give_up(struct ledger *ledger, uint64_t index)
{
	constexpr size_t AT_ONCE = 256;
	int r = 0;

	while (r == 0 && ledger->n_intents > 0 && ledger->intent[0] < index) {
		uint64_t some[AT_ONCE]; /* a commit takes them off the list */
		size_t n = place_of(ledger, index);

		n = n < AT_ONCE ? n : AT_ONCE;
		memcpy(some, ledger->intent, n * sizeof(some[0]));
		for (size_t i = 0; r == 0 && i < n; i++)
			r = ledger_add_own(ledger, "ledger.outcome-unknown", some[i], "");
		if (r == 0)
			r = ledger_commit(ledger);
	}
	return r;
}

int ledger_give_up(struct ledger *ledger, uint64_t index)
{
	if (!ledger_intent_is_open(ledger, index))
		return 0; /* told by another connection */
	return ledger_add_own(ledger, "ledger.outcome-unknown", index, "");
}
