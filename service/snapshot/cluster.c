/* SPDX-License-Identifier: Apache-2.0 */
#include "service/snapshot/cluster.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/chunk_key.h"
#include "service/segment/gone.h"

constexpr uint8_t NOWHERE = UINT8_MAX;
constexpr size_t WORD = 8;	    /* bytes of a key that are looked at in one go */
constexpr size_t CONTENT_SHARE = 4; /* as the builder estimates what a chunk's documents take */
constexpr size_t CONTENT_MAX = BUILDER_BYTES_MAX / 4 * 3; /* of a new chunk */
static_assert(CHUNK_KEY_BYTES % WORD == 0 && CLUSTER_SOURCES_MAX < NOWHERE);

struct cluster {
	uint32_t n, targets;
	const char *paths;
	const struct cluster_source *source; /* [n] borrowed while it is made */
	uint8_t *where;			     /* of all sources' rows */
	uint32_t *first;		     /* [n] where a source's begin */
	uint32_t *rows;			     /* [n * CLUSTER_SOURCES_MAX] of a source in a target */
	uint32_t copied[CLUSTER_SOURCES_MAX]; /* [targets] */
};

/* What keys a source has. */
struct span {
	uint8_t min[CHUNK_KEY_BYTES], max[CHUNK_KEY_BYTES];
	uint32_t source;
	bool alone; /* it overlaps no other, and may stay as it is */
};

/* Where one new chunk ends and the next begins. */
struct cut {
	uint8_t key[CHUNK_KEY_BYTES]; /* its first len bytes are known */
	size_t len;
	uint64_t rank; /* of the rows whose keys begin so, how many go before it */
	uint64_t rows; /* whose keys begin so */
	uint64_t seen; /* of those that go before it, in the last pass */
	bool open;     /* more bytes decide */
};

/* Rows whose keys begin alike, among which is a cut. */
struct set {
	const struct cut *cut; /* the first; its key is theirs */
	size_t first, n;       /* their next words; cut->rows in the end */
	bool more;	       /* a key has yet more bytes */
};

/* Neighbours in the order of keys that are put into new chunks together. */
struct group {
	struct cluster *cluster;
	const struct span *span; /* [n] */
	uint32_t n;
	uint64_t rows;
	struct cut *cut; /* [cuts] */
	uint32_t cuts;
	struct set *set; /* [sets] */
	uint32_t sets;
	size_t level; /* bytes of keys that have been looked at */
	uint64_t *word;
	uint32_t source; /* that is being read */
};

struct cluster *cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return nullptr;
	free(cluster->where);
	free(cluster->first);
	free(cluster->rows);
	free(cluster);
	return nullptr;
}

static void group_done(struct group *group)
{
	free(group->cut);
	free(group->set);
	free(group->word);
}

/* Read the keys of a group's rows. */
static int each_row(struct group *group, chunk_key_fn *fn)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < group->n; i++) {
		group->source = group->span[i].source;
		r = chunk_key_each(group->cluster->source[group->source].chunk,
				   group->cluster->paths, fn, group);
	}
	return r;
}

static bool is_deleted(const struct group *group, uint32_t row)
{
	return gone_has(group->cluster->source[group->source].deleted, row);
}

/* --- cuts -------------------------------------------------------------------------------------- */

/* The set that a key belongs to, or nullptr. Sets ascend. */
static struct set *find_set(const struct group *group, const uint8_t *key)
{
	uint32_t low = 0, high = group->sets;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = memcmp(key, group->set[middle].cut->key, group->level);

