/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/head.h"

#include <errno.h>
#include <stdbit.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "service/chunk/chunk.h"
#include "service/column/kind.h"

static const uint8_t MAGIC[] = { 'R', 'D', 'C', 'H' };
constexpr uint8_t VERSION = 1;
constexpr size_t COLUMN_ROOM = 320; /* bytes of a column's record without its key, at most */
constexpr size_t VARINT_ROOM = 10;
constexpr size_t COLUMN_MIN = 5; /* bytes of the shortest record */

/* A column's flags. */
enum : uint8_t {
	ELEMENT = 1 << 0,
	SPARSE = 1 << 1,
	ALL = 1 << 2, /* present is n */
	HAS_NAN = 1 << 3,
	FLOATS = 1 << 4,   /* there are a smallest and a largest float */
	ONE_TEXT = 1 << 5, /* text_min is text_max */
	PAGES = 1 << 6,	   /* blobs have page numbers */
	FLAGS = (1 << 7) - 1,
};

uint16_t head_lanes(const struct chunk_column *column, uint32_t shapes)
{
	kind_set kinds = column->kinds;
	uint16_t lanes = 0;

	if (column->sparse)
		kinds &= (kind_set) ~(1u << KIND_MISSING);
	if (stdc_count_ones(kinds) != 1)
		lanes |= 1u << LANE_KINDS;
	if (column->sparse)
		lanes |= 1u << LANE_ROWS;
	if ((kinds & KINDS_INTS) || ((kinds & 1u << KIND_OBJECT) && shapes != 1))
		lanes |= 1u << LANE_INTS;
	if (kinds & 1u << KIND_FLOAT)
		lanes |= 1u << LANE_FLOATS;
	if (kinds & KINDS_TEXTS)
		lanes |= 1u << LANE_STRINGS;
	if (kinds & 1u << KIND_ARRAY)
		lanes |= 1u << LANE_ENDS;
	return lanes;
}

/* --- writing ------------------------------------------------------------------------------------- */

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

