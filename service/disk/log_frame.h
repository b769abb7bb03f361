/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * log_frame: a log file's header and its frames' headers as bytes. Not for others than log.
 *
 * Layer 2 (service/disk). Pure functions; what is read is untrusted. Format: FORMAT.md section 2.
 */

#include <stddef.h>
#include <stdint.h>

#include "service/disk/log.h"

constexpr size_t LOG_HEAD = 64;	 /* bytes of a file's header */
constexpr size_t LOG_FRAME = 64; /* bytes of a frame's header */
constexpr size_t LOG_EXTRA = 56; /* of these, what is authenticated with the batch */
constexpr size_t LOG_NAME = 25;	 /* of a file, with its NUL: 20 digits and ".log" */
constexpr size_t LOG_FILE_ID = 16;

static const uint8_t LOG_FRAME_MAGIC[4] = { 'r', 'd', 't', 'f' };

struct log_head {
	uint8_t id[LOG_FILE_ID]; /* random */
	uint64_t first;		 /* position of the file's first batch */
	uint64_t
		previous; /* last position before it; what an older file holds after it does not count */
};

enum log_frame_type : uint8_t {
	LOG_FRAME_BATCH = 1,
	LOG_FRAME_MARK, /* only says what is durable */
};

struct log_frame {
	enum log_frame_type type;
	uint8_t kind;
	uint32_t len; /* of the batch; its sealed form is CRYPTO_TAG longer */
	uint64_t position;
	uint64_t durable; /* all up to this position was, when the frame was written */
	int64_t collection;
	uint8_t id[LOG_ID];
	uint32_t body_crc; /* of the sealed batch */
};

/* Write a file's header. */
void log_head_write(const struct log_head *head, uint8_t ret[LOG_HEAD]);

/* Check and read a file's header of len bytes. Returns 0, LOG_DAMAGED or LOG_TOO_NEW. */
[[nodiscard]] int log_head_read(const uint8_t *bytes, size_t len, struct log_head *ret);

/* Write a frame's header. The first LOG_EXTRA bytes do not depend on body_crc. */
void log_frame_write(const struct log_frame *frame, uint8_t ret[LOG_FRAME]);

/* Check and read a frame's header. Returns whether it is one; *ret is set only then. */
[[nodiscard]] bool log_frame_read(const uint8_t bytes[LOG_FRAME], struct log_frame *ret);

/* Bytes that the frame's body takes in the file. */
[[nodiscard]] uint64_t log_frame_body(const struct log_frame *frame);

/* The name of the file whose first position is given. */
void log_name_write(uint64_t first, char ret[LOG_NAME]);

/* Read a file's name. Returns whether it is one of the log's. */
[[nodiscard]] bool log_name_read(const char *name, uint64_t *ret_first);
