/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/log.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "common/crypto/crypto.h"
#include "service/disk/file.h"
#include "service/disk/log_frame.h"
#include "service/disk/log_internal.h"

constexpr size_t BUFFER_KEPT = 4u << 20; /* memory kept between appends */
constexpr uint64_t TRIM_MIN = 1u << 20; /* a newest file smaller than this is not worth replacing */

/* Write a new file's header and make it durable, before anything can depend on it. */
static int write_head(struct log *log, struct file *file, const struct log_head *head)
{
	uint8_t bytes[LOG_HEAD];

	log_head_write(head, bytes);
	int r = file_write(file, 0, bytes, sizeof(bytes));
	if (r)
		return r;
	r = file_sync(file);
	return r ? r : folder_sync(log->folder);
}

/* Put the new file on the list; what the one before it holds beyond previous does not count. */
static int add_part(struct log *log, const struct log_head *head)
{
	struct log_part part = { .head = *head, .last = head->previous, .size = LOG_HEAD };

	(void)pthread_mutex_lock(&log->lock);
	int r = log_part_add(log, &part);
	if (r == 0 && log->n > 1)
		log->parts[log->n - 2].last = head->previous;
	(void)pthread_mutex_unlock(&log->lock);
	return r;
}

/*
 * Begin a file after position previous. Called with the order. If it fails, the old file is not appended to any more
 * either, and the position is used up, so that no name is used twice and a file's positions have no gap.
 */
static int begin_file(struct log *log, uint64_t previous)
{
	struct log_head head = { .first = log->next, .previous = previous };
	cleanup(file_close_at) struct file *file = nullptr;
	char name[LOG_NAME];

	file_close_at(&log->file);
	log_keys_done(&log->keys);
	log_name_write(head.first, name);
	int r = crypto_random(head.id, sizeof(head.id));
	if (r)
		return r;
	r = file_create(log->folder, name, &file);
	if (r == 0)
		r = write_head(log, file, &head);
	if (r == 0)
		r = add_part(log, &head);
	if (r) {
		if (file)
			(void)folder_remove(log->folder, name);
		log->next++;
		return r;
	}
	log->file = TAKE(file);
	log->end = LOG_HEAD;
	return 0;
}

/* See to it that len more bytes go into a file. Called with the order. */
static int need_file(struct log *log, uint64_t len)
{
	if (log->file && (log->end == LOG_HEAD || log->end + len <= log->file_max))
		return 0;
	(void)pthread_mutex_lock(&log->lock);
	uint64_t last = log->appended;
	(void)pthread_mutex_unlock(&log->lock);

	/* The new file will say that all before it is durable. */
	int r = log_sync(log, last);
	return r ? r : begin_file(log, last);
}

/* Seal a batch as the next frame into the buffer. Returns 0 or -errno; nothing has happened then. */
static int seal(struct log *log, const struct log_batch *batch, size_t *ret_len)
{
	const uint8_t *file_id = log->parts[log->n - 1].head.id; /* changes with the order only */
	uint8_t nonce[CRYPTO_NONCE];
	struct crypto_aead *aead = nullptr;
	struct log_frame frame = { .type = LOG_FRAME_BATCH,
				   .kind = batch->kind,
				   .len = (uint32_t)batch->len,
				   .position = log->next,
				   .durable = log_synced(log),
				   .collection = batch->collection };
	size_t len = LOG_FRAME + batch->len + CRYPTO_TAG;

	memcpy(frame.id, batch->id, LOG_ID);
	int r = log_keys_get(log, &log->keys, file_id, batch->collection, &aead);
	if (r)
		return r > 0 ? -ENOENT : r;
	r = log_buffer_need(&log->buffer, len);
	if (r)
		return r;

	uint8_t *head = log->buffer.data, *body = head + LOG_FRAME;
	log_frame_write(&frame, head);
	log_nonce(log->end, nonce);
	r = crypto_aead_seal(aead, nonce, (struct crypto_extra) { head, LOG_EXTRA }, batch->data,
			     batch->len, body);
	if (r)
		return r;
	frame.body_crc = crc32c(body, len - LOG_FRAME);
	log_frame_write(&frame, head);
	*ret_len = len;
	return 0;
}

