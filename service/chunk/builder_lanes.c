/* SPDX-License-Identifier: Apache-2.0 */
#include "service/chunk/builder_lanes.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "service/chunk/builder_internal.h"
#include "service/chunk/chunk.h"
#include "service/chunk/fields.h"
#include "service/column/kind.h"
#include "service/column/spans.h"

constexpr kind_set KINDS_IN_INTS = KINDS_INTS | 1u << KIND_OBJECT;

static inline enum kind kind_at(const struct field *field, uint32_t i)
{
	return field->mixed ? (enum kind)((const uint8_t *)field->kinds.data)[i] : field->kind;
}

static inline uint32_t entry_at(const struct field *field, uint32_t i)
{
	return field->gaps ? ((const uint32_t *)field->at.data)[i] : i;
}

/* --- statistics ---------------------------------------------------------------------------------- */

static void count_kinds(const struct field *field, struct chunk_column *about)
{
	const uint8_t *kinds = field->kinds.data;

	about->kinds = about->present < about->n ? 1u << KIND_MISSING : 0;
	if (!field->mixed) {
		about->kinds |= (kind_set)(1u << field->kind);
		about->nulls = field->kind == KIND_NULL ? field->present : 0;
		return;
	}
	for (uint32_t i = 0; i < field->present; i++) {
		about->kinds |= (kind_set)(1u << kinds[i]);
		about->nulls += kinds[i] == KIND_NULL;
	}
}

static void measure_ints(const struct field *field, struct chunk_column *about)
{
	const int64_t *value = field->ints.data;
	int64_t min = INT64_MAX, max = INT64_MIN;

	about->int_min = 1;
	if (!(about->kinds & KINDS_INTS))
		return;
	if (!(about->kinds & 1u << KIND_OBJECT)) {
		for (uint32_t i = 0; i < field->ints.n; i++) {
			min = value[i] < min ? value[i] : min;
			max = value[i] > max ? value[i] : max;
		}
	} else {
		for (uint32_t i = 0, at = 0; i < field->present; i++) {
			kind_set kind = (kind_set)(1u << kind_at(field, i));

			if (kind & KINDS_INTS) {
				min = value[at] < min ? value[at] : min;
				max = value[at] > max ? value[at] : max;
			}
			at += (kind & KINDS_IN_INTS) != 0;
		}
	}
	about->int_min = min;
	about->int_max = max;
}

static void measure_floats(const struct field *field, struct chunk_column *about)
{
	const double *value = field->floats.data;
	double min = (double)INFINITY, max = (double)-INFINITY;
	bool nan = false;

	for (uint32_t i = 0; i < field->floats.n; i++) {
		min = value[i] < min ? value[i] : min;
		max = value[i] > max ? value[i] : max;
		nan |= value[i] != value[i];
	}
	about->has_nan = nan;
	about->float_min = min <= max ? min : 1;
	about->float_max = min <= max ? max : 0;
}

/* The first 8 bytes of a text as a number that sorts like it. */
static uint64_t text_prefix(const struct str *text)
{
	uint64_t prefix = 0;

	if (text->len >= sizeof(prefix))
		memcpy(&prefix, text->at, sizeof(prefix)); /* of a known size: one load */
	else if (text->len > 0)
		memcpy(&prefix, text->at, text->len);
	return __builtin_bswap64(prefix);
}

static void measure_texts(const struct field *field, struct chunk_column *about)
{
	const struct str *text = field->texts.data;
	uint64_t min = UINT64_MAX, max = 0;
	bool all = !(about->kinds & 1u << KIND_BYTES);

	about->text_min = 1;
	if (!(about->kinds & 1u << KIND_STRING))
		return;
	for (uint32_t i = 0, at = 0; at < field->texts.n; i++) {
		enum kind kind = all ? KIND_STRING : kind_at(field, i);

		if (kind == KIND_STRING) {
			uint64_t prefix = text_prefix(&text[at]);

			min = prefix < min ? prefix : min;
			max = prefix > max ? prefix : max;
		}
		at += kind == KIND_STRING || kind == KIND_BYTES;
	}
	about->text_min = min;
	about->text_max = max;
}

void lanes_statistics(const struct field *field, struct chunk_column *about)
{
	count_kinds(field, about);
	measure_ints(field, about);
	measure_floats(field, about);
	measure_texts(field, about);
}

