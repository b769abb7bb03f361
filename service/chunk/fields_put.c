/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/fields.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/column/kind.h"
#include "service/column/spans.h"

/* Begin to write down which entries are there: so far all. */
static int begin_gaps(struct fields *fields, struct field *field)
{
	field->at.n = 0;
	int r = fields_grow(fields, &field->at, field->present + 1ul, sizeof(uint32_t));

	if (r)
		return r;
	uint32_t *at = field->at.data;
	for (uint32_t i = 0; i < field->present; i++)
		at[i] = i;
	field->gaps = true;
	return 0;
}

/* Begin to write down each entry's kind: so far one. */
static int begin_mixed(struct fields *fields, struct field *field)
{
	field->kinds.n = 0;
	int r = fields_grow(fields, &field->kinds, field->present + 1ul, 1);

	if (r)
		return r;
	memset(field->kinds.data, field->kind, field->present);
	field->mixed = true;
	return 0;
}

static int put_slowly(struct fields *fields, struct field *field, uint32_t entry, enum kind kind)
{
	uint32_t last;
	int r = 0;

	if (field->present == 0) {
		field->mixed = field->gaps = false;
		field->kind = kind;
	} else {
		last = field->gaps ? ((uint32_t *)field->at.data)[field->present - 1]
				   : field->present - 1;
		if (entry <= last)
			return FIELDS_TWICE;
	}
	if (!field->gaps && entry != field->present)
		r = begin_gaps(fields, field);
	if (r == 0 && !field->mixed && kind != field->kind)
		r = begin_mixed(fields, field);
	field->at.n = field->kinds.n = field->present;
	if (r == 0 && field->gaps)
		r = fields_grow(fields, &field->at, 1, sizeof(uint32_t));
	if (r == 0 && field->mixed)
		r = fields_grow(fields, &field->kinds, 1, 1);
	if (r)
		return r;
	if (field->gaps)
		((uint32_t *)field->at.data)[field->present] = entry;
	if (field->mixed)
		((uint8_t *)field->kinds.data)[field->present] = kind;
	field->present++;
	return 0;
}

static inline int put(struct fields *fields, struct field *field, uint32_t entry, enum kind kind)
{
	if (field->touched != fields->serial) {
		int r = fields_mark(fields, (uint32_t)(field - field_at(fields, 0)));

		if (r)
			return r;
	}
	if (field->present == 0 || entry != field->present || field->gaps || field->mixed ||
	    kind != field->kind)
		return put_slowly(fields, field, entry, kind);
	field->present++;
	return 0;
}

/* Room for one more value of a lane. */
static inline int reserve(struct fields *fields, struct lane *lane, size_t size)
{
	return lane->n < lane->room ? 0 : fields_grow(fields, lane, 1, size);
}

int fields_put(struct fields *fields, uint32_t index, uint32_t entry, enum kind kind)
{
	return put(fields, field_at(fields, index), entry, kind);
}

int fields_put_int(struct fields *fields, uint32_t index, uint32_t entry, enum kind kind,
		   int64_t value)
{
	struct field *field = field_at(fields, index);
	int r = put(fields, field, entry, kind);

	if (r == 0)
		r = reserve(fields, &field->ints, sizeof(value));
	if (r == 0)
		((int64_t *)field->ints.data)[field->ints.n++] = value;
	return r;
}

int fields_put_float(struct fields *fields, uint32_t index, uint32_t entry, double value)
{
	struct field *field = field_at(fields, index);
	int r = put(fields, field, entry, KIND_FLOAT);

	if (r == 0)
		r = reserve(fields, &field->floats, sizeof(value));
	if (r == 0)
		((double *)field->floats.data)[field->floats.n++] = value;
	return r;
}

int fields_put_text(struct fields *fields, uint32_t index, uint32_t entry, enum kind kind,
		    const char *text, size_t len)
{
	struct field *field = field_at(fields, index);
	int r = put(fields, field, entry, kind);

	if (r == 0)
		r = reserve(fields, &field->texts, sizeof(struct str));
	if (r)
		return r;
	char *copy = fields_text(fields, len);
	if (!copy)
		return -ENOMEM;
	if (len > 0)
		memcpy(copy, text, len);
	((struct str *)field->texts.data)[field->texts.n++] =
		(struct str) { .at = copy, .len = (uint32_t)len };
	return 0;
}

int fields_put_array(struct fields *fields, uint32_t index, uint32_t entry)
{
	struct field *field = field_at(fields, index);
	int r = put(fields, field, entry, KIND_ARRAY);

	if (r == 0)
		r = reserve(fields, &field->ends, sizeof(uint32_t));
	if (r == 0)
		((uint32_t *)field->ends.data)[field->ends.n++] = 0;
	return r;
}
