/* SPDX-License-Identifier: Apache-2.0 */
#include "service/vector/cell.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/hash.h"
#include "service/value/match.h"

/* The packed form's tag by kind. */
static const enum value_tag TAGS[KIND_COUNT] = {
	[KIND_MISSING] = VALUE_NULL,	  [KIND_NULL] = VALUE_NULL,
	[KIND_FALSE] = VALUE_FALSE,	  [KIND_TRUE] = VALUE_TRUE,
	[KIND_INT] = VALUE_NUMBER,	  [KIND_FLOAT] = VALUE_NUMBER,
	[KIND_STRING] = VALUE_STRING,	  [KIND_BYTES] = VALUE_BYTES,
	[KIND_DATE] = VALUE_DATE,	  [KIND_DATETIME] = VALUE_DATETIME,
	[KIND_TIME] = VALUE_TIME,	  [KIND_TIMESTAMP] = VALUE_TIMESTAMP,
	[KIND_INTERVAL] = VALUE_INTERVAL, [KIND_MONTHS] = VALUE_MONTHS,
	[KIND_ARRAY] = VALUE_ARRAY,	  [KIND_OBJECT] = VALUE_OBJECT,
};

/* The order of the classes of kinds; within the last it is that of the tags. */
enum class {
	CLASS_NULL,
	CLASS_NUMBER,
	CLASS_TEXT,
	CLASS_OTHER
};

static enum class class_of(const struct cell *cell) {
	if (cell->kind <= KIND_NULL ||
	    (cell->kind == KIND_FLOAT && isnan(cell->f))) return CLASS_NULL;
		if (cell->kind == KIND_INT || cell->kind == KIND_FLOAT) return CLASS_NUMBER;
		return cell->kind == KIND_STRING ? CLASS_TEXT : CLASS_OTHER;
}

static int compare_numbers(const struct cell *a, const struct cell *b)
{
	if (a->kind == KIND_INT && b->kind == KIND_INT)
		return (a->i > b->i) - (a->i < b->i);
	if (a->kind == KIND_INT)
		return match_mixed(a->i, b->f);
	if (b->kind == KIND_INT)
		return -match_mixed(b->i, a->f);
	return (a->f > b->f) - (a->f < b->f);
}

