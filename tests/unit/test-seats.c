/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/seats.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"
#include "tests/lib/tap.h"

constexpr uint64_t SECOND = 1'000'000;
constexpr uint64_t NOW = 1000 * SECOND;

/* Who is there; the sources that seats point to are here as well. */
struct room {
	struct seats seats;
	struct seat seat[SEATS_MAX];
	struct source source[SEATS_MAX];
	size_t n;
};

static struct source address(uint32_t number)
{
	struct sockaddr_storage storage = {};
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };
	struct source source;

	memcpy(&storage, &in, sizeof(in));
	source_make(&storage, &source);
	return source;
}

static void sit(struct room *room, enum seat_kind kind, uint32_t from, uint64_t since_us)
{
	size_t i = room->n++;

	room->source[i] = address(from);
	room->seat[i] =
		(struct seat) { .kind = kind, .source = &room->source[i], .since_us = since_us };
}

/* Let somebody in as front would; whoever has to go for it does. Returns the verdict. */
static enum seats_verdict come(struct room *room, enum seat_kind kind, uint32_t from,
			       uint64_t now_us)
{
	struct source source = address(from);
	size_t goes = SEATS_MAX, i = 0;
	auto verdict = seats_decide(&room->seats, room->seat, SEATS_MAX, &source, now_us, &goes);

	if (verdict == SEATS_FULL)
		return verdict;
	if (verdict == SEATS_INSTEAD)
		room->seat[goes].kind = SEAT_FREE;
	while (room->seat[i].kind != SEAT_FREE)
		i++;
	room->n = i;
	sit(room, kind, from, now_us);
	return verdict;
}

static size_t count(const struct room *room, enum seat_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < SEATS_MAX; i++)
		n += room->seat[i].kind == kind;
	return n;
}

static bool an_empty_room_takes_everybody(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	CHECK_EQ(come(room, SEAT_HANDSHAKE, 1, NOW), SEATS_WELCOME);
	return true;
}

static bool silent_crowds_get_a_quarter_and_push_themselves_out(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	for (uint32_t i = 0; i < 17 * 64; i++)
		CHECK(come(room, SEAT_HANDSHAKE, 10 + i / 64, NOW + i) != SEATS_FULL);
	CHECK_EQ(count(room, SEAT_HANDSHAKE), SEATS_MAX / 4);
	/* One of another source is let in, and stays although the crowd goes on coming. */
	CHECK_EQ(come(room, SEAT_HANDSHAKE, 5, NOW + 5000), SEATS_INSTEAD);
	struct source mine = address(5);
	for (uint32_t i = 0; i < 2000; i++)
		CHECK(come(room, SEAT_HANDSHAKE, 10 + i % 17, NOW + 6000 + i) != SEATS_FULL);
	bool there = false;
	for (size_t i = 0; i < SEATS_MAX; i++)
		there |=
			room->seat[i].kind != SEAT_FREE && source_same(room->seat[i].source, &mine);
	CHECK(there);
	return true;
}

static bool those_who_never_show_a_key_get_half(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	for (uint32_t i = 0; i < 3000; i++)
		CHECK(come(room, SEAT_STRANGER, 10 + i / 8, NOW + i) != SEATS_FULL);
	CHECK_EQ(count(room, SEAT_STRANGER), SEATS_MAX / 2);
	return true;
}

static bool where_sources_have_few_the_oldest_goes(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));
	struct source source = address(1);
	size_t goes = SEATS_MAX;

	CHECK(room);
	for (uint32_t i = 0; i < SEATS_MAX / 2; i++)
		sit(room, SEAT_STRANGER, 1000 + i, i == 77 ? NOW - SECOND : NOW + i);
	CHECK_EQ(seats_decide(&room->seats, room->seat, SEATS_MAX, &source, NOW, &goes),
		 SEATS_INSTEAD);
	CHECK_EQ(goes, 77);
	return true;
}