static uint64_t zigzag(int64_t value)
{
	return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static int64_t unzigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

static uint8_t *put_float(uint8_t *at, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (size_t i = 0; i < sizeof(bits); i++)
		*at++ = (uint8_t)(bits >> 8 * i);
	return at;
}

static uint8_t *put_text(uint8_t *at, uint64_t text)
{
	for (size_t i = 0; i < sizeof(text); i++)
		*at++ = (uint8_t)(text >> (56 - 8 * i));
	return at;
}

static uint8_t *put_blob(uint8_t *at, const struct blob *blob, bool pages, struct blob *last)
{
	if (pages) {
		at = put_varint(at, zigzag((int64_t)blob->page - last->page));
		at = put_varint(at, blob->pages);
	}
	at = put_varint(at, zigzag((int64_t)blob->offset - last->offset - last->len));
	at = put_varint(at, blob->len);
	*last = *blob;
	return at;
}

static uint8_t flags_of(const struct chunk_column *column)
{
	bool pages = false;

	for (size_t i = 0; i < LANE_COUNT; i++)
		pages = pages || column->lane[i].pages > 0;
	return (uint8_t)((column->element ? ELEMENT : 0) | (column->sparse ? SPARSE : 0) |
			 (column->present == column->n ? ALL : 0) |
			 (column->has_nan ? HAS_NAN : 0) |
			 (column->float_min <= column->float_max ? FLOATS : 0) |
			 (column->text_min == column->text_max ? ONE_TEXT : 0) |
			 (pages ? PAGES : 0));
}

static uint8_t *put_statistics(uint8_t *at, const struct chunk_column *column, uint8_t flags)
{
	at = put_varint(at, column->kinds);
	if (column->kinds & 1u << KIND_NULL)
		at = put_varint(at, column->nulls);
	if (column->kinds & KINDS_INTS) {
		at = put_varint(at, zigzag(column->int_min));
		at = put_varint(at, (uint64_t)column->int_max - (uint64_t)column->int_min);
	}
	if (flags & FLOATS) {
		at = put_float(at, column->float_min);
		at = put_float(at, column->float_max);
	}
	if (column->kinds & 1u << KIND_STRING)
		at = put_text(at, column->text_min);
	if ((column->kinds & 1u << KIND_STRING) && !(flags & ONE_TEXT))
		at = put_text(at, column->text_max);
	return at;
}

static void write_column(const struct head *head, uint32_t index, struct blob *last,
			 struct buf *out)
{
	const struct chunk_column *column = &head->column[index];
	uint8_t *start = buf_reserve(out, COLUMN_ROOM + column->key.len), *at = start;
	uint8_t flags = flags_of(column);
	uint16_t lanes = 0;

	if (!start)
		return;
	*at++ = flags;
	at = put_varint(at, index - column->parent);
	if (column->element) {
		at = put_varint(at, column->n);
	} else {
		at = put_varint(at, column->key.len);
		if (column->key.len > 0)
			memcpy(at, column->key.at, column->key.len);
		at += column->key.len;
	}
	if (!(flags & ALL))
		at = put_varint(at, column->present);
	at = put_statistics(at, column, flags);
	for (size_t i = 0; i < LANE_COUNT; i++)
		lanes |= (uint16_t)((column->lane[i].len > 0) << i);
	at = put_varint(at, lanes);
	for (size_t i = 0; i < LANE_COUNT; i++)
		if (column->lane[i].len > 0)
			at = put_blob(at, &column->lane[i], flags & PAGES, last);
	out->len += (size_t)(at - start);
}

/* Members are written as steps from one child of the column to the next: mostly 0. */
static void write_shape(const struct chunk_shape *shape, const uint32_t *ordinal, struct buf *out)
{
	uint8_t *start = buf_reserve(out, VARINT_ROOM * (shape->n + 1ul)), *at = start;
	int64_t expect = 0;

	if (!start)
		return;
	at = put_varint(at, shape->n);
	for (uint32_t i = 0; i < shape->n; i++) {
		at = put_varint(at, zigzag(ordinal[shape->column[i]] - expect));
		expect = ordinal[shape->column[i]] + 1l;
	}
	out->len += (size_t)(at - start);
}

int head_write(const struct head *head, struct buf *out)
{
	auto_free uint32_t *ordinal = calloc(2ul * head->columns, sizeof(*ordinal));
	uint32_t *children = ordinal + head->columns;
	uint32_t shapes = head->shape_from[head->columns];
	uint8_t *at = buf_reserve(out, 64), *start = at;
	struct blob last = {};
	uint64_t members = 0;

	if (!ordinal)
		return -ENOMEM;
	if (!at)
		return buf_error(out);
	for (uint32_t i = 1; i < head->columns; i++)
		if (!head->column[i].element)
			ordinal[i] = children[head->column[i].parent]++;
	for (uint32_t i = 0; i < shapes; i++)
		members += head->shape[i].n;
	memcpy(at, MAGIC, sizeof(MAGIC));
	at += sizeof(MAGIC);
	*at++ = VERSION;
	at = put_varint(at, head->rows);
	at = put_varint(at, head->columns);
	at = put_varint(at, shapes);
	at = put_varint(at, members);
	out->len += (size_t)(at - start);
	for (uint32_t i = 0; i < head->columns; i++)
		write_column(head, i, &last, out);
	for (uint32_t i = 0; i < head->columns; i++) {
		if (!(head->column[i].kinds & 1u << KIND_OBJECT))
			continue;
		start = buf_reserve(out, VARINT_ROOM);
		if (!start)
			break;
		at = put_varint(start, head->shape_from[i + 1] - head->shape_from[i]);
		out->len += (size_t)(at - start);
		for (uint32_t k = head->shape_from[i]; k < head->shape_from[i + 1]; k++)
			write_shape(&head->shape[k], ordinal, out);
	}
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------- */

static uint64_t read_varint(struct reader *in)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && in->pos < in->len; shift += 7) {
		uint8_t byte = in->data[in->pos++];

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	in->failed = true;
	return 0;
}

/* A number of at most max. */
static uint32_t read_upto(struct reader *in, uint64_t max)
{
	uint64_t value = read_varint(in);

	if (value <= max)
		return (uint32_t)value;
	in->failed = true;
	return 0;
}

static double read_float(struct reader *in)
{
	uint64_t bits = read_u64(in);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t read_text(struct reader *in)
{
	uint64_t text = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text = text << 8 | read_u8(in);
	return text;
}

static void read_blob(struct reader *in, const size_t *body_len, bool pages, struct blob *last,
		      struct blob *ret)
{
	if (pages) {
		int64_t page = (int64_t)last->page + unzigzag(read_varint(in) & UINT64_MAX >> 24);

		ret->page = (uint32_t)page;
		ret->pages = read_upto(in, UINT32_MAX);
		in->failed |= page < 0 || page > UINT32_MAX || ret->pages == 0;
	}
	int64_t offset =
		(int64_t)last->offset + last->len + unzigzag(read_varint(in) & UINT64_MAX >> 24);
	ret->offset = (uint32_t)offset;
	ret->len = read_upto(in, UINT32_MAX);
	in->failed |= offset < 0 || offset > UINT32_MAX || ret->len == 0 ||
		      pages == (body_len != nullptr) ||
		      (body_len && (uint64_t)offset + ret->len > *body_len);
	*last = *ret;
}

static void read_statistics(struct reader *in, uint8_t flags, struct chunk_column *ret)
{
	ret->kinds = (kind_set)read_upto(in, UINT16_MAX);
	if (ret->kinds & 1u << KIND_NULL)
		ret->nulls = read_upto(in, ret->present);
	ret->int_min = 1;
	if (ret->kinds & KINDS_INTS) {
		ret->int_min = unzigzag(read_varint(in));
		ret->int_max = (int64_t)((uint64_t)ret->int_min + read_varint(in));
		in->failed |= ret->int_max < ret->int_min;
	}
	ret->float_min = 1;
	if (flags & FLOATS) {
		ret->float_min = read_float(in);
		ret->float_max = read_float(in);
		in->failed |= !(ret->float_min <= ret->float_max);
	}
	ret->has_nan = flags & HAS_NAN;
	in->failed |= (flags & (FLOATS | HAS_NAN)) && !(ret->kinds & 1u << KIND_FLOAT);
	in->failed |= !(flags & (FLOATS | HAS_NAN)) && (ret->kinds & 1u << KIND_FLOAT);
	ret->text_min = 1;
	if (ret->kinds & 1u << KIND_STRING) {
		ret->text_min = read_text(in);
		ret->text_max = flags & ONE_TEXT ? ret->text_min : read_text(in);
		in->failed |= ret->text_max < ret->text_min;
	}
}

/* What a column's place in the tree says: whose it is, and so how many entries it has. */
static void read_place(struct reader *in, const struct head *head, uint32_t index, uint8_t flags,
		       struct chunk_column *ret)
{
	uint32_t back = read_upto(in, index);

	in->failed |= (back == 0) != (index == 0);
	if (in->failed)
		return;
	ret->parent = index - back;
	ret->element = flags & ELEMENT;
	const struct chunk_column *parent = &head->column[ret->parent];
	if (ret->element) {
		ret->n = read_upto(in, CHUNK_ENTRIES_MAX);
		in->failed |= ret->n == 0 || !(parent->kinds & 1u << KIND_ARRAY);
		return;
	}
	uint32_t len = read_upto(in, in->len);
	if (in->failed || len > in->len - in->pos) {
		in->failed = true;
		return;
	}
	ret->key = (struct str) { .at = (const char *)in->data + in->pos, .len = len };
	in->pos += len;
	ret->n = index == 0 ? head->rows : parent->n;
	in->failed |= index == 0 ? len > 0 : !(parent->kinds & 1u << KIND_OBJECT);
}

static void read_column(struct reader *in, const struct head *head, uint32_t index,
			const size_t *body_len, struct blob *last)
{
	struct chunk_column *column = &head->column[index];
	uint8_t flags = read_u8(in);
	kind_set missing = 1u << KIND_MISSING;

	in->failed |= flags & ~FLAGS;
	read_place(in, head, index, flags, column);
	if (in->failed)
		return;
	column->sparse = flags & SPARSE;
	column->present = flags & ALL ? column->n : read_upto(in, column->n);
	read_statistics(in, flags, column);
	in->failed |= column->present == 0 || (column->kinds & ~missing) == 0 ||
		      (column->present < column->n) != ((column->kinds & missing) != 0) ||
		      (column->sparse && !(column->kinds & missing));
	uint32_t lanes = read_upto(in, (1u << LANE_COUNT) - 1);
	for (uint32_t i = 0; i < LANE_COUNT; i++)
		if (lanes & 1u << i)
			read_blob(in, body_len, flags & PAGES, last, &column->lane[i]);
}

/* Columns 0 to 2 are the document, _id and _event_time. */
static bool has_fixed(const struct head *head)
{
	static const struct {
		const char *key;
		kind_set kinds;
	} WANT[] = {
		[COLUMN_DOCUMENT] = { "", 1u << KIND_OBJECT },
		[COLUMN_ID] = { "_id", 1u << KIND_STRING },
		[COLUMN_EVENT_TIME] = { "_event_time", 1u << KIND_TIMESTAMP },
	};

	for (uint32_t i = 0; i < countof(WANT); i++) {
		const struct chunk_column *column = &head->column[i];

		if (column->parent != 0 || column->element || column->kinds != WANT[i].kinds ||
		    column->key.len != strlen(WANT[i].key) ||
		    memcmp(column->key.at, WANT[i].key, column->key.len) != 0)
			return false;
	}
	return true;
}

/* Where each column's members are, and how deep columns nest. */
struct children {
	uint32_t *from;	  /* [columns + 2]: column i's are from[i] to from[i + 1] - 1 */
	uint32_t *column; /* [columns] */
	uint8_t *depth;	  /* [columns] */
};

static bool find_children(const struct head *head, struct children *children)
{
	for (uint32_t i = 1; i < head->columns; i++) {
		uint32_t parent = head->column[i].parent;

		children->depth[i] = children->depth[parent] + 1;
		if (children->depth[i] > HEAD_DEPTH_MAX)
			return false;
		if (!head->column[i].element)
			children->from[parent + 2]++;
	}
	for (uint32_t i = 0; i < head->columns; i++)
		children->from[i + 2] += children->from[i + 1];
	for (uint32_t i = 1; i < head->columns; i++)
		if (!head->column[i].element)
			children->column[children->from[head->column[i].parent + 1]++] = i;
	return true;
}

/* Read a shape of a column. member is where its members go. */
static void read_shape(struct reader *in, const struct children *children, uint32_t index,
		       uint32_t *member, struct chunk_shape *ret)
{
	const uint32_t *child = children->column + children->from[index];
	uint32_t n = children->from[index + 1] - children->from[index];
	int64_t expect = 0;

	for (uint32_t i = 0; i < ret->n && !in->failed; i++) {
		expect += unzigzag(read_varint(in) & UINT64_MAX >> 24);
		if (expect < 0 || expect >= n) {
			in->failed = true;
			return;
		}
		member[i] = child[expect++];
	}
	ret->column = member;
}

/* Read the shapes of all columns; there are as many, with as many members, as the head has said. */
static void read_shapes(struct reader *in, const struct head *head, const struct children *children,
			uint32_t shapes, uint32_t *member, uint32_t members)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < head->columns && !in->failed; i++) {
		bool has = head->column[i].kinds & 1u << KIND_OBJECT;
		uint32_t n = has ? read_upto(in, shapes - at) : 0;

		in->failed |= has && n == 0;
		for (uint32_t k = 0; k < n && !in->failed; k++) {
			struct chunk_shape *shape = &head->shape[at++];

			shape->n = read_upto(in, members);
			read_shape(in, children, i, member, shape);
			member += shape->n;
			members -= shape->n;
		}
		head->shape_from[i + 1] = at;
	}
	in->failed |= at != shapes || members > 0;
}

