/* SPDX-License-Identifier: Apache-2.0 */

/* tally: the first at once, then one a minute with a count, in fixed memory. */

#include "common/proto/tally.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint64_t S = 1'000'000;
static struct audit_event event, out;

static int count(struct tally *tally, const char *key, uint64_t s)
{
	event = (struct audit_event) { .code = "person.list",
				       .actor = "ann",
				       .detail = "{\"a\":1}" };
	return tally_count(tally, key, &event, s * S, s * S);
}

static bool the_first_is_recorded_at_once_and_the_others_once_a_minute(void)
{
	cleanup(tally_free_at) struct tally *tally = nullptr;

	CHECK_EQ(tally_new(4, &tally), 0);
	CHECK_EQ(count(tally, "a", 100), TALLY_FIRST);
	for (uint64_t s = 101; s < 160; s++)
		CHECK_EQ(count(tally, "a", s), TALLY_COUNTED);
	CHECK(!tally_due(tally, 159 * S, &out));
	CHECK(tally_due(tally, 160 * S, &out));
	CHECK(strstr(out.detail, "{\"count\":59,\"from\":\"1970-01-01T00:01:41") == out.detail);
	CHECK(strstr(out.detail, ",\"a\":1}"));
	CHECK(strcmp(out.actor, "ann") == 0);
	CHECK(tally_due(tally, 160 * S, &out)); /* until it is recorded */
	tally_recorded(tally, 160 * S);
	CHECK(!tally_due(tally, 160 * S, &out));
	/* It goes on: no second first. */
	CHECK_EQ(count(tally, "a", 200), TALLY_COUNTED);
	CHECK(tally_due(tally, 220 * S, &out));
	CHECK(strstr(out.detail, "\"count\":1,"));
	tally_recorded(tally, 220 * S);
	/* A quiet minute, and it is new again. */
	CHECK(!tally_due(tally, 280 * S, &out));
	CHECK_EQ(count(tally, "a", 281), TALLY_FIRST);
	return true;
}

static bool what_was_not_recorded_is_told_later(void)
{
	cleanup(tally_free_at) struct tally *tally = nullptr;

	CHECK_EQ(tally_new(4, &tally), 0);
	CHECK_EQ(count(tally, "a", 1), TALLY_FIRST);
	tally_unrecorded(tally);
	CHECK(tally_due(tally, 61 * S, &out));
	CHECK(strstr(out.detail, "\"count\":1,"));
	return true;
}

static bool more_than_there_is_room_for_is_counted_together(void)
{
	cleanup(tally_free_at) struct tally *tally = nullptr;
	size_t first = 0, lines = 0;
	char key[16];

	CHECK_EQ(tally_new(4, &tally), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "%u", i);
		first += count(tally, key, 10) == TALLY_FIRST;
	}
	CHECK_EQ(first, 5u);
	while (tally_due(tally, UINT64_MAX, &out)) {
		CHECK(strstr(out.detail, "\"count\":995,"));
		CHECK(strcmp(out.actor_kind, "several") == 0 && out.actor[0] == '\0');
		tally_recorded(tally, UINT64_MAX);
		lines++;
	}
	CHECK_EQ(lines, 1u);
	return true;
}

static bool a_detail_too_long_gives_way_to_the_count(void)
{
	cleanup(tally_free_at) struct tally *tally = nullptr;

	CHECK_EQ(tally_new(1, &tally), 0);
	memset(event.detail, 'x', sizeof(event.detail) - 1);
	memcpy(event.detail, "{\"a\":\"", 6);
	event.detail[sizeof(event.detail) - 1] = '\0';
	CHECK_EQ(tally_count(tally, "k", &event, 1, 1), TALLY_FIRST);
	CHECK_EQ(tally_count(tally, "k", &event, 1, 1), TALLY_COUNTED);
	CHECK(tally_due(tally, UINT64_MAX, &out));
	CHECK(strstr(out.detail, "\"}") && strlen(out.detail) < 200);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(tally_free_at) struct tally *tally = nullptr;

		fault_at(n);
		int r = tally_new(4, &tally);
		if (!fault_end())
			return r == 0;
		CHECK(r == -ENOMEM && !tally);
	}
}

int main(void)
{
	RUN(the_first_is_recorded_at_once_and_the_others_once_a_minute);
	RUN(what_was_not_recorded_is_told_later);
	RUN(more_than_there_is_room_for_is_counted_together);
	RUN(a_detail_too_long_gives_way_to_the_count);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
