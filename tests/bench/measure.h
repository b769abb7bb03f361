/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * measure: clocks, figures and the list of queries, for the benchmark's programs.
 *
 * A figure is a line of three words on stdout: the step, what was measured, the number. Not for threads.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "common/buf.h"

constexpr size_t MEASURE_REPEATS = 7;	    /* of a query, at most */
constexpr double MEASURE_LIMIT_MS = 20'000; /* after this long it is not repeated again */
constexpr size_t MEASURE_CLOCKS = 8;
constexpr size_t MEASURE_STREAM = 100; /* documents of one small commit */

/* What is timed, and what its figures are called. */
struct measure_clock {
	const char *name;
	clockid_t id;
};

/* One query: its name (q01) and its text. */
struct measure_query {
	char name[16];
	char text[4096];
};

/* The time by this clock in ms. A process's clock is what its threads, also those that ended, used of the processors. */
[[nodiscard]] double measure_ms(clockid_t clock);

/* Print one figure. */
void measure_print(const char *step, const char *what, double value);

/*
 * Run a step up to MEASURE_REPEATS times and print the least of each clock.
 *
 * clocks  [count] at most MEASURE_CLOCKS
 * run     returns 0 or a fault, which ends the repeating
 *
 * Returns 0 or run's fault; nothing is printed then.
 */
[[nodiscard]] int measure_repeat(const char *step, const struct measure_clock *clocks, size_t count,
				 int (*run)(void *), void *ctx);

/* Print the half-way one and the 95 in 100 of count > 0 waits, in ms; sorts them. */
void measure_print_waits(const char *step, double *waits, size_t count);

/*
 * Print what memory a process holds (rss_kb) and has held at most (peak_kb).
 *
 * proc  its folder, such as "/proc/self"
 *
 * Returns 0 or a fault.
 */
[[nodiscard]] int measure_print_memory(const char *step, const char *proc);

/* Open the file that an environment variable names, to read. Returns nullptr, having told, if it cannot be read. */
[[nodiscard]] FILE *measure_open(const char *variable);

/* Read the next "NAME<tab>TEXT" line of a list of queries. Returns whether there was one. */
[[nodiscard]] bool measure_next_query(FILE *list, struct measure_query *ret);

/* Keep an answer as $BENCH_ANSWERS/NAME.json. Returns 0 or a fault. */
[[nodiscard]] int measure_keep_answer(const char *name, struct buf *answer);
