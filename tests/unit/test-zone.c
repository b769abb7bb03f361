/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "service/function/zones.h"
#include "service/value/civil.h"
#include "service/value/zone.h"
#include "service/value/zone_rule.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* A small version 2 file written out by hand: LMT +0:01:00, from 0 s on AAA +1 h, from 1000 s on by the rule. */
static const uint8_t SMALL[] =
	/* version 1 block: empty but for one type, as old readers want it */
	"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
	"\0\0\0\0\0\0UTC\0"
	/* version 2: 2 times, 2 types, 8 bytes of names */
	"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\10"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\350"
	"\1\1"
	"\0\0\0\74\0\0"
	"\0\0\16\20\0\4"
	"LMT\0AAA\0"
	"\nBBB-2CCC,M3.5.0,M10.5.0/3\n";
constexpr size_t SMALL_LEN = sizeof(SMALL) - 1;

static bool a_file_is_read_as_the_rfc_says(void)
{
	cleanup(zone_free_at) struct zone *zone = nullptr;

	CHECK_EQ(zone_read(SMALL, SMALL_LEN, &zone), 0);
	CHECK_EQ(zone_at(zone, -1).offset, 60);
	CHECK(strcmp(zone_at(zone, -1).name, "LMT") == 0);
	CHECK_EQ(zone_at(zone, 0).offset, 3600);
	CHECK(strcmp(zone_at(zone, 999).name, "AAA") == 0);
	CHECK(strcmp(zone_at(zone, 1000).name, "BBB") == 0);
	CHECK_EQ(zone_at(zone, 1720000000).offset, 3 * 3600);
	CHECK(strcmp(zone_at(zone, 1720000000).name, "CCC") == 0);
	return true;
}

static bool every_truncation_is_refused(void)
{
	for (size_t len = 0; len < SMALL_LEN; len++) {
		cleanup(zone_free_at) struct zone *zone = nullptr;
		auto_free uint8_t *copy = malloc(len + 1);

		memcpy(copy, SMALL, len);
		CHECK_EQ(zone_read(copy, len, &zone), -EBADMSG);
		CHECK(!zone);
	}
	return true;
}

static bool no_flipped_bit_does_harm(void)
{
	for (size_t bit = 0; bit < 8 * SMALL_LEN; bit++) {
		cleanup(zone_free_at) struct zone *zone = nullptr;
		uint8_t copy[SMALL_LEN];

		memcpy(copy, SMALL, SMALL_LEN);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (zone_read(copy, SMALL_LEN, &zone) == 0)
			CHECK(strlen(zone_at(zone, 0).name) < 256);
	}
	return true;
}

static bool rules_are_read_or_refused(void)
{
	static const char *const GOOD[] = { "UTC0",
					    "<+0330>-3:30",
					    "EST5EDT,M3.2.0,M11.1.0",
					    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
					    "XXX3EDT4,0/0,J365/23",
					    "IST-2IDT,M3.4.4/26,M10.5.0" };
	static const char *const BAD[] = {
		"",
		"UT0",
		"UTC",
		"UTC0x",
		"UTC25",
		"<UTC0",
		"EST5EDT",
		"EST5EDT,M3.2.0",
		"EST5EDT,M13.2.0,M11.1.0",
		"EST5EDT,M3.6.0,M11.1.0",
		"EST5EDT,M3.2.7,M11.1.0",
		"EST5EDT,J0,J366",
		"EST5EDT,366,1",
		"EST5EDT,M3.2.0/168,M11.1.0",
		"EST5EDT,M3.2.0,M11.1.0 ",
		"ABCDEFGHIJKLMNOPQ0",
	};
	struct zone_rule rule;

	for (size_t i = 0; i < countof(GOOD); i++)
		CHECK(zone_rule_read(GOOD[i], strlen(GOOD[i]), &rule));
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!zone_rule_read(BAD[i], strlen(BAD[i]), &rule));
	return true;
}

/* All year daylight saving time, as RFC 9636 writes it. */
static bool a_rule_can_hold_all_year(void)
{
	struct zone_rule rule;

	CHECK(zone_rule_read("XXX3EDT4,0/0,J365/23", 20, &rule));
	for (int64_t day = 0; day < 3000; day++)
		CHECK(zone_rule_is_dst(&rule, day * 86400 + 3 * 3600));
	return true;
}

static const char *const NAMES[] = {
	"Europe/Oslo",	     "Europe/London",  "Europe/Dublin",	    "America/New_York",
	"America/Sao_Paulo", "Asia/Kolkata",   "Asia/Tehran",	    "Australia/Lord_Howe",
	"Pacific/Auckland",  "Pacific/Apia",   "Africa/Casablanca", "America/St_Johns",
	"Antarctica/Troll",  "Asia/Jerusalem", "America/Nuuk",	    "Etc/GMT+12",
};

