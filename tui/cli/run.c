/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "tui/cli/request.h"
#include "tui/cli/show.h"
#include "tui/cli/verb.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"

constexpr uint64_t US_PER_S = 1'000'000;

static const struct {
	enum exit_code code;
	const char *name; /* in JSON */
} OUTCOMES[] = {
	[RESULT_OK] = { EXIT_OK, "Ok" },
	[RESULT_DENIED] = { EXIT_DENIED, "Denied" },
	[RESULT_NOT_FOUND] = { EXIT_NOT_FOUND, "NotFound" },
	[RESULT_EXISTS] = { EXIT_FAILED, "Exists" },
	[RESULT_INVALID] = { EXIT_FAILED, "Invalid" },
	[RESULT_LOCKED] = { EXIT_FAILED, "Locked" },
	[RESULT_AUDIT_UNAVAILABLE] = { EXIT_FAILED, "AuditUnavailable" },
	[RESULT_FAILED] = { EXIT_FAILED, "Failed" },
	[RESULT_UNREACHABLE] = { EXIT_FAILED, "Unreachable" },
};

/* Write the answer; a closed pipe or a full disk is a failure like any other. */
static int print(struct buf *out)
{
	int r = buf_error(out);

	if (r == 0 && (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout) != 0))
		r = neg_errno();
	if (out->data)
		explicit_bzero(out->data, out->room); /* it may have been a key */
	if (r == 0)
		return EXIT_OK;
	(void)fprintf(stderr, "redoubt: the answer cannot be printed: %s\n", strerrordesc_np(-r));
	return EXIT_FAILED;
}

static int complain(const struct request *request, const struct reply *reply)
{
	auto_buf struct buf text = buf_make(REPLY_MESSAGE * 8);

	if (request->value[OPTION_JSON]) {
		buf_addf(&text, "{\"error\": \"%s\", \"message\": ", OUTCOMES[reply->result].name);
		text_json(&text, reply->message, strlen(reply->message));
		buf_add_str(&text, "}");
	} else {
		buf_add_str(&text, "redoubt: ");
		text_clean(&text, reply->message, strlen(reply->message));
	}
	const char *line = buf_text(&text);
	(void)fprintf(stderr, "%s\n", line ? line : "redoubt: it did not work");
	return (int)OUTCOMES[reply->result].code;
}

/* Ask what the verb asks. Returns EXIT_OK with the rows, or the exit code, having complained. */
static int ask(struct client *client, const struct request *request, struct reply *ret)
{
	auto_call struct call call = {};
	int r = request_call(request, &call);

	if (r > 0) {
		(void)fprintf(stderr, "redoubt: this takes a number\n");
		return EXIT_USAGE;
	}
	if (r < 0) {
		(void)fprintf(stderr, "redoubt: %s\n", strerrordesc_np(-r));
		return EXIT_FAILED;
	}
	client_ask(client, &call, ret);
	return ret->result == RESULT_OK ? EXIT_OK : complain(request, ret);
}

int run_list(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};
	auto_buf struct buf out = buf_make(SHOW_MAX);

	int r = ask(client, request, &reply);
	if (r)
		return r;

	if (request->value[OPTION_JSON])
		show_json_list(&out, reply.rows);
	else
		show_table(&out, reply.rows, request->verb->columns);
	return print(&out);
}

static int print_record(const struct request *request, const struct rows *rows)
{
	auto_buf struct buf out = buf_make(SHOW_MAX);

	if (request->value[OPTION_JSON]) {
		rows_json(rows, 0, &out);
		buf_add_str(&out, "\n");
	} else {
		show_record(&out, rows, request->verb->columns);
	}
	return print(&out);
}

int run_record(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};
	int r = ask(client, request, &reply);

	return r ? r : print_record(request, reply.rows);
}

int run_text(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};
	auto_buf struct buf out = buf_make(SHOW_MAX);

	int r = ask(client, request, &reply);
	if (r)
		return r;

	const char *text = rows_text(reply.rows, 0, "text");
	if (request->value[OPTION_JSON]) {
		buf_addf(&out, "{\"%s\": ", request->verb->constant);
		text_json(&out, text, strlen(text));
		buf_add_str(&out, "}\n");
	} else {
		show_text(&out, text);
	}
	return print(&out);
}

int run_change(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};
	auto_buf struct buf out = buf_make(SHOW_MAX);

	int r = ask(client, request, &reply);
	if (r || !request->value[OPTION_JSON])
		return r;

	buf_add_str(&out, "{}\n");
	return print(&out);
}

int run_checks(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};
	auto_buf struct buf out = buf_make(SHOW_MAX);
	bool failed = false;

	int r = ask(client, request, &reply);
	if (r)
		return r;

	if (request->value[OPTION_JSON])
		show_json_list(&out, reply.rows);
	else
		show_table(&out, reply.rows, request->verb->columns);
	for (size_t i = 0; i < rows_count(reply.rows); i++)
		failed |= strcmp(rows_text(reply.rows, i, "result"), "pass") != 0;
	r = print(&out);
	return r ? r : failed ? EXIT_FAILED : EXIT_OK;
}

