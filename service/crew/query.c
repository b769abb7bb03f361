/* SPDX-License-Identifier: Apache-2.0 */
#include "service/crew/query.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "service/disk/file.h"

static const struct place NOWHERE = {};
constexpr uint64_t WAIT_MS =
	20; /* how often a query that waits for memory looks whether it is cancelled */

int exec_new_in(unsigned int threads, size_t memory, struct folder **spill_folder,
		struct exec **ret)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	cleanup(exec_free_at) struct exec *exec = calloc(1, sizeof(*exec));

	if (!exec)
		return -ENOMEM;
	pthread_mutex_init(&exec->lock, nullptr);
	pthread_cond_init(&exec->freed, nullptr);
	exec->memory = memory;
	int r = crypto_random(exec->key, sizeof(exec->key));
	if (r == 0)
		r = crew_new(threads ? threads : cores > 0 ? (unsigned int)cores : 1, &exec->crew);
	if (r)
		return r;
	exec->spill_folder = spill_folder ? TAKE(*spill_folder) : nullptr;
	*ret = TAKE(exec);
	return 0;
}

int exec_new(unsigned int threads, size_t memory, const char *spill_folder, struct exec **ret)
{
	cleanup(folder_close_at) struct folder *folder = nullptr;
	int r = spill_folder ? folder_open(spill_folder, nullptr, nullptr, &folder) : 0;

	return r ? r : exec_new_in(threads, memory, &folder, ret);
}

struct exec *exec_free(struct exec *exec)
{
	if (!exec)
		return nullptr;
	crew_free(exec->crew);
	pthread_cond_destroy(&exec->freed);
	pthread_mutex_destroy(&exec->lock);
	folder_close(exec->spill_folder);
	free(exec);
	return nullptr;
}

bool exec_spills(const struct exec *exec)
{
	return exec->spill_folder != nullptr;
}

int query_limits_check(const struct query_limits *limits)
{
	if (limits->cancel && atomic_load_explicit(limits->cancel, memory_order_relaxed))
		return PIPE_CANCELLED;
	return clock_mono_us() >= limits->deadline_us ? PIPE_TIMEOUT : 0;
}

/* Wait until the memory is there. The first query gets what it asks for in any case. */
static int admit(struct exec *exec, struct exec_query *query)
{
	size_t want = query->limits.memory;
	int r = query_check(query);

	pthread_mutex_lock(&exec->lock);
	while (r == 0 && exec->given > 0 && exec->given + want > exec->memory) {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		uint64_t ns = (uint64_t)until.tv_nsec + WAIT_MS * 1'000'000;
		until.tv_sec += (time_t)(ns / 1'000'000'000);
		until.tv_nsec = (long)(ns % 1'000'000'000);
		(void)pthread_cond_clockwait(&exec->freed, &exec->lock, CLOCK_MONOTONIC, &until);
		r = query_check(query);
	}
	if (r == 0)
		exec->given += want;
	pthread_mutex_unlock(&exec->lock);
	return r;
}

int exec_query_new(struct exec *exec, const struct query_limits *limits, struct exec_query **ret)
{
	struct exec_query *query = calloc(1, sizeof(*query));

	if (!query)
		return -ENOMEM;
	query->exec = exec;
	query->limits = *limits;
	query->began_ns = crew_thread_ns();
	query->budget.limit = limits->memory;
	int r = admit(exec, query);
	if (r) {
		free(query);
		return r;
	}
	pthread_mutex_init(&query->lock, nullptr);
	*ret = query;
	return 0;
}

struct exec_query *exec_query_free(struct exec_query *query)
{
	if (!query)
		return nullptr;
	struct exec *exec = query->exec;
	pthread_mutex_lock(&exec->lock);
	exec->given -= query->limits.memory;
	pthread_cond_broadcast(&exec->freed);
	pthread_mutex_unlock(&exec->lock);
	pthread_mutex_destroy(&query->lock);
	free(query);
	return nullptr;
}

void exec_query_figures(struct exec_query *query, struct query_figures *ret)
{
	*ret = (struct query_figures) {
		.rows_read = atomic_load(&query->rows_read),
		.bytes_read = atomic_load(&query->bytes_read),
		.pages_read = atomic_load(&query->pages_read),
		.pages_missed = atomic_load(&query->pages_missed),
		.chunks = atomic_load(&query->chunks),
		.chunks_skipped = atomic_load(&query->chunks_skipped),
		.spilled_bytes = atomic_load(&query->spilled),
		.cpu_us = (crew_thread_ns() - query->began_ns + atomic_load(&query->helpers_ns)) /
			  1000,
	};
}

const char *exec_query_error(const struct exec_query *query)
{
	return query->error;
}

struct place exec_query_place(const struct exec_query *query)
{
	return query->place;
}

void query_fail(struct exec_query *query, struct place place, const char *text)
{
	pthread_mutex_lock(&query->lock);
	if (!query->error[0]) {
		(void)snprintf(query->error, sizeof(query->error), "%s", text);
		query->place = place;
	}
	pthread_mutex_unlock(&query->lock);
}

int query_result(struct exec_query *query, int r)
{
	if (r == -EBADMSG) { /* what is stored has outcomes of its own: this was a spill */
		query_fail(query, NOWHERE,
			   "What the query had put on disk for a while is damaged.");
		return PIPE_DAMAGED;
	}
	if (r == -ENOSPC) { /* reading what is stored never says that: this was a spill, too */
		query_fail(query, NOWHERE,
			   "The disk has no room for what the query puts there for a while.");
		return PIPE_TOO_LARGE;
	}
	if (r != -EDQUOT)
		return r;
	query_fail(query, NOWHERE, "The query needs more memory than it may use.");
	return PIPE_TOO_LARGE;
}
