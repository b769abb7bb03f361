/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/decode.h"
#include "tui/model/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sd_bus *bus;

static bool open_bus(void)
{
	int pair[2];

	return bus ||
	       (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0 &&
		sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[0], pair[0]) >= 0 &&
		sd_bus_start(bus) >= 0);
}

/* What a service that keeps to no promise may put together: the input is a little program. */
static void build(sd_bus_message *message, const uint8_t *data, size_t size)
{
	static const char *const TYPES[] = {
		"a{sv}", "{sv}", "s", "as", "v", "a{sv}", "t", "(si)"
	};
	static const char KINDS[] = "aevr";
	char text[64];

	for (size_t i = 0; i < size; i++) {
		uint8_t op = data[i] & 7;
		const char *type = TYPES[data[i] >> 3 & 7];

		if (op <= 3) {
			(void)!sd_bus_message_open_container(message, KINDS[op], type);
		} else if (op == 4) {
			(void)!sd_bus_message_close_container(message);
		} else if (op == 5) {
			size_t n = data[i] >> 3;

			n = n < size - i ? n : size - i - 1;
			memcpy(text, data + i + 1, n);
			text[n] = '\0';
			(void)!sd_bus_message_append_basic(message, 's', text);
			i += n;
		} else if (op == 6) {
			(void)!sd_bus_message_append(message, "t", (uint64_t)data[i]);
		} else {
			(void)!sd_bus_message_append(message, "{sv}", "roles", "as", 2, "a", "b");
		}
	}
	for (size_t i = 0; i < 8; i++)
		(void)!sd_bus_message_close_container(message);
}

/* Any body at all: it is refused, or becomes rows that can be read and written as JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum reply_form FORMS[] = { REPLY_TEXT, REPLY_RECORD, REPLY_LIST };
	sd_bus_message *message = nullptr;

	if (!open_bus() || size > 4096 ||
	    sd_bus_message_new_method_call(bus, &message, "a.b", "/", "a.b", "C") < 0)
		return 0;
	build(message, data, size);
	if (sd_bus_message_seal(message, 1, 0) < 0) {
		sd_bus_message_unref(message);
		return 0;
	}
	for (size_t f = 0; f < countof(FORMS); f++) {
		cleanup(rows_free_at) struct rows *rows = nullptr;
		auto_buf struct buf out = buf_make(1u << 20);

		if (sd_bus_message_rewind(message, true) < 0 ||
		    decode_reply(message, FORMS[f], &rows) != 0)
			continue;
		for (size_t i = 0; i < rows_count(rows); i++) {
			rows_json(rows, i, &out);
			for (size_t j = 0; j < rows_fields(rows, i); j++)
				rows_show(rows, i, rows_key(rows, i, j), &out);
		}
		for (size_t i = 0; i < out.len; i++)
			if (out.data[i] == 0)
				abort();
	}
	sd_bus_message_unref(message);
	return 0;
}