/* Whether each column has the lanes that its kinds ask for. */
static bool has_lanes(const struct head *head)
{
	for (uint32_t i = 0; i < head->columns; i++) {
		uint16_t lanes = 0;

		for (size_t k = 0; k < LANE_COUNT; k++)
			lanes |= (uint16_t)((head->column[i].lane[k].len > 0) << k);
		lanes &= (uint16_t)~(1u << LANE_FILTER | 1u << LANE_ORDER | 1u << LANE_GRAMS);
		if (lanes !=
		    head_lanes(&head->column[i], head->shape_from[i + 1] - head->shape_from[i]))
			return false;
	}
	return true;
}

/* Give out consecutive parts of one allocation; the widest types come first. */
static void *part(uint8_t **at, size_t n, size_t size)
{
	uint8_t *start = *at;

	*at += n * size;
	return start;
}

/* Read all that follows the numbers at the head's start. */
static int read_all(struct reader *in, const size_t *body_len, uint32_t shapes, uint32_t members,
		    struct head *head)
{
	size_t n = head->columns;
	size_t size = n * sizeof(struct chunk_column) + shapes * sizeof(struct chunk_shape) +
		      (3 * n + 3 + members) * sizeof(uint32_t) + n; /* each below 2^40 */
	auto_free uint8_t *owned = calloc(1, size);
	uint8_t *at = owned;
	struct blob last = {};

