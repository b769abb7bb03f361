/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "service/chunk/builder.h"
#include "service/chunk/builder_internal.h"
#include "service/chunk/builder_lanes.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/chunk/head.h"
#include "service/column/floats.h"
#include "service/column/ints.h"
#include "service/column/kind.h"
#include "service/column/spans.h"
#include "service/column/strings.h"

constexpr uint32_t SPARSE_SHARE = 16; /* one in so many entries or fewer are there: sparse */

/* A small blob that waits for the others. */
struct waiting {
	uint32_t column;
	enum chunk_lane lane;
	size_t from, len; /* in builder->small */
};

struct writer {
	struct builder *builder;
	enum strings_effort effort;
	struct chunk_sink *sink;
	uint32_t *column_of; /* [fields] or CHUNK_NONE */
	uint32_t *field_of;  /* [columns] */
	struct head head;
	struct lane waiting; /* struct waiting */
};

/* Hand over what has been encoded, or keep it for later if it is small. */
static int give(struct writer *writer, uint32_t column, enum chunk_lane lane)
{
	struct builder *builder = writer->builder;
	const struct buf *encoded = &builder->encoded;
	struct blob *blob = &writer->head.column[column].lane[lane];
	struct waiting waiting = { column, lane, builder->small.len, encoded->len };

	if (buf_error(encoded))
		return buf_error(encoded);
	if (encoded->len == 0)
		return 0;
	if (writer->effort == STRINGS_FAST || encoded->len >= BUILDER_BLOB_SMALL)
		return writer->sink->add(writer->sink->userdata, encoded->data, encoded->len, blob);
	int r = fields_grow(&builder->fields, &writer->waiting, 1, sizeof(waiting));
	if (r)
		return r;
	buf_add(&builder->small, encoded->data, encoded->len);
	((struct waiting *)writer->waiting.data)[writer->waiting.n++] = waiting;
	return buf_error(&builder->small);
}

/* Hand over the small blobs, column by column. */
static int give_waiting(struct writer *writer)
{
	const struct waiting *waiting = writer->waiting.data;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < writer->waiting.n; i++)
		r = writer->sink->add(
			writer->sink->userdata, writer->builder->small.data + waiting[i].from,
			waiting[i].len,
			&writer->head.column[waiting[i].column].lane[waiting[i].lane]);
	return r;
}

static int write_ints(struct writer *writer, uint32_t column, enum chunk_lane lane,
		      const int64_t *value, uint32_t n)
{
	buf_clear(&writer->builder->encoded);
	ints_write(&writer->builder->encoded, value, n);
	return give(writer, column, lane);
}

/* What helps to find a string: its hash among all, sorted, and in a filter. */
static int write_text_index(struct writer *writer, uint32_t column, const struct str *value,
			    uint32_t n)
{
	constexpr kind_set OTHERS = KINDS_INTS | 1u << KIND_FLOAT | 1u << KIND_BYTES;
	struct builder *builder = writer->builder;
	auto_buf struct buf lane = builder->encoded; /* the strings are read from it */
	struct strings strings;
	struct lane_source source = { .value = value, .n = n, .strings = &strings };
	int r = 0;

	builder->encoded = buf_make(UINT32_MAX);
	if (!strings_open(lane.data, lane.len, n, &strings))
		return -EIO;
	if (lanes_want_order(&source, column)) {
		r = lanes_order(builder, &source);
		if (r == 0)
			r = write_ints(writer, column, LANE_ORDER, builder->ints.data, n);
	}
	if (r || writer->head.column[column].kinds & OTHERS)
		return r;
	buf_clear(&builder->encoded);
	r = lanes_filter_texts(builder, &source, column, &builder->encoded);
	return r ? r : give(writer, column, LANE_FILTER);
}

static int write_texts(struct writer *writer, uint32_t column, const struct str *value, uint32_t n)
{
	struct buf *encoded = &writer->builder->encoded;

	buf_clear(encoded);
	int r = strings_write(encoded, value, n, writer->effort);
	if (r == 0)
		r = give(writer, column, LANE_STRINGS);
	if (r || writer->effort == STRINGS_FAST)
		return r;
	return write_text_index(writer, column, value, n);
}