int cell_compare_text(const struct str *a, const struct str *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	int r = n > 0 ? memcmp(a->at, b->at, n) : 0;

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

/* Kinds that SQLite knows as packed bytes. */
static int compare_packed(const struct cell *a, const struct cell *b)
{
	if (a->kind != b->kind)
		return TAGS[a->kind] < TAGS[b->kind] ? -1 : 1;
	if (KINDS_INTS >> a->kind & 1)
		return (a->i > b->i) - (a->i < b->i);
	if (a->kind == KIND_TRUE || a->kind == KIND_FALSE)
		return 0;
	return cell_compare_text(&a->s, &b->s);
}

int cell_compare(const struct cell *a, const struct cell *b)
{
	enum class x = class_of(a), y = class_of(b);

	if (x != y)
		return x < y ? -1 : 1;
	switch (x) {
	case CLASS_NULL:
		return 0;
	case CLASS_NUMBER:
		return compare_numbers(a, b);
	case CLASS_TEXT:
		return cell_compare_text(&a->s, &b->s);
	case CLASS_OTHER:
		break;
	}
	return compare_packed(a, b);
}

/* The first bytes of a string as a number that grows with its order. */
static uint64_t first_bytes(const struct str *s)
{
	uint64_t word = 0;

	for (uint32_t i = 0; i < sizeof(word); i++)
		word = word << 8 | (i < s->len ? (uint8_t)s->at[i] : 0);
	return word;
}

/* A float's bits so that they grow with it; both zeros are the same. */
static uint64_t ascending_bits(double f)
{
	double plain = f + 0.0;
	uint64_t bits;

	memcpy(&bits, &plain, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

uint64_t cell_prefix(const struct cell *cell)
{
	enum class class = class_of(cell);
	uint64_t rest = 0;

	switch (class) {
	case CLASS_NULL:
		return 0;
	case CLASS_NUMBER: /* an int becomes the nearest float: never past another that is larger */
		rest = ascending_bits(cell->kind == KIND_INT ? (double)cell->i : cell->f) >> 2;
		break;
	case CLASS_TEXT:
		rest = first_bytes(&cell->s) >> 2;
		break;
	case CLASS_OTHER: /* the tag has 6 bits */
		if (KINDS_INTS >> cell->kind & 1)
			rest = ((uint64_t)cell->i ^ UINT64_C(1) << 63) >> 8;
		else if (cell->kind > KIND_FLOAT)
			rest = first_bytes(&cell->s) >> 8;
		rest |= (uint64_t)TAGS[cell->kind] << 56;
		break;
	}
	return (uint64_t)class << 62 | rest;
}

/* A float that is an int has the int's hash. */
static uint64_t hash_float(const uint64_t key[2], double f)
{
	uint64_t bits;

	if (f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f)
		return hash_keyed_int(key, (uint64_t)(int64_t)f);
	memcpy(&bits, &f, sizeof(bits));
	return ~hash_keyed_int(key, bits);
}

uint64_t cell_hash(const uint64_t key[2], const struct cell *cell)
{
	constexpr uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

	switch (class_of(cell)) {
	case CLASS_NULL:
		return hash_keyed_int(key, odd);
	case CLASS_NUMBER:
		return cell->kind == KIND_INT ? hash_keyed_int(key, (uint64_t)cell->i)
					      : hash_float(key, cell->f);
	case CLASS_TEXT:
		return hash_keyed(key, cell->s.at, cell->s.len);
	case CLASS_OTHER:
		break;
	}
	uint64_t salt = odd * (uint64_t)(cell->kind + 1);
	if (cell->kind == KIND_TRUE || cell->kind == KIND_FALSE)
		return hash_keyed_int(key, salt);
	if (KINDS_INTS >> cell->kind & 1)
		return hash_keyed_int(key, (uint64_t)cell->i ^ salt);
	return hash_keyed(key, cell->s.at, cell->s.len) ^ salt;
}

void cell_pack(const struct cell *cell, struct buf *out)
{
	if (KINDS_INTS >> cell->kind & 1 && cell->kind != KIND_INT) {
		value_put_moment(out, TAGS[cell->kind], cell->i);
		return;
	}
	switch ((int)cell->kind) {
	case KIND_FALSE:
	case KIND_TRUE:
		value_put_bool(out, cell->kind == KIND_TRUE);
		return;
	case KIND_INT:
		value_put_int(out, cell->i);
		return;
	case KIND_FLOAT:
		value_put_float(out, cell->f);
		return;
	case KIND_STRING:
		value_put_string(out, cell->s.at, cell->s.len);
		return;
	case KIND_BYTES:
		value_put_bytes(out, cell->s.at, cell->s.len);
		return;
	case KIND_ARRAY:
	case KIND_OBJECT:
		buf_add(out, cell->s.at, cell->s.len);
		return;
	default:
		value_put_null(out);
		return;
	}
}

/* The kind of a value that is none of NUMBER and NULL. */
static enum kind kind_of(enum value_tag tag)
{
	for (int kind = KIND_FALSE; kind < KIND_COUNT; kind++)
		if (TAGS[kind] == tag)
			return (enum kind)kind;
	return KIND_NULL;
}

void cell_unpack(const struct value *value, struct buf *room, struct cell *ret)
{
	*ret = (struct cell) { .kind = kind_of(value->tag), .i = value->i };
	if (value->tag == VALUE_NUMBER) {
		ret->kind = value->is_int ? KIND_INT : KIND_FLOAT;
		ret->f = value->f;
	} else if (ret->kind == KIND_ARRAY || ret->kind == KIND_OBJECT) {
		ret->s = (struct str) { (const char *)value->at, (uint32_t)value->size };
	} else if (ret->kind == KIND_STRING || ret->kind == KIND_BYTES) {
		ret->s = (struct str) { (const char *)value->data, (uint32_t)value->len };
		if (!value->escaped)
			return;
		size_t from = room->len;
		value_text(value, room);
		ret->s = (struct str) { (const char *)room->data + from,
					(uint32_t)(room->len - from) };
	}
}

const char *cell_type_name(enum kind kind)
{
	struct value value = { .tag = TAGS[kind], .is_int = kind == KIND_INT };

	return value_type_name(&value);
}

static struct operand operand_of(const struct cell *cell)
{
	return (struct operand) { .tag = TAGS[cell->kind],
				  .is_int = cell->kind == KIND_INT,
				  .i = cell->i,
				  .f = cell->f,
				  .text = cell->s.at,
				  .len = cell->s.len };
}

bool cell_is_null(const struct cell *cell)
{
	return class_of(cell) == CLASS_NULL;
}

int cell_match(const struct cell *a, const struct cell *b)
{
	struct operand x = operand_of(a), y = operand_of(b);

	return match_values(&x, &y);
}

struct cell cell_join_key(const struct cell *cell)
{
	struct cell key = *cell;

	if (match_moment(TAGS[cell->kind], cell->i, &key.i))
		key.kind = KIND_TIMESTAMP;
	return key;
}
