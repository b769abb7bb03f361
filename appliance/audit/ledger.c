/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/wal.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/proto/audit.h"
#include "common/secret.h"

constexpr mode_t SEGMENT_MODE = 0600;

int ledger_stop(struct ledger *ledger, enum ledger_state state, const char *why,
		const char *subject)
{
	/* The first reason to stop altogether is the one to show, but for want of room. */
	if (ledger->state < LEDGER_REFUSING || state == LEDGER_TAMPERED || ledger->full) {
		ledger->full = false;
		ledger->state = state;
		(void)snprintf(ledger->why, sizeof(ledger->why), subject ? "%s: %s" : "%s%s", why,
			       subject ? subject : "");
	}
	return LEDGER_REFUSED;
}

enum ledger_state ledger_state(const struct ledger *ledger)
{
	return ledger->state;
}

const char *ledger_why(const struct ledger *ledger)
{
	return ledger->why;
}

int ledger_folder(const struct ledger *ledger)
{
	return ledger->dir;
}

uint64_t ledger_next_index(const struct ledger *ledger)
{
	return ledger->held_first + ledger->held_n;
}

void ledger_status(const struct ledger *ledger, struct ledger_status *ret)
{
	*ret = (struct ledger_status) {
		.size = ledger->size,
		.batch = ledger_next_index(ledger) - ledger->size,
		.signed_size = ledger->builder->size,
		.signed_time_s = ledger->signed_time_s,
		.epoch = ledger->epoch,
		.epoch_size = ledger->size - ledger->epoch_first,
		.root = ledger->root,
		.genesis = ledger->genesis,
	};
}

int ledger_hold(struct ledger *ledger, const void *entry, size_t len)
{
	size_t at = ledger->held_bytes.len;

	if (ledger->held_n == ledger->held_room) {
		size_t room = ledger->held_room ? 2 * ledger->held_room : 512;
		/* held_bytes has a cap, so room has one: the product cannot wrap */
		struct bytes_at *held = realloc(ledger->held, room * sizeof(*held));

		if (!held)
			return -ENOMEM;
		ledger->held = held;
		ledger->held_room = room;
	}
	buf_add(&ledger->held_bytes, entry, len);
	if (buf_error(&ledger->held_bytes)) {
		int r = buf_error(&ledger->held_bytes);

		ledger->held_bytes.error = 0; /* its contents are as before */
		return r;
	}
	ledger->held[ledger->held_n++] = (struct bytes_at) { at, len };
	return 0;
}

struct bytes ledger_held(const struct ledger *ledger, uint64_t index)
{
	const struct bytes_at *held = &ledger->held[index - ledger->held_first];

	return (struct bytes) { ledger->held_bytes.data + held->at, held->len };
}

void ledger_drop_from(struct ledger *ledger, uint64_t index)
{
	if (index >= ledger_next_index(ledger))
		return;
	ledger->held_n = (size_t)(index - ledger->held_first);
	ledger->held_bytes.len = ledger->held[ledger->held_n].at;
}

void ledger_drop_before(struct ledger *ledger, uint64_t index)
{
	if (index <= ledger->held_first)
		return;

	size_t n = (size_t)(index - ledger->held_first);
	size_t bytes = n < ledger->held_n ? ledger->held[n].at : ledger->held_bytes.len;
	buf_drop(&ledger->held_bytes, bytes);
	ledger->held_n -= n;
	for (size_t i = 0; i < ledger->held_n; i++)
		ledger->held[i] = (struct bytes_at) { ledger->held[i + n].at - bytes,
						      ledger->held[i + n].len };
	ledger->held_first = index;
}

/* Whether a producer may say this: our own codes are ours, and only whose intent it is tells its outcome, once. 0, LEDGER_BAD_EVENT or -errno. */
static int is_fit(struct ledger *ledger, const char *producer, const struct audit_event *event)
{
	bool own_code =
		strncmp(event->code, "ledger.", 7) == 0 || strncmp(event->code, "epoch.", 6) == 0;

	if (event->code[0] == '\0' || (own_code && strcmp(producer, ENTRY_OWN_PRODUCER) != 0))
		return LEDGER_BAD_EVENT;
	if (event->intent == AUDIT_NO_INTENT)
		return 0;
	if (event->outcome == AUDIT_INTENT)
		return LEDGER_BAD_EVENT;
	return ledger_outcome_fits(ledger, producer, event->intent);
}