/* The lanes that hold values. */
static int write_values(struct writer *writer, uint32_t column, const struct field *field)
{
	struct builder *builder = writer->builder;
	const struct chunk_column *about = &writer->head.column[column];
	uint32_t shapes = writer->head.shape_from[column + 1] - writer->head.shape_from[column];
	uint16_t want = head_lanes(about, shapes);
	uint32_t n = about->sparse ? about->present : about->n;
	const void *data;
	int r = 0;

	if (want & 1u << LANE_KINDS) {
		data = lanes_kinds(builder, field, about);
		r = data ? write_ints(writer, column, LANE_KINDS, data, n) : -ENOMEM;
	}
	if (r == 0 && want & 1u << LANE_ROWS) {
		data = lanes_rows(builder, field);
		r = data ? write_ints(writer, column, LANE_ROWS, data, n) : -ENOMEM;
	}
	if (r == 0 && want & 1u << LANE_INTS) {
		data = lanes_ints(builder, field, about);
		r = data ? write_ints(writer, column, LANE_INTS, data, n) : -ENOMEM;
	}
	if (r == 0 && want & 1u << LANE_FLOATS) {
		data = lanes_floats(builder, field, about);
		if (!data)
			return -ENOMEM;
		buf_clear(&builder->encoded);
		floats_write(&builder->encoded, data, n);
		r = give(writer, column, LANE_FLOATS);
	}
	if (r == 0 && want & 1u << LANE_STRINGS) {
		data = lanes_texts(builder, field, about);
		r = data ? write_texts(writer, column, data, n) : -ENOMEM;
	}
	if (r == 0 && want & 1u << LANE_ENDS) {
		data = lanes_ends(builder, field, about);
		r = data ? write_ints(writer, column, LANE_ENDS, data, n) : -ENOMEM;
	}
	return r;
}

/* The lanes that help to find values. */
static int write_filters(struct writer *writer, uint32_t column, const struct field *field)
{
	struct builder *builder = writer->builder;
	const struct chunk_column *about = &writer->head.column[column];

	buf_clear(&builder->encoded);
	int r = lanes_filter(builder, field, about, &builder->encoded);
	if (r == 0)
		r = give(writer, column, LANE_FILTER);
	buf_clear(&builder->encoded);
	if (r == 0 && lanes_want_grams(field, about))
		r = lanes_grams(builder, field, &builder->encoded);
	return r ? r : give(writer, column, LANE_GRAMS);
}

/* What a column is, but for its blobs. */
static void describe(struct writer *writer, uint32_t column)
{
	uint32_t index = writer->field_of[column];
	const struct field *field = field_at(&writer->builder->fields, index);
	struct chunk_column *about = &writer->head.column[column];

	about->parent = index == 0 ? 0 : writer->column_of[field->parent];
	about->key = (struct str) { .at = field->key, .len = field->key_len };
	about->element = field->element;
	if (index == 0)
		about->n = writer->builder->rows;
	else
		about->n = field->element ? field->entries : writer->head.column[about->parent].n;
	about->present = field->present;
	about->sparse = about->n >= SPARSE_SHARE && about->present <= about->n / SPARSE_SHARE;
	lanes_statistics(field, about);
}

/* Give each field that has entries a column. */
static int number_columns(struct writer *writer)
{
	const struct fields *fields = &writer->builder->fields;
	uint32_t n = 0;

	writer->column_of = malloc(2ul * fields->field.n * sizeof(uint32_t));
	if (!writer->column_of)
		return -ENOMEM;
	writer->field_of = writer->column_of + fields->field.n;
	for (uint32_t i = 0; i < fields->field.n; i++) {
		bool used = field_at(fields, i)->present > 0;

		writer->column_of[i] = used ? n : CHUNK_NONE;
		if (used)
			writer->field_of[n++] = i;
	}
	writer->head.columns = n;
	writer->head.rows = writer->builder->rows;
	return 0;
}

