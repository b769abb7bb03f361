/* SPDX-License-Identifier: Apache-2.0 */

/* Sorts, joins and groups on disk when the disk, memory or time runs out: an error, nothing in clear, and nothing left. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/spill-plans.h"
#include "tests/unit/spill-result.h"

/* Whether a plan ends with a sentence and leaves nothing behind when the disk is full at any write. */
static bool survives_a_full_disk(const struct plan *plan, size_t memory)
{
	auto_result struct result good = {};

	run_in(alone, plan, memory, &good);
	CHECK_EQ(good.r, PIPE_END);
	uint32_t writes = disk.writes, step = writes / 12 + 1;
	CHECK(writes > 2);
	for (disk.full_at = 1; disk.full_at <= writes; disk.full_at += step) {
		auto_result struct result result = {};

		run_in(alone, plan, memory, &result);
		CHECK_EQ(result.r, PIPE_TOO_LARGE);
		CHECK(strstr(result.error, "no room"));
		CHECK_EQ(result.held, 0u);
		CHECK_EQ(files(), 0);
	}
	disk.full_at = 0;
	return true;
}

static bool survives_failed_allocations(const struct plan *plan, size_t memory)
{
	auto_result struct result good = {};

	run_in(alone, plan, memory, &good);
	CHECK_EQ(good.r, PIPE_END);
	CHECK(good.spilled > 0);
	for (size_t n = 1;; n++) {
		auto_result struct result result = {};

		fault_at(n);
		run_in(alone, plan, memory, &result);
		bool hit = fault_end();
		if (result.r == PIPE_END && buf_error(&result.text) == 0) {
			CHECK_EQ(result.text.len, good.text.len);
			CHECK(memcmp(result.text.data, good.text.data, good.text.len) == 0);
		} else if (result.r != PIPE_END && result.r != -EILSEQ) {
			CHECK_EQ(result.r, -ENOMEM);
		}
		CHECK_EQ(result.held, 0u);
		CHECK_EQ(files(), 0);
		if (!hit)
			return result.r == PIPE_END;
	}
}

static bool ends_when_it_is_cancelled_or_late(const struct plan *plan, size_t memory)
{
	auto_result struct result result = {};
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	const struct cell *cell;

	disk.cancel_at = 2;
	run_in(alone, plan, memory, &result);
	disk.cancel_at = 0;
	disk.cancel = false;
	CHECK_EQ(result.r, PIPE_CANCELLED);
	disk.wait_us = clock_mono_us() + 300'000;
	struct query_limits limits = { disk.wait_us, nullptr, memory };
	int r = exec_query_new(alone, &limits, &query); /* or here, if the machine is that slow */
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	r = r ? r : pipe_open(query, plan, &pipe);
	r = r ? r : pipe_next(pipe, &cell);
	disk.wait_us = 0;
	CHECK_EQ(r, PIPE_TIMEOUT);
	CHECK_EQ(files(), 0);
	return true;
}

/* Look for MARK in what an open file without a name holds. Returns -1 if it is no such file of our folder, else whether it is there. */
static int look_into(const char *number, size_t *bytes)
{
	char path[64], target[256];
	static char data[1u << 20];
	int found = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%.20s", number);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	if (strncmp(target, folder_path, strlen(folder_path)) != 0 || !strstr(target, "(deleted)"))
		return -1;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, data, sizeof(data))) > 0) {
		*bytes += (size_t)n;
		found |= memmem(data, (size_t)n, MARK, strlen(MARK)) != nullptr;
	}
	return found;
}

/* Whether files without a name hold something while a plan's rows are fetched, and none of it in clear. */
static bool is_sealed(const struct plan *plan, size_t memory)
{
	struct query_limits limits = { UINT64_MAX, nullptr, memory };
	cleanup(exec_query_free_at) struct exec_query *query = nullptr;
	const struct cell *cell;
	size_t bytes = 0;

	CHECK_EQ(exec_query_new(alone, &limits, &query), 0);
	cleanup(pipe_close_at) struct pipe *pipe = nullptr;
	CHECK_EQ(pipe_open(query, plan, &pipe), 0);
	CHECK_EQ(pipe_next(pipe, &cell), 0);
	DIR *dir = opendir("/proc/self/fd");
	CHECK(dir);
	for (struct dirent *e; (e = readdir(dir));)
		CHECK(look_into(e->d_name, &bytes) <= 0);
	(void)closedir(dir);
	CHECK(bytes > 100'000);
	return true;
}

static bool a_sort_survives_what_can_go_wrong(void)
{
	orders[0] = (struct order_by) { 1, false, false };
	struct plan plan = sort_plan(many, -1, 1), small = sort_plan(few, -1, 1);

	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	CHECK(is_sealed(&plan, LITTLE));
	return survives_failed_allocations(&small, LEAST);
}

static bool groups_survive_what_can_go_wrong(void)
{
	struct aggregate aggregate = { .kind = AGGREGATE_MAX };

	plan_begin();
	struct node *keys[] = { field("v"), field("k") };
	aggregate.arg = field("x");
	struct plan plan = { .snapshot = many,
			     .field = plan_fields,
			     .n_fields = n_plan_fields,
			     .grouped = true,
			     .output = keys,
			     .n_outputs = 2,
			     .aggregate = &aggregate,
			     .n_aggregates = 1,
			     .limit = -1 };

	CHECK(same_in(&plan, LITTLE, false));
	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	return is_sealed(&plan, LITTLE);
}

static bool a_split_join_survives_what_can_go_wrong(void)
{
	struct plan plan = join_plan(many, many, "k", true);

	CHECK(survives_a_full_disk(&plan, LITTLE));
	CHECK(ends_when_it_is_cancelled_or_late(&plan, LITTLE));
	CHECK(is_sealed(&plan, LITTLE));
	plan = join_plan(few, few, "k", true);
	return survives_failed_allocations(&plan, 2 * LEAST);
}

static bool without_a_folder_what_does_not_fit_is_refused(void)
{
	auto_result struct result little = {};
	struct exec *none = nullptr;
	struct plan plan = sort_plan(many, -1, 1);

	CHECK_EQ(exec_new(2, MUCH, nullptr, &none), 0);
	run_in(none, &plan, LITTLE / 3, &little);
	exec_free(none);
	CHECK_EQ(little.r, PIPE_TOO_LARGE);
	CHECK(strstr(little.error, "more memory"));
	return true;
}

int main(void)
{
	if (!spill_fixture_init())
		return 1;
	RUN(a_sort_survives_what_can_go_wrong);
	RUN(groups_survive_what_can_go_wrong);
	RUN(a_split_join_survives_what_can_go_wrong);
	RUN(without_a_folder_what_does_not_fit_is_refused);
	spill_fixture_done();
	return tap_done();
}
