/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/ledger_room.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/audit.h"

constexpr mode_t RESERVE_MODE = 0600;
constexpr uint64_t RESERVE_PIECE = 256u << 10; /* given up at a time */
constexpr uint64_t RESERVE_LEAST = 64u << 10;  /* less is not worth a file */

static bool is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT;
}

void ledger_measure(struct ledger *ledger)
{
	struct statvfs fs;
	struct stat st;

	if (fstatvfs(ledger->dir, &fs) == 0) {
		ledger->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
		if (ledger->plan.reserve == 0)
			ledger->plan = room_plan((uint64_t)fs.f_blocks * fs.f_frsize);
	}
	if (fstatat(ledger->dir, LEDGER_RESERVE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		ledger->reserve_bytes = (uint64_t)st.st_size;
	else
		ledger->reserve_bytes = 0;
}

int ledger_out_of_room(struct ledger *ledger)
{
	if (ledger->state < LEDGER_REFUSING) {
		(void)ledger_stop(ledger, LEDGER_REFUSING, "the data volume is full", nullptr);
		ledger->full = true;
	}
	return LEDGER_NO_SPACE;
}

/* Note that room is short. */
static void note_low(struct ledger *ledger)
{
	if (ledger->state == LEDGER_OK)
		(void)ledger_stop(ledger, LEDGER_LOW,
				  "the data volume is full but for what is set aside", nullptr);
}

bool ledger_room_for(struct ledger *ledger, enum room_class class)
{
	bool room = class != ROOM_ORDINARY || ledger->free_bytes > ledger->plan.floor;

	if (!room)
		note_low(ledger);
	if (ledger->state == LEDGER_LOW)
		return class != ROOM_ORDINARY;
	return ledger->state == LEDGER_OK ? room : ledger->full && class != ROOM_ORDINARY;
}

uint64_t ledger_room_left(const struct ledger *ledger, enum room_class class)
{
	uint64_t own = ledger->plan.own, kept = ledger->reserve_bytes;

	if (class == ROOM_ORDINARY)
		return ledger->free_bytes > ledger->plan.floor
			       ? ledger->free_bytes - ledger->plan.floor
			       : 0;
	if (class == ROOM_ADMIN)
		kept = kept > own ? kept - own : 0;
	return ledger->free_bytes + kept;
}

bool ledger_use_reserve(struct ledger *ledger, enum room_class class)
{
	uint64_t keep = class == ROOM_OWN ? 0 : ledger->plan.own;
	uint64_t size;

	note_low(ledger);
	ledger_measure(ledger);
	size = ledger->reserve_bytes;
	if (size <= keep)
		return false;
	size -= size - keep < RESERVE_PIECE ? size - keep : RESERVE_PIECE;

	auto_close int fd =
		openat(ledger->dir, LEDGER_RESERVE_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = size < RESERVE_LEAST ? folder_remove(ledger->dir, LEDGER_RESERVE_FILE) : -EAGAIN;
	if (r == -EAGAIN)
		r = fd < 0 || ftruncate(fd, (off_t)size) < 0 ? neg_errno() : 0;
	ledger_measure(ledger);
	return r == 0;
}

int ledger_make_reserve(struct ledger *ledger)
{
	auto_close int fd = openat(ledger->dir, LEDGER_RESERVE_FILE,
				   O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, RESERVE_MODE);
	uint64_t want = ledger->plan.reserve;
	int r = fd < 0 ? neg_errno() : 0;

	while (r == 0 && want >= RESERVE_LEAST && fallocate(fd, 0, 0, (off_t)want) < 0) {
		r = is_full(neg_errno()) ? 0 : neg_errno();
		want /= 2;
	}
	/* What a try that failed has made longer holds no blocks. */
	if (r == 0 && want < ledger->plan.reserve && want > ledger->reserve_bytes &&
	    ftruncate(fd, (off_t)want) < 0)
		r = neg_errno();
	if (r == 0 && want < RESERVE_LEAST && ledger->reserve_bytes == 0)
		r = folder_remove(ledger->dir, LEDGER_RESERVE_FILE);
	ledger_measure(ledger);
	if (is_full(r))
		return LEDGER_NO_SPACE;
	return r == 0 && ledger->reserve_bytes < ledger->plan.reserve ? LEDGER_NO_SPACE : r;
}

/* Bytes that must be free before things are as usual again: so much that it does not go back and forth. */
static uint64_t enough(const struct ledger *ledger)
{
	uint64_t missing = ledger->plan.reserve > ledger->reserve_bytes
				   ? ledger->plan.reserve - ledger->reserve_bytes
				   : 0;

	return 2 * ledger->plan.floor + missing;
}

int ledger_open_room(struct ledger *ledger)
{
	int r = room_shares_init(&ledger->shares);

	if (r)
		return r;
	ledger_measure(ledger);
	if (ledger->reserve_bytes == 0 || ledger->free_bytes >= enough(ledger))
		r = ledger_make_reserve(ledger);
	if (r == LEDGER_NO_SPACE || ledger->reserve_bytes < ledger->plan.reserve ||
	    ledger->free_bytes < ledger->plan.floor)
		note_low(ledger);
	return r < 0 ? r : 0;
}

/* Tell who was refused because of a share, and how often. Entries that are not recorded are told later. */
static void tell_refused(struct ledger *ledger, bool all)
{
	struct room_actor *actor;

	while (ledger->state == LEDGER_OK && (actor = room_due(&ledger->shares, all))) {
		auto_buf struct buf detail = buf_make(AUDIT_DETAIL_MAX - 1);
		char first[CLOCK_TEXT], last[CLOCK_TEXT];

		clock_text_us(actor->first_us, first);
		clock_text_us(actor->last_us, last);
		buf_add_str(&detail, "{\"actor\":");
		buf_add_json(&detail, actor->name, strlen(actor->name));
		buf_addf(&detail, ",\"count\":%" PRIu64 ",\"first\":\"%s\",\"last\":\"%s\"}",
			 actor->refused, first, last);
		const char *text = buf_text(&detail);
		if (!text || ledger_add_own(ledger, "ledger.share-used-up", AUDIT_NO_INTENT, text))
			return;
		actor->refused = 0;
		actor->told_us = clock_mono_us();
	}
}

bool ledger_look_for_space(struct ledger *ledger, bool all)
{
	enum ledger_state was = ledger->state;

	if (was == LEDGER_TAMPERED || ledger->broken)
		return false;
	ledger_measure(ledger);
	if (was == LEDGER_OK) {
		if (ledger->free_bytes < ledger->plan.floor)
			note_low(ledger);
		tell_refused(ledger, all);
		return ledger->state != was;
	}
	if (ledger->free_bytes < enough(ledger) || ledger_make_reserve(ledger)) {
		/* A little room is enough for an admin. */
		if (!ledger->full || ledger_room_left(ledger, ROOM_ADMIN) < RESERVE_PIECE)
			return false;
		ledger->state = LEDGER_OK;
		note_low(ledger);
	} else {
		ledger->state = LEDGER_OK;
		ledger->why[0] = '\0';
	}
	ledger->full = false;
	if (ledger->unfinished && ledger_finish_rotation(ledger) != 0)
		(void)ledger_stop(ledger, LEDGER_REFUSING, "the ledger cannot be signed", nullptr);
	return ledger->state != was;
}
