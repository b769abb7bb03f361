/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/keys.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"

bool keys_is_uuid(const char *text)
{
	for (size_t i = 0; i < KEYS_UUID - 1; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');

		if (hyphen ? text[i] != '-' : !hex)
			return false; /* the NUL of a shorter text ends here too */
	}
	return text[KEYS_UUID - 1] == '\0';
}

bool keys_is_purpose(const char *text)
{
	size_t len = strnlen(text, KEYS_PURPOSE_MAX + 1);

	return len > 0 && len <= KEYS_PURPOSE_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool has_purpose(uint16_t type)
{
	return type == KEY_DATA_NEW || type == KEY_DATA_UNWRAP || type == KEY_REWRAP;
}

static bool has_wrapped(uint16_t type)
{
	return type == KEY_DATA_UNWRAP || type == KEY_REWRAP;
}

/* Read counted bytes into ret[max]. */
static size_t read_into(struct reader *in, uint8_t *ret, size_t max)
{
	struct bytes got = read_bytes(in, max);

	if (got.len > 0)
		memcpy(ret, got.data, got.len);
	return got.len;
}

void keys_request_write(struct buf *out, uint16_t type, const struct keys_request *request)
{
	write_str(out, request->uuid);
	if (has_purpose(type))
		write_str(out, request->purpose);
	if (has_wrapped(type))
		write_bytes(out, request->wrapped, request->wrapped_len);
}

bool keys_request_read(uint16_t type, const void *data, size_t len, struct keys_request *ret)
{
	struct reader in = reader_make(data, len);

	*ret = (struct keys_request) {};
	read_str(&in, ret->uuid, sizeof(ret->uuid));
	if (has_purpose(type))
		read_str(&in, ret->purpose, sizeof(ret->purpose));
	if (has_wrapped(type))
		ret->wrapped_len = read_into(&in, ret->wrapped, sizeof(ret->wrapped));
	return reader_end(&in) && keys_is_uuid(ret->uuid) &&
	       (!has_purpose(type) || keys_is_purpose(ret->purpose));
}

void keys_answer_write(struct buf *out, const struct keys_answer *answer)
{
	write_u8(out, answer->status);
	write_bytes(out, answer->key, answer->has_key ? sizeof(answer->key) : 0);
	write_bytes(out, answer->wrapped, answer->wrapped_len);
}

bool keys_answer_read(const void *data, size_t len, struct keys_answer *ret)
{
	struct reader in = reader_make(data, len);
	uint8_t status = read_u8(&in);

	*ret = (struct keys_answer) {};
	size_t key_len = read_into(&in, ret->key, sizeof(ret->key));
	ret->wrapped_len = read_into(&in, ret->wrapped, sizeof(ret->wrapped));
	if (!reader_end(&in) || status >= KEYS_STATUS_COUNT ||
	    (key_len != 0 && key_len != sizeof(ret->key)))
		return false;
	ret->status = (enum keys_status)status;
	ret->has_key = key_len != 0;
	return true;
}
