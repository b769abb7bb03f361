/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * random: numbers that only look random: the same seed gives the same documents and the same queries everywhere.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct random {
	uint64_t state;
};

/* The next 64 bits. Source: S. Vigna, splitmix64. */
static inline uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A number below n. */
static inline uint32_t random_below(struct random *r, uint32_t n)
{
	return (uint32_t)((random_next(r) >> 32) * n >> 32);
}

/* A number from low to high, both included. */
static inline int64_t random_between(struct random *r, int64_t low, int64_t high)
{
	return low + (int64_t)(random_next(r) % (uint64_t)(high - low + 1));
}

/* True once in percent of a hundred times. */
static inline bool random_percent(struct random *r, uint32_t percent)
{
	return random_below(r, 100) < percent;
}

/* One of an array. */
#define random_of(r, array) ((array)[random_below(r, countof(array))])
