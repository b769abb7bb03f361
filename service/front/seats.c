/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/seats.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/front/source.h"

constexpr size_t BUCKETS = 2048; /* of sources; two that share one are counted together */
constexpr uint16_t FEW = 4;	 /* strangers of one source: no sign of a crowd */

/* What is counted of those who are there. */
struct tally {
	const struct seats *seats;
	const struct source *newcomer;
	uint64_t now_us;
	size_t all, own;
	size_t strangers, handshakes; /* of sources that are no friends */
	uint16_t bucket[BUCKETS];     /* strangers by source */
};

static bool is_friend(const struct seats *seats, const struct source *source)
{
	for (size_t i = 0; i < SEATS_FRIENDS; i++)
		if (seats->friend[i].seen_us != 0 &&
		    memcmp(seats->friend[i].prefix, source->prefix, SOURCE_PREFIX) == 0)
			return true;
	return false;
}

void seats_seen(struct seats *seats, const struct source *source, uint64_t now_us)
{
	struct friend *at = &seats->friend[0];

	for (size_t i = 0; i < SEATS_FRIENDS; i++) {
		struct friend *friend = &seats->friend[i];

		if (friend->seen_us != 0 &&
		    memcmp(friend->prefix, source->prefix, SOURCE_PREFIX) == 0) {
			at = friend;
			break;
		}
		if (friend->seen_us < at->seen_us)
			at = friend;
	}
	memcpy(at->prefix, source->prefix, SOURCE_PREFIX);
	at->seen_us = now_us > 0 ? now_us : 1;
}

/* The number that a source is counted under. Source: FNV-1a, with a secret start. */
static size_t bucket_of(const struct seats *seats, const struct source *source)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seats->seed;

	for (size_t i = 0; i < SOURCE_PREFIX; i++)
		hash = (hash ^ source->prefix[i]) * UINT64_C(0x100000001b3);
	return (size_t)((hash ^ hash >> 32) % BUCKETS);
}

static bool is_stranger(const struct seat *seat)
{
	return seat->kind == SEAT_HANDSHAKE || seat->kind == SEAT_STRANGER;
}

static void count(struct tally *tally, const struct seat *seat)
{
	for (size_t i = 0; i < SEATS_MAX; i++) {
		if (seat[i].kind == SEAT_FREE)
			continue;
		tally->all++;
		tally->own += source_same(seat[i].source, tally->newcomer);
		if (!is_stranger(&seat[i]))
			continue;
		tally->bucket[bucket_of(tally->seats, seat[i].source)]++;
		if (is_friend(tally->seats, seat[i].source))
			continue;
		tally->strangers++;
		tally->handshakes += seat[i].kind == SEAT_HANDSHAKE;
	}
}

/* Whether a seat is of those from which one may have to go. */
typedef bool among_fn(const struct tally *tally, const struct seat *seat);

static bool among_handshakes(const struct tally *tally, const struct seat *seat)
{
	return seat->kind == SEAT_HANDSHAKE && !is_friend(tally->seats, seat->source);
}

static bool among_strangers(const struct tally *tally, const struct seat *seat)
{
	return is_stranger(seat) && !is_friend(tally->seats, seat->source);
}

static bool among_all_strangers(const struct tally *, const struct seat *seat)
{
	return is_stranger(seat);
}

static bool among_idle(const struct tally *, const struct seat *seat)
{
	return seat->kind == SEAT_IDLE;
}

static bool among_slow(const struct tally *tally, const struct seat *seat)
{
	return seat->kind == SEAT_BUSY && tally->now_us - seat->since_us > SEATS_PATIENCE_US;
}

static bool among_own_strangers(const struct tally *tally, const struct seat *seat)
{
	return is_stranger(seat) && source_same(seat->source, tally->newcomer);
}

static bool among_own_idle(const struct tally *tally, const struct seat *seat)
{
	return seat->kind == SEAT_IDLE && source_same(seat->source, tally->newcomer);
}

/* How many strangers its source has, if they are many. */
static uint16_t crowd_of(const struct tally *tally, const struct seat *seat)
{
	uint16_t n = is_stranger(seat) ? tally->bucket[bucket_of(tally->seats, seat->source)] : 0;

	return n > FEW ? n : 0;
}

/* The one of them that goes: of the largest crowd, who is there longest. Returns SEATS_MAX if there is none. */
static size_t who_goes(const struct tally *tally, const struct seat *seat, among_fn *among)
{
	size_t found = SEATS_MAX;
	uint16_t crowd = 0;

	for (size_t i = 0; i < SEATS_MAX; i++) {
		if (seat[i].kind == SEAT_FREE || !among(tally, &seat[i]))
			continue;
		uint16_t of = crowd_of(tally, &seat[i]);
		if (found == SEATS_MAX || of > crowd ||
		    (of == crowd && seat[i].since_us < seat[found].since_us)) {
			found = i;
			crowd = of;
		}
	}
	return found;
}

enum seats_verdict seats_decide(const struct seats *seats, const struct seat *seat, size_t max,
				const struct source *source, uint64_t now_us, size_t *ret_who_goes)
{
	struct tally tally = { .seats = seats, .newcomer = source, .now_us = now_us };
	bool friend = is_friend(seats, source);

	count(&tally, seat);
	const struct {
		bool full; /* a limit is reached, and one of these goes if there is one, tried in this order */
		among_fn *among;
		bool last; /* if there was none, the newcomer is turned away */
	} RULES[] = {
		{ tally.own >= SEATS_SOURCE_MAX, among_own_strangers, false },
		{ tally.own >= SEATS_SOURCE_MAX, among_own_idle, true },
		{ !friend && tally.handshakes >= max / 4, among_handshakes, false },
		{ !friend && tally.strangers >= max / 2, among_strangers, false },
		{ tally.all >= max, among_strangers, false },
		{ tally.all >= max, among_all_strangers, false },
		{ tally.all >= max, among_idle, false },
		{ tally.all >= max, among_slow, true },
	};

	for (size_t i = 0; i < countof(RULES); i++) {
		if (!RULES[i].full)
			continue;
		size_t goes = who_goes(&tally, seat, RULES[i].among);

		if (goes < SEATS_MAX) {
			*ret_who_goes = goes;
			return SEATS_INSTEAD;
		}
		if (RULES[i].last)
			return SEATS_FULL;
	}
	return SEATS_WELCOME;
}
