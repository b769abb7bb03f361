/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/measure.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base.h"
#include "common/buf.h"

double measure_ms(clockid_t clock)
{
	struct timespec t = {};

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void measure_print(const char *step, const char *what, double value)
{
	printf("%s\t%s\t%.3f\n", step, what, value);
	(void)fflush(stdout);
}

int measure_repeat(const char *step, const struct measure_clock *clocks, size_t count,
		   int (*run)(void *), void *ctx)
{
	double least[MEASURE_CLOCKS], before[MEASURE_CLOCKS];
	double limit = measure_ms(CLOCK_MONOTONIC) + MEASURE_LIMIT_MS;

	for (size_t i = 0; i < count; i++)
		least[i] = INFINITY;
	for (size_t n = 0; n < MEASURE_REPEATS && measure_ms(CLOCK_MONOTONIC) < limit; n++) {
		for (size_t i = 0; i < count; i++)
			before[i] = measure_ms(clocks[i].id);
		int r = run(ctx);
		if (r != 0)
			return r;
		for (size_t i = 0; i < count; i++)
			least[i] = fmin(least[i], measure_ms(clocks[i].id) - before[i]);
	}
	for (size_t i = 0; i < count; i++)
		measure_print(step, clocks[i].name, least[i]);
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure_print_waits(const char *step, double *waits, size_t count)
{
	qsort(waits, count, sizeof(*waits), compare_doubles);
	measure_print(step, "p50_ms", waits[count / 2]);
	measure_print(step, "p95_ms", waits[count * 95 / 100]);
}

int measure_print_memory(const char *step, const char *proc)
{
	char path[64], line[256];

	(void)snprintf(path, sizeof(path), "%s/status", proc);
	FILE *file = fopen(path, "re");
	if (!file)
		return neg_errno();
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			measure_print(step, "rss_kb", strtod(line + 6, nullptr));
		if (strncmp(line, "VmHWM:", 6) == 0)
			measure_print(step, "peak_kb", strtod(line + 6, nullptr));
	}
	(void)fclose(file);
	return 0;
}

FILE *measure_open(const char *variable)
{
	const char *name = getenv(variable);
	FILE *file = name ? fopen(name, "re") : nullptr;

	if (!file)
		(void)fprintf(stderr, "%s: no file to read: %s\n", variable,
			      name ? name : "not set");
	return file;
}

bool measure_next_query(FILE *list, struct measure_query *ret)
{
	struct measure_query query = {};

	if (fscanf(list, "%15s %4095[^\n]\n", query.name, query.text) != 2)
		return false;
	*ret = query;
	return true;
}

int measure_keep_answer(const char *name, struct buf *answer)
{
	const char *folder = getenv("BENCH_ANSWERS");
	char path[512];

	if (buf_error(answer) != 0)
		return buf_error(answer);
	if (!folder)
		return -EINVAL;
	(void)snprintf(path, sizeof(path), "%s/%s.json", folder, name);
	FILE *file = fopen(path, "we");
	if (!file)
		return neg_errno();
	size_t written = fwrite(answer->data, 1, answer->len, file);
	return fclose(file) == 0 && written == answer->len ? 0 : -EIO;
}
