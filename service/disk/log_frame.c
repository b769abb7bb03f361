/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/log_frame.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "service/disk/log.h"

/* FORMAT.md section 2: where the fields are. */
enum {
	HEAD_VERSION = 8,
	HEAD_CIPHER = 10,
	HEAD_ID = 16,
	HEAD_FIRST = 32,
	HEAD_PREVIOUS = 40,
	HEAD_CRC = 60,

	FRAME_TYPE = 4,
	FRAME_KIND = 5,
	FRAME_LEN = 8,
	FRAME_POSITION = 16,
	FRAME_DURABLE = 24,
	FRAME_COLLECTION = 32,
	FRAME_ID = 40,
	FRAME_BODY_CRC = 56,
	FRAME_CRC = 60,
};

static const uint8_t HEAD_MAGIC[HEAD_VERSION] = { 'r', 'd', 't', '-', 'l', 'o', 'g', '\n' };

constexpr uint16_t VERSION = 1;
constexpr uint16_t CIPHER = 1; /* HKDF-SHA-256 and AES-256-GCM */
constexpr size_t CRC = sizeof(uint32_t);
constexpr uint64_t FIRST_MAX = INT64_MAX; /* no log gets there; counting on from it cannot wrap */

static_assert(HEAD_CRC + CRC == LOG_HEAD && FRAME_CRC + CRC == LOG_FRAME);
static_assert(FRAME_BODY_CRC == LOG_EXTRA);
static_assert(LOG_BATCH_MAX <= UINT32_MAX && LOG_BATCH_MAX <= CRYPTO_AEAD_MAX);

static uint64_t get(const uint8_t *at, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

void log_head_write(const struct log_head *head, uint8_t ret[LOG_HEAD])
{
	memset(ret, 0, LOG_HEAD);
	memcpy(ret, HEAD_MAGIC, sizeof(HEAD_MAGIC));
	bytes_put(ret + HEAD_VERSION, VERSION, sizeof(VERSION));
	bytes_put(ret + HEAD_CIPHER, CIPHER, sizeof(CIPHER));
	memcpy(ret + HEAD_ID, head->id, LOG_FILE_ID);
	bytes_put(ret + HEAD_FIRST, head->first, sizeof(head->first));
	bytes_put(ret + HEAD_PREVIOUS, head->previous, sizeof(head->previous));
	bytes_put(ret + HEAD_CRC, crc32c(ret, HEAD_CRC), CRC);
}

int log_head_read(const uint8_t *bytes, size_t len, struct log_head *ret)
{
	struct log_head head = {};

	if (len < LOG_HEAD || memcmp(bytes, HEAD_MAGIC, sizeof(HEAD_MAGIC)) != 0 ||
	    get(bytes + HEAD_CRC, CRC) != crc32c(bytes, HEAD_CRC))
		return LOG_DAMAGED;
	if (get(bytes + HEAD_VERSION, sizeof(VERSION)) > VERSION)
		return LOG_TOO_NEW;

	memcpy(head.id, bytes + HEAD_ID, LOG_FILE_ID);
	head.first = get(bytes + HEAD_FIRST, sizeof(head.first));
	head.previous = get(bytes + HEAD_PREVIOUS, sizeof(head.previous));
	if (get(bytes + HEAD_VERSION, sizeof(VERSION)) != VERSION ||
	    get(bytes + HEAD_CIPHER, sizeof(CIPHER)) != CIPHER || head.first <= head.previous ||
	    head.first > FIRST_MAX)
		return LOG_DAMAGED;
	*ret = head;
	return 0;
}

void log_frame_write(const struct log_frame *frame, uint8_t ret[LOG_FRAME])
{
	memset(ret, 0, LOG_FRAME);
	memcpy(ret, LOG_FRAME_MAGIC, sizeof(LOG_FRAME_MAGIC));
	ret[FRAME_TYPE] = frame->type;
	ret[FRAME_KIND] = frame->kind;
	bytes_put(ret + FRAME_LEN, frame->len, sizeof(frame->len));
	bytes_put(ret + FRAME_POSITION, frame->position, sizeof(frame->position));
	bytes_put(ret + FRAME_DURABLE, frame->durable, sizeof(frame->durable));
	bytes_put(ret + FRAME_COLLECTION, (uint64_t)frame->collection, sizeof(uint64_t));
	memcpy(ret + FRAME_ID, frame->id, LOG_ID);
	bytes_put(ret + FRAME_BODY_CRC, frame->body_crc, CRC);
	bytes_put(ret + FRAME_CRC, crc32c(ret, FRAME_CRC), CRC);
}

bool log_frame_read(const uint8_t bytes[LOG_FRAME], struct log_frame *ret)
{
	if (memcmp(bytes, LOG_FRAME_MAGIC, sizeof(LOG_FRAME_MAGIC)) != 0 ||
	    get(bytes + FRAME_CRC, CRC) != crc32c(bytes, FRAME_CRC) ||
	    (bytes[FRAME_TYPE] != LOG_FRAME_BATCH && bytes[FRAME_TYPE] != LOG_FRAME_MARK))
		return false;

	struct log_frame frame = {
		.type = bytes[FRAME_TYPE],
		.kind = bytes[FRAME_KIND],
		.len = (uint32_t)get(bytes + FRAME_LEN, sizeof(uint32_t)),
		.position = get(bytes + FRAME_POSITION, sizeof(uint64_t)),
		.durable = get(bytes + FRAME_DURABLE, sizeof(uint64_t)),
		.collection = (int64_t)get(bytes + FRAME_COLLECTION, sizeof(uint64_t)),
		.body_crc = (uint32_t)get(bytes + FRAME_BODY_CRC, CRC),
	};
	memcpy(frame.id, bytes + FRAME_ID, LOG_ID);
	if (frame.type == LOG_FRAME_MARK
		    ? frame.len > 0 || frame.position > 0
		    : frame.len > LOG_BATCH_MAX || frame.durable >= frame.position)
		return false;
	*ret = frame;
	return true;
}

uint64_t log_frame_body(const struct log_frame *frame)
{
	return frame->type == LOG_FRAME_BATCH ? (uint64_t)frame->len + CRYPTO_TAG : 0;
}

void log_name_write(uint64_t first, char ret[LOG_NAME])
{
	(void)snprintf(ret, LOG_NAME, "%020" PRIu64 ".log", first);
}

bool log_name_read(const char *name, uint64_t *ret_first)
{
	char again[LOG_NAME];

	/* Whatever strtoull makes of it: only the one right way to write a number passes. */
	uint64_t first = strtoull(name, nullptr, 10);
	log_name_write(first, again);
	if (strcmp(name, again) != 0)
		return false;
	*ret_first = first;
	return true;
}
