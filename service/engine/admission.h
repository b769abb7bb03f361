/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * admission: whose turn it is: which requests wait, which are at work, and which may begin next.
 *
 * Layer 7 (service/engine). Nobody can tell beforehand how long a query takes. It begins in one of two lanes: the long one, with
 * all the memory that a query may have and until its own deadline; or, when there is no place, the short one, with little
 * memory and for a turn. Who does not come to an end in its turn gives its place up and begins anew in the long lane as soon
 * as it can. So whatever runs, a short query waits for a turn at most, and not at all for the long queries of one other key.
 * Among keys the one goes first that has had least; a key that has been away begins where the others are.
 * No threads, no memory of its own: belongs to pool, under its lock.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ADMISSION_LONG =
	3; /* queries with all the memory that they may have: it is for three */
constexpr size_t ADMISSION_SHORT =
	2; /* queries for a turn: one key can have one of them and the other is free */
constexpr size_t ADMISSION_OTHERS =
	4; /* what is no query: writes are synced together, the more the better */
constexpr size_t ADMISSION_PLACES = ADMISSION_LONG + ADMISSION_SHORT + ADMISSION_OTHERS;
constexpr size_t ADMISSION_KEY_LONG = ADMISSION_LONG - 1; /* so that another key's begins at once */
constexpr size_t ADMISSION_KEY_QUERIES =
	ADMISSION_LONG; /* at work, of both lanes: a place of each is left */

constexpr size_t ADMISSION_WAITING = 256; /* in all: what a box does in a few seconds */
constexpr size_t ADMISSION_KEY_WAITING =
	64; /* queries of one key: four keys fill the queue, not one */
constexpr size_t ADMISSION_KEY_ALL_WAITING = 128; /* requests of one key */

/* Long enough for nearly every look-up and small aggregation, short enough that nobody minds to wait for it. */
constexpr uint64_t ADMISSION_TURN_US = 100'000;

constexpr size_t ADMISSION_KEY = 16; /* bytes of a key's id with its NUL */

enum lane : uint8_t {
	LANE_OTHERS,
	LANE_LONG,
	LANE_SHORT,
	LANES,
};

struct job;

/* A request's part. Zeroed but for the first five. */
struct turn {
	struct job *job;	   /* whose part it is */
	char key[ADMISSION_KEY];   /* whose */
	bool query, long_only;	   /* not for the short lane */
	const atomic_bool *cancel; /* once set it may begin at once: there is nothing to do */
	/* Admission's own. */
	struct turn *next;
	struct account *account;
	enum lane lane; /* while it is at work */
	bool freely;	/* it took no place: it had been cancelled */
	uint64_t began_us;
};

/* What a key has waiting and at work. */
struct account {
	char key[ADMISSION_KEY];
	size_t waiting, waiting_queries, working;
	size_t at_work[LANES];
	uint64_t had_us; /* of the workers' time, beginning with what the others had when it came */
};

struct admission {
	struct turn *waiting, **end;
	size_t n_waiting;
	size_t at_work[LANES];
	uint64_t had_us;   /* of who began last */
	size_t n_accounts; /* of the next, those behind are not used */
	struct account account[ADMISSION_WAITING + ADMISSION_PLACES + 1];
};

enum {
	ADMITTED = 0,
	ADMISSION_FULL,	    /* too many wait */
	ADMISSION_KEY_FULL, /* too many of this key wait */
};

/* Make it empty. */
void admission_init(struct admission *a);

/* Have a request wait. Returns ADMITTED, or one of the others: it is not taken. */
[[nodiscard]] int admission_add(struct admission *a, struct turn *turn);

/* The request that may begin now, or nullptr. Cost: those that wait. */
[[nodiscard]] struct turn *admission_next(const struct admission *a);

/* Begin the one that admission_next() has given. */
void admission_begin(struct admission *a, struct turn *turn, uint64_t now_us);

/*
 * A request's work has ended.
 *
 * again  it was cut off by the end of its turn: it waits for the long lane, before all others of its key
 */
void admission_end(struct admission *a, struct turn *turn, uint64_t now_us, bool again);
