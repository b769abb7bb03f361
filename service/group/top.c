/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/top.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int compare_one(const struct order_by *order, const struct cell *a, const struct cell *b)
{
	bool x = a->kind <= KIND_NULL, y = b->kind <= KIND_NULL;

	if (x || y) { /* where NULLs go does not depend on the direction */
		int r = (int)y - (int)x;

		return order->nulls_last ? -r : r;
	}
	int r = cell_compare(a, b);
	return order->descending ? -r : r;
}

int top_compare(const struct order_by *order, uint32_t n_order, const struct cell *a,
		const struct cell *b)
{
	for (uint32_t i = 0; i < n_order; i++) {
		int r = compare_one(&order[i], &a[order[i].column], &b[order[i].column]);

		if (r)
			return r;
	}
	return 0;
}

struct entry {
	const void *item;
	struct cell *cell;
};

/* A heap whose first is the last in order: the next to go. */
struct heap {
	const struct plan *plan;
	struct entry *entry; /* [n] */
	size_t n;
};

static bool is_before(const struct heap *heap, const struct entry *a, const struct entry *b)
{
	return top_compare(heap->plan->order, heap->plan->n_order, a->cell, b->cell) < 0;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
	struct entry entry = heap->entry[a];

	heap->entry[a] = heap->entry[b];
	heap->entry[b] = entry;
}

static void sink_down(struct heap *heap, size_t at, size_t n)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= n)
			return;
		if (child + 1 < n && is_before(heap, &heap->entry[child], &heap->entry[child + 1]))
			child++;
		if (!is_before(heap, &heap->entry[at], &heap->entry[child]))
			return;
		swap(heap, at, child);
		at = child;
	}
}

static void rise(struct heap *heap, size_t at)
{
	while (at > 0 && is_before(heap, &heap->entry[(at - 1) / 2], &heap->entry[at])) {
		swap(heap, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

int top_select(const void **item, size_t *n, const struct plan *plan, uint32_t width, top_fn *fn,
	       void *userdata)
{
	size_t room = (size_t)plan->limit < *n ? (size_t)plan->limit : *n;
	auto_free struct entry *entry = calloc(room + 1, sizeof(*entry));
	auto_free struct cell *cell = calloc((room + 1) * (width + 1), sizeof(*cell));
	struct heap heap = { plan, entry, 0 };
	int r = 0;

	if (!entry || !cell)
		return -ENOMEM;
	for (size_t i = 0; i <= room; i++)
		entry[i].cell = cell + i * (width + 1);
	for (size_t i = 0; i < *n && room > 0 && r == 0; i++) {
		struct entry *new = &entry[heap.n]; /* the spare one when the heap is full */

		new->item = item[i];
		r = fn(userdata, item[i], new->cell);
		if (r)
			break;
		if (heap.n < room) {
			rise(&heap, heap.n++);
		} else if (is_before(&heap, new, &entry[0])) {
			swap(&heap, 0, heap.n);
			sink_down(&heap, 0, heap.n);
		}
	}
	if (r)
		return r;
	for (size_t left = heap.n; left > 1; left--) {
		swap(&heap, 0, left - 1);
		sink_down(&heap, 0, left - 1);
	}
	for (size_t i = 0; i < heap.n; i++)
		item[i] = entry[i].item;
	*n = heap.n;
	return 0;
}
