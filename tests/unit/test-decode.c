/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tui/model/decode.h"
#include "tui/model/rows.h"

/* Messages are made without a bus: the other end of this one is never answered. */
static sd_bus *bus;

static bool open_bus(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0 &&
	       sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[0], pair[0]) >= 0 &&
	       sd_bus_start(bus) >= 0;
}

static sd_bus_message *message(void)
{
	sd_bus_message *made = nullptr;

	(void)sd_bus_message_new_method_call(bus, &made, "org.redoubt.Test", "/",
					     "org.redoubt.Test", "Test");
	return made;
}

static bool finish(sd_bus_message *made)
{
	return sd_bus_message_seal(made, 1, 0) >= 0 && sd_bus_message_rewind(made, true) >= 0;
}

static sd_bus_message *two_people(void)
{
	sd_bus_message *made = message();

	(void)sd_bus_message_append(made, "aa{sv}", 2, 4, "name", "s", "ann", "uid", "t",
				    (uint64_t)20000, "roles", "as", 2, "admin", "member", "here",
				    "b", 1, 2, "name", "s", "ben", "odd", "d", 0.5);
	return finish(made) ? made : nullptr;
}

static bool a_list_of_records_is_decoded(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;
	sd_bus_message *made = two_people();

	CHECK(made);
	CHECK_EQ(decode_reply(made, REPLY_LIST, &rows), 0);
	sd_bus_message_unref(made);
	CHECK_EQ(rows_count(rows), 2);
	CHECK_EQ(rows_number(rows, 0, "uid"), 20000);
	CHECK_EQ(rows_list_count(rows, 0, "roles"), 2);
	CHECK(rows_flag(rows, 0, "here"));
	CHECK(strcmp(rows_text(rows, 1, "name"), "ben") == 0);
	return true;
}

static bool a_value_of_a_kind_that_nobody_shows_is_left_out(void)
{
	cleanup(rows_free_at) struct rows *rows = nullptr;
	sd_bus_message *made = two_people();

	CHECK_EQ(decode_reply(made, REPLY_LIST, &rows), 0);
	sd_bus_message_unref(made);
	CHECK_EQ(rows_fields(rows, 1), 1);
	return true;
}

static bool a_record_and_a_text_are_decoded(void)
{
	cleanup(rows_free_at) struct rows *record = nullptr;
	cleanup(rows_free_at) struct rows *text = nullptr;
	sd_bus_message *made = message();

	(void)sd_bus_message_append(made, "a{sv}", 1, "key", "s", "rdt_x");
	CHECK(finish(made));
	CHECK_EQ(decode_reply(made, REPLY_RECORD, &record), 0);
	sd_bus_message_unref(made);
	CHECK(strcmp(rows_text(record, 0, "key"), "rdt_x") == 0);

	made = message();
	(void)sd_bus_message_append(made, "s", "PEM");
	CHECK(finish(made));
	CHECK_EQ(decode_reply(made, REPLY_TEXT, &text), 0);
	sd_bus_message_unref(made);
	CHECK(strcmp(rows_text(text, 0, "text"), "PEM") == 0);
	return true;
}

static bool another_type_than_promised_is_refused(void)
{
	static const enum reply_form FORMS[] = { REPLY_TEXT, REPLY_RECORD, REPLY_LIST };

	for (size_t i = 0; i < countof(FORMS); i++) {
		struct rows *rows = nullptr;
		sd_bus_message *made = message();

		(void)sd_bus_message_append(made, "ai", 2, 1, 2);
		CHECK(finish(made));
		CHECK_EQ(decode_reply(made, FORMS[i], &rows), DECODE_REFUSED);
		sd_bus_message_unref(made);

		made = message(); /* and nothing at all */
		CHECK(finish(made));
		CHECK_EQ(decode_reply(made, FORMS[i], &rows), DECODE_REFUSED);
		sd_bus_message_unref(made);
		CHECK(!rows);
	}
	return true;
}

static bool more_records_than_the_limit_are_refused(void)
{
	struct rows *rows = nullptr;
	sd_bus_message *made = message();

	(void)sd_bus_message_open_container(made, 'a', "a{sv}");
	for (size_t i = 0; i <= ROWS_MAX; i++)
		(void)sd_bus_message_append(made, "a{sv}", 0);
	(void)sd_bus_message_close_container(made);
	CHECK(finish(made));
	CHECK_EQ(decode_reply(made, REPLY_LIST, &rows), DECODE_REFUSED);
	sd_bus_message_unref(made);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(rows_free_at) struct rows *rows = nullptr;
		sd_bus_message *made = two_people();

		CHECK(made);
		fault_at(n);
		int r = decode_reply(made, REPLY_LIST, &rows);
		bool failed = fault_end();

		sd_bus_message_unref(made);
		if (!failed)
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!rows);
	}
}

int main(void)
{
	if (!open_bus()) {
		printf("Bail out! no bus object\n");
		return 1;
	}
	RUN(a_list_of_records_is_decoded);
	RUN(a_value_of_a_kind_that_nobody_shows_is_left_out);
	RUN(a_record_and_a_text_are_decoded);
	RUN(another_type_than_promised_is_refused);
	RUN(more_records_than_the_limit_are_refused);
	RUN(every_failed_allocation_is_survived);
	(void)sd_bus_close_unref(bus);
	return tap_done();
}
