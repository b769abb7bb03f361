/* SPDX-License-Identifier: Apache-2.0 */

/* proto: every message goes out and comes back the same, and nothing else comes in. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"
#include "common/proto/execute.h"
#include "common/proto/job.h"
#include "common/proto/operations.h"
#include "common/proto/queries.h"
#include "common/secret.h"
#include "tests/lib/tap.h"

typedef bool read_fn(const void *data, size_t len);

static bool read_check(const void *data, size_t len)
{
	struct access_check got;

	return access_check_read(data, len, &got);
}

static bool read_denied(const void *data, size_t len)
{
	struct access_denied got;

	return access_denied_read(data, len, &got);
}

static bool read_keys(const void *data, size_t len)
{
	struct ssh_keys_request got;

	return ssh_keys_request_read(data, len, &got);
}

static bool read_execute(const void *data, size_t len)
{
	struct execute got;

	return execute_read(data, len, &got);
}

static bool read_result(const void *data, size_t len)
{
	struct result got;

	return result_read(data, len, &got);
}

static bool read_credit(const void *data, size_t len)
{
	struct credit got;

	return credit_read(data, len, &got);
}

static bool read_state(const void *data, size_t len)
{
	struct appliance_state got;

	return appliance_state_read(data, len, &got);
}

static bool read_event(const void *data, size_t len)
{
	auto_free struct audit_event *got = malloc(sizeof(*got));

	return got && audit_event_read(data, len, got);
}

static bool read_job(const void *data, size_t len)
{
	auto_free struct job *got = malloc(sizeof(*got));

	return got && job_read(data, len, got);
}

static bool read_done(const void *data, size_t len)
{
	auto_free struct job_done *got = malloc(sizeof(*got));

	return got && job_done_read(data, len, got);
}

/* A whole payload is taken; every truncation of it and one byte more are refused. */
static bool read_query_kill(const void *data, size_t len)
{
	static struct query_kill got;

	return query_kill_read(data, len, &got);
}

static bool read_key_kill(const void *data, size_t len)
{
	static struct key_kill got;

	return key_kill_read(data, len, &got);
}

static bool read_query_state(const void *data, size_t len)
{
	static struct query_state got;
	struct reader in = reader_make(data, len);

	return query_state_read(&in, &got) && reader_end(&in);
}

static bool exactly_this_length(const struct buf *payload, read_fn *read)
{
	auto_buf struct buf longer = buf_make(MSG_MAX);

	CHECK_EQ(buf_error(payload), 0);
	CHECK(read(payload->data, payload->len));
	for (size_t len = 0; len < payload->len; len++)
		CHECK(!read(payload->data, len));
	buf_add(&longer, payload->data, payload->len);
	buf_add(&longer, "", 1);
	CHECK(!read(longer.data, longer.len));
	return true;
}

static bool access_messages_have_exactly_one_length(void)
{
	auto_buf struct buf out = buf_make(MSG_MAX);

	access_check_write(
		&out, &(struct access_check) { .op = OP_QUERY, .api_key = "k", .workspace = "w" });
	CHECK(exactly_this_length(&out, read_check));
	buf_clear(&out);
	access_denied_write(&out, &(struct access_denied) { 403, "FORBIDDEN", "no" });
	CHECK(exactly_this_length(&out, read_denied));
	buf_clear(&out);
	ssh_keys_request_write(&out, &(struct ssh_keys_request) { "ann", "SHA256:x", "c" });
	CHECK(exactly_this_length(&out, read_keys));
	return true;
}

static bool execute_messages_have_exactly_one_length(void)
{
	auto_buf struct buf out = buf_make(MSG_MAX);
	static const uint8_t BODY[] = "{}";

	execute_write(&out, &(struct execute) { .op = OP_QUERY, .body = { BODY, 2 } });
	CHECK(exactly_this_length(&out, read_execute));
	buf_clear(&out);
	result_write(&out, &(struct result) { 200, { BODY, 2 } });
	CHECK(exactly_this_length(&out, read_result));
	buf_clear(&out);
	credit_write(&out, &(struct credit) { 1u << 20 });
	CHECK(exactly_this_length(&out, read_credit));
	buf_clear(&out);
	appliance_state_write(&out, &(struct appliance_state) { STATE_LOCKED, "locked" });
	CHECK(exactly_this_length(&out, read_state));
	return true;
}

static bool ledger_and_job_messages_have_exactly_one_length(void)
{
	auto_buf struct buf out = buf_make(MSG_MAX);
	auto_free struct job *job = calloc(1, sizeof(*job));
	auto_free struct job_done *done = calloc(1, sizeof(*done));

	CHECK(job && done);
	audit_event_write(&out, &(struct audit_event) {
					.decision = AUDIT_DENY, .code = "x", .detail = "{}" });
	CHECK(exactly_this_length(&out, read_event));
	buf_clear(&out);
	job->kind = JOB_UNLOCK;
	job_write(&out, job);
	CHECK(exactly_this_length(&out, read_job));
	buf_clear(&out);
	job_done_write(&out, done);
	CHECK(exactly_this_length(&out, read_done));
	return true;
}

static bool numbers_outside_their_list_are_refused(void)
{
	auto_buf struct buf out = buf_make(MSG_MAX);

	access_check_write(&out, &(struct access_check) { .op = OP_COUNT });
	CHECK(!read_check(out.data, out.len));
	buf_clear(&out);
	access_denied_write(&out, &(struct access_denied) { .http_status = 200 });
	CHECK(!read_denied(out.data, out.len));
	buf_clear(&out);
	appliance_state_write(&out, &(struct appliance_state) { .state = STATE_COUNT });
	CHECK(!read_state(out.data, out.len));
	return true;
}

