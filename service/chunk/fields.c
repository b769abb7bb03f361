/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/fields.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/column/hash.h"
#include "service/column/spans.h"

constexpr uint32_t TABLE_MIN = 64;
constexpr size_t TEXT_MIN = 1u << 16; /* size of a block, if that suffices */
constexpr size_t TEXT_MAX = 1u << 20;
constexpr uint32_t FORGET_MIN = 4096; /* fewer fields are always kept */
constexpr size_t LANE_MIN = 32;	      /* bytes */

int fields_grow(struct fields *fields, struct lane *lane, size_t more, size_t size)
{
	size_t need = lane->n + more, room = lane->room ? lane->room : LANE_MIN / size + 1;

	if (need <= lane->room)
		return 0;
	if (need > UINT32_MAX / 2)
		return -ENOMEM;
	while (room < need)
		room += room / 2 + 1;
	void *data = realloc(lane->data, room * size); /* at most 2^32 times a few bytes */
	if (!data)
		return -ENOMEM;
	fields->size += (room - lane->room) * size;
	lane->data = data;
	lane->room = (uint32_t)room;
	return 0;
}

static void lane_done(struct lane *lane)
{
	free(lane->data);
	*lane = (struct lane) {};
}

/* --- texts ------------------------------------------------------------------------------------- */

static void text_drop(struct fields *fields, struct text_block **block, struct text_block *until)
{
	while (*block && *block != until) {
		struct text_block *older = (*block)->older;

		fields->size -= (*block)->room;
		free(*block);
		*block = older;
	}
}

static char *text_room(struct fields *fields, struct text_block **block, size_t len)
{
	if (!*block || (*block)->room - (*block)->used < len) {
		size_t room = *block ? 2 * (*block)->room : TEXT_MIN;

		room = room > TEXT_MAX ? TEXT_MAX : room;
		room = room < len ? len : room;
		struct text_block *fresh = malloc(sizeof(*fresh) + room);
		if (!fresh)
			return nullptr;
		*fresh = (struct text_block) { .older = *block, .room = room };
		*block = fresh;
		fields->size += room;
	}
	char *at = (*block)->data + (*block)->used;
	(*block)->used += len;
	return at;
}

char *fields_text(struct fields *fields, size_t len)
{
	return text_room(fields, &fields->texts, len);
}

/* --- hash tables --------------------------------------------------------------------------------- */

static uint32_t member_hash(const struct fields *fields, uint32_t parent, const char *key,
			    size_t len)
{
	return (uint32_t)(hash_keyed(fields->key, key, len) ^ hash_keyed_int(fields->key, parent));
}

static uint32_t field_hash(const struct fields *fields, uint32_t index)
{
	const struct field *field = field_at(fields, index);

	return member_hash(fields, field->parent, field->key, field->key_len);
}

static const struct shape *shape_at(const struct fields *fields, uint32_t index)
{
	return (const struct shape *)fields->shape.data + index;
}

static const uint32_t *pool_at(const struct fields *fields, uint32_t from)
{
	return (const uint32_t *)fields->pool.data + from;
}

static uint32_t members_hash(const struct fields *fields, uint32_t field, const uint32_t *member,
			     uint32_t n)
{
	return (uint32_t)(hash_keyed(fields->key, member, n * sizeof(*member)) ^
			  hash_keyed_int(fields->key, field));
}

static uint32_t shape_hash(const struct fields *fields, uint32_t index)
{
	const struct shape *shape = shape_at(fields, index);

	return members_hash(fields, shape->field, pool_at(fields, shape->from), shape->n);
}

static void table_put(uint32_t *table, uint32_t mask, uint32_t hash, uint32_t index)
{
	uint32_t slot = hash & mask;

	while (table[slot] != CHUNK_NONE)
		slot = (slot + 1) & mask;
	table[slot] = index;
}

/* Take out the index that was put in last; only then no other depends on its slot. */
static void table_pop(uint32_t *table, uint32_t mask, uint32_t hash, uint32_t index)
{
	uint32_t slot = hash & mask;

	while (table[slot] != index)
		slot = (slot + 1) & mask;
	table[slot] = CHUNK_NONE;
}