/* Write the frame in the buffer. Once this fails, the file's end is unknown and its nonce is used: no more appends. */
static int write_frame(struct log *log, size_t len)
{
	int r = file_write(log->file, log->end, log->buffer.data, len);
	uint64_t position = log->next++;

	(void)pthread_mutex_lock(&log->lock);
	if (r == 0) {
		log->end += len;
		log->appended = position;
		log->parts[log->n - 1].last = position;
		log->parts[log->n - 1].size = log->end;
	} else {
		log->failed = true;
	}
	(void)pthread_mutex_unlock(&log->lock);
	return r;
}

bool log_has_failed(struct log *log)
{
	(void)pthread_mutex_lock(&log->lock);
	bool failed = log->failed;
	(void)pthread_mutex_unlock(&log->lock);
	return failed;
}

/* Append, with the order. */
static int append(struct log *log, const struct log_batch *batch, uint64_t *ret_position)
{
	size_t len;

	if (log_has_failed(log))
		return -EROFS;
	int r = need_file(log, LOG_FRAME + batch->len + CRYPTO_TAG);
	if (r)
		return r;
	r = seal(log, batch, &len);
	if (r)
		return r;
	r = write_frame(log, len);
	if (r)
		return r;
	*ret_position = log->next - 1;
	return 0;
}

int log_append(struct log *log, const struct log_batch *batch, uint64_t *ret_position)
{
	if (batch->len > LOG_BATCH_MAX)
		return -EMSGSIZE;

	(void)pthread_mutex_lock(&log->order);
	int r = append(log, batch, ret_position);
	if (log->buffer.room > BUFFER_KEPT)
		log_buffer_done(&log->buffer);
	(void)pthread_mutex_unlock(&log->order);
	return r;
}

/*
 * Note in the file what is durable, if nobody is about to append a frame that says so. It lets log_open() tell damage to
 * the last batches from a crash while they were written. Not synced, and no harm if it fails: it is written over then.
 */
static void mark(struct log *log)
{
	struct log_frame frame = { .type = LOG_FRAME_MARK };
	uint8_t bytes[LOG_FRAME];

	if (pthread_mutex_trylock(&log->order) != 0)
		return;
	(void)pthread_mutex_lock(&log->lock);
	bool idle = log->file && !log->failed && log->synced == log->appended;
	frame.durable = log->synced;
	(void)pthread_mutex_unlock(&log->lock);

	log_frame_write(&frame, bytes);
	if (idle && file_write(log->file, log->end, bytes, sizeof(bytes)) == 0) {
		(void)pthread_mutex_lock(&log->lock);
		log->end += sizeof(bytes);
		log->parts[log->n - 1].size = log->end;
		(void)pthread_mutex_unlock(&log->lock);
	}
	(void)pthread_mutex_unlock(&log->order);
}

/* Sync for all that wait. Called and returns with the lock. */
static void lead(struct log *log)
{
	uint64_t target = log->appended;
	struct file *file = log->file; /* stays until nothing in it is left to sync */

	log->syncing = true;
	(void)pthread_mutex_unlock(&log->lock);
	int r = file_sync(file);
	(void)pthread_mutex_lock(&log->lock);

	log->syncing = false;
	if (r == 0) {
		log->synced = target;
	} else {
		log->sync_error = r;
		log->failed = true;
	}
	(void)pthread_cond_broadcast(&log->changed);
}

int log_sync(struct log *log, uint64_t position)
{
	bool led = false;
	int r = 0;

	(void)pthread_mutex_lock(&log->lock);
	while (r == 0) {
		if (position >= log->lost_first && position <= log->lost_last)
			r = -EIO;
		else if (position <= log->synced)
			break;
		else if (log->sync_error)
			r = log->sync_error;
		else if (position > log->appended)
			r = -EINVAL;
		else if (log->syncing)
			(void)pthread_cond_wait(&log->changed, &log->lock);
		else {
			lead(log);
			led = true;
		}
	}
	(void)pthread_mutex_unlock(&log->lock);
	if (led && r == 0)
		mark(log);
	return r;
}

