/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ledger_room: who may use how much of the room that is left: classes of events, what is set aside, shares of actors.
 *
 * Layer 2 (appliance/audit). Everything here is arithmetic; the ledger measures the file system.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/proto/audit.h"

/* What an event is worth when room is short, the least first. */
enum room_class : uint8_t {
	ROOM_ORDINARY, /* requests and denials: only while room is left above the floor */
	ROOM_ADMIN, /* sign-in, revocation, deletion, power, recovery: also what is set aside for them */
	ROOM_OWN, /* outcomes that were promised and the ledger's own entries: all that is set aside */
	ROOM_CLASSES
};

/* The class of an event. is_outcome: it is the outcome of an intent that is open. */
[[nodiscard]] enum room_class room_class_of(const struct audit_event *event, bool is_own,
					    bool is_outcome);

/* How a file system's size is divided. Small ones, as tests have, get proportional parts. */
struct room_plan {
	uint64_t floor;	  /* ordinary entries stop below this much free room */
	uint64_t reserve; /* bytes set aside in a file */
	uint64_t own;	  /* the part of them that only the ledger's own entries get */
};

/* Divide a file system of so many bytes. */
[[nodiscard]] struct room_plan room_plan(uint64_t size);

constexpr size_t ROOM_ACTORS = 1024; /* watched at once; the one who used least makes room */
constexpr uint64_t ROOM_SHARE = 8;   /* an actor gets this part of the room that is left */
constexpr uint64_t ROOM_DAY_US = 86'400'000'000; /* and as much again each day */
constexpr uint64_t ROOM_TELL_US = 60'000'000;	 /* refusals of an actor are told once in so long */

/* One actor's use. */
struct room_actor {
	char kind[16], name[ACCESS_NAME_MAX];
	uint64_t used[ROOM_CLASSES];	     /* bytes, less what a day's passing has given back */
	uint64_t at_us;			     /* when that was worked out */
	uint64_t refused, first_us, last_us; /* not told yet; wall clock */
	uint64_t told_us;
};

struct room_shares {
	struct room_actor *actor; /* [ROOM_ACTORS], the first n in use */
	uint64_t *hash;		  /* [ROOM_ACTORS] of their names: what is searched */
	size_t n;
};

/* Make room for the actors. Returns 0 or -ENOMEM. */
[[nodiscard]] int room_shares_init(struct room_shares *shares);

/* Free; zeroed ones are a no-op. */
void room_shares_done(struct room_shares *shares);

/*
 * Charge an event to who caused it.
 *
 * left  bytes that events of this class may still take; an actor gets a share of them
 *
 * Returns whether the actor may have it; if not, it is counted as refused. What is promised is always allowed. The system is
 * never refused.
 */
[[nodiscard]] bool room_charge(struct room_shares *shares, const struct audit_event *event,
			       enum room_class class, uint64_t bytes, uint64_t left);

/* The next actor whose refusals are due to be told, or nullptr. all: also those told a short while ago. */
[[nodiscard]] struct room_actor *room_due(struct room_shares *shares, bool all);
