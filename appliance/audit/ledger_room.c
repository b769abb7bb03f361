/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/ledger_room.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"
#include "common/proto/audit.h"

constexpr uint64_t MIB = 1u << 20;
constexpr uint64_t FNV_BASIS = 0xcbf29ce484222325;

/*
 * What an admin must be able to do when room is short, by the beginning of its code: come in, take access away, delete, look at what
 * can be deleted, stop the machine, recover it.
 */
static const char *const ADMIN_CODES[] = {
	"access.authorize",
	"api-key.delete",
	"api-key.list",
	"api-key.set-state",
	"api.collection.delete",
	"api.collection.get",
	"api.collection.list",
	"api.documents.delete",
	"api.workspace.delete",
	"api.workspace.list",
	"appliance.",
	"documents.expire",
	"key.destroy",
	"ledger.",
	"person.bootstrap",
	"person.list",
	"person.remove",
	"person.set-",
	"session.",
	"ssh-key.list",
	"ssh-key.remove",
	"ssh.",
};

enum room_class room_class_of(const struct audit_event *event, bool is_own, bool is_outcome)
{
	if (is_own || is_outcome)
		return ROOM_OWN;
	if (event->decision == AUDIT_DENY)
		return ROOM_ORDINARY;
	for (size_t i = 0; i < countof(ADMIN_CODES); i++)
		if (strncmp(event->code, ADMIN_CODES[i], strlen(ADMIN_CODES[i])) == 0)
			return ROOM_ADMIN;
	return ROOM_ORDINARY;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct room_plan room_plan(uint64_t size)
{
	return (struct room_plan) {
		.floor = smaller(32 * MIB, size / 8),
		.reserve = smaller(24 * MIB, size / 4),
		.own = smaller(8 * MIB, size / 12),
	};
}

int room_shares_init(struct room_shares *shares)
{
	*shares = (struct room_shares) { .actor = calloc(ROOM_ACTORS, sizeof(*shares->actor)),
					 .hash = calloc(ROOM_ACTORS, sizeof(*shares->hash)) };
	if (shares->actor && shares->hash)
		return 0;
	room_shares_done(shares);
	return -ENOMEM;
}

void room_shares_done(struct room_shares *shares)
{
	free(shares->actor);
	free(shares->hash);
	*shares = (struct room_shares) {};
}

/* FNV-1a. A collision only costs a comparison. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	constexpr uint64_t PRIME = 0x100000001b3;

	do
		hash = (hash ^ (uint8_t)*text) * PRIME;
	while (*text++);
	return hash;
}

static uint64_t used_by(const struct room_actor *actor)
{
	return actor->used[ROOM_ORDINARY] + actor->used[ROOM_ADMIN];
}

/* The actor's place, taking over that of who used least. Whoever has no name is one actor. */
static struct room_actor *find(struct room_shares *shares, const struct audit_event *event)
{
	uint64_t hash = hash_text(hash_text(FNV_BASIS, event->actor_kind), event->actor);
	size_t least = 0;

	for (size_t i = 0; i < shares->n; i++) {
		struct room_actor *actor = &shares->actor[i];

		if (shares->hash[i] == hash && strcmp(actor->name, event->actor) == 0 &&
		    strcmp(actor->kind, event->actor_kind) == 0)
			return actor;
	}
	if (shares->n < ROOM_ACTORS)
		least = shares->n++;
	else
		for (size_t i = 1; i < ROOM_ACTORS; i++)
			if (used_by(&shares->actor[i]) < used_by(&shares->actor[least]))
				least = i;
	struct room_actor *actor = &shares->actor[least];
	*actor = (struct room_actor) {};
	shares->hash[least] = hash;
	(void)snprintf(actor->kind, sizeof(actor->kind), "%s", event->actor_kind);
	(void)snprintf(actor->name, sizeof(actor->name), "%s", event->actor);
	return actor;
}

/* Give back what the time since the last look is worth. */
static void give_back(struct room_actor *actor, enum room_class class, uint64_t share,
		      uint64_t passed_us)
{
	double back = (double)share * (double)passed_us / (double)ROOM_DAY_US;
	uint64_t used = actor->used[class];

	actor->used[class] = back < (double)used ? used - (uint64_t)back : 0;
}

bool room_charge(struct room_shares *shares, const struct audit_event *event, enum room_class class,
		 uint64_t bytes, uint64_t left)
{
	uint64_t now_us = clock_mono_us() + 1, share = left / ROOM_SHARE;

	if (strcmp(event->actor_kind, "system") == 0)
		return true;

	struct room_actor *actor = find(shares, event);
	/* An outcome counts as what its intent was, and cannot be refused any more. */
	enum room_class kind = class == ROOM_OWN ? room_class_of(event, false, false) : class;
	uint64_t passed_us = actor->at_us > 0 ? now_us - actor->at_us : 0;

	give_back(actor, kind, share, passed_us);
	actor->at_us = now_us;
	if (class == ROOM_OWN || actor->used[kind] + bytes <= share) {
		actor->used[kind] += bytes;
		return true;
	}
	actor->last_us = clock_wall_us();
	if (actor->refused++ == 0)
		actor->first_us = actor->last_us;
	return false;
}

struct room_actor *room_due(struct room_shares *shares, bool all)
{
	uint64_t now_us = clock_mono_us();

	for (size_t i = 0; i < shares->n; i++) {
		struct room_actor *actor = &shares->actor[i];

		if (actor->refused > 0 &&
		    (all || actor->told_us == 0 || now_us - actor->told_us >= ROOM_TELL_US))
			return actor;
	}
	return nullptr;
}