/* Build the entry and hold it. */
static int hold_event(struct ledger *ledger, const char *producer, const struct audit_event *event,
		      bool unknown)
{
	auto_buf struct buf entry = buf_make(TILE_ENTRY_MAX);
	struct entry_stamp stamp = { .index = ledger_next_index(ledger),
				     .time_us = clock_wall_us(),
				     .mono_us = clock_mono_us(),
				     .boot = ledger->boot,
				     .producer = producer,
				     .unknown = unknown };

	int r = entry_write(&entry, &stamp, event);
	if (r)
		return r > 0 ? LEDGER_BAD_EVENT : r;
	return ledger_hold(ledger, entry.data, entry.len);
}

/* Charge the entry just held to who caused it, or take it back. Returns 0 or LEDGER_LIMITED. */
static int charge(struct ledger *ledger, const struct audit_event *event, uint64_t index,
		  enum room_class class)
{
	/* Once in the log, once in a bundle. */
	uint64_t bytes = 2 * ledger_held(ledger, index).len;

	if (!room_charge(&ledger->shares, event, class, bytes, ledger_room_left(ledger, class))) {
		ledger_drop_from(ledger, index);
		return LEDGER_LIMITED;
	}
	ledger->free_bytes -= bytes < ledger->free_bytes ? bytes : ledger->free_bytes;
	if (class > ledger->batch_class)
		ledger->batch_class = class;
	return 0;
}

int ledger_add(struct ledger *ledger, const char *producer, const struct audit_event *event,
	       uint64_t *ret_index)
{
	uint64_t index = ledger_next_index(ledger);
	uint64_t waiting = index - ledger->size;
	int fit = is_fit(ledger, producer, event);
	bool promised = fit == 0 && event->intent != AUDIT_NO_INTENT;
	enum room_class class =
		room_class_of(event, strcmp(producer, ENTRY_OWN_PRODUCER) == 0, promised);

	if (fit < 0)
		return fit;
	if (!ledger_room_for(ledger, class))
		return LEDGER_REFUSED;
	if (fit)
		return fit;
	/* A batch stays within one segment: then undoing it is one truncation. */
	if (waiting >= LEDGER_BATCH || (waiting > 0 && index % WAL_SEGMENT_ENTRIES == 0))
		return LEDGER_BATCH_FULL;

	int r = hold_event(ledger, producer, event, false);
	if (r == 0)
		r = charge(ledger, event, index, class);
	if (r == 0) {
		ledger_intent_ended(ledger, index, event->intent);
		*ret_index = index;
	}
	return r;
}

int ledger_add_own(struct ledger *ledger, const char *code, uint64_t intent, const char *detail)
{
	struct audit_event *event = &ledger->own;
	uint64_t index = ledger_next_index(ledger);
	int r = 0;

	if (!ledger_room_for(ledger, ROOM_OWN))
		return LEDGER_REFUSED;
	*event = (struct audit_event) { .outcome = AUDIT_DONE, .intent = intent };
	(void)snprintf(event->code, sizeof(event->code), "%s", code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "system");
	(void)snprintf(event->actor, sizeof(event->actor), "%s", ENTRY_OWN_PRODUCER);
	(void)snprintf(event->detail, sizeof(event->detail), "%s", detail);
	if (index - ledger->size >= LEDGER_BATCH ||
	    (index > ledger->size && index % WAL_SEGMENT_ENTRIES == 0))
		r = ledger_commit(ledger);
	if (r)
		return r;
	ledger->batch_class = ROOM_OWN;
	r = hold_event(ledger, ENTRY_OWN_PRODUCER, event, intent != AUDIT_NO_INTENT);
	if (r == 0)
		ledger_intent_ended(ledger, index, intent);
	return r;
}

/* Make sure the segment for the next durable entry is open. Returns 0, LEDGER_NO_SPACE or -errno. */
static int open_segment(struct ledger *ledger)
{
	char path[WAL_NAME_MAX];

	if (ledger->size % WAL_SEGMENT_ENTRIES != 0 || ledger->wal_end == 0) {
		if (ledger->wal >= 0)
			return 0;
	}
	wal_path(ledger->size, path);
	int r = folder_make(ledger->dir, path);
	if (r)
		return r == -ENOSPC || r == -EDQUOT ? LEDGER_NO_SPACE : r;

	int fd = openat(ledger->dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, SEGMENT_MODE);
	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT ? LEDGER_NO_SPACE : neg_errno();
	close_at(&ledger->wal);
	ledger->wal = fd;
	ledger->wal_first = ledger->size;
	ledger->wal_end = 0;
	if (ftruncate(fd, 0) < 0)
		return neg_errno();
	return folder_sync(ledger->dir, path);
}

