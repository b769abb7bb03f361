/* SPDX-License-Identifier: Apache-2.0 */
#include "common/heap.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/tap.h"

constexpr size_t BLOCKS = 48;
constexpr size_t BLOCK = 1u << 20;

/* Bytes of this process that are in memory. */
static size_t resident(void)
{
	unsigned long all = 0, here = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%lu %lu", &all, &here) != 2)
		here = 0;
	if (file)
		(void)fclose(file);
	return here * (size_t)sysconf(_SC_PAGESIZE);
}

/* What a thread took and freed: how much of it stayed, and how much after it rested. */
struct work {
	void (*rest)(void);
	size_t kept, after;
};

static void *work(void *argument)
{
	struct work *work = argument;
	void *block[BLOCKS] = {};
	size_t before = resident();

	for (size_t i = 0; i < BLOCKS; i++) {
		block[i] = malloc(BLOCK);
		if (block[i])
			memset(block[i], 1, BLOCK);
	}
	for (size_t i = BLOCKS; i > 0; i--)
		free(block[i - 1]);
	size_t freed = resident();
	work->rest();
	size_t rested = resident();
	work->kept = freed > before ? freed - before : 0;
	work->after = rested > before ? rested - before : 0;
	return nullptr;
}

static bool freed_memory_stays_until_its_thread_rests(void)
{
	static void (*const RESTS[])(void) = { heap_rest, heap_trim };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true; /* malloc is another one */
#endif
	heap_reuse();
	for (size_t i = 0; i < countof(RESTS); i++) {
		struct work what = { .rest = RESTS[i] };
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, nullptr, work, &what), 0);
		CHECK_EQ(pthread_join(thread, nullptr), 0);
		CHECK(what.kept > BLOCKS * BLOCK / 2);
		CHECK(what.after < BLOCKS * BLOCK / 8);
	}
	return true;
}

int main(void)
{
	RUN(freed_memory_stays_until_its_thread_rests);
	return tap_done();
}
