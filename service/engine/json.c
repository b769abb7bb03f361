/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/clock.h"

/* Put the comma that is due and the key. */
static void begin(struct buf *out, const char *key)
{
	uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		buf_add_str(out, ",");
	if (key) {
		buf_add_json(out, key, strlen(key));
		buf_add_str(out, ":");
	}
}

void json_open(struct buf *out, const char *key)
{
	begin(out, key);
	buf_add_str(out, "{");
}

void json_close(struct buf *out)
{
	buf_add_str(out, "}");
}

void json_open_list(struct buf *out, const char *key)
{
	begin(out, key);
	buf_add_str(out, "[");
}

void json_close_list(struct buf *out)
{
	buf_add_str(out, "]");
}

void json_text(struct buf *out, const char *key, const char *text)
{
	begin(out, key);
	if (text)
		buf_add_json(out, text, strlen(text));
	else
		buf_add_str(out, "null");
}

void json_piece(struct buf *out, const char *key, const char *text, size_t len)
{
	begin(out, key);
	buf_add_json(out, text, len);
}

void json_int(struct buf *out, const char *key, int64_t number)
{
	begin(out, key);
	buf_addf(out, "%" PRIi64, number);
}

void json_bool(struct buf *out, const char *key, bool value)
{
	begin(out, key);
	buf_add_str(out, value ? "true" : "false");
}

void json_null(struct buf *out, const char *key)
{
	begin(out, key);
	buf_add_str(out, "null");
}

void json_raw(struct buf *out, const char *key, const char *json, size_t len)
{
	begin(out, key);
	buf_add(out, json, len);
}

void json_time(struct buf *out, const char *key, uint64_t wall_us)
{
	char text[CLOCK_TEXT];

	clock_text_s(wall_us, text);
	json_text(out, key, text);
}