/*
 * Make room for one more in a table that is half full of n. They are put in again in their order, so that the table
 * is always as if it had had its size from the start: table_pop() rests on that.
 */
static int table_grow(struct fields *fields, uint32_t **table, uint32_t *mask, uint32_t n,
		      uint32_t (*hash)(const struct fields *, uint32_t))
{
	if (*table && n < *mask / 2)
		return 0;
	uint32_t room = *table ? 4 * (*mask + 1) : TABLE_MIN;
	uint32_t *fresh = malloc(room * sizeof(*fresh));

	if (!fresh)
		return -ENOMEM;
	memset(fresh, 0xff, room * sizeof(*fresh));
	for (uint32_t i = 0; i < n; i++)
		table_put(fresh, room - 1, hash(fields, i), i);
	fields->size += (room - (*table ? *mask + 1 : 0)) * sizeof(*fresh);
	free(*table);
	*table = fresh;
	*mask = room - 1;
	return 0;
}

/* --- fields -------------------------------------------------------------------------------------- */

static int field_new(struct fields *fields, const struct field *like, uint32_t *ret)
{
	uint32_t index = fields->field.n;

	if (index >= CHUNK_COLUMNS_MAX)
		return FIELDS_FULL;
	int r = fields_grow(fields, &fields->field, 1, sizeof(struct field));
	if (r == 0)
		r = table_grow(fields, &fields->field_table, &fields->field_mask, index,
			       field_hash);
	if (r)
		return r;
	struct field *field = field_at(fields, index);
	*field = *like;
	field->touched = 0;
	field->next = field->first = field->elements = field->shape = CHUNK_NONE;
	fields->field.n++;
	table_put(fields->field_table, fields->field_mask, field_hash(fields, index), index);
	*ret = index;
	return 0;
}

static uint32_t member_find(const struct fields *fields, uint32_t parent, const char *key,
			    size_t len)
{
	uint32_t slot = member_hash(fields, parent, key, len) & fields->field_mask;

	for (;; slot = (slot + 1) & fields->field_mask) {
		uint32_t index = fields->field_table[slot];

		if (index == CHUNK_NONE)
			return CHUNK_NONE;
		const struct field *field = field_at(fields, index);
		if (field->parent == parent && !field->element && field->key_len == len &&
		    index != 0 && memcmp(field->key, key, len) == 0)
			return index;
	}
}

int fields_member(struct fields *fields, uint32_t parent, const char *key, size_t len,
		  uint32_t *ret)
{
	static const char TYPE[] = "__rockset_type";
	uint32_t found = member_find(fields, parent, key, len);

	if (found != CHUNK_NONE) {
		*ret = found;
		return 0;
	}
	char *name = text_room(fields, &fields->names, len);
	if (!name)
		return -ENOMEM;
	if (len > 0)
		memcpy(name, key, len);
	struct field like = { .parent = parent,
			      .key = name,
			      .key_len = (uint32_t)len,
			      .reserved = len == sizeof(TYPE) - 1 && memcmp(key, TYPE, len) == 0 };
	return field_new(fields, &like, ret);
}

int fields_elements(struct fields *fields, uint32_t parent, uint32_t *ret)
{
	struct field like = { .parent = parent, .element = true, .key = "" };
	uint32_t index = field_at(fields, parent)->elements;

	if (index == CHUNK_NONE) {
		int r = fields_mark(fields, parent);

		if (r == 0)
			r = field_new(fields, &like, &index);
		if (r)
			return r;
		field_at(fields, parent)->elements = index;
	}
	*ret = index;
	return 0;
}

/* --- shapes -------------------------------------------------------------------------------------- */

static bool shape_is(const struct fields *fields, uint32_t index, uint32_t field,
		     const uint32_t *member, uint32_t n)
{
	const struct shape *shape = shape_at(fields, index);

	return shape->field == field && shape->n == n &&
	       (n == 0 || memcmp(pool_at(fields, shape->from), member, n * sizeof(*member)) == 0);
}

