/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * zone_rule: a POSIX TZ text, such as CET-1CEST,M3.5.0,M10.5.0/3: what holds after a zone file's last entry.
 *
 * Layer 2 (service/value). Pure functions, safe from any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ZONE_NAME = 16; /* room for an abbreviation such as CEST, with its NUL */
constexpr int32_t ZONE_OFFSET_MAX = 26 * 3600; /* seconds; RFC 9636 section 3.2 */

/* When a clock is changed, each year. */
struct zone_change {
	enum : uint8_t {
		CHANGE_JULIAN, /* day 1 to 365; 29 February is not counted */
		CHANGE_DAY,    /* day 0 to 365 */
		CHANGE_MONTH,  /* day (0: Sunday) of week 1 to 5 (5: the last) of month */
	} kind;
	int month, week, day;
	int32_t time; /* seconds after midnight by the clock before the change; may lie days away */
};

struct zone_rule {
	bool has_dst;
	int32_t std, dst; /* seconds east of UTC */
	char std_name[ZONE_NAME], dst_name[ZONE_NAME];
	struct zone_change start, end; /* of daylight saving time */
};

/*
 * Read a rule.
 *
 * text  [len] untrusted
 *
 * Returns whether it is one; *ret is set only then.
 * Source: POSIX.1-2017 XBD section 8.3 TZ; RFC 9636 section 3.3.1 (hours from -167 to 167).
 */
[[nodiscard]] bool zone_rule_read(const char *text, size_t len, struct zone_rule *ret);

/* Whether daylight saving time holds at seconds since 1970 UTC (in the years 0 to 10000). */
[[nodiscard]] bool zone_rule_is_dst(const struct zone_rule *rule, int64_t utc_s);
