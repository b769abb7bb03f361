/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/era.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "common/buf.h"
#include "common/clock.h"

constexpr uint64_t DAY_S = 86400;
constexpr uint64_t SLACK_S = 3600;	 /* clocks are set back by minutes, and kept every ten */
constexpr uint64_t LEAP_S = 400 * DAY_S; /* longer than an appliance is likely to be off */
constexpr size_t NUMBER_MAX = 24;
static const char SYNCED[] = "/run/systemd/timesync/synchronized";
static const char BUILT[] = "/usr/share/redoubt"; /* with build-time in it */

/* A number of seconds in a file, or 0. */
static uint64_t read_number(int dir, const char *name)
{
	auto_buf struct buf text = buf_make(NUMBER_MAX);
	const char *digits = files_read(dir, name, &text) == 0 ? buf_text(&text) : nullptr;

	return digits ? strtoull(digits, nullptr, 10) : 0;
}

static uint64_t build_time(void)
{
	auto_close int dir = -1;
	const char *folder = getenv("REDOUBT_BUILT");

	return files_open_folder(folder ? folder : BUILT, &dir) ? 0
								: read_number(dir, "build-time");
}

void era_judge(uint64_t now_s, uint64_t built_s, uint64_t seen_s, bool synced, struct era *ret)
{
	char now[CLOCK_TEXT], floor[CLOCK_TEXT];
	const char *what = nullptr;

	*ret = (struct era) { .now_s = now_s, .synced = synced };
	ret->floor_s = seen_s > built_s ? seen_s : built_s;
	if (synced || ret->floor_s == 0)
		return;
	if (now_s + SLACK_S < ret->floor_s)
		what = seen_s > built_s ? "before the last time seen here,"
					: "before this image was built,";
	else if (now_s > ret->floor_s + LEAP_S)
		what = seen_s > 0 ? "more than 400 days after the last time seen here,"
				  : "more than 400 days after this image was built,";
	if (!what)
		return;
	ret->doubtful = true;
	clock_text_s(now_s * 1'000'000, now);
	clock_text_s(ret->floor_s * 1'000'000, floor);
	(void)snprintf(ret->text, sizeof(ret->text), "the clock says %s, %s %s", now, what, floor);
}

void era_look(int state, struct era *ret)
{
	const char *synced = getenv("REDOUBT_SYNCED");

	era_judge(clock_wall_us() / 1'000'000, build_time(), read_number(state, "tls/clock"),
		  access(synced ? synced : SYNCED, F_OK) == 0, ret);
}

int era_keep(int state, const struct era *era)
{
	auto_close int dir = openat(state, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	char text[NUMBER_MAX];

	if (dir < 0)
		return neg_errno();
	int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)era->now_s);
	return files_write(dir, "clock", text, (size_t)len, 0644);
}

void era_points(const struct era *era, uint64_t ret[static 2])
{
	ret[0] = ret[1] = era->now_s;
	if (!era->doubtful)
		return;
	if (era->floor_s < ret[0])
		ret[0] = era->floor_s;
	if (era->floor_s > ret[1])
		ret[1] = era->floor_s;
}
