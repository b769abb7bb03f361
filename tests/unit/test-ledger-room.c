/* SPDX-License-Identifier: Apache-2.0 */

/* ledger_room: who may use how much of the room that is left. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/audit/ledger_room.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/proto/audit.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint64_t MIB = 1u << 20;

static struct audit_event event;

static const struct audit_event *by(const char *kind, const char *actor, const char *code,
				    enum audit_decision decision)
{
	event = (struct audit_event) { .decision = decision, .intent = AUDIT_NO_INTENT };
	(void)snprintf(event.actor_kind, sizeof(event.actor_kind), "%s", kind);
	(void)snprintf(event.actor, sizeof(event.actor), "%s", actor);
	(void)snprintf(event.code, sizeof(event.code), "%s", code);
	return &event;
}

static const struct audit_event *query_by(const char *key)
{
	return by("api-key", key, "api.query", AUDIT_ALLOW);
}

static enum room_class class_of(const char *code, enum audit_decision decision)
{
	return room_class_of(by("person", "ann", code, decision), false, false);
}

static bool what_an_admin_needs_is_set_apart_from_requests(void)
{
	static const char *const ADMIN[] = {
		"session.open",	    "ssh.sign-in",	     "access.authorize", "api-key.delete",
		"person.remove",    "api-key.set-state",     "person.set-state", "ssh-key.remove",
		"key.destroy",	    "api.collection.delete", "documents.expire", "appliance.unlock",
		"person.set-roles",
	};
	static const char *const ORDINARY[] = { "api.query",	 "api.documents.add",
						"api.user.self", "api-key.create",
						"person.add",	 "api.unknown" };

	for (size_t i = 0; i < countof(ADMIN); i++)
		CHECK_EQ(class_of(ADMIN[i], AUDIT_ALLOW), ROOM_ADMIN);
	for (size_t i = 0; i < countof(ORDINARY); i++)
		CHECK_EQ(class_of(ORDINARY[i], AUDIT_ALLOW), ROOM_ORDINARY);
	return true;
}

static bool a_denial_never_takes_what_is_set_aside(void)
{
	CHECK_EQ(class_of("session.open", AUDIT_DENY), ROOM_ORDINARY);
	CHECK_EQ(class_of("api-key.delete", AUDIT_DENY), ROOM_ORDINARY);
	return true;
}

static bool what_was_promised_and_the_ledgers_own_comes_first(void)
{
	CHECK_EQ(room_class_of(query_by("k"), false, true), ROOM_OWN);
	CHECK_EQ(room_class_of(query_by("k"), true, false), ROOM_OWN);
	return true;
}

static bool a_small_file_system_is_divided_in_proportion(void)
{
	struct room_plan large = room_plan(UINT64_C(100) << 30), small = room_plan(24 * MIB);

	CHECK_EQ(large.reserve, 24 * MIB);
	CHECK_EQ(large.own, 8 * MIB);
	CHECK_EQ(large.floor, 32 * MIB);
	CHECK(small.own < small.reserve);
	CHECK(small.floor + small.reserve < 24 * MIB / 2);
	return true;
}

/* Charge entries of 1 KiB until one is refused or the room is gone. Returns how much is left. */
static uint64_t spend(struct room_shares *shares, const char *key, uint64_t left)
{
	while (left >= 1024 && room_charge(shares, query_by(key), ROOM_ORDINARY, 1024, left))
		left -= 1024;
	return left;
}

static bool one_key_cannot_use_the_room_up_and_another_still_has_its_share(void)
{
	struct room_shares shares;
	uint64_t left = 64 * MIB;

	CHECK_EQ(room_shares_init(&shares), 0);
	left = spend(&shares, "mallory", left);
	CHECK(left > 56 * MIB);
	/* However often it comes back. */
	for (unsigned int i = 0; i < 1000; i++)
		left = spend(&shares, "mallory", left);
	CHECK(left > 56 * MIB);
	CHECK(room_charge(&shares, query_by("ann"), ROOM_ORDINARY, 1024, left));
	/* And what it was promised is recorded all the same. */
	CHECK(room_charge(&shares, query_by("mallory"), ROOM_OWN, 1024, left));
	room_shares_done(&shares);
	return true;
}

static bool ten_keys_of_an_attacker_leave_room(void)
{
	struct room_shares shares;
	uint64_t left = 64 * MIB;
	char key[8];

	CHECK_EQ(room_shares_init(&shares), 0);
	for (unsigned int i = 0; i < 10; i++) {
		(void)snprintf(key, sizeof(key), "k%u", i);
		left = spend(&shares, key, left);
	}
	CHECK(left > 16 * MIB);
	room_shares_done(&shares);
	return true;
}

