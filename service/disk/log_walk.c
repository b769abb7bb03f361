/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "common/secret.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/disk/log_frame.h"
#include "service/disk/log_internal.h"

constexpr size_t PAGE = 4096;
constexpr size_t WINDOW = 1u << 18; /* read at once when searching */

static const char INFO[] = "redoubt log 1";

int log_buffer_need(struct log_buffer *buffer, size_t len)
{
	size_t room = (len + PAGE - 1) / PAGE * PAGE;

	if (len <= buffer->room)
		return 0;
	log_buffer_done(buffer);
	void *data = mmap(nullptr, room, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (data == MAP_FAILED)
		return neg_errno();
	(void)madvise(data, room, MADV_DONTDUMP); /* batches are deciphered in it */
	*buffer = (struct log_buffer) { .data = data, .room = room };
	return 0;
}

void log_buffer_done(struct log_buffer *buffer)
{
	if (buffer->data)
		(void)munmap(buffer->data, buffer->room);
	*buffer = (struct log_buffer) {};
}

/* Derive the key of a collection in a file, and set it up. */
static int make_aead(struct log *log, const uint8_t *file_id, int64_t collection,
		     struct crypto_aead **ret)
{
	auto_secret struct secret key = {}, file_key = {};

	int r = secret_init(&key, CRYPTO_KEY);
	if (r)
		return r;
	r = secret_init(&file_key, CRYPTO_KEY);
	if (r)
		return r;
	r = log->key(log->userdata, collection, key.data);
	if (r)
		return r;
	r = crypto_hkdf(key.data, key.len, (struct crypto_extra) { file_id, LOG_FILE_ID },
			(struct crypto_extra) { INFO, sizeof(INFO) - 1 }, file_key.data,
			file_key.len);
	return r ? r : crypto_aead_new(file_key.data, ret);
}

int log_keys_get(struct log *log, struct log_keys *keys, const uint8_t *file_id, int64_t collection,
		 struct crypto_aead **ret)
{
	struct log_key *at = &keys->at[(uint64_t)collection % LOG_KEYS];

	if (!at->aead || at->collection != collection) {
		struct crypto_aead *aead = nullptr;
		int r = make_aead(log, file_id, collection, &aead);

		if (r)
			return r;
		crypto_aead_free(at->aead);
		at->aead = aead;
		at->collection = collection;
	}
	*ret = at->aead;
	return 0;
}

void log_keys_done(struct log_keys *keys)
{
	for (size_t i = 0; i < LOG_KEYS; i++)
		crypto_aead_free_at(&keys->at[i].aead);
}

void log_keys_forget(struct log_keys *keys, int64_t collection)
{
	struct log_key *at = &keys->at[(uint64_t)collection % LOG_KEYS];

	if (at->aead && at->collection == collection)
		crypto_aead_free_at(&at->aead);
}

void log_nonce(uint64_t offset, uint8_t ret[CRYPTO_NONCE])
{
	memset(ret, 0, CRYPTO_NONCE);
	bytes_put(ret, offset, sizeof(offset));
}

/* Read a frame's body and compare its checksum. */
static int read_body(struct log_walk *walk, const struct log_frame *frame)
{
	size_t want = (size_t)log_frame_body(frame), len; /* at most LOG_BATCH_MAX + CRYPTO_TAG */

	int r = log_buffer_need(&walk->body, want);
	if (r)
		return r;
	r = file_read(walk->file, walk->at + LOG_FRAME, walk->body.data, want, &len);
	if (r)
		return r;
	return len == want && crc32c(walk->body.data, want) == frame->body_crc ? LOG_WALK_FRAME
									       : LOG_WALK_BAD;
}

int log_walk_next(struct log_walk *walk, uint64_t body_from, struct log_frame *ret)
{
	uint8_t bytes[LOG_FRAME];
	struct log_frame frame;
	size_t len;

	for (; walk->at < walk->size; walk->at += LOG_FRAME) {
		int r = file_read(walk->file, walk->at, bytes, sizeof(bytes), &len);
		if (r)
			return r;
		if (len < sizeof(bytes) || !log_frame_read(bytes, &frame) ||
		    frame.durable >= walk->next)
			return LOG_WALK_BAD;
		if (frame.type == LOG_FRAME_MARK)
			continue;
		if (frame.position != walk->next ||
		    log_frame_body(&frame) > walk->size - walk->at - LOG_FRAME)
			return LOG_WALK_BAD;

		r = frame.position >= body_from ? read_body(walk, &frame) : LOG_WALK_FRAME;
		if (r)
			return r;
		walk->at += LOG_FRAME + log_frame_body(&frame);
		walk->next++;
		*ret = frame;
		return LOG_WALK_FRAME;
	}
	return LOG_WALK_END;
}

/* Whether a frame that begins in window[len] says that a position was durable. */
static bool window_says(const uint8_t *window, size_t len, uint64_t position)
{
	const uint8_t *end = window + len;
	struct log_frame frame;

	while ((window = memmem(window, (size_t)(end - window), LOG_FRAME_MAGIC,
				sizeof(LOG_FRAME_MAGIC)))) {
		if ((size_t)(end - window) < LOG_FRAME)
			return false;
		if (log_frame_read(window, &frame) && frame.durable >= position)
			return true;
		window++;
	}
	return false;
}

int log_walk_was_durable(struct log_walk *walk, uint64_t position, bool *ret)
{
	auto_free uint8_t *window = malloc(WINDOW);
	size_t len;

	if (!window)
		return -ENOMEM;
	/* Windows overlap, so that a header lies wholly in one of them. */
	for (uint64_t at = walk->at; at < walk->size; at += WINDOW - LOG_FRAME + 1) {
		int r = file_read(walk->file, at, window, WINDOW, &len);
		if (r)
			return r;
		if (window_says(window, len, position)) {
			*ret = true;
			return 0;
		}
	}
	*ret = false;
	return 0;
}

int log_say(char *text, uint64_t first, uint64_t offset, const char *what)
{
	char name[LOG_NAME];

	log_name_write(first, name);
	(void)snprintf(text, LOG_DAMAGE_MAX, "%s, byte %" PRIu64 ": %s", name, offset, what);
	return LOG_DAMAGED;
}

int log_part_add(struct log *log, const struct log_part *part)
{
	if (log->n == log->room) {
		size_t room = log->room ? 2 * log->room : 16;
		struct log_part *parts = reallocarray(log->parts, room, sizeof(*parts));

		if (!parts)
			return -ENOMEM;
		log->parts = parts;
		log->room = room;
	}
	log->parts[log->n++] = *part;
	return 0;
}
