/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/zone.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/value/zone_rule.h"

constexpr int64_t SECOND = 1'000'000;
constexpr size_t HEADER = 44;
constexpr size_t TYPES_MAX = 256;
constexpr size_t NAMES_MAX = 256; /* bytes; a type's index into them is one byte */

struct type {
	int32_t offset;
	uint8_t name; /* where in names */
};

/* From at[i] on, type[i] holds; before at[0], type 0; after the last, the rule if there is one. */
struct zone {
	size_t n_times, n_types;
	struct type types[TYPES_MAX];
	char names[NAMES_MAX + 1];
	bool has_rule;
	struct zone_rule rule;
	uint8_t *type; /* [n_times], behind at */
	int64_t at[];
};

/* A TZif header's counts. */
struct counts {
	uint8_t version;
	size_t utc, std, leaps, times, types, chars;
};

/* Big-endian bytes being read from the front; what lies beyond the end is zero and remembered. */
struct cursor {
	const uint8_t *at;
	size_t len;
	bool failed;
};

static uint64_t number(struct cursor *in, size_t size)
{
	uint64_t value = 0;

	if (in->len < size) {
		in->failed = true;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value = value << 8 | in->at[i];
	in->at += size;
	in->len -= size;
	return value;
}

static void skip(struct cursor *in, size_t size)
{
	in->failed |= in->len < size;
	size = in->len < size ? in->len : size;
	in->at += size;
	in->len -= size;
}

static bool read_header(struct cursor *in, struct counts *ret)
{
	if (in->len < HEADER || memcmp(in->at, "TZif", 4) != 0)
		return false;
	skip(in, 4);
	ret->version = (uint8_t)number(in, 1);
	skip(in, 15);
	ret->utc = number(in, 4);
	ret->std = number(in, 4);
	ret->leaps = number(in, 4);
	ret->times = number(in, 4);
	ret->types = number(in, 4);
	ret->chars = number(in, 4);
	/* So sums and products of them cannot wrap. */
	return ret->utc <= ZONE_FILE_MAX && ret->std <= ZONE_FILE_MAX &&
	       ret->leaps <= ZONE_FILE_MAX && ret->times <= ZONE_FILE_MAX && ret->types > 0 &&
	       ret->types <= TYPES_MAX && ret->chars > 0 && ret->chars <= NAMES_MAX;
}

/* Bytes of a block with times of that size, after its header. */
static size_t block_size(const struct counts *n, size_t time_size)
{
	return n->times * (time_size + 1) + n->types * 6 + n->chars + n->leaps * (time_size + 4) +
	       n->std + n->utc;
}

static bool read_times(struct cursor *in, size_t time_size, struct zone *zone)
{
	for (size_t i = 0; i < zone->n_times; i++) {
		uint64_t at = number(in, time_size);

		zone->at[i] = time_size == 4 ? (int32_t)(uint32_t)at : (int64_t)at;
		if (i > 0 && zone->at[i] <= zone->at[i - 1])
			return false;
	}
	for (size_t i = 0; i < zone->n_times; i++) {
		zone->type[i] = (uint8_t)number(in, 1);
		if (zone->type[i] >= zone->n_types)
			return false;
	}
	return !in->failed;
}

static bool read_types(struct cursor *in, size_t chars, struct zone *zone)
{
	for (size_t i = 0; i < zone->n_types; i++) {
		struct type *type = &zone->types[i];

		type->offset = (int32_t)(uint32_t)number(in, 4);
		skip(in, 1); /* whether it is daylight saving time */
		type->name = (uint8_t)number(in, 1);
		if (type->offset < -ZONE_OFFSET_MAX || type->offset > ZONE_OFFSET_MAX ||
		    type->name >= chars)
			return false;
	}
	if (in->failed || in->len < chars)
		return false;
	memcpy(zone->names, in->at, chars); /* the array ends with a NUL of its own */
	skip(in, chars);
	return true;
}

/* The footer of version 2 and later: a line with a rule, or an empty one. */
static bool read_footer(struct cursor *in, struct zone *zone)
{
	if (number(in, 1) != '\n')
		return false;
	const uint8_t *end = memchr(in->at, '\n', in->len);
	size_t len = end ? (size_t)(end - in->at) : 0;
	if (!end)
		return false;
	zone->has_rule = len > 0;
	return len == 0 || zone_rule_read((const char *)in->at, len, &zone->rule);
}

static struct zone *zone_new(size_t n_times)
{
	struct zone *zone = calloc(1, sizeof(*zone) + n_times * (sizeof(zone->at[0]) + 1));

	if (!zone)
		return nullptr;
	zone->n_times = n_times;
	zone->type = (uint8_t *)&zone->at[n_times];
	return zone;
}

int zone_read(const uint8_t *data, size_t len, struct zone **ret)
{
	struct cursor in = { .at = data, .len = len };
	struct counts counts;
	size_t time_size = 4;

	if (len > ZONE_FILE_MAX || !read_header(&in, &counts))
		return -EBADMSG;
	if (counts.version >= '2') { /* the same again follows, with wider times */
		time_size = 8;
		skip(&in, block_size(&counts, 4));
		if (in.failed || !read_header(&in, &counts))
			return -EBADMSG;
	}
	if (in.len < block_size(&counts, time_size))
		return -EBADMSG;

	cleanup(zone_free_at) struct zone *zone = zone_new(counts.times);
	if (!zone)
		return -ENOMEM;
	zone->n_types = counts.types;
	if (!read_times(&in, time_size, zone) || !read_types(&in, counts.chars, zone))
		return -EBADMSG;
	skip(&in, counts.leaps * (time_size + 4) + counts.std + counts.utc);
	if (time_size == 8 && !read_footer(&in, zone))
		return -EBADMSG;
	*ret = TAKE(zone);
	return 0;
}

int zone_fixed(int32_t offset_s, const char *name, struct zone **ret)
{
	struct zone *zone = zone_new(0);

	if (!zone)
		return -ENOMEM;
	zone->n_types = 1;
	zone->types[0].offset = offset_s;
	(void)snprintf(zone->names, ZONE_NAME, "%s", name);
	*ret = zone;
	return 0;
}

struct zone *zone_free(struct zone *zone)
{
	free(zone);
	return nullptr;
}

struct zone_moment zone_at(const struct zone *zone, int64_t utc_s)
{
	size_t low = 0, high = zone->n_times; /* at[low - 1] <= utc_s < at[high] */
	const struct zone_rule *rule = &zone->rule;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->at[middle] <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (zone->has_rule && low == zone->n_times) {
		bool dst = zone_rule_is_dst(rule, utc_s);

		return (struct zone_moment) { dst ? rule->dst : rule->std,
					      dst ? rule->dst_name : rule->std_name };
	}
	const struct type *type = &zone->types[low > 0 ? zone->type[low - 1] : 0];
	return (struct zone_moment) { type->offset, &zone->names[type->name] };
}

static int64_t floor_second(int64_t us)
{
	return us / SECOND - (us % SECOND < 0);
}

int64_t zone_to_local(const struct zone *zone, int64_t utc_us)
{
	return utc_us + zone_at(zone, floor_second(utc_us)).offset * SECOND;
}

int64_t zone_to_utc(const struct zone *zone, int64_t local_us)
{
	constexpr int64_t day = 86400;
	int64_t local = floor_second(local_us);
	/* The offsets that hold well before and well after: one of the two is right, or there is a gap. */
	int32_t before = zone_at(zone, local - day).offset;
	int32_t after = zone_at(zone, local + day).offset;

	if (before != after && zone_at(zone, local - before).offset != before &&
	    zone_at(zone, local - after).offset == after)
		return local_us - after * SECOND;
	return local_us - before * SECOND;
}