static bool requests_do_not_count_against_what_an_admin_may_do(void)
{
	struct room_shares shares;

	CHECK_EQ(room_shares_init(&shares), 0);
	(void)spend(&shares, "ann", 8 * MIB);
	CHECK(!room_charge(&shares, query_by("ann"), ROOM_ORDINARY, 1024, 7 * MIB));
	CHECK(room_charge(&shares, by("api-key", "ann", "api.collection.delete", AUDIT_ALLOW),
			  ROOM_ADMIN, 1024, 7 * MIB));
	room_shares_done(&shares);
	return true;
}

static bool the_system_is_never_held_up(void)
{
	struct room_shares shares;

	CHECK_EQ(room_shares_init(&shares), 0);
	for (unsigned int i = 0; i < 100; i++)
		CHECK(room_charge(&shares, by("system", "x", "appliance.boot", AUDIT_ALLOW),
				  ROOM_ADMIN, MIB, MIB));
	room_shares_done(&shares);
	return true;
}

static bool a_day_gives_the_share_back(void)
{
	struct room_shares shares;

	CHECK_EQ(room_shares_init(&shares), 0);
	(void)spend(&shares, "ann", 8 * MIB);
	CHECK(!room_charge(&shares, query_by("ann"), ROOM_ORDINARY, 1024, 7 * MIB));
	shares.actor[0].at_us -= ROOM_DAY_US;
	CHECK(room_charge(&shares, query_by("ann"), ROOM_ORDINARY, 1024, 7 * MIB));
	room_shares_done(&shares);
	return true;
}

static bool refusals_are_counted_and_told_once_a_minute(void)
{
	struct room_shares shares;

	CHECK_EQ(room_shares_init(&shares), 0);
	CHECK(!room_due(&shares, true));
	(void)spend(&shares, "mallory", 8 * MIB);
	for (unsigned int i = 0; i < 9; i++)
		CHECK(!room_charge(&shares, query_by("mallory"), ROOM_ORDINARY, 1024, 7 * MIB));

	struct room_actor *actor = room_due(&shares, false);
	CHECK(actor && strcmp(actor->name, "mallory") == 0);
	CHECK_EQ(actor->refused, 10); /* with the one that ended spend() */
	CHECK(actor->first_us > 0 && actor->last_us >= actor->first_us);
	actor->told_us = clock_mono_us();
	CHECK(!room_due(&shares, false));
	CHECK(room_due(&shares, true));
	actor->refused = 0;
	CHECK(!room_due(&shares, true));
	room_shares_done(&shares);
	return true;
}

static bool more_actors_than_are_watched_take_the_place_of_who_used_least(void)
{
	struct room_shares shares;
	char key[32];

	CHECK_EQ(room_shares_init(&shares), 0);
	(void)spend(&shares, "mallory", 8 * MIB);
	for (unsigned int i = 0; i < 3 * ROOM_ACTORS; i++) {
		(void)snprintf(key, sizeof(key), "key-%u", i);
		CHECK(room_charge(&shares, query_by(key), ROOM_ORDINARY, 1024, 7 * MIB));
	}
	CHECK_EQ(shares.n, ROOM_ACTORS);
	CHECK(!room_charge(&shares, query_by("mallory"), ROOM_ORDINARY, 1024, 7 * MIB));
	room_shares_done(&shares);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	struct room_shares shares;

	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = room_shares_init(&shares);
		bool failed = fault_end();

		if (!failed) {
			room_shares_done(&shares);
			return r == 0;
		}
		CHECK_EQ(r, -ENOMEM);
		CHECK(!shares.actor && !shares.hash);
	}
}

int main(void)
{
	RUN(what_an_admin_needs_is_set_apart_from_requests);
	RUN(a_denial_never_takes_what_is_set_aside);
	RUN(what_was_promised_and_the_ledgers_own_comes_first);
	RUN(a_small_file_system_is_divided_in_proportion);
	RUN(one_key_cannot_use_the_room_up_and_another_still_has_its_share);
	RUN(ten_keys_of_an_attacker_leave_room);
	RUN(requests_do_not_count_against_what_an_admin_may_do);
	RUN(the_system_is_never_held_up);
	RUN(a_day_gives_the_share_back);
	RUN(refusals_are_counted_and_told_once_a_minute);
	RUN(more_actors_than_are_watched_take_the_place_of_who_used_least);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
