/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "service/sql/sql.h"
#include "tests/unit/engine-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fixture f;

static void end(void)
{
	fixture_done(&f);
}

static void begin(void)
{
	if (!fixture_init(&f) || fixture_collection(&f, "people") ||
	    fixture_add(
		    &f, "people",
		    "[{\"name\":\"Ann\",\"age\":30,\"tags\":[\"a\"],\"o\":{\"x\":[1,{\"y\":null}]},\"ok\":true},{\"name\":7}]"))
		abort();
	(void)atexit(end);
}

/* Any text as a query: it runs, or is refused with a message; nothing else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sql_result result = {};
	struct sql_error error = {};

	if (!f.store)
		begin();
	char *copy = malloc(size + !size); /* exact size: an overread is a crash */
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	struct sql_query query = { .text = copy,
				   .len = size,
				   .deadline_us = clock_mono_us() + 200'000,
				   .result_max = 1u << 20,
				   .rows_max = 1000 };
	int r = sql_run(f.session, &query, &result, &error);
	if (r > 0 && !error.message[0])
		abort();
	if (r < 0 && r != -ENOMEM)
		abort();
	sql_result_done(&result);
	free(copy);
	return 0;
}
