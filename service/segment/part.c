/* SPDX-License-Identifier: Apache-2.0 */
#include "service/segment/part.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "service/chunk/chunk.h"
#include "service/segment/gone.h"
#include "service/segment/ids.h"
#include "service/segment/segment.h"

int part_new(struct chunk **chunk, struct ids_index **index, struct segment **segment,
	     uint32_t number, struct part **ret)
{
	struct part *part = calloc(1, sizeof(*part));

	if (!part)
		return -ENOMEM;
	atomic_init(&part->refs, 1);
	part->rows = chunk_rows(*chunk);
	part->size = chunk_size(*chunk);
	part->chunk = TAKE(*chunk);
	part->index = index ? TAKE(*index) : nullptr;
	part->segment = segment ? TAKE(*segment) : nullptr;
	part->number = number;
	*ret = part;
	return 0;
}

int part_of_chunk(struct chunk **chunk, struct part **ret)
{
	cleanup(ids_done) struct ids ids = {};
	cleanup(ids_index_free_at) struct ids_index *index = nullptr;
	int r = ids_of_chunk(*chunk, &ids);

	if (r == 0)
		r = ids_index_new(&ids, &index);
	return r ? r : part_new(chunk, &index, nullptr, 0, ret);
}

struct part *part_ref(struct part *part)
{
	atomic_fetch_add_explicit(&part->refs, 1, memory_order_relaxed);
	return part;
}

struct part *part_unref(struct part *part)
{
	if (!part || atomic_fetch_sub_explicit(&part->refs, 1, memory_order_acq_rel) != 1)
		return nullptr;
	chunk_unref(part->chunk);
	ids_index_free(part->index);
	segment_unref(part->segment);
	gone_unref(part->saved);
	free(part);
	return nullptr;
}
