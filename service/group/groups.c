/* SPDX-License-Identifier: Apache-2.0 */
#include "service/group/groups.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "service/crew/spill.h"
#include "service/group/raw.h"

constexpr uint32_t LANES = 4;
constexpr uint32_t LANE_PARTS = GROUPS_PARTS / LANES;
/* Bytes of partials that are merged together, table by table: each then comes into the cache once for many chunks. */
constexpr size_t BATCH = 4u << 20;
constexpr size_t BACKLOG_MAX = 4 * BATCH; /* that wait to be merged before threads wait too */
constexpr uint64_t WAIT_NS = 10'000'000;
constexpr size_t PIECE_MAX = 128u << 20; /* bytes of one record and its strings */

struct lane {
	uint32_t next; /* turn */
	bool busy;
	bool spilled; /* its parts are in the spill */
	struct part_room room;
};

struct groups {
	struct exec_query *query;
	const struct layout *layout;
	uint32_t turns;
	struct budget *budget;
	struct part part[GROUPS_PARTS];
	struct folder *folder; /* nullptr: no spilling */
	struct spill *spill;   /* once a lane has spilled */
	uint32_t
		loaded; /* the part that is in memory though its lane has spilled; GROUPS_PARTS: none */
	pthread_mutex_t lock;
	pthread_cond_t merged; /* a partial has been */
	size_t backlog;	       /* bytes of partials that wait or are being merged */
	struct lane lane[LANES];
	struct partial **waiting; /* [turns] */
	bool *given;		  /* [turns] */
	int result;
};