/* --- lanes at full length ------------------------------------------------------------------------ */

const int64_t *lanes_kinds(struct builder *builder, const struct field *field,
			   const struct chunk_column *about)
{
	uint32_t n = about->sparse ? about->present : about->n;
	int64_t *out = room_get(&builder->ints, n * sizeof(*out));

	if (!out)
		return nullptr;
	if (!about->sparse && field->gaps)
		memset(out, 0, n * sizeof(*out));
	else if (about->present < n)
		memset(out + about->present, 0, (n - about->present) * sizeof(*out));
	for (uint32_t i = 0; i < field->present; i++)
		out[about->sparse ? i : entry_at(field, i)] = kind_at(field, i);
	static_assert(KIND_MISSING == 0);
	return out;
}

const int64_t *lanes_rows(struct builder *builder, const struct field *field)
{
	int64_t *out = room_get(&builder->ints, field->present * sizeof(*out));

	for (uint32_t i = 0; out && i < field->present; i++)
		out[i] = entry_at(field, i);
	return out;
}

/* Whether a lane of n values is already as long as it is to be written. */
static bool is_full(const struct lane *lane, const struct chunk_column *about)
{
	return lane->n == (about->sparse ? about->present : about->n);
}

/* For each entry to be written, how many of the lane's values there are up to and including it. */
static const uint32_t *count_up(struct builder *builder, const struct field *field,
				const struct chunk_column *about, kind_set kinds)
{
	uint32_t n = about->sparse ? about->present : about->n, at = 0, values = 0;
	uint32_t *out = room_get(&builder->source, n * sizeof(*out));

	if (!out)
		return nullptr;
	for (uint32_t i = 0; i < field->present; i++) {
		uint32_t entry = about->sparse ? i : entry_at(field, i);

		while (at < entry)
			out[at++] = values;
		values += (kinds >> kind_at(field, i)) & 1;
		out[at++] = values;
	}
	while (at < n)
		out[at++] = values;
	return out;
}

const int64_t *lanes_ints(struct builder *builder, const struct field *field,
			  const struct chunk_column *about)
{
	uint32_t n = about->sparse ? about->present : about->n;
	const int64_t *value = field->ints.data;

	if (is_full(&field->ints, about))
		return value;
	const uint32_t *source = count_up(builder, field, about, KINDS_IN_INTS);
	int64_t *out = room_get(&builder->ints, n * sizeof(*out));
	if (!source || !out)
		return nullptr;
	for (uint32_t i = 0; i < n; i++)
		out[i] = value[source[i] ? source[i] - 1 : 0];
	return out;
}

const double *lanes_floats(struct builder *builder, const struct field *field,
			   const struct chunk_column *about)
{
	uint32_t n = about->sparse ? about->present : about->n;
	const double *value = field->floats.data;

	if (is_full(&field->floats, about))
		return value;
	const uint32_t *source = count_up(builder, field, about, 1u << KIND_FLOAT);
	double *out = room_get(&builder->floats, n * sizeof(*out));
	if (!source || !out)
		return nullptr;
	for (uint32_t i = 0; i < n; i++)
		out[i] = value[source[i] ? source[i] - 1 : 0];
	return out;
}

const struct str *lanes_texts(struct builder *builder, const struct field *field,
			      const struct chunk_column *about)
{
	uint32_t n = about->sparse ? about->present : about->n;
	const struct str *value = field->texts.data;

	if (is_full(&field->texts, about))
		return value;
	const uint32_t *source = count_up(builder, field, about, KINDS_TEXTS);
	struct str *out = room_get(&builder->texts, n * sizeof(*out));
	if (!source || !out)
		return nullptr;
	for (uint32_t i = 0; i < n; i++)
		out[i] = value[source[i] ? source[i] - 1 : 0];
	return out;
}

const int64_t *lanes_ends(struct builder *builder, const struct field *field,
			  const struct chunk_column *about)
{
	uint32_t n = about->sparse ? about->present : about->n;
	const uint32_t *end = field->ends.data;
	const uint32_t *source = count_up(builder, field, about, 1u << KIND_ARRAY);
	int64_t *out = room_get(&builder->ints, n * sizeof(*out));

	if (!source || !out)
		return nullptr;
	for (uint32_t i = 0; i < n; i++)
		out[i] = source[i] ? end[source[i] - 1] : 0;
	return out;
}
