/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * seats: who is let in when many want to, and who has to go for it.
 *
 * Layer 3 (service/front). Pure. Whoever has not shown a valid key yet is a stranger: all strangers together get half of the
 * connections, and those that have not even shaken hands a quarter. The rest is for who has shown one, and for sources that
 * somebody with a valid key has come from. Where a limit is reached the newcomer is let in and another goes: of the source that
 * has the most strangers the one that came first. So a crowd of silent connections pushes itself out.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "service/front/source.h"

constexpr size_t SEATS_MAX = 1024; /* connections at a time */
constexpr size_t SEATS_SOURCE_MAX =
	64; /* of one source: a busy client's pool, far from what locks the others out */
constexpr size_t SEATS_FRIENDS =
	256; /* sources that are remembered; who was not seen for longest is forgotten first */
constexpr uint64_t SEATS_PATIENCE_US =
	30'000'000; /* after which even a request under way may have to go */

enum seat_kind : uint8_t {
	SEAT_FREE,
	SEAT_HANDSHAKE, /* has not shaken hands yet */
	SEAT_STRANGER,	/* has shown no valid key yet */
	SEAT_IDLE,	/* has, and asks for nothing now */
	SEAT_BUSY,	/* has, and a request is under way */
};

struct seat {
	enum seat_kind kind;
	const struct source *source; /* borrowed */
	uint64_t since_us; /* when it came (handshake, stranger), or has been as it is; monotonic */
};

/* A source that somebody with a valid key came from. */
struct friend
{
	uint8_t prefix[SOURCE_PREFIX];
	uint64_t seen_us; /* 0: free */
};

struct seats {
	uint64_t seed; /* random: nobody can choose who shares a number with whom */
	struct friend friend[SEATS_FRIENDS];
};

/* Somebody with a valid key has come from there. */
void seats_seen(struct seats *seats, const struct source *source, uint64_t now_us);

enum seats_verdict : uint8_t {
	SEATS_WELCOME, /* there is room */
	SEATS_INSTEAD, /* there is if another goes */
	SEATS_FULL,
};

/*
 * Decide on a newcomer.
 *
 * seat        [SEATS_MAX] who is there
 * max         how many there may be, at most SEATS_MAX
 * ret_who_goes  set to a number of a seat if SEATS_INSTEAD
 *
 * Cost: a pass over the seats.
 */
[[nodiscard]] enum seats_verdict seats_decide(const struct seats *seats, const struct seat *seat,
					      size_t max, const struct source *source,
					      uint64_t now_us, size_t *ret_who_goes);