		if (order == 0)
			return &group->set[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return nullptr;
}

/* Note a row's next bytes if they help to place a cut. */
static void on_word(void *userdata, uint32_t row, const uint8_t *key, size_t len)
{
	struct group *group = userdata;
	struct set *set = is_deleted(group, row) ? nullptr : find_set(group, key);
	uint64_t word = 0;

	if (!set)
		return;
	for (size_t i = 0; i < WORD; i++)
		word = word << 8 | key[group->level + i];
	group->word[set->first + set->n++] = word;
	set->more |= len > group->level + WORD;
}

static int compare_words(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* How many of the words, which ascend, are below a word, or equal to it if that counts too. */
static size_t count_below(const uint64_t *word, size_t n, uint64_t than, bool equal)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (word[middle] < than || (equal && word[middle] == than))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Give a cut the word that stands where it is in its set. */
static void narrow(const struct group *group, struct cut *cut, const struct set *set)
{
	const uint64_t *word = group->word + set->first;
	uint64_t mine = word[cut->rank];

	for (size_t i = 0; i < WORD; i++)
		cut->key[cut->len++] = (uint8_t)(mine >> 8 * (WORD - 1 - i));
	size_t below = count_below(word, set->n, mine, false);
	cut->rank -= below;
	cut->rows = count_below(word, set->n, mine, true) - below;
	cut->open = cut->rank > 0 && set->more && cut->len < CHUNK_KEY_BYTES;
}

/* Put cuts that are open and whose keys begin alike into sets. A set's words come after those of the one before. */
static void list_sets(struct group *group)
{
	size_t first = 0;

	group->sets = 0;
	for (uint32_t i = 0; i < group->cuts; i++) {
		const struct cut *cut = &group->cut[i];
		const struct set *last = group->sets > 0 ? &group->set[group->sets - 1] : nullptr;

		if (!cut->open || (last && memcmp(last->cut->key, cut->key, group->level) == 0))
			continue;
		group->set[group->sets++] = (struct set) { .cut = cut, .first = first };
		first += cut->rows;
	}
}

/* Find all cuts' keys, eight bytes further each time. */
static int place_cuts(struct group *group)
{
	int r = 0;

	for (list_sets(group); r == 0 && group->sets > 0; list_sets(group)) {
		r = each_row(group, on_word);
		for (uint32_t i = 0; r == 0 && i < group->sets; i++)
			qsort(group->word + group->set[i].first, group->set[i].n, WORD,
			      compare_words);
		for (uint32_t i = 0; r == 0 && i < group->cuts; i++)
			if (group->cut[i].open)
				narrow(group, &group->cut[i], find_set(group, group->cut[i].key));
		group->level += WORD;
	}
	return r;
}

/* --- rows -------------------------------------------------------------------------------------- */

/* The cuts that a row comes after. Among rows that are equal for a cut, the first go before it. */
static uint32_t cuts_before(const struct group *group, const uint8_t *key)
{
	uint32_t low = 0, high = group->cuts;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(key, group->cut[middle].key, group->cut[middle].len) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t n = low;
	for (uint32_t i = low; i < group->cuts; i++) {
		struct cut *cut = &group->cut[i];
		int order = memcmp(key, cut->key, cut->len);

		if (order < 0)
			break;
		if (order == 0 && cut->seen < cut->rank)
			cut->seen++;
		else
			n++;
	}
	return n;
}

static void on_row(void *userdata, uint32_t row, const uint8_t *key, size_t)
{
	struct group *group = userdata;
	struct cluster *cluster = group->cluster;

	if (is_deleted(group, row))
		return;
	uint32_t target = cluster->targets + cuts_before(group, key);
	cluster->where[cluster->first[group->source] + row] = (uint8_t)target;
	cluster->rows[group->source * CLUSTER_SOURCES_MAX + target]++;
}

/* How many new chunks a group makes. */
static uint32_t count_targets(const struct group *group, uint32_t rows_max)
{
	uint64_t content = 0;

	for (uint32_t i = 0; i < group->n; i++) {
		const struct cluster_source *source =
			&group->cluster->source[group->span[i].source];

		content += chunk_size(source->chunk) * CONTENT_SHARE;
	}
	uint64_t by_rows = (group->rows + rows_max - 1) / rows_max;
	uint64_t by_size = content / CONTENT_MAX + 1;
	if (by_size > group->n)
		by_size = group->n; /* a segment has room for as many chunks as were there */
	if (by_size > group->rows)
		by_size = group->rows;
	return (uint32_t)(by_rows > by_size ? by_rows : by_size);
}

static int begin(struct group *group, uint32_t targets)
{
	group->cuts = targets - 1;
	group->cut = calloc(targets, sizeof(*group->cut));
	group->set = calloc(targets, sizeof(*group->set));
	group->word = targets > 1 ? reallocarray(nullptr, group->rows, WORD) : nullptr;
	if (!group->cut || !group->set || (targets > 1 && !group->word))
		return -ENOMEM;
	for (uint32_t i = 0; i < group->cuts; i++) {
		group->cut[i].rank = group->rows * (i + 1) / targets;
		group->cut[i].rows = group->rows;
		group->cut[i].open = true;
	}
	return 0;
}

/* Put the rows of some neighbours, none of which stays as it is, into new chunks. */
static int divide(struct cluster *cluster, const struct span *span, uint32_t n, uint32_t rows_max)
{
	cleanup(group_done) struct group group = { .cluster = cluster, .span = span, .n = n };

	for (uint32_t i = 0; i < n; i++) {
		const struct cluster_source *source = &cluster->source[span[i].source];
		uint32_t rows = chunk_rows(source->chunk);

		group.rows += rows - gone_between(source->deleted, 0, rows);
	}
	uint32_t targets = count_targets(&group, rows_max);
	if (targets == 0)
		return 0;
	if (targets > CLUSTER_SOURCES_MAX - cluster->targets)
		return -EOVERFLOW;
	int r = begin(&group, targets);
	if (r == 0)
		r = place_cuts(&group);
	free(TAKE(group.word));
	if (r == 0)
		r = each_row(&group, on_row);
	for (uint32_t i = 0; r == 0 && i < targets; i++)
		cluster->copied[cluster->targets++] = CHUNK_NONE;
	return r;
}

/* --- sources ----------------------------------------------------------------------------------- */

static void on_bound(void *userdata, uint32_t row, const uint8_t *key, size_t)
{
	struct span *span = userdata;

	if (row == 0 || memcmp(key, span->min, CHUNK_KEY_BYTES) < 0)
		memcpy(span->min, key, CHUNK_KEY_BYTES);
	if (row == 0 || memcmp(key, span->max, CHUNK_KEY_BYTES) > 0)
		memcpy(span->max, key, CHUNK_KEY_BYTES);
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = memcmp(x->min, y->min, CHUNK_KEY_BYTES);

	if (order == 0)
		order = memcmp(x->max, y->max, CHUNK_KEY_BYTES);
	return order ? order : (x->source > y->source) - (x->source < y->source);
}

/* Find the sources' ranges, in order, and which of them overlap no other. */
static int find_spans(const struct cluster *cluster, struct span *span)
{
	const uint8_t *max = nullptr; /* of all before */

	for (uint32_t i = 0; i < cluster->n; i++) {
		span[i].source = i;
		int r = chunk_key_each(cluster->source[i].chunk, cluster->paths, on_bound,
				       &span[i]);
		if (r)
			return r;
	}
	qsort(span, cluster->n, sizeof(*span), compare_spans);
	for (uint32_t i = 0; i < cluster->n; i++) {
		bool before = max && memcmp(span[i].min, max, CHUNK_KEY_BYTES) < 0;
		bool after = i + 1 < cluster->n &&
			     memcmp(span[i + 1].min, span[i].max, CHUNK_KEY_BYTES) < 0;

		span[i].alone = !before && !after && cluster->source[span[i].source].whole;
		if (!max || memcmp(span[i].max, max, CHUNK_KEY_BYTES) > 0)
			max = span[i].max;
	}
	return 0;
}

/* A source becomes a new chunk as it is. */
static void keep(struct cluster *cluster, uint32_t source)
{
	uint32_t target = cluster->targets++, rows = chunk_rows(cluster->source[source].chunk);

	cluster->copied[target] = source;
	cluster->rows[source * CLUSTER_SOURCES_MAX + target] = rows;
	memset(cluster->where + cluster->first[source], (int)target, rows);
}

static int decide(struct cluster *cluster, struct span *span, uint32_t rows_max)
{
	int r = find_spans(cluster, span);

	for (uint32_t from = 0, to; r == 0 && from < cluster->n; from = to) {
		for (to = from; to < cluster->n && !span[to].alone; to++)
			;
		if (to > from) {
			r = divide(cluster, span + from, to - from, rows_max);
		} else if (cluster->targets == CLUSTER_SOURCES_MAX) {
			r = -EOVERFLOW;
		} else {
			keep(cluster, span[to].source);
			to++;
		}
	}
	return r;
}

int cluster_new(const struct cluster_source *source, uint32_t n, const char *paths,
		uint32_t rows_max, struct cluster **ret)
{
	cleanup(cluster_free_at) struct cluster *cluster = calloc(1, sizeof(*cluster));
	auto_free struct span *span = calloc(n + 1ul, sizeof(*span));
	uint32_t rows = 0;

	if (n > CLUSTER_SOURCES_MAX)
		return -EOVERFLOW;
	if (!cluster || !span)
		return -ENOMEM;
	cluster->first = calloc(n + 1ul, sizeof(*cluster->first));
	cluster->rows = calloc(n + 1ul, CLUSTER_SOURCES_MAX * sizeof(*cluster->rows));
	for (uint32_t i = 0; cluster->first && i < n; i++) {
		cluster->first[i] = rows;
		rows += chunk_rows(source[i].chunk);
	}
	cluster->where = malloc(rows + 1ul);
	if (!cluster->first || !cluster->rows || !cluster->where)
		return -ENOMEM;
	memset(cluster->where, NOWHERE, rows);
	cluster->n = n;
	cluster->source = source;
	cluster->paths = paths;
	int r = decide(cluster, span, rows_max);
	if (r)
		return r;
	cluster->source = nullptr;
	cluster->paths = nullptr;
	*ret = TAKE(cluster);
	return 0;
}

uint32_t cluster_targets(const struct cluster *cluster)
{
	return cluster->targets;
}

uint32_t cluster_copied(const struct cluster *cluster, uint32_t target)
{
	return cluster->copied[target];
}

uint32_t cluster_rows(const struct cluster *cluster, uint32_t source, uint32_t target)
{
	return cluster->rows[source * CLUSTER_SOURCES_MAX + target];
}

const uint8_t *cluster_where(const struct cluster *cluster, uint32_t source)
{
	return cluster->where + cluster->first[source];
}
