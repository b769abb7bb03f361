/* SPDX-License-Identifier: Apache-2.0 */
#include "service/value/match.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/value/civil.h"

int match_mixed(int64_t i, double f)
{
	if (f < -0x1p63)
		return 1;
	if (f >= 0x1p63)
		return -1;
	auto whole = (int64_t)f;
	if (i != whole)
		return i < whole ? -1 : 1;
	double rest = f - (double)whole;
	return rest > 0 ? -1 : rest < 0;
}

bool match_moment(enum value_tag tag, int64_t i, int64_t *ret)
{
	if (tag == VALUE_DATE) {
		*ret = (int64_t)((uint64_t)i *
				 (uint64_t)CIVIL_DAY_US); /* a day out of range is no matter */
		return true;
	}
	if (tag != VALUE_DATETIME && tag != VALUE_TIMESTAMP)
		return false;
	*ret = i;
	return true;
}

bool match_text(enum value_tag type, const char *text, size_t len, enum value_tag *ret_tag,
		int64_t *ret)
{
	int64_t us;

	if (type == VALUE_TIME) {
		if (!civil_parse_time(text, len, &us))
			return false;
		*ret_tag = VALUE_TIME;
		*ret = us;
		return true;
	}
	if (!civil_parse(text, len, &us, nullptr, nullptr))
		return false;
	bool whole = type == VALUE_DATE && us % CIVIL_DAY_US == 0;
	*ret_tag = whole ? VALUE_DATE : type == VALUE_DATE ? VALUE_DATETIME : type;
	*ret = whole ? us / CIVIL_DAY_US : us;
	return true;
}

static int order_ints(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int match_numbers(const struct operand *a, const struct operand *b)
{
	if (a->is_int && b->is_int)
		return order_ints(a->i, b->i);
	if (a->is_int)
		return match_mixed(a->i, b->f);
	if (b->is_int)
		return -match_mixed(b->i, a->f);
	return (a->f > b->f) - (a->f < b->f);
}

static int match_bytes(const struct operand *a, const struct operand *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int r = n > 0 ? memcmp(a->text, b->text, n) : 0;

	return r ? (r > 0) - (r < 0) : (a->len > b->len) - (a->len < b->len);
}

/* Whether both are moments, or one is and the other a text of one: *ret is how they compare then. */
static bool match_moments(const struct operand *a, const struct operand *b, int *ret)
{
	const struct operand *side[] = { a, b };
	int64_t us[2];
	bool day = a->tag == VALUE_TIME || b->tag == VALUE_TIME;

	for (size_t i = 0; i < countof(side); i++) {
		const struct operand *at = side[i];
		enum value_tag tag;
		bool good = at->tag == VALUE_STRING ? match_text(day ? VALUE_TIME : VALUE_TIMESTAMP,
								 at->text, at->len, &tag, &us[i])
			    : day ? at->tag == VALUE_TIME
				  : match_moment(at->tag, at->i, &us[i]);

		if (!good)
			return false;
		if (at->tag == VALUE_TIME)
			us[i] = at->i;
	}
	*ret = order_ints(us[0], us[1]);
	return true;
}

static bool is_bool(const struct operand *a)
{
	return a->tag == VALUE_FALSE || a->tag == VALUE_TRUE;
}

int match_values(const struct operand *a, const struct operand *b)
{
	int order;

	if (a->tag != b->tag) {
		if (is_bool(a) && is_bool(b))
			return a->tag < b->tag ? -1 : 1;
		return match_moments(a, b, &order) ? order : MATCH_UNLIKE;
	}
	switch (a->tag) {
	case VALUE_NUMBER:
		return match_numbers(a, b);
	case VALUE_STRING:
	case VALUE_BYTES:
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		return match_bytes(a, b);
	case VALUE_DATE:
	case VALUE_DATETIME:
	case VALUE_TIME:
	case VALUE_TIMESTAMP:
	case VALUE_INTERVAL:
	case VALUE_MONTHS:
		return order_ints(a->i, b->i);
	case VALUE_FALSE:
	case VALUE_TRUE:
		return 0;
	case VALUE_END:
	case VALUE_NULL:
		break;
	}
	return MATCH_UNLIKE;
}