/* Put the shapes in the order of columns, their members as columns. */
static void gather_shapes(struct writer *writer, uint32_t *member)
{
	const struct fields *fields = &writer->builder->fields;
	struct head *head = &writer->head;

	head->shape_from[0] = 0;
	for (uint32_t i = 0; i < head->columns; i++)
		head->shape_from[i + 1] =
			head->shape_from[i] + field_at(fields, writer->field_of[i])->shapes;
	for (uint32_t i = 0; i < fields->shape.n; i++) {
		const struct shape *from = (const struct shape *)fields->shape.data + i;
		const uint32_t *pool = (const uint32_t *)fields->pool.data + from->from;
		struct chunk_shape *to =
			&head->shape[head->shape_from[writer->column_of[from->field]] +
				     from->number];

		to->column = member;
		for (uint32_t k = 0; k < from->n; k++)
			if (writer->column_of[pool[k]] != CHUNK_NONE)
				*member++ = writer->column_of[pool[k]];
		to->n = (uint32_t)(member - to->column);
	}
}

/* Room for the head and what is in it but the blobs. */
static int prepare(struct writer *writer)
{
	const struct fields *fields = &writer->builder->fields;
	int r = number_columns(writer);

	if (r)
		return r;
	size_t n = writer->head.columns;
	struct chunk_column *column =
		room_get(&writer->builder->about,
			 n * sizeof(*column) + fields->shape.n * sizeof(struct chunk_shape) +
				 (n + 1 + fields->pool.n) * sizeof(uint32_t));
	if (!column)
		return -ENOMEM;
	memset(column, 0, n * sizeof(*column));
	writer->head.column = column;
	writer->head.shape = (void *)(column + n);
	writer->head.shape_from = (void *)(writer->head.shape + fields->shape.n);
	for (uint32_t i = 0; i < writer->head.columns; i++)
		describe(writer, i);
	gather_shapes(writer, writer->head.shape_from + writer->head.columns + 1);
	return 0;
}

static int write_all(struct writer *writer, struct buf *head)
{
	int r = prepare(writer);

	buf_clear(&writer->builder->small);
	for (uint32_t i = 0; r == 0 && i < writer->head.columns; i++) {
		const struct field *field = field_at(&writer->builder->fields, writer->field_of[i]);

		r = write_values(writer, i, field);
		if (r == 0 && writer->effort != STRINGS_FAST)
			r = write_filters(writer, i, field);
	}
	if (r == 0)
		r = give_waiting(writer);
	if (r == 0)
		r = head_write(&writer->head, head);
	return r;
}

int builder_write(struct builder *builder, enum strings_effort effort, struct chunk_sink *sink,
		  struct buf *head)
{
	struct writer writer = { .builder = builder, .effort = effort, .sink = sink };
	int r = write_all(&writer, head);

	builder->fields.size -= writer.waiting.room * sizeof(struct waiting);
	free(writer.waiting.data);
	free(writer.column_of);
	return r;
}

/* --- one run of bytes ---------------------------------------------------------------------------- */

struct packing {
	struct buf *out;
	size_t from; /* where the body begins */
};

static int pack_blob(void *userdata, const void *data, size_t len, struct blob *ret)
{
	const struct packing *packing = userdata;
	size_t offset = packing->out->len - packing->from;

	if (offset + len > UINT32_MAX)
		return -EMSGSIZE;
	buf_add(packing->out, data, len);
	*ret = (struct blob) { .offset = (uint32_t)offset, .len = (uint32_t)len };
	return buf_error(packing->out);
}

int builder_pack(struct builder *builder, struct buf *out)
{
	struct packing packing = { .out = out, .from = out->len };
	struct chunk_sink sink = { .add = pack_blob, .userdata = &packing };
	auto_buf struct buf head = buf_make(UINT32_MAX);
	int r = builder_write(builder, STRINGS_FAST, &sink, &head);

	if (r)
		return r;
	if (buf_error(&head))
		return buf_error(&head);
	buf_add(out, head.data, head.len);
	write_u32(out, (uint32_t)head.len);
	return 0;
}
