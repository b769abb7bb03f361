/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/figure.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/clock.h"

void figure_bytes(uint64_t bytes, char ret[FIGURE_TEXT])
{
	static const char *const UNITS[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(ret, FIGURE_TEXT, "%" PRIu64 " B", bytes);
		return;
	}
	while (bytes >= UINT64_C(1) << 20) { /* at most five times: 2^64 is 16 EiB */
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(ret, FIGURE_TEXT, "%" PRIu64 ".%" PRIu64 " %s", bytes / 1024,
		       bytes % 1024 * 10 / 1024, UNITS[unit]);
}

void figure_duration(uint64_t seconds, char ret[FIGURE_TEXT])
{
	static const struct {
		uint64_t size;
		const char *name;
	} UNITS[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i + 1 < countof(UNITS) && seconds < UNITS[i].size)
		i++;

	uint64_t rest = seconds % UNITS[i].size;
	if (i + 2 < countof(UNITS) && rest >= UNITS[i + 1].size)
		(void)snprintf(ret, FIGURE_TEXT, "%" PRIu64 " %s %" PRIu64 " %s",
			       seconds / UNITS[i].size, UNITS[i].name, rest / UNITS[i + 1].size,
			       UNITS[i + 1].name);
	else
		(void)snprintf(ret, FIGURE_TEXT, "%" PRIu64 " %s", seconds / UNITS[i].size,
			       UNITS[i].name);
}

void figure_time(const char *rfc3339, char ret[FIGURE_TEXT])
{
	uint64_t us = 0;

	if (*rfc3339 && clock_parse(rfc3339, strlen(rfc3339), &us)) {
		char text[CLOCK_TEXT];

		clock_text_s(us, text);
		(void)snprintf(ret, FIGURE_TEXT, "%.10s %.8s", text, text + 11);
		return;
	}
	(void)snprintf(ret, FIGURE_TEXT, "%s", *rfc3339 ? rfc3339 : "-");
}