static int shape_new(struct fields *fields, uint32_t field, const uint32_t *member, uint32_t n,
		     uint32_t *ret)
{
	int r = fields_grow(fields, &fields->shape, 1, sizeof(struct shape));

	if (r == 0)
		r = fields_grow(fields, &fields->pool, n, sizeof(*member));
	if (r == 0)
		r = table_grow(fields, &fields->shape_table, &fields->shape_mask, fields->shape.n,
			       shape_hash);
	if (r)
		return r;
	struct field *of = field_at(fields, field);
	uint32_t index = fields->shape.n;

	((struct shape *)fields->shape.data)[index] = (struct shape) {
		.field = field, .number = of->shapes++, .from = fields->pool.n, .n = n
	};
	if (n > 0)
		memcpy((uint32_t *)fields->pool.data + fields->pool.n, member, n * sizeof(*member));
	fields->pool.n += n;
	fields->shape.n++;
	table_put(fields->shape_table, fields->shape_mask, shape_hash(fields, index), index);
	*ret = index;
	return 0;
}

int fields_shape(struct fields *fields, uint32_t index, const uint32_t *member, uint32_t n,
		 uint32_t *ret)
{
	uint32_t last = field_at(fields, index)->shape, found = CHUNK_NONE;

	if (last != CHUNK_NONE && shape_is(fields, last, index, member, n)) {
		*ret = shape_at(fields, last)->number;
		return 0;
	}
	if (fields->shape_table) {
		uint32_t slot = members_hash(fields, index, member, n) & fields->shape_mask;

		for (; fields->shape_table[slot] != CHUNK_NONE && found == CHUNK_NONE;
		     slot = (slot + 1) & fields->shape_mask)
			if (shape_is(fields, fields->shape_table[slot], index, member, n))
				found = fields->shape_table[slot];
	}
	if (found == CHUNK_NONE) {
		int r = shape_new(fields, index, member, n, &found);

		if (r)
			return r;
	}
	field_at(fields, index)->shape = found;
	*ret = shape_at(fields, found)->number;
	return 0;
}

/* --- rows ---------------------------------------------------------------------------------------- */

int fields_mark(struct fields *fields, uint32_t index)
{
	struct field *field = field_at(fields, index);

	if (field->touched == fields->serial)
		return 0;
	if (fields->marks.n == fields->marks.room) {
		int r = fields_grow(fields, &fields->marks, 1, sizeof(struct mark));

		if (r)
			return r;
	}
	((struct mark *)fields->marks.data)[fields->marks.n++] =
		(struct mark) { .field = index,
				.present = field->present,
				.entries = field->entries,
				.ints = field->ints.n,
				.floats = field->floats.n,
				.texts = field->texts.n,
				.ends = field->ends.n,
				.next = field->next,
				.first = field->first,
				.elements = field->elements,
				.shape = field->shape };
	field->touched = fields->serial;
	return 0;
}

void fields_begin(struct fields *fields)
{
	fields->serial++;
	fields->marks.n = 0;
	fields->before.fields = fields->field.n;
	fields->before.shapes = fields->shape.n;
	fields->before.pool = fields->pool.n;
	fields->before.texts = fields->texts;
	fields->before.texts_used = fields->texts ? fields->texts->used : 0;
	fields->before.names = fields->names;
	fields->before.names_used = fields->names ? fields->names->used : 0;
}

static void field_done(struct fields *fields, struct field *field)
{
	fields->size -= field->kinds.room + 4ul * field->at.room + 8ul * field->ints.room +
			8ul * field->floats.room + sizeof(struct str) * field->texts.room +
			4ul * field->ends.room;
	lane_done(&field->kinds);
	lane_done(&field->at);
	lane_done(&field->ints);
	lane_done(&field->floats);
	lane_done(&field->texts);
	lane_done(&field->ends);
}