static bool friends_come_in_beside_any_crowd(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));
	struct source source = address(7);

	CHECK(room);
	seats_seen(&room->seats, &source, NOW);
	for (uint32_t i = 0; i < SEATS_MAX / 2; i++)
		sit(room, SEAT_STRANGER, 1000 + i, NOW);
	for (uint32_t i = 0; i < SEATS_SOURCE_MAX; i++)
		CHECK_EQ(come(room, SEAT_HANDSHAKE, 7, NOW + i), SEATS_WELCOME);
	return true;
}

static bool a_source_has_its_limit_and_its_own_strangers_go_first(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	for (uint32_t i = 0; i < SEATS_SOURCE_MAX - 2; i++)
		sit(room, SEAT_BUSY, 7, NOW - 1000 * SECOND + i);
	sit(room, SEAT_IDLE, 7, NOW - 500 * SECOND);
	sit(room, SEAT_STRANGER, 7, NOW);
	CHECK_EQ(come(room, SEAT_BUSY, 7, NOW), SEATS_INSTEAD);
	CHECK_EQ(count(room, SEAT_STRANGER), 0);
	CHECK_EQ(come(room, SEAT_BUSY, 7, NOW), SEATS_INSTEAD);
	CHECK_EQ(count(room, SEAT_IDLE), 0);
	CHECK_EQ(come(room, SEAT_BUSY, 7, NOW), SEATS_FULL);
	CHECK_EQ(come(room, SEAT_BUSY, 8, NOW), SEATS_WELCOME);
	return true;
}

static bool in_a_full_room_strangers_go_then_the_idle_then_the_slow(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	for (uint32_t i = 0; i < SEATS_MAX - 3; i++)
		sit(room, SEAT_BUSY, 1000 + i, NOW - SECOND);
	sit(room, SEAT_STRANGER, 1, NOW);
	sit(room, SEAT_IDLE, 2, NOW);
	sit(room, SEAT_BUSY, 3, NOW - SEATS_PATIENCE_US - 1);
	CHECK_EQ(come(room, SEAT_BUSY, 4, NOW), SEATS_INSTEAD);
	CHECK_EQ(count(room, SEAT_STRANGER), 0);
	CHECK_EQ(come(room, SEAT_BUSY, 5, NOW), SEATS_INSTEAD);
	CHECK_EQ(count(room, SEAT_IDLE), 0);
	CHECK_EQ(come(room, SEAT_BUSY, 6, NOW), SEATS_INSTEAD);
	CHECK_EQ(come(room, SEAT_BUSY, 7, NOW), SEATS_FULL);
	return true;
}

static bool who_was_not_seen_for_longest_is_forgotten_first(void)
{
	auto_free struct room *room = calloc(1, sizeof(*room));

	CHECK(room);
	for (uint32_t i = 0; i <= SEATS_FRIENDS; i++) {
		struct source source = address(i);

		seats_seen(&room->seats, &source, NOW + i);
		source = address(1);
		seats_seen(&room->seats, &source, NOW + i); /* is seen again and again */
	}
	for (uint32_t i = 0; i < SEATS_MAX / 2; i++)
		sit(room, SEAT_STRANGER, 5000 + i, NOW);
	struct source forgotten = address(0), kept = address(1);
	size_t goes;
	CHECK_EQ(seats_decide(&room->seats, room->seat, SEATS_MAX, &forgotten, NOW, &goes),
		 SEATS_INSTEAD);
	CHECK_EQ(seats_decide(&room->seats, room->seat, SEATS_MAX, &kept, NOW, &goes),
		 SEATS_WELCOME);
	return true;
}

int main(void)
{
	RUN(an_empty_room_takes_everybody);
	RUN(silent_crowds_get_a_quarter_and_push_themselves_out);
	RUN(those_who_never_show_a_key_get_half);
	RUN(where_sources_have_few_the_oldest_goes);
	RUN(friends_come_in_beside_any_crowd);
	RUN(a_source_has_its_limit_and_its_own_strangers_go_first);
	RUN(in_a_full_room_strangers_go_then_the_idle_then_the_slow);
	RUN(who_was_not_seen_for_longest_is_forgotten_first);
	return tap_done();
}