	if (!owned)
		return -ENOMEM;
	head->column = part(&at, n, sizeof(struct chunk_column));
	head->shape = part(&at, shapes, sizeof(struct chunk_shape));
	head->shape_from = part(&at, n + 1, sizeof(uint32_t));
	uint32_t *member = part(&at, members, sizeof(uint32_t));
	struct children children = { .from = part(&at, n + 2, sizeof(uint32_t)) };
	children.column = part(&at, n, sizeof(uint32_t));
	children.depth = part(&at, n, 1);

	for (uint32_t i = 0; i < n && !in->failed; i++)
		read_column(in, head, i, body_len, &last);
	if (in->failed || !has_fixed(head) || !find_children(head, &children))
		return CHUNK_DAMAGED;
	read_shapes(in, head, &children, shapes, member, members);
	if (!reader_end(in) || !has_lanes(head))
		return CHUNK_DAMAGED;
	head->owned = TAKE(owned);
	return CHUNK_OK;
}

int head_read(const uint8_t *data, size_t len, const size_t *body_len, struct head *ret)
{
	struct reader in = reader_make(data, len);
	struct head head = {};

	if (len < sizeof(MAGIC) + 1 || memcmp(data, MAGIC, sizeof(MAGIC)) != 0)
		return CHUNK_DAMAGED;
	if (data[sizeof(MAGIC)] > VERSION)
		return CHUNK_TOO_NEW;
	in.pos = sizeof(MAGIC) + 1;
	head.rows = read_upto(&in, CHUNK_ROWS);
	head.columns = read_upto(&in, len / COLUMN_MIN);
	uint32_t shapes = read_upto(&in, len), members = read_upto(&in, len);
	if (in.failed || head.rows == 0 || head.columns < COLUMNS_FIXED ||
	    head.columns > CHUNK_COLUMNS_MAX || data[sizeof(MAGIC)] != VERSION)
		return CHUNK_DAMAGED;
	int r = read_all(&in, body_len, shapes, members, &head);
	if (r == 0)
		*ret = head;
	return r;
}
