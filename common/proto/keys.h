/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keys: what engine asks of redoubt-keys, the key daemon.
 *
 * Layer 1 (common/proto). Encoders and decoders; a decoder checks every length and text. One
 * request, one answer with the same id. A request's type says which of its fields it has.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t KEYS_DATA_KEY = 32;
constexpr size_t KEYS_UUID = 37; /* with its NUL */
constexpr size_t KEYS_PURPOSE_MAX = 32;
constexpr size_t KEYS_WRAPPED_MAX = 128;
/* No request and no answer is longer: counts of three fields, a uuid, a purpose, wrapped bytes. */
constexpr size_t KEYS_PAYLOAD_MAX = 12 + 36 + KEYS_PURPOSE_MAX + KEYS_WRAPPED_MAX;

enum : uint16_t {
	KEY_CREATE = 0x0701,	  /* uuid */
	KEY_DATA_NEW = 0x0702,	  /* uuid, purpose → data key, wrapped */
	KEY_DATA_UNWRAP = 0x0703, /* uuid, purpose, wrapped → data key */
	KEY_ROTATE = 0x0704,	  /* uuid */
	KEY_REWRAP = 0x0705,	  /* uuid, purpose, wrapped → wrapped */
	KEY_DESTROY = 0x0706,	  /* uuid */
	KEY_ANSWER = 0x0707,	  /* keys → engine: struct keys_answer */
};

enum keys_status : uint8_t {
	KEYS_STATUS_OK,
	KEYS_STATUS_ABSENT,	   /* no key of this collection */
	KEYS_STATUS_NOT_AUTHENTIC, /* the wrapped bytes */
	KEYS_STATUS_PROVIDER,	   /* the provider did not do it */
	KEYS_STATUS_LEDGER,	   /* the ledger did not take the event; nothing was done */
	KEYS_STATUS_FULL,	   /* the collection's key has as many versions as it may have */
	KEYS_STATUS_FAULT,	   /* disk or memory; the log says more */
	KEYS_STATUS_COUNT,
};

struct keys_request {
	char uuid[KEYS_UUID];
	char purpose[KEYS_PURPOSE_MAX + 1];
	size_t wrapped_len;
	uint8_t wrapped[KEYS_WRAPPED_MAX];
};

struct keys_answer {
	enum keys_status status;
	bool has_key; /* key is set */
	uint8_t key[KEYS_DATA_KEY];
	size_t wrapped_len;
	uint8_t wrapped[KEYS_WRAPPED_MAX];
};

/* Whether text is a uuid in lower case, 8-4-4-4-12 hexadecimal digits. Source: RFC 9562 section 4. */
[[nodiscard]] bool keys_is_uuid(const char *text);

/* Whether text may be a purpose: 1 to KEYS_PURPOSE_MAX of a-z, 0-9 and -. */
[[nodiscard]] bool keys_is_purpose(const char *text);

/* Append the encoding of a request of this type; a failure sticks to out. */
void keys_request_write(struct buf *out, uint16_t type, const struct keys_request *request);

/* Decode a whole payload of a request of this type. Returns whether it was well-formed. */
[[nodiscard]] bool keys_request_read(uint16_t type, const void *data, size_t len,
				     struct keys_request *ret);

/* Append the encoding; a failure sticks to out. The caller wipes out when it holds a key. */
void keys_answer_write(struct buf *out, const struct keys_answer *answer);

/* Decode a whole payload. Returns whether it was well-formed. */
[[nodiscard]] bool keys_answer_read(const void *data, size_t len, struct keys_answer *ret);