uint64_t log_synced(struct log *log)
{
	(void)pthread_mutex_lock(&log->lock);
	uint64_t synced = log->synced;
	(void)pthread_mutex_unlock(&log->lock);
	return synced;
}

/* Give up what is not durable. Returns the last position that is. */
static uint64_t give_up(struct log *log)
{
	(void)pthread_mutex_lock(&log->lock);
	while (log->syncing)
		(void)pthread_cond_wait(&log->changed, &log->lock);
	if (!log->sync_error)
		log->sync_error = -EIO; /* whoever still waits hears it */
	if (log->next - 1 > log->synced) {
		log->lost_first = log->synced + 1;
		log->lost_last = log->next - 1;
	}
	log->appended = log->synced;
	uint64_t synced = log->synced;
	(void)pthread_cond_broadcast(&log->changed);
	(void)pthread_mutex_unlock(&log->lock);
	return synced;
}

int log_reset(struct log *log)
{
	int r = 0;

	(void)pthread_mutex_lock(&log->order);
	if (log_has_failed(log)) {
		r = begin_file(log, give_up(log));
		(void)pthread_mutex_lock(&log->lock);
		if (r == 0) {
			log->failed = false;
			log->sync_error = 0;
		}
		(void)pthread_mutex_unlock(&log->lock);
	}
	(void)pthread_mutex_unlock(&log->order);
	return r;
}

/* The oldest file, if all of it is before a position and another follows. */
static bool is_past(struct log *log, uint64_t position, uint64_t *ret_first)
{
	(void)pthread_mutex_lock(&log->lock);
	bool past = log->n > 1 && log->parts[0].last < position;
	if (past)
		*ret_first = log->parts[0].head.first;
	(void)pthread_mutex_unlock(&log->lock);
	return past;
}

static void drop_oldest(struct log *log)
{
	(void)pthread_mutex_lock(&log->lock);
	log->n--;
	memmove(log->parts, log->parts + 1, log->n * sizeof(log->parts[0]));
	(void)pthread_mutex_unlock(&log->lock);
}

/* Whether the newest file is all past, durable and worth replacing by an empty one, which keeps count of positions. */
static bool newest_is_past(struct log *log, uint64_t position)
{
	(void)pthread_mutex_lock(&log->lock);
	bool past = log->n > 0 && !log->failed && log->appended == log->synced &&
		    log->synced < position && log->parts[log->n - 1].size >= TRIM_MIN;
	(void)pthread_mutex_unlock(&log->lock);
	return past;
}

/* Trim, with the order. Oldest first, so that a crash leaves no gap. */
static int trim(struct log *log, uint64_t position)
{
	char name[LOG_NAME];
	bool removed = false;
	uint64_t first;

	if (newest_is_past(log, position)) {
		int r = begin_file(log, log_synced(log));
		if (r)
			return r;
	}
	while (is_past(log, position, &first)) {
		log_name_write(first, name);
		int r = folder_remove(log->folder, name);
		if (r && r != -ENOENT)
			return r;
		drop_oldest(log);
		removed = true;
	}
	return removed ? folder_sync(log->folder) : 0;
}

int log_trim(struct log *log, uint64_t position)
{
	(void)pthread_mutex_lock(&log->order);
	int r = trim(log, position);
	(void)pthread_mutex_unlock(&log->order);
	return r;
}

void log_forget(struct log *log, int64_t collection)
{
	(void)pthread_mutex_lock(&log->order);
	log_keys_forget(&log->keys, collection);
	(void)pthread_mutex_unlock(&log->order);
}

uint64_t log_size(struct log *log)
{
	uint64_t size = 0;

	(void)pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->n; i++)
		size += log->parts[i].size;
	(void)pthread_mutex_unlock(&log->lock);
	return size;
}
