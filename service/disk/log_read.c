/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/crypto/aead.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/disk/log_frame.h"
#include "service/disk/log_internal.h"

/* One call of log_read(). */
struct reading {
	struct log *log;
	uint64_t from, until; /* positions; until itself is read */
	log_batch_fn *fn;
	void *userdata;
	struct log_part part; /* the file at hand */
	struct log_walk walk;
	struct log_keys keys;
};

static void reading_done(struct reading *reading)
{
	log_keys_done(&reading->keys);
	log_buffer_done(&reading->walk.body);
	file_close_at(&reading->walk.file);
}

/* Decipher the batch just met and hand it over. */
static int hand_over(struct reading *reading, const struct log_frame *frame)
{
	uint64_t body = log_frame_body(frame), at = reading->walk.at - body - LOG_FRAME;
	uint8_t head[LOG_FRAME], nonce[CRYPTO_NONCE];
	struct crypto_aead *aead = nullptr;

	int r = log_keys_get(reading->log, &reading->keys, reading->part.head.id, frame->collection,
			     &aead);
	if (r)
		return r > 0 ? 0 : r; /* the collection is gone: nobody can read it any more */

	log_frame_write(frame, head); /* the very bytes that were read: all of them are fields */
	log_nonce(at, nonce);
	uint8_t *data = reading->walk.body.data;
	r = crypto_aead_open(aead, nonce, (struct crypto_extra) { head, LOG_EXTRA }, data,
			     (size_t)body, data);
	if (r == CRYPTO_NOT_AUTHENTIC)
		return log_say(reading->log->damage, reading->part.head.first, at,
			       "a batch is not authentic, or its key is another");
	if (r)
		return r;

	struct log_batch batch = { .position = frame->position,
				   .collection = frame->collection,
				   .kind = frame->kind,
				   .data = data,
				   .len = frame->len };
	memcpy(batch.id, frame->id, LOG_ID);
	return reading->fn(reading->userdata, &batch);
}

/* Open the file at hand and make sure that it is the one that is known. */
static int begin_part(struct reading *reading)
{
	const struct log_head *known = &reading->part.head;
	uint8_t bytes[LOG_HEAD];
	struct log_head head;
	char name[LOG_NAME];
	uint64_t size;
	size_t len;

	log_keys_done(&reading->keys);
	file_close_at(&reading->walk.file);
	log_name_write(known->first, name);
	int r = file_open(reading->log->folder, name, &reading->walk.file);
	if (r)
		return r;
	r = file_size(reading->walk.file, &size);
	if (r)
		return r;
	r = file_read(reading->walk.file, 0, bytes, sizeof(bytes), &len);
	if (r)
		return r;
	if (log_head_read(bytes, len, &head) != 0 || head.first != known->first ||
	    head.previous != known->previous || memcmp(head.id, known->id, LOG_FILE_ID) != 0)
		return log_say(reading->log->damage, known->first, 0,
			       "the header is not what was written");

	reading->walk.size = size;
	reading->walk.at = LOG_HEAD;
	reading->walk.next = known->first;
	return 0;
}

/* Read what counts of the file at hand. */
static int read_part(struct reading *reading)
{
	uint64_t last = reading->part.last < reading->until ? reading->part.last : reading->until;
	struct log_walk *walk = &reading->walk;
	struct log_frame frame;

	if (last < reading->part.head.first || last < reading->from)
		return 0;
	int r = begin_part(reading);
	while (r == 0 && walk->next <= last) {
		r = log_walk_next(walk, reading->from, &frame);
		if (r > 0)
			return log_say(reading->log->damage, reading->part.head.first, walk->at,
				       r == LOG_WALK_END ? "batches are missing"
							 : "a batch is not what was written");
		if (r == 0 && frame.position >= reading->from)
			r = hand_over(reading, &frame);
	}
	return r;
}

/* The first file that begins after a position. Returns whether there is one. */
static bool next_part(struct log *log, uint64_t after, struct log_part *ret)
{
	bool found = false;

	(void)pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->n && !found; i++) {
		found = log->parts[i].head.first > after;
		if (found)
			*ret = log->parts[i];
	}
	(void)pthread_mutex_unlock(&log->lock);
	return found;
}

int log_read(struct log *log, uint64_t from, log_batch_fn *fn, void *userdata)
{
	cleanup(reading_done) struct reading reading = {
		.log = log, .from = from, .until = log_synced(log), .fn = fn, .userdata = userdata
	};

	log->damage[0] = '\0';
	while (next_part(log, reading.part.head.first, &reading.part)) {
		int r = read_part(&reading);
		if (r)
			return r;
	}
	return 0;
}

const char *log_damage(const struct log *log)
{
	return log->damage;
}