/* The exit status of what the service says. */
static int verdict_code(const char *verdict)
{
	static const struct {
		const char *verdict;
		enum verify_verdict code;
	} CODES[] = {
		{ "valid", VERIFY_VALID },
		{ "valid, with tail",
		  VERIFY_VALID }, /* of the last second: it is about to be signed */
		{ "invalid", VERIFY_INVALID },
		{ "incomplete", VERIFY_INCOMPLETE },
	};

	for (size_t i = 0; i < countof(CODES); i++)
		if (strcmp(verdict, CODES[i].verdict) == 0)
			return (int)CODES[i].code;
	return (int)VERIFY_CANNOT;
}

static int verify_online(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};

	int r = ask(client, request, &reply);
	if (r)
		return r;

	r = print_record(request, reply.rows);
	return r ? (int)VERIFY_CANNOT : verdict_code(rows_text(reply.rows, 0, "verdict"));
}

/* The report in the shape of the service's answer. */
static int report_to_rows(const struct verify_report *report, struct rows **ret)
{
	static const char *const VERDICTS[] = {
		[VERIFY_VALID] = "valid",	    [VERIFY_CANNOT] = "failed",
		[VERIFY_INVALID] = "invalid",	    [VERIFY_INCOMPLETE] = "incomplete",
		[VERIFY_TAIL] = "valid, with tail",
	};
	cleanup(rows_free_at) struct rows *rows = nullptr;

	int r = rows_new(&rows);
	if (r == 0)
		r = rows_add_row(rows);
	if (r == 0)
		r = rows_add_text(rows, "verdict", VERDICTS[report->verdict]);
	if (r == 0)
		r = rows_add_text(rows, "message", report->message);
	if (r == 0)
		r = rows_add_number(rows, "entries", report->entries);
	if (r == 0)
		r = rows_add_number(rows, "promised", report->promised);
	if (r == 0)
		r = rows_add_number(rows, "checkpoints", report->checkpoints);
	if (r == 0)
		r = rows_add_number(rows, "tail", report->tail);
	if (r)
		return r;

	*ret = TAKE(rows);
	return 0;
}

static int verify_offline(const struct request *request)
{
	struct verify_options options = { .vkey = request->value[OPTION_VKEY],
					  .max_age_s = request->max_age_s,
					  .now_s = clock_wall_us() / US_PER_S };
	struct verify_report report = {};
	cleanup(rows_free_at) struct rows *rows = nullptr;

	if (request->value[OPTION_FROM]) {
		options.from = (const char *)request->input.data;
		options.from_len = request->input.len;
	}
	int r = verify_folder(request->arg[0], &options, &report);
	if (r == 0)
		r = report_to_rows(&report, &rows);
	if (r) {
		(void)fprintf(stderr, "redoubt: there is not enough memory for this\n");
		return (int)VERIFY_CANNOT;
	}
	r = print_record(request, rows);
	return r ? (int)VERIFY_CANNOT : (int)report.verdict;
}

int run_verify(struct client *client, const struct request *request)
{
	bool has_key = request->value[OPTION_VKEY] != nullptr;

	if (has_key != (request->n_args > 0)) {
		(void)fprintf(stderr, "redoubt: a folder or tar and --vkey KEY go together\n");
		return (int)VERIFY_CANNOT;
	}
	return has_key ? verify_offline(request) : verify_online(client, request);
}

/* Write all that comes from fd to standard output. Returns 0 or -errno. */
static int copy_out(int fd, uint64_t *ret_bytes)
{
	static uint8_t room[65536];

	for (*ret_bytes = 0;;) {
		ssize_t got = read(fd, room, sizeof(room));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return neg_errno();
		if (got == 0)
			return 0;
		for (ssize_t at = 0; at < got;) {
			ssize_t n = write(STDOUT_FILENO, room + at, (size_t)(got - at));

			if (n < 0 && errno != EINTR)
				return neg_errno();
			at += n > 0 ? n : 0;
		}
		*ret_bytes += (uint64_t)got;
	}
}

int run_export(struct client *client, const struct request *request)
{
	auto_call struct call call = {}, mark = { .method = METHOD_AUDIT_MARK_EXPORTED };
	auto_reply struct reply reply = {}, marked = {};
	auto_close int fd = -1;
	uint64_t bytes = 0;

	if (isatty(STDOUT_FILENO)) {
		(void)fprintf(stderr,
			      "redoubt: send the copy to a file: audit export > ledger.tar\n");
		return EXIT_USAGE;
	}
	if (request_call(request, &call)) {
		(void)fprintf(stderr, "redoubt: there is not enough memory for this\n");
		return EXIT_FAILED;
	}
	client_ask_fd(client, &call, &reply, &fd);
	if (reply.result != RESULT_OK)
		return complain(request, &reply);
	int r = copy_out(fd, &bytes);
	if (r) {
		(void)fprintf(stderr, "redoubt: the copy is not whole: %s\n", strerrordesc_np(-r));
		return EXIT_FAILED;
	}
	mark.number[0] = rows_number(reply.rows, 0, "size");
	client_ask(client, &mark, &marked);
	if (marked.result != RESULT_OK)
		return complain(request, &marked);
	(void)fprintf(stderr,
		      "redoubt: %" PRIu64 " entries, from %" PRIu64 " on, in %" PRIu64 " bytes\n",
		      mark.number[0], request->from, bytes);
	return EXIT_OK;
}
