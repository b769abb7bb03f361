/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * log-fixture: a log in a folder of its own, batches to append, and a note of what was read. For the tests of log.
 *
 * Header-only. Batch i has i as its content's first byte and belongs to collection i % 3 + 1, whose key is its number.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "service/disk/log.h"
#include "tests/unit/disk-fixture.h"

struct notes {
	size_t n;
	uint64_t positions[256];
	uint8_t batches[256];
	bool wrong; /* a batch was not what such a batch is */
	int stop;   /* what the reader says to each batch */
};

struct logbook {
	struct disk disk;
	struct log *log;
	int64_t gone;	 /* a collection that does not exist */
	int64_t changed; /* a collection that has another key now */
	char damage[LOG_DAMAGE_MAX];
	struct notes notes;
};

static inline int logbook_key(void *userdata, int64_t collection, uint8_t ret[32])
{
	const struct logbook *book = userdata;

	if (collection == book->gone)
		return 1;
	memset(ret, (int)collection, 32);
	ret[0] = collection == book->changed;
	return 0;
}

/* Batch i's bytes: a few, none at times. */
static inline struct log_batch logbook_batch(uint8_t i, uint8_t content[64])
{
	struct log_batch batch = { .collection = i % 3 + 1,
				   .kind = (uint8_t)(i ^ 5),
				   .data = content,
				   .len = i % 5 ? i % 40u + 1 : 0 };

	memset(content, i, 64);
	memset(batch.id, i, sizeof(batch.id));
	return batch;
}

static inline int logbook_note(void *userdata, const struct log_batch *batch)
{
	struct notes *notes = userdata;
	uint8_t content[64];
	uint8_t i = batch->id[7];
	struct log_batch should = logbook_batch(i, content);

	notes->wrong |= should.collection != batch->collection || should.kind != batch->kind ||
			should.len != batch->len ||
			memcmp(should.id, batch->id, sizeof(batch->id)) != 0 ||
			memcmp(should.data, batch->data, batch->len) != 0;
	notes->wrong |= notes->n > 0 && notes->positions[notes->n - 1] >= batch->position;
	if (notes->n < countof(notes->batches)) {
		notes->batches[notes->n] = i;
		notes->positions[notes->n++] = batch->position;
	}
	return notes->stop;
}

/* Open, or open anew as after a crash: with new counts and no failing step. */
static inline int logbook_open(struct logbook *book)
{
	log_close_at(&book->log);
	if (!disk_open(&book->disk))
		return -EBADF;
	return log_open(book->disk.folder, logbook_key, book, book->damage, &book->log);
}

static inline bool logbook_make(struct logbook *book)
{
	return disk_make(&book->disk) && logbook_open(book) == 0;
}

static inline void logbook_done(struct logbook *book)
{
	log_close_at(&book->log);
	disk_done(&book->disk);
}

#define auto_logbook cleanup(logbook_done)

static inline int logbook_append(struct logbook *book, uint8_t i, uint64_t *ret_position)
{
	uint8_t content[64];
	struct log_batch batch = logbook_batch(i, content);

	return log_append(book->log, &batch, ret_position);
}

/* Append and wait. */
static inline int logbook_add(struct logbook *book, uint8_t i)
{
	uint64_t position;
	int r = logbook_append(book, i, &position);

	return r ? r : log_sync(book->log, position);
}

/* Read from a position on into book->notes. */
static inline int logbook_read(struct logbook *book, uint64_t from)
{
	book->notes = (struct notes) { .stop = book->notes.stop };
	return log_read(book->log, from, logbook_note, &book->notes);
}

/* Whether exactly batches first to last are read, in order. */
static inline bool logbook_holds(struct logbook *book, uint8_t first, uint8_t last)
{
	if (logbook_read(book, 0) || book->notes.wrong ||
	    book->notes.n != (size_t)(last - first + 1))
		return false;
	for (size_t i = 0; i < book->notes.n; i++)
		if (book->notes.batches[i] != first + i)
			return false;
	return true;
}

/* The name of the first file of any log. */
static const char FIRST[] = "00000000000000000001.log";

/* A log of three files, of batches 1 to 3, 4 to 6, 7 to 9. */
static inline bool make_three(struct logbook *book)
{
	if (!logbook_make(book))
		return false;
	for (uint8_t i = 1; i <= 9; i++)
		if ((i % 3 == 1 && logbook_open(book)) || logbook_add(book, i))
			return false;
	return true;
}