int partial_new(struct budget *budget, struct partial **ret)
{
	struct partial *partial = calloc(1, sizeof(*partial));

	if (!partial)
		return -ENOMEM;
	partial->pile = (struct pile) { .budget = budget, .least = 16'384 };
	*ret = partial;
	return 0;
}

struct partial *partial_free(struct partial *partial)
{
	if (!partial)
		return nullptr;
	pile_done(&partial->pile);
	raw_free(partial->raw);
	free(partial->entry);
	free(partial);
	return nullptr;
}

int partial_add(struct partial *partial, uint64_t hash, uint32_t states_len, uint32_t key_len,
		struct record **ret)
{
	size_t len = record_room(states_len, key_len);

	if (partial->n == partial->size) {
		uint32_t size = partial->size ? 2 * partial->size : 64;
		struct entry *grown = reallocarray(partial->entry, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		partial->entry = grown;
		partial->size = size;
	}
	struct record *record = pile_take(&partial->pile, len);
	if (!record)
		return pile_error(&partial->pile, len);
	*record = (struct record) { hash, key_len, states_len };
	record_clear(record);
	partial->entry[partial->n++] = (struct entry) { hash, record };
	*ret = record;
	return 0;
}

/* Sort the records by part; within a part their order stays. */
static int sort_parts(struct partial *partial)
{
	struct entry *sorted = calloc(partial->n + 1, sizeof(*sorted));
	uint32_t at[GROUPS_PARTS] = {}, sum = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < partial->n; i++)
		at[groups_part(partial->entry[i].hash)]++;
	for (uint32_t p = 0; p < GROUPS_PARTS; p++) {
		uint32_t n = at[p];

		at[p] = sum;
		sum += n;
		partial->end[p] = sum;
	}
	for (uint32_t i = 0; i < partial->n; i++)
		sorted[at[groups_part(partial->entry[i].hash)]++] = partial->entry[i];
	free(partial->entry);
	partial->entry = sorted;
	return 0;
}

int groups_new(struct exec_query *query, const struct layout *layout, uint32_t n_keys,
	       uint32_t turns, bool may_spill, struct groups **ret)
{
	cleanup(groups_free_at) struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	pthread_mutex_init(&groups->lock, nullptr);
	pthread_cond_init(&groups->merged, nullptr);
	groups->layout = layout;
	groups->query = query;
	groups->folder = may_spill ? query->exec->spill_folder : nullptr;
	groups->loaded = GROUPS_PARTS;
	groups->turns = turns;
	groups->budget = &query->budget;
	for (uint32_t p = 0; p < GROUPS_PARTS; p++)
		part_init(&groups->part[p], layout, n_keys, query->exec->key, &query->budget);
	groups->waiting = calloc(turns + 1, sizeof(struct partial *));
	groups->given = calloc(turns + 1, sizeof(*groups->given));
	if (!groups->waiting || !groups->given)
		return -ENOMEM;
	*ret = TAKE(groups);
	return 0;
}

struct groups *groups_free(struct groups *groups)
{
	if (!groups)
		return nullptr;
	for (uint32_t p = 0; p < GROUPS_PARTS && groups->layout; p++)
		part_clear(&groups->part[p]);
	for (uint32_t lane = 0; lane < LANES; lane++)
		part_room_done(&groups->lane[lane].room);
	spill_free(groups->spill);
	for (uint32_t i = 0; groups->waiting && i < groups->turns; i++)
		partial_free(groups->waiting[i]);
	free(groups->waiting);
	free(groups->given);
	pthread_cond_destroy(&groups->merged);
	pthread_mutex_destroy(&groups->lock);
	free(groups);
	return nullptr;
}

/* Write a record and the strings of its states. */
static int put_out(struct groups *groups, uint32_t p, const struct record *record,
		   struct buf *piece)
{
	buf_clear(piece);
	buf_add(piece, record, record_size(record));
	aggregate_pack(groups->layout, record->data, piece);
	return buf_error(piece) ? buf_error(piece)
				: spill_add(groups->spill, p, piece->data, piece->len);
}

/* Put one table out. */
static int put_part_out(struct groups *groups, uint32_t p, struct buf *piece)
{
	struct part *part = &groups->part[p];
	const struct record *record;
	uint64_t at = 0;
	int r = part_settle(part);

	while (r == 0 && (record = part_next(part, &at)))
		r = put_out(groups, p, record, piece);
	part_clear(part);
	return r;
}

/* Put a lane's tables out. */
static int put_lane_out(struct groups *groups, uint32_t lane, struct buf *piece)
{
	int r = 0;

	for (uint32_t p = lane * LANE_PARTS; p < (lane + 1) * LANE_PARTS && r == 0; p++) {
		r = query_check(groups->query);
		r = r ? r : put_part_out(groups, p, piece);
	}
	return r;
}

/* Whether a lane is to spill; if it begins to now, its tables go. */
static int look_at_memory(struct groups *groups, uint32_t lane, struct buf *piece)
{
	const struct budget *budget = groups->budget;

	if (groups->lane[lane].spilled || !groups->folder || !budget ||
	    atomic_load_explicit(&budget->used, memory_order_relaxed) < budget->limit / 2)
		return 0;
	pthread_mutex_lock(&groups->lock);
	int r = groups->spill ? 0
			      : spill_new(groups->folder, GROUPS_PARTS, nullptr, &groups->spill);
	pthread_mutex_unlock(&groups->lock);
	if (r)
		return r;
	groups->lane[lane].spilled = true;
	return put_lane_out(groups, lane, piece);
}

/* Merge records and rows of one part. */
static int merge_part(struct groups *groups, struct lane *lane, uint32_t p,
		      const struct partial *partial, struct buf *piece)
{
	uint32_t from = p > 0 ? partial->end[p - 1] : 0;
	const struct raw *raw = partial->raw;
	int r = 0;

	if (!lane->spilled)
		r = part_merge(&groups->part[p], partial->entry + from, partial->end[p] - from);
	for (uint32_t i = from; lane->spilled && i < partial->end[p] && r == 0; i++)
		r = put_out(groups, p, partial->entry[i].record, piece);
	if (r == 0 && raw)
		r = part_merge_raw(&groups->part[p], raw, p, &lane->room);
	if (r == 0 && raw && lane->spilled) /* the table was there for these rows only */
		r = put_part_out(groups, p, piece);
	return r;
}

/* Merge the partials of turns [n] from one on into a lane's tables. */
static int merge_lane(struct groups *groups, uint32_t lane, uint32_t turn, uint32_t n)
{
	auto_buf struct buf piece = buf_make(PIECE_MAX);
	int r = look_at_memory(groups, lane, &piece);

	for (uint32_t p = lane * LANE_PARTS; p < (lane + 1) * LANE_PARTS; p++)
		for (uint32_t i = turn; i < turn + n && r == 0; i++)
			if (groups->waiting[i])
				r = merge_part(groups, &groups->lane[lane], p, groups->waiting[i],
					       &piece);
	return r;
}

/* Whether more than half of the memory is used. */
static bool is_tight(const struct groups *groups)
{
	return groups->budget && atomic_load(&groups->budget->used) > groups->budget->limit / 2;
}

/* How many turns from one on are to be merged now. */
static uint32_t due(const struct groups *groups, uint32_t turn)
{
	size_t bytes = 0;
	uint32_t n = 0;

	while (turn + n < groups->turns && groups->given[turn + n] &&
	       (bytes < BATCH || is_tight(groups))) {
		bytes += groups->waiting[turn + n] ? groups->waiting[turn + n]->bytes : 0;
		n++;
	}
	return bytes >= BATCH || turn + n == groups->turns || is_tight(groups) ? n : 0;
}

/* A lane has merged a turn. The lock is held. */
static void finish(struct groups *groups, uint32_t turn)
{
	struct partial *partial = groups->waiting[turn];

	if (!partial || atomic_fetch_sub(&partial->lanes, 1) != 1)
		return;
	groups->backlog -= partial->bytes;
	groups->waiting[turn] = partial_free(partial);
}

/* Merge what has its turn in a lane, until a chunk is missing. The lock is held at the beginning and the end. */
static void drain(struct groups *groups, uint32_t number)
{
	struct lane *lane = &groups->lane[number];
	uint32_t n;

	lane->busy = true;
	while (groups->result == 0 && (n = due(groups, lane->next)) > 0) {
		pthread_mutex_unlock(&groups->lock);
		int r = merge_lane(groups, number, lane->next, n);
		pthread_mutex_lock(&groups->lock);
		for (uint32_t i = 0; i < n; i++)
			finish(groups, lane->next++);
		if (r && groups->result == 0)
			groups->result = r;
		pthread_cond_broadcast(&groups->merged);
	}
	lane->busy = false;
	pthread_cond_broadcast(&groups->merged);
}

/*
 * Whether a thread should wait for what has its turn, rather than make more that waits for it. That is being merged, or a
 * thread is at the chunk: chunks are begun in order.
 */
static bool is_behind(const struct groups *groups)
{
	return groups->backlog > (is_tight(groups) ? 0 : BACKLOG_MAX) && groups->result == 0 &&
	       !atomic_load(&groups->query->failed);
}

/* Whether all lanes are past a turn. */
static bool is_merged(const struct groups *groups, uint32_t turn)
{
	bool merged = true;

	for (uint32_t lane = 0; lane < LANES; lane++)
		merged &= groups->lane[lane].next > turn;
	return merged;
}

/* Wait, looking again from time to time. The lock is held. */
static void wait_a_while(struct groups *groups)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t ns = (uint64_t)until.tv_nsec + WAIT_NS;
	until.tv_sec += (time_t)(ns / 1'000'000'000);
	until.tv_nsec = (long)(ns % 1'000'000'000);
	(void)pthread_cond_clockwait(&groups->merged, &groups->lock, CLOCK_MONOTONIC, &until);
}

/* About how much memory one has, but at least a byte. */
static size_t partial_bytes(const struct partial *partial)
{
	return 1 + partial->pile.size + partial->size * sizeof(*partial->entry) +
	       (partial->raw ? raw_bytes(partial->raw) : 0);
}

int groups_give(struct groups *groups, uint32_t turn, struct partial **partial)
{
	int r = *partial ? sort_parts(*partial) : 0;

	if (r)
		return r;
	size_t bytes = *partial ? partial_bytes(*partial) : 0;
	if (*partial) {
		(*partial)->lanes = LANES;
		(*partial)->bytes = bytes;
	}
	pthread_mutex_lock(&groups->lock);
	groups->backlog += bytes;
	groups->waiting[turn] = TAKE(*partial);
	groups->given[turn] = true;
	for (uint32_t lane = 0; lane < LANES; lane++)
		if (!groups->lane[lane].busy)
			drain(groups, lane);
	while (!is_merged(groups, turn) && is_behind(groups))
		wait_a_while(groups);
	r = groups->result;
	pthread_mutex_unlock(&groups->lock);
	return r;
}

int groups_end(struct groups *groups)
{
	return groups->spill ? spill_end(groups->spill) : 0;
}

uint64_t groups_spilled(const struct groups *groups)
{
	return groups->spill ? spill_bytes(groups->spill) : 0;
}

/* Merge a piece that comes back. */
static int take_back(void *userdata, uint8_t *data, size_t len)
{
	struct part *part = userdata;
	struct record *record = (void *)data;

	if (len < sizeof(*record) || record->states_len != part->layout->size ||
	    len < record_room(record->states_len, record->key_len))
		return -EBADMSG;
	size_t size = record_size(record);
	if (!aggregate_unpack(part->layout, record_states(record), data + size, len - size))
		return -EBADMSG;
	return part_merge(part, &(struct entry) { record->hash, record }, 1);
}

int groups_settle(struct groups *groups, uint32_t p, const struct part **ret)
{
	int r = groups_fetch(groups, p, ret);

	return r ? r : part_settle(&groups->part[p]);
}

int groups_fetch(struct groups *groups, uint32_t p, const struct part **ret)
{
	struct part *part = &groups->part[p];
	int r = 0;

	if (groups->lane[p / LANE_PARTS].spilled && groups->loaded != p) {
		if (groups->loaded < GROUPS_PARTS)
			part_clear(&groups->part[groups->loaded]);
		groups->loaded = p;
		r = query_check(groups->query);
		r = r ? r : spill_read(groups->spill, p, take_back, part);
	}
	*ret = part;
	return r;
}
