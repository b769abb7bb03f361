/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a TZif file, and as a name in the folder of zones. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/value/civil.h"
#include "service/value/zone.h"
#include "service/value/zone_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(zone_free_at) struct zone *zone = nullptr;
	struct zone_rule rule;
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */

	if (!copy)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	if (zone_rule_read((const char *)copy, size, &rule))
		(void)zone_rule_is_dst(&rule, 0);
	if (zone_read(copy, size, &zone))
		return 0;
	for (int64_t day = CIVIL_DAY_MIN + 2; day < CIVIL_DAY_MAX - 2; day += 9973) {
		int64_t us = day * CIVIL_DAY_US + day;
		struct zone_moment at = zone_at(zone, us / 1'000'000);

		if (at.offset < -ZONE_OFFSET_MAX || at.offset > ZONE_OFFSET_MAX ||
		    strlen(at.name) > 256)
			abort();
		int64_t local = zone_to_local(zone, us), back = zone_to_utc(zone, local);
		if (back - us > 3 * CIVIL_DAY_US || us - back > 3 * CIVIL_DAY_US)
			abort();
	}
	return 0;
}
