/* SPDX-License-Identifier: Apache-2.0 */
#include "service/api/error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* Whether the error's JSON is exactly this text. */
static bool writes(const struct error *error, const char *want)
{
	auto_buf struct buf out = buf_make(ERROR_BODY_MAX);

	error_write(&out, error);
	const char *got = buf_text(&out);
	CHECK(got);
	if (strcmp(got, want) != 0)
		printf("# got %s\n", got);
	return strcmp(got, want) == 0;
}

static bool every_key_is_there_even_when_there_is_nothing_to_say(void)
{
	return writes(&(struct error) { .type = ERROR_NOTFOUND, .request_id = "r-1" },
		      "{\"message\":\"There is nothing here.\",\"message_key\":null,"
		      "\"type\":\"NOTFOUND\",\"line\":null,\"column\":null,\"trace_id\":\"r-1\","
		      "\"error_id\":null,\"query_id\":null,\"internal_errors\":null}");
}

static bool a_query_error_says_where(void)
{
	return writes(
		&(struct error) { .type = ERROR_QUERY_ERROR,
				  .message = "Function `COUT` not found.",
				  .message_key = "KEY",
				  .line = 1,
				  .column = 8,
				  .error_id = "function_not_found",
				  .query_id = "q:0",
				  .hint = "Did you mean `COUNT`?" },
		"{\"message\":\"Function `COUT` not found.\",\"message_key\":\"KEY\","
		"\"type\":\"QUERY_ERROR\",\"line\":1,\"column\":8,\"trace_id\":\"\","
		"\"error_id\":\"function_not_found\",\"query_id\":\"q:0\",\"hint\":\"Did you mean `COUNT`?\","
		"\"internal_errors\":null}");
}

static bool what_would_break_the_json_is_escaped(void)
{
	auto_buf struct buf out = buf_make(ERROR_BODY_MAX);

	error_write(&out,
		    &(struct error) { .type = ERROR_BADREQUEST, .message = "a\"\\\n\x01\xff" });
	const char *got = buf_text(&out);
	CHECK(got);
	CHECK(strstr(got, "\"message\":\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBD\""));
	return true;
}

static bool a_long_message_is_cut_and_fits(void)
{
	char message[4000];
	auto_buf struct buf out = buf_make(ERROR_BODY_MAX);

	memset(message, '\x01', sizeof(message) - 1); /* six bytes each when escaped */
	message[sizeof(message) - 1] = '\0';
	error_write(&out, &(struct error) { .type = ERROR_BADREQUEST, .message = message });
	CHECK_EQ(buf_error(&out), 0);
	CHECK(out.len > (size_t)6 * 2048);
	return true;
}

static bool every_type_has_a_name_a_status_and_a_sentence(void)
{
	for (size_t i = 0; i < ERROR_TYPE_COUNT; i++) {
		auto type = (enum error_type)i;
		auto_buf struct buf out = buf_make(ERROR_BODY_MAX);

		CHECK(error_name(type));
		CHECK_EQ(error_find(error_name(type)), type);
		CHECK(error_status(type) >= 400 && error_status(type) <= 503);
		error_write(&out, &(struct error) { .type = type });
		CHECK_EQ(buf_error(&out), 0);
		CHECK(!strstr(buf_text(&out), "\"message\":\"\""));
	}
	return true;
}

static bool a_type_outside_the_list_is_an_internal_error(void)
{
	CHECK_EQ(error_find("NO_SUCH_TYPE"), ERROR_TYPE_COUNT);
	CHECK_EQ(error_status(ERROR_TYPE_COUNT), 500);
	CHECK(strcmp(error_name(ERROR_TYPE_COUNT), "INTERNALERROR") == 0);
	return true;
}

static bool a_failed_allocation_sticks_to_the_buffer(void)
{
	auto_buf struct buf out = buf_make(ERROR_BODY_MAX);

	fault_at(1);
	error_write(&out, &(struct error) { .type = ERROR_NOTFOUND });
	CHECK(fault_end());
	CHECK_EQ(buf_error(&out), -ENOMEM);
	return true;
}

int main(void)
{
	RUN(every_key_is_there_even_when_there_is_nothing_to_say);
	RUN(a_query_error_says_where);
	RUN(what_would_break_the_json_is_escaped);
	RUN(a_long_message_is_cut_and_fits);
	RUN(every_type_has_a_name_a_status_and_a_sentence);
	RUN(a_type_outside_the_list_is_an_internal_error);
	RUN(a_failed_allocation_sticks_to_the_buffer);
	return tap_done();
}
