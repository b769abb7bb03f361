/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

constexpr size_t RUN = 1024; /* items that are sorted in one go */
constexpr size_t ITEM_WORK = 64;

struct sort {
	sqlite3_context *ctx;
	size_t size, work;
	int (*order)(const void *a, const void *b);
};

/* Merge from[middle] and what follows up to end into to. Returns false if the query is to end. */
static bool merge(struct sort *sort, const char *from, size_t middle, size_t end, char *to)
{
	size_t a = 0, b = middle, size = sort->size;

	while (a < middle || b < end) {
		bool first = b == end ||
			     (a < middle && sort->order(from + a * size, from + b * size) <= 0);

		memcpy(to, from + (first ? a++ : b++) * size, size);
		to += size;
		if (udf_worked(sort->ctx, &sort->work, ITEM_WORK))
			return false;
	}
	return true;
}

bool udf_sort(sqlite3_context *ctx, void *item, size_t n, size_t size,
	      int (*order)(const void *a, const void *b))
{
	struct sort sort = { ctx, size, 0, order };
	auto_free char *room = n > RUN ? reallocarray(nullptr, n, size) : nullptr;
	char *from = item, *to = room;

	if (n > RUN && !room) {
		sqlite3_result_error_nomem(ctx);
		return false;
	}
	for (size_t at = 0; at < n; at += RUN) {
		size_t some = n - at < RUN ? n - at : RUN;

		qsort(from + at * size, some, size, order);
		if (udf_worked(ctx, &sort.work, some * ITEM_WORK))
			return false;
	}
	for (size_t run = RUN; run < n; run *= 2) {
		for (size_t at = 0; at < n; at += 2 * run) {
			size_t end = n - at < 2 * run ? n - at : 2 * run;
			size_t middle = end < run ? end : run;

			if (!merge(&sort, from + at * size, middle, end, to + at * size))
				return false;
		}
		char *other = from;
		from = to;
		to = other;
	}
	if (from != item)
		memcpy(item, from, n * size);
	return true;
}
