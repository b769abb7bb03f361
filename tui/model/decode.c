/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/decode.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "common/base.h"
#include "tui/model/rows.h"

/* Whatever sd-bus says, the message is not what it should be; only memory is our own trouble. */
static int bus_outcome(int r)
{
	return r == -ENOMEM ? -ENOMEM : DECODE_REFUSED;
}

static int rows_outcome(int r)
{
	return r > 0 ? DECODE_REFUSED : r;
}

/* Read one basic value; an end of the data where one must stand is refused, too. */
static int read_basic(sd_bus_message *message, char type, void *ret)
{
	int r = sd_bus_message_read_basic(message, type, ret);

	return r > 0 ? 0 : bus_outcome(r);
}

static int read_text(sd_bus_message *message, struct rows *rows, const char *key)
{
	const char *text = nullptr;
	int r = read_basic(message, 's', &text);

	return r ? r : rows_outcome(rows_add_text(rows, key, text));
}

static int read_number(sd_bus_message *message, struct rows *rows, const char *key)
{
	uint64_t number = 0;
	int r = read_basic(message, 't', &number);

	return r ? r : rows_outcome(rows_add_number(rows, key, number));
}

static int read_small_number(sd_bus_message *message, struct rows *rows, const char *key)
{
	uint32_t number = 0;
	int r = read_basic(message, 'u', &number);

	return r ? r : rows_outcome(rows_add_number(rows, key, number));
}

static int read_flag(sd_bus_message *message, struct rows *rows, const char *key)
{
	int flag = 0;
	int r = read_basic(message, 'b', &flag);

	return r ? r : rows_outcome(rows_add_flag(rows, key, flag != 0));
}

static int read_list(sd_bus_message *message, struct rows *rows, const char *key)
{
	int r = sd_bus_message_enter_container(message, 'a', "s");
	if (r <= 0)
		return bus_outcome(r);

	r = rows_outcome(rows_add_list(rows, key));
	while (r == 0) {
		const char *item = nullptr;

		r = sd_bus_message_read_basic(message, 's', &item);
		if (r == 0)
			return sd_bus_message_exit_container(message) < 0 ? DECODE_REFUSED : 0;
		r = r < 0 ? bus_outcome(r) : rows_outcome(rows_add_item(rows, item));
	}
	return r;
}

static const struct {
	const char *type;
	int (*read)(sd_bus_message *message, struct rows *rows, const char *key);
} VALUES[] = {
	{ "s", read_text }, { "t", read_number }, { "u", read_small_number },
	{ "b", read_flag }, { "as", read_list },
};

/* The value of one entry, which the message stands in front of. */
static int read_value(sd_bus_message *message, struct rows *rows, const char *key)
{
	const char *contents = nullptr;
	int r = sd_bus_message_peek_type(message, nullptr, &contents);

	if (r <= 0 || !contents)
		return bus_outcome(r);
	for (size_t i = 0; i < countof(VALUES); i++) {
		if (strcmp(contents, VALUES[i].type) != 0)
			continue;
		r = sd_bus_message_enter_container(message, 'v', contents);
		if (r <= 0)
			return bus_outcome(r);
		r = VALUES[i].read(message, rows, key);
		if (r)
			return r;
		r = sd_bus_message_exit_container(message);
		return r < 0 ? bus_outcome(r) : 0;
	}
	r = sd_bus_message_skip(message, "v"); /* a later release may send more than we know */
	return r < 0 ? bus_outcome(r) : 0;
}

/* One a{sv}. Returns 0, DECODE_END if there is none left, or an outcome. */
enum {
	DECODE_END = DECODE_REFUSED + 1
};

static int read_record(sd_bus_message *message, struct rows *rows)
{
	int r = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (r == 0)
		return DECODE_END;
	if (r < 0)
		return bus_outcome(r);

	r = rows_outcome(rows_add_row(rows));
	while (r == 0) {
		const char *key = nullptr;

		r = sd_bus_message_enter_container(message, 'e', "sv");
		if (r == 0)
			return sd_bus_message_exit_container(message) < 0 ? DECODE_REFUSED : 0;
		r = r < 0 ? bus_outcome(r) : read_basic(message, 's', &key);
		if (r == 0)
			r = read_value(message, rows, key);
		if (r == 0 && sd_bus_message_exit_container(message) < 0)
			r = DECODE_REFUSED;
	}
	return r;
}

static int read_records(sd_bus_message *message, struct rows *rows)
{
	int r = sd_bus_message_enter_container(message, 'a', "a{sv}");
	if (r <= 0)
		return bus_outcome(r);
	do {
		r = read_record(message, rows);
	} while (r == 0);
	return r == DECODE_END ? 0 : r;
}

static int read_one_text(sd_bus_message *message, struct rows *rows)
{
	int r = rows_outcome(rows_add_row(rows));

	return r ? r : read_text(message, rows, "text");
}

static int read_one_record(sd_bus_message *message, struct rows *rows)
{
	int r = read_record(message, rows);

	return r == DECODE_END ? DECODE_REFUSED : r;
}

static int read_nothing(sd_bus_message *message, struct rows *rows)
{
	(void)message;
	(void)rows;
	return 0;
}

int decode_reply(sd_bus_message *message, enum reply_form form, struct rows **ret)
{
	static int (*const FORMS[])(sd_bus_message *, struct rows *) = {
		[REPLY_NOTHING] = read_nothing,
		[REPLY_TEXT] = read_one_text,
		[REPLY_RECORD] = read_one_record,
		[REPLY_LIST] = read_records,
	};
	cleanup(rows_free_at) struct rows *rows = nullptr;

	int r = rows_new(&rows);
	if (r == 0)
		r = FORMS[form](message, rows);
	if (r)
		return r;

	*ret = TAKE(rows);
	return 0;
}