static bool every_state_has_a_sentence_for_everybody(void)
{
	for (enum state state = STATE_STARTING; state < STATE_COUNT; state++) {
		const char *text = state_sentence(state);

		CHECK(text && strlen(text) > 10 && text[strlen(text) - 1] == '.');
		CHECK(!strpbrk(text, "/:_-0123456789")); /* no path, device or name */
	}
	CHECK(strcmp(state_sentence(STATE_COUNT), "?") == 0);
	return true;
}

static bool an_event_with_an_unknown_outcome_is_refused(void)
{
	auto_buf struct buf out = buf_make(MSG_MAX);

	audit_event_write(&out, &(struct audit_event) { .outcome = AUDIT_OUTCOME_COUNT });
	CHECK(!read_event(out.data, out.len));
	return true;
}

static struct grant sample_grant(void)
{
	return (struct grant) { .op = OP_QUERY,
				.privileges = 1ull << QUERY_DATA_WS,
				.issued_us = 1'000'000,
				.workspace = "commons",
				.person = "ann" };
}

static bool a_grant_opens_with_its_key_only(void)
{
	auto_buf struct buf out = buf_make(ACCESS_GRANT_MAX);
	auto_secret struct secret key = {};
	struct grant want = sample_grant(), got;

	CHECK_EQ(secret_init(&key, 32), 0);
	CHECK_EQ(grant_seal(&out, &want, &key), 0);
	CHECK(grant_open(out.data, out.len, &key, 1'000'001, &got));
	CHECK(strcmp(got.person, "ann") == 0 && got.privileges == want.privileges);
	CHECK(grant_allows(got.privileges, QUERY_DATA_WS));
	CHECK(!grant_allows(got.privileges, WRITE_DATA_WS));
	CHECK(grant_allows(0, PRIVILEGE_NONE));
	key.data[0] = 1;
	CHECK(!grant_open(out.data, out.len, &key, 1'000'001, &got));
	return true;
}

static bool every_flipped_bit_of_a_grant_is_refused(void)
{
	auto_buf struct buf out = buf_make(ACCESS_GRANT_MAX);
	auto_secret struct secret key = {};
	struct grant grant = sample_grant(), got;

	CHECK_EQ(secret_init(&key, 32), 0);
	CHECK_EQ(grant_seal(&out, &grant, &key), 0);
	for (size_t bit = 0; bit < out.len * 8; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		CHECK(!grant_open(out.data, out.len, &key, 1'000'001, &got));
		out.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	return true;
}

static bool an_old_grant_and_one_from_the_future_are_refused(void)
{
	auto_buf struct buf out = buf_make(ACCESS_GRANT_MAX);
	auto_secret struct secret key = {};
	struct grant grant = sample_grant(), got;

	CHECK_EQ(secret_init(&key, 32), 0);
	CHECK_EQ(grant_seal(&out, &grant, &key), 0);
	CHECK(grant_open(out.data, out.len, &key, 1'000'000 + GRANT_AGE_MAX_US, &got));
	CHECK(!grant_open(out.data, out.len, &key, 1'000'001 + GRANT_AGE_MAX_US, &got));
	CHECK(!grant_open(out.data, out.len, &key, 999'999, &got));
	return true;
}

static bool every_operation_has_a_code_and_a_privilege_with_a_name(void)
{
	for (size_t op = 1; op < OP_COUNT; op++) {
		CHECK(strncmp(OPERATIONS[op].code, "api.", 4) == 0);
		CHECK(OPERATIONS[op].method[0] && OPERATIONS[op].path[0] == '/');
		CHECK(OPERATIONS[op].privilege != PRIVILEGE_NONE);
	}
	for (size_t p = 0; p < PRIVILEGE_COUNT; p++)
		CHECK_EQ(privilege_find(privilege_name((enum privilege)p)), (enum privilege)p);
	CHECK_EQ(privilege_find("ROOT"), PRIVILEGE_COUNT);
	return true;
}

static bool messages_about_queries_have_exactly_one_length(void)
{
	struct query_state query = {
		.number = 7, .works = true, .person = "ann", .text = "SELECT 1"
	};
	auto_buf struct buf out = buf_make(MSG_PAYLOAD_MAX);

	query_kill_write(&out, &(struct query_kill) { 7, "ann" });
	CHECK(exactly_this_length(&out, read_query_kill));
	buf_clear(&out);
	key_kill_write(&out, &(struct key_kill) { "rdt_abcdef", "" });
	CHECK(exactly_this_length(&out, read_key_kill));
	buf_clear(&out);
	query_state_write(&out, &query);
	CHECK(exactly_this_length(&out, read_query_state));
	return true;
}

int main(void)
{
	RUN(access_messages_have_exactly_one_length);
	RUN(execute_messages_have_exactly_one_length);
	RUN(messages_about_queries_have_exactly_one_length);
	RUN(ledger_and_job_messages_have_exactly_one_length);
	RUN(numbers_outside_their_list_are_refused);
	RUN(every_state_has_a_sentence_for_everybody);
	RUN(an_event_with_an_unknown_outcome_is_refused);
	RUN(a_grant_opens_with_its_key_only);
	RUN(every_flipped_bit_of_a_grant_is_refused);
	RUN(an_old_grant_and_one_from_the_future_are_refused);
	RUN(every_operation_has_a_code_and_a_privilege_with_a_name);
	return tap_done();
}