/* Write the batch's records after the good ones and sync. Returns 0, LEDGER_NO_SPACE (undone) or -errno. */
static int write_batch(struct ledger *ledger)
{
	struct buf *out = &ledger->wal_bytes;

	int r = open_segment(ledger);
	if (r)
		return r;

	buf_clear(out);
	if (ledger->wal_end == 0)
		wal_header_write(out, ledger->wal_first);
	for (uint64_t i = ledger->size; i < ledger_next_index(ledger); i++) {
		struct bytes entry = ledger_held(ledger, i);

		wal_record_write(out, i, entry.data, entry.len);
	}
	r = buf_error(out);
	if (r)
		return r;

	r = folder_pwrite(ledger->wal, out->data, out->len, ledger->wal_end);
	if (r == -ENOSPC || r == -EDQUOT) /* nothing that was acknowledged is touched */
		return ftruncate(ledger->wal, (off_t)ledger->wal_end) < 0 ? neg_errno()
									  : LEDGER_NO_SPACE;
	if (r == 0 && fdatasync(ledger->wal) < 0)
		r = neg_errno();
	if (r == 0)
		ledger->wal_end += out->len;
	return r;
}

/* Take note of the intents and outcomes in the batch just made durable. */
static int note_intents(struct ledger *ledger)
{
	int r = 0;

	for (uint64_t i = ledger->size; r == 0 && i < ledger_next_index(ledger); i++) {
		auto_entry struct entry entry = {};
		struct bytes held = ledger_held(ledger, i);

		r = entry_read(held.data, held.len, &entry);
		if (r == 0)
			r = ledger_intent_note(ledger, i, &entry);
	}
	return r > 0 ? -EINVAL : r;
}

int ledger_commit(struct ledger *ledger)
{
	if (ledger_next_index(ledger) == ledger->size)
		return 0;
	if (ledger->state >= LEDGER_REFUSING && !ledger->full) {
		ledger_drop_from(ledger, ledger->size);
		return LEDGER_REFUSED;
	}

	int r = write_batch(ledger);
	while (r == LEDGER_NO_SPACE && ledger_use_reserve(ledger, ledger->batch_class))
		r = write_batch(ledger);
	ledger->batch_class = ROOM_ORDINARY;
	if (r == 0)
		r = note_intents(
			ledger); /* before size moves: a failure is a batch not acknowledged */
	if (r == 0) {
		ledger->size = ledger_next_index(ledger);
		ledger_measure(ledger);
		return 0;
	}

	ledger_drop_from(ledger, ledger->size);
	if (r == LEDGER_NO_SPACE)
		return ledger_out_of_room(ledger);
	/* What a failed sync left on the disk nobody knows: this descriptor is never synced again. */
	(void)ledger_stop(ledger, LEDGER_REFUSING, "the ledger's disk failed", nullptr);
	close_at(&ledger->wal);
	ledger->broken = true;
	return r;
}

void ledger_page_done(struct ledger_page *page)
{
	buf_done(&page->room);
	page->n = 0;
	page->first = LEDGER_NO_PAGE;
}

/* Fill the page from the entries in memory. */
static int page_from_memory(const struct ledger *ledger, uint64_t first, struct ledger_page *page)
{
	while (page->n < TILE_WIDTH && first + page->n < ledger->size) {
		page->entry[page->n] = ledger_held(ledger, first + page->n);
		page->n++;
	}
	page->first = first;
	return 0;
}

int ledger_page_read(struct ledger *ledger, uint64_t index, struct ledger_page *page)
{
	uint64_t first = index / TILE_WIDTH * TILE_WIDTH;
	char path[TILE_PATH_MAX];
	struct bytes rest;

	page->n = 0;
	page->first = LEDGER_NO_PAGE;
	if (index >= ledger->size)
		return LEDGER_NO_ENTRY;
	if (first >= ledger->held_first)
		return page_from_memory(ledger, first, page);

	page->room.max = TILE_BUNDLE_BYTES;
	buf_clear(&page->room);
	tile_path(TILE_ENTRIES, first / TILE_WIDTH, TILE_WIDTH, path);
	int r = folder_read(ledger->dir, path, &page->room);
	if (r)
		return r > 0 ? LEDGER_DAMAGED : r;
	rest = (struct bytes) { page->room.data, page->room.len };
	for (unsigned int i = 0; i < TILE_WIDTH; i++)
		if (!tile_bundle_next(&rest, &page->entry[i]))
			return LEDGER_DAMAGED;
	if (rest.len != 0)
		return LEDGER_DAMAGED;
	page->n = TILE_WIDTH;
	page->first = first;
	return 0;
}

struct ledger *ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return nullptr;
	close_at(&ledger->wal);
	close_at(&ledger->dir);
	secret_done(&ledger->private_key);
	buf_done(&ledger->held_bytes);
	buf_done(&ledger->wal_bytes);
	buf_done(&ledger->note);
	free(ledger->held);
	free(ledger->intent);
	room_shares_done(&ledger->shares);
	free(ledger);
	return nullptr;
}