/* libc reads the same files with code of its own. */
static bool local_times_are_those_of_libc(void)
{
	cleanup(zones_free_at) struct zones *zones = nullptr;

	CHECK_EQ(zones_new(ZONES_FOLDER, &zones), 0);
	for (size_t i = 0; i < countof(NAMES); i++) {
		const struct zone *zone;

		CHECK_EQ(zones_find(zones, NAMES[i], strlen(NAMES[i]), &zone), 0);
		CHECK_EQ(setenv("TZ", NAMES[i], 1), 0);
		tzset();
		for (time_t at = -4'000'000'000; at < 8'000'000'000; at += 1'234'567) {
			struct tm tm;
			struct zone_moment moment = zone_at(zone, at);

			CHECK(localtime_r(&at, &tm));
			if (tm.tm_gmtoff != moment.offset || strcmp(tm.tm_zone, moment.name) != 0)
				printf("# %s %lld: %d %s, libc %ld %s\n", NAMES[i], (long long)at,
				       moment.offset, moment.name, tm.tm_gmtoff, tm.tm_zone);
			CHECK_EQ(tm.tm_gmtoff, moment.offset);
			CHECK(strcmp(tm.tm_zone, moment.name) == 0);
			int64_t us = at * INT64_C(1'000'000) + 5;
			int64_t back = zone_to_utc(zone, zone_to_local(zone, us));
			/* The same, or the earlier of two times that the clock shows twice. */
			CHECK(back == us ||
			      (back < us && zone_to_local(zone, back) == zone_to_local(zone, us)));
		}
	}
	return true;
}

static bool gaps_and_repeats_are_settled(void)
{
	cleanup(zones_free_at) struct zones *zones = nullptr;
	const struct zone *zone;
	struct civil gap = { 2024, 3, 31, 2, 30, 0, 0 }, twice = { 2024, 10, 27, 2, 30, 0, 0 };

	CHECK_EQ(zones_new(ZONES_FOLDER, &zones), 0);
	CHECK_EQ(zones_find(zones, "Europe/Oslo", 11, &zone), 0);
	/* 02:30 by the clock before, +01:00, which is 03:30 after. */
	CHECK_EQ(zone_to_utc(zone, civil_to_us(&gap)), civil_to_us(&gap) - 3'600'000'000);
	/* The first of the two, +02:00. */
	CHECK_EQ(zone_to_utc(zone, civil_to_us(&twice)), civil_to_us(&twice) - 7'200'000'000);
	return true;
}

static bool names_cannot_lead_elsewhere(void)
{
	static const char *const BAD[] = {
		"",
		".",
		"..",
		"/etc/passwd",
		"../zoneinfo/UTC",
		"Europe/../Etc/UTC",
		"Europe//Oslo",
		"Europe/",
		"Europe",
		"tzdata.zi",
		"iso3166.tab",
		"leapseconds",
		"Mars/Olympus",
		"+25:00",
		"+1",
		"+01:0",
		"+01:60",
		"+010",
		"UTC+1",
		"Europe/Oslo\n",
	};
	cleanup(zones_free_at) struct zones *zones = nullptr;
	const struct zone *zone;
	char longer[200];

	CHECK_EQ(zones_new(ZONES_FOLDER, &zones), 0);
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK_EQ(zones_find(zones, BAD[i], strlen(BAD[i]), &zone), ZONES_UNKNOWN);
	CHECK_EQ(zones_find(zones, "UTC\0x", 5, &zone), ZONES_UNKNOWN);
	memset(longer, 'A', sizeof(longer));
	CHECK_EQ(zones_find(zones, longer, sizeof(longer), &zone), ZONES_UNKNOWN);
	return true;
}

static bool fixed_offsets_and_many_names_are_found(void)
{
	cleanup(zones_free_at) struct zones *zones = nullptr;
	const struct zone *zone;

	CHECK_EQ(zones_new("/nowhere", &zones), 0);
	CHECK_EQ(zones_find(zones, "+05:30", 6, &zone), 0);
	CHECK_EQ(zone_at(zone, 0).offset, 19800);
	CHECK_EQ(zones_find(zones, "-0830", 5, &zone), 0);
	CHECK_EQ(zone_at(zone, 0).offset, -30600);
	CHECK_EQ(zones_find(zones, "UTC", 3, &zone), 0);
	CHECK_EQ(zones_find(zones, "Europe/Oslo", 11, &zone), ZONES_UNKNOWN);
	for (int i = 0; i < 200; i++) { /* more than the cache holds */
		char name[16];

		(void)snprintf(name, sizeof(name), "+%02d:%02d", i % 19, i % 60);
		CHECK_EQ(zones_find(zones, name, strlen(name), &zone), 0);
		CHECK_EQ(zone_at(zone, 0).offset, i % 19 * 3600 + i % 60 * 60);
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(zones_free_at) struct zones *zones = nullptr;
		const struct zone *zone = nullptr;

		fault_at(n);
		int r = zones_new(ZONES_FOLDER, &zones);
		if (r == 0)
			r = zones_find(zones, "Europe/Oslo", 11, &zone);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!zone);
	}
}

int main(void)
{
	RUN(a_file_is_read_as_the_rfc_says);
	RUN(every_truncation_is_refused);
	RUN(no_flipped_bit_does_harm);
	RUN(rules_are_read_or_refused);
	RUN(a_rule_can_hold_all_year);
	RUN(local_times_are_those_of_libc);
	RUN(gaps_and_repeats_are_settled);
	RUN(names_cannot_lead_elsewhere);
	RUN(fixed_offsets_and_many_names_are_found);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
