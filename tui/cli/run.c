/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cli/run.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"
#include "tui/cli/request.h"
#include "tui/cli/show.h"
#include "tui/cli/verb.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"

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
		(void)fprintf(stderr, "redoubt: the index of an entry is a number\n");
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

static int verify_online(struct client *client, const struct request *request)
{
	auto_reply struct reply reply = {};

	int r = ask(client, request, &reply);
	if (r)
		return r;

	r = print_record(request, reply.rows);
	/* "valid", or "valid, with tail": the last second's entries are not signed yet. */
	bool valid = strncmp(rows_text(reply.rows, 0, "verdict"), "valid", 5) == 0;
	return r ? r : valid ? EXIT_OK : EXIT_FAILED;
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
	struct verify_options options = { .vkey = request->value[OPTION_VKEY] };
	struct verify_report report = {};
	cleanup(rows_free_at) struct rows *rows = nullptr;

	int r = verify_folder(request->arg[0], &options, &report);
	if (r == 0)
		r = report_to_rows(&report, &rows);
	if (r) {
		(void)fprintf(stderr, "redoubt: there is not enough memory for this\n");
		return EXIT_FAILED;
	}
	r = print_record(request, rows);
	return r ? r : (int)report.verdict;
}

int run_verify(struct client *client, const struct request *request)
{
	bool has_key = request->value[OPTION_VKEY] != nullptr;

	if (has_key != (request->n_args > 0)) {
		(void)fprintf(stderr, "redoubt: a folder and --vkey KEY go together\n");
		return EXIT_USAGE;
	}
	return has_key ? verify_offline(request) : verify_online(client, request);
}
