/* SPDX-License-Identifier: Apache-2.0 */
#include "service/store/recent.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

constexpr uint32_t ROOM_FIRST = 64;

void recent_done(struct recent *recent)
{
	for (uint32_t i = 0; i < recent->n; i++)
		free(recent->batch[i].replaced);
	free(recent->batch);
	*recent = (struct recent) {};
}

const struct recent_batch *recent_find(const struct recent *recent, const uint8_t *id)
{
	for (uint32_t i = recent->n; i > 0; i--)
		if (memcmp(recent->batch[i - 1].id, id, RECENT_ID) == 0)
			return &recent->batch[i - 1];
	return nullptr;
}

/* Make room for one more. Returns whether there is. */
static bool make_room(struct recent *recent)
{
	if (recent->n < recent->room)
		return true;
	if (recent->room == RECENT_MAX) {
		uint32_t half = RECENT_MAX / 2;

		for (uint32_t i = 0; i < half; i++)
			free(recent->batch[i].replaced);
		memmove(recent->batch, recent->batch + half, half * sizeof(*recent->batch));
		recent->n = half;
		return true;
	}
	uint32_t room = recent->room ? 2 * recent->room : ROOM_FIRST;
	struct recent_batch *grown = reallocarray(recent->batch, room, sizeof(*grown));
	if (!grown)
		return false;
	recent->batch = grown;
	recent->room = room;
	return true;
}
static_assert(RECENT_MAX % ROOM_FIRST == 0 && (RECENT_MAX & (RECENT_MAX - 1)) == 0);

void recent_add(struct recent *recent, const uint8_t *id, uint64_t position, uint32_t rows,
		const uint8_t *replaced)
{
	uint8_t *copy = malloc((rows + 7) / 8 + 1);

	if (!copy || !make_room(recent)) {
		free(copy);
		return;
	}
	memcpy(copy, replaced, (rows + 7) / 8);
	struct recent_batch *batch = &recent->batch[recent->n++];
	*batch = (struct recent_batch) { .position = position, .rows = rows, .replaced = copy };
	memcpy(batch->id, id, RECENT_ID);
}

void recent_cut(struct recent *recent, uint64_t position)
{
	while (recent->n > 0 && recent->batch[recent->n - 1].position > position)
		free(recent->batch[--recent->n].replaced);
}