static void undo_marks(struct fields *fields)
{
	for (uint32_t i = 0; i < fields->marks.n; i++) {
		const struct mark *mark = (const struct mark *)fields->marks.data + i;
		struct field *field = field_at(fields, mark->field);

		field->present = mark->present;
		field->entries = mark->entries;
		field->ints.n = mark->ints;
		field->floats.n = mark->floats;
		field->texts.n = mark->texts;
		field->ends.n = mark->ends;
		field->next = mark->next;
		field->first = mark->first;
		field->elements = mark->elements;
		field->shape = mark->shape;
	}
	fields->marks.n = 0;
}

void fields_undo(struct fields *fields)
{
	undo_marks(fields);
	while (fields->shape.n > fields->before.shapes) {
		uint32_t last = fields->shape.n - 1;

		table_pop(fields->shape_table, fields->shape_mask, shape_hash(fields, last), last);
		field_at(fields, shape_at(fields, last)->field)->shapes--;
		fields->shape.n--;
	}
	fields->pool.n = fields->before.pool;
	while (fields->field.n > fields->before.fields) {
		uint32_t last = fields->field.n - 1;

		table_pop(fields->field_table, fields->field_mask, field_hash(fields, last), last);
		field_done(fields, field_at(fields, last));
		fields->field.n--;
	}
	text_drop(fields, &fields->texts, fields->before.texts);
	text_drop(fields, &fields->names, fields->before.names);
	if (fields->texts)
		fields->texts->used = fields->before.texts_used;
	if (fields->names)
		fields->names->used = fields->before.names_used;
}

/* --- a builder's whole life ---------------------------------------------------------------------- */

int fields_init(struct fields *fields)
{
	uint32_t root;

	*fields = (struct fields) { .serial = 1 };
	if (getrandom(fields->key, sizeof(fields->key), 0) != (ssize_t)sizeof(fields->key))
		return neg_errno();
	int r = field_new(fields, &(struct field) { .key = "" }, &root);
	if (r)
		fields_done(fields);
	return r;
}

void fields_done(struct fields *fields)
{
	for (uint32_t i = 0; i < fields->field.n; i++)
		field_done(fields, field_at(fields, i));
	lane_done(&fields->field);
	lane_done(&fields->shape);
	lane_done(&fields->pool);
	lane_done(&fields->marks);
	free(fields->field_table);
	free(fields->shape_table);
	text_drop(fields, &fields->texts, nullptr);
	text_drop(fields, &fields->names, nullptr);
	*fields = (struct fields) {};
}

static void field_clear(struct field *field)
{
	field->present = field->entries = field->shapes = 0;
	field->shape = CHUNK_NONE;
	field->mixed = field->gaps = false;
	field->ints.n = field->floats.n = field->texts.n = field->ends.n = 0;
}

/* Take out every field but the first few; those were made first of all. */
static void forget_fields(struct fields *fields, uint32_t keep)
{
	for (uint32_t i = keep; i < fields->field.n; i++)
		field_done(fields, field_at(fields, i));
	fields->field.n = keep;
	while (fields->names->older) /* the oldest block holds the names that stay */
		text_drop(fields, &fields->names, fields->names->older);
	memset(fields->field_table, 0xff,
	       (fields->field_mask + 1ul) * sizeof(*fields->field_table));
	for (uint32_t i = 0; i < keep; i++) {
		struct field *field = field_at(fields, i);

		field->next = field->first = field->elements = CHUNK_NONE;
		table_put(fields->field_table, fields->field_mask, field_hash(fields, i), i);
	}
}

void fields_clear(struct fields *fields, uint32_t keep)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < fields->field.n; i++)
		used += field_at(fields, i)->present > 0;
	if (fields->field.n > FORGET_MIN && used < fields->field.n / 2)
		forget_fields(fields, keep);
	for (uint32_t i = 0; i < fields->field.n; i++)
		field_clear(field_at(fields, i));
	fields->shape.n = fields->pool.n = fields->marks.n = 0;
	if (fields->shape_table)
		memset(fields->shape_table, 0xff,
		       (fields->shape_mask + 1ul) * sizeof(*fields->shape_table));
	if (fields->texts) {
		text_drop(fields, &fields->texts->older, nullptr);
		fields->texts->used = 0;
	}
}
