/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/call.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/msg.h"
#include "service/engine/json.h"
#include "service/engine/members.h"
#include "service/engine/told.h"
#include "service/sql/sql.h"
#include "service/value/value_json.h"

constexpr int64_t TIMEOUT_MS =
	120'000; /* Rockset's default for a synchronous query, and our limit */
constexpr int64_t ROW_LIMIT_MAX = 4'000'000;
constexpr int64_t INITIAL_MAX = 100'000;
constexpr size_t PARAMETERS_TOLD_MAX = 400; /* bytes of JSON in the ledger */
constexpr size_t PARAMETER_TOLD_MAX = 120;
constexpr size_t ANSWER_ROOM = 1u << 20; /* of RESULT_BODY_MAX, for what goes round the rows */
constexpr size_t ROWS_ROOM = RESULT_BODY_MAX - ANSWER_ROOM;
constexpr size_t PACKED_MAX = 16u << 20;

/* A query as asked. */
struct ask {
	struct sql_query query;
	struct sql_parameter *parameter; /* [query.n_parameters] */
	struct buf packed;		 /* their values */
	int64_t initial;		 /* max_initial_results, or 0 */
};

static void ask_done(struct ask *ask)
{
	free(ask->parameter);
	buf_done(&ask->packed);
}

/* The value of a parameter with a type: the text form is read as that. Returns whether it is one. */
static bool pack_as(const char *type, yyjson_val *value, struct buf *out)
{
	const char *text = yyjson_get_str(value);
	size_t len = yyjson_get_len(value);
	char *end = nullptr;

	if (strcasecmp(type, "int") == 0 || strcasecmp(type, "integer") == 0) {
		errno = 0;
		value_put_int(out, strtoll(text, &end, 10));
		return errno == 0 && len > 0 && end == text + len;
	}
	if (strcasecmp(type, "float") == 0 || strcasecmp(type, "double") == 0) {
		value_put_float(out, strtod(text, &end));
		return len > 0 && end == text + len && strspn(text, "+-0123456789.eE") == len;
	}
	if (strcasecmp(type, "bool") == 0 || strcasecmp(type, "boolean") == 0) {
		value_put_bool(out, strcasecmp(text, "true") == 0);
		return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
	}
	if (strcasecmp(type, "object") == 0 || strcasecmp(type, "array") == 0) {
		yyjson_doc *doc = yyjson_read(text, len, YYJSON_READ_NOFLAG);
		bool good = doc && value_from_json(yyjson_doc_get_root(doc), out) == 0;

		yyjson_doc_free(doc);
		return good;
	}
	if (strcasecmp(type, "null") == 0) {
		value_put_null(out);
		return true;
	}
	if (strcasecmp(type, "date") == 0 || strcasecmp(type, "datetime") == 0 ||
	    strcasecmp(type, "time") == 0 || strcasecmp(type, "timestamp") == 0)
		return value_from_text(type, text, len, out);
	value_put_string(out, text, len); /* string, and types that never were */
	return true;
}

static bool read_parameter(struct call *call, yyjson_val *json, struct ask *ask, size_t *at)
{
	yyjson_val *value = yyjson_obj_get(json, "value");
	struct sql_parameter *parameter = &ask->parameter[ask->query.n_parameters];
	const char *type = nullptr;
	size_t start = ask->packed.len;

	if (!members_known(call, json, MEMBERS_PARAMETER) ||
	    !call_text(call, json, "name", 256, &parameter->name) ||
	    !call_text(call, json, "type", 64, &type))
		return false;
	if (!parameter->name || !value) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "Each of `parameters` needs a `name` and a `value`.");
		return false;
	}
	bool good = type && yyjson_is_str(value) ? pack_as(type, value, &ask->packed)
						 : value_from_json(value, &ask->packed) == 0;
	if (buf_error(&ask->packed)) {
		call_fail_errno(call, buf_error(&ask->packed));
		return false;
	}
	if (!good) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "The value of parameter `%.60s` is not a valid %.40s.", parameter->name,
			  type ? type : "value");
		return false;
	}
	at[ask->query.n_parameters++] = start;
	parameter->len = ask->packed.len - start;
	return true;
}

static bool read_parameters(struct call *call, yyjson_val *list, struct ask *ask)
{
	size_t n = yyjson_arr_size(list), i, max;
	yyjson_val *json;

	if (list && !yyjson_is_null(list) && !yyjson_is_arr(list)) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr, "`parameters` must be a list.");
		return false;
	}
	if (n > SQL_PARAMETERS_MAX) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr,
			  "A query can have at most %zu parameters.", SQL_PARAMETERS_MAX);
		return false;
	}
	auto_free size_t *at = calloc(n + 1, sizeof(*at));
	ask->parameter = calloc(n + 1, sizeof(*ask->parameter));
	if (!at || !ask->parameter) {
		call_fail_errno(call, -ENOMEM);
		return false;
	}
	yyjson_arr_foreach(list, i, max,
			   json) if (!read_parameter(call, json, ask, at)) return false;
	for (i = 0; i < n && i < ask->query.n_parameters; i++) /* packed has moved while it grew */
		ask->parameter[i].packed = ask->packed.data + at[i];
	ask->query.parameter = ask->parameter;
	return true;
}

/* How long the rows may be: what is still being read of earlier answers can make it less. A short answer is always possible. */
static size_t result_max(const struct call *call)
{
	size_t room = call->answer_max > MSG_INLINE_MAX ? call->answer_max : MSG_INLINE_MAX;

	return room < ROWS_ROOM ? room : ROWS_ROOM;
}

/* Let others see the query's text, once. */
static void show_text(struct call_query *to, const struct sql_query *query)
{
	size_t n = query->len < CALL_HEAD - 1 ? query->len : CALL_HEAD - 1;

	if (atomic_load(&to->has_head))
		return;
	while (n > 0 && n < query->len && ((uint8_t)query->text[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++) /* one line */
		to->head[i] = (uint8_t)query->text[i] < 0x20 ? ' ' : query->text[i];
	to->head[n] = '\0';
	atomic_store(&to->has_head, true);
}

/* Have a query keep to what it may use now. */
static void begin_turn(struct call_query *turn, struct sql_query *query)
{
	uint64_t end_us = clock_mono_us() + turn->turn_us;

	show_text(turn, query);
	atomic_store(&turn->stop_us, query->deadline_us);
	query->memory = turn->memory;
	if (turn->turn_us == 0)
		return;
	if (end_us < query->deadline_us)
		query->deadline_us = end_us;
	else
		turn->turn_us = 0; /* its own end comes first */
}

/*
 * A query has ended. Returns whether it is to be run once more, with nothing of this to be seen.
 *
 * r  what sql_run() has returned
 */
static bool end_turn(struct call *call, int r, const struct sql_error *error)
{
	struct call_query *turn = call->query;

	if (!turn)
		return false;
	atomic_store(&turn->stop_us, 0);
	turn->again = turn->turn_us > 0 && r == SQL_REFUSED &&
		      (error->kind == SQL_TIMEOUT || error->kind == SQL_TOO_LARGE);
	if (turn->again)
		call_fail(call, ERROR_QUERY_TIMEOUT, nullptr, "The query's turn is over.");
	return turn->again;
}

/* Tell the ledger the parameters' names and types, as far as there is room; never their values. */
static void tell_parameters(struct call *call, yyjson_val *list)
{
	size_t n = 0, i, max, start = call->detail.len;
	yyjson_val *json;

	if (yyjson_arr_size(list) == 0)
		return;
	json_open_list(&call->detail, "parameters");
	yyjson_arr_foreach(list, i, max, json)
	{
		const char *name = yyjson_get_str(yyjson_obj_get(json, "name"));
		const char *type = yyjson_get_str(yyjson_obj_get(json, "type"));
		yyjson_val *value = yyjson_obj_get(json, "value");
		char text[PARAMETER_TOLD_MAX];

		(void)snprintf(text, sizeof(text), "%.80s:%.30s", name ? name : "",
			       type ? type : yyjson_get_type_desc(value));
		size_t len = told_head(text, strlen(text), PARAMETER_TOLD_MAX);
		if (call->detail.len - start + PARAMETER_TOLD_MAX + 4 > PARAMETERS_TOLD_MAX)
			break;
		json_piece(&call->detail, nullptr, text, len);
		n++;
	}
	json_close_list(&call->detail);
	if (n < max)
		json_int(&call->detail, "parameters_more", (int64_t)(max - n));
}

/* Tell the ledger what the query is about to read. */
static int tell_reads(void *userdata, const struct sql_reads *reads)
{
	struct call *call = userdata;
	char target[ACCESS_NAME_MAX];
	size_t len = 0;

	/* The names as a person reads them: without brackets and quotation marks. */
	for (size_t i = 0; i < reads->collections_len && len + 1 < sizeof(target); i++)
		if (!strchr("[]\"", reads->collections[i]))
			target[len++] = reads->collections[i];
	len = told_head(target, len, len);
	target[len] = '\0';
	json_raw(&call->detail, "collections", reads->collections, reads->collections_len);
	json_raw(&call->detail, "fields", reads->fields, reads->fields_len);
	return call->announce(call, target) ? -EIO : 0;
}

static bool read_ask(struct call *call, yyjson_val *body, struct ask *ret)
{
	yyjson_val *sql = yyjson_obj_get(body, "sql"), *text = yyjson_obj_get(sql, "query");
	int64_t timeout = TIMEOUT_MS;

	if (!members_known(call, body, MEMBERS_QUERY) || !members_known(call, sql, MEMBERS_SQL))
		return false;
	ret->query.text = yyjson_get_str(text);
	ret->query.len = yyjson_get_len(text);
	if (!yyjson_is_str(text)) {
		call_fail(call, ERROR_INVALIDINPUT, nullptr, "`sql.query` must be a string.");
		return false;
	}
	/* What people asked is recorded; the values they asked for are not. */
	told_put_text(&call->detail, ret->query.text, ret->query.len);
	tell_parameters(call, yyjson_obj_get(sql, "parameters"));

	if (yyjson_is_true(yyjson_obj_get(body, "async"))) {
		call_fail(call, ERROR_NOTIMPLEMENTEDYET, nullptr,
			  "Asynchronous queries are not available yet.");
		return false;
	}
	if (!call_number(call, sql, "default_row_limit", 0, ROW_LIMIT_MAX, &ret->query.row_limit) ||
	    !call_number(call, body, "max_initial_results", 0, INITIAL_MAX, &ret->initial) ||
	    !call_number(call, body, "timeout_ms", 1, INT32_MAX, &timeout) ||
	    !read_parameters(call, yyjson_obj_get(sql, "parameters"), ret))
		return false;
	timeout = timeout < TIMEOUT_MS ? timeout : TIMEOUT_MS;
	ret->query.deadline_us = call->started_us + (uint64_t)timeout * 1000;
	ret->query.cancel = call->cancel;
	ret->query.prefix = "{\"results\":";
	ret->query.result_max = result_max(call);
	ret->query.rows_max = ROW_LIMIT_MAX;
	ret->query.announce = call->announce ? tell_reads : nullptr;
	ret->query.announce_data = call;
	if (call->query)
		begin_turn(call->query, &ret->query);
	return true;
}

/* Why an answer is too large that would fit at another time. */
static const char UNREAD[] =
	"Answers to this API key are still being read, which leaves less room for this one; read them, then ask again.";

static void fail_query(struct call *call, int r, const struct sql_error *error)
{
	static const enum error_type TYPES[] = {
		[SQL_QUERY_ERROR] = ERROR_QUERY_ERROR,
		[SQL_TIMEOUT] = ERROR_QUERY_TIMEOUT,
		[SQL_CANCELLED] = ERROR_QUERY_CANCELLED,
		[SQL_TOO_LARGE] = ERROR_RESOURCEEXCEEDED,
		[SQL_NOT_IMPLEMENTED] = ERROR_NOTIMPLEMENTEDYET,
		[SQL_DAMAGED] = ERROR_INTERNALERROR,
	};

	static_assert(countof(TYPES) == SQL_ERROR_KINDS);
	bool short_of_room = r > 0 && error->kind == SQL_TOO_LARGE && result_max(call) < ROWS_ROOM;

	if (r < 0)
		call_fail_errno(call, r);
	else
		call_fail_error(call,
				&(struct error) { .type = TYPES[error->kind],
						  .message = error->message,
						  .line = error->line,
						  .column = error->column,
						  .request_id = call->request_id,
						  .error_id = error->id,
						  .query_id = call->query_id,
						  .hint = short_of_room ? UNREAD : error->hint });
}

/* What the query cost: Redoubt's own, beside Rockset's. */
static void put_figures(struct buf *out, const struct sql_result *result)
{
	const struct query_figures *figures = &result->figures;

	json_int(out, "cpu_time_micros", (int64_t)figures->cpu_us);
	json_int(out, "rows_read", (int64_t)figures->rows_read);
	json_int(out, "bytes_read", (int64_t)figures->bytes_read);
	json_int(out, "pages_read", (int64_t)figures->pages_read);
	json_int(out, "pages_missed", (int64_t)figures->pages_missed);
	json_int(out, "chunks_read", (int64_t)figures->chunks);
	json_int(out, "chunks_skipped", (int64_t)figures->chunks_skipped);
	json_int(out, "bytes_spilled", (int64_t)figures->spilled_bytes);
	json_int(out, "native_pipes", result->sqlite_only ? 0 : (int64_t)result->pipes);
}

/* The answer: the rows are in out already, what describes them follows. */
static void put_result(struct call *call, const struct ask *ask, struct sql_result *result)
{
	uint64_t took_ms = (clock_mono_us() - call->started_us) / 1000;
	struct buf *out = &call->out;

	buf_done(out);
	*out = result->rows;
	result->rows = (struct buf) {};
	out->max = RESULT_BODY_MAX;
	json_text(out, "query_id", call->query_id);
	json_text(out, "status", "COMPLETED");
	json_raw(out, "collections", (const char *)result->collections.data,
		 result->collections.len);
	json_open_list(out, "aliases");
	json_close_list(out);
	json_raw(out, "column_fields", (const char *)result->columns.data, result->columns.len);
	if (ask->initial > 0) {
		json_int(out, "results_total_doc_count", (int64_t)result->n_rows);
		json_open(out, "pagination");
		json_null(out, "start_cursor");
		json_null(out, "next_cursor");
		json_int(out, "current_page_doc_count", (int64_t)result->n_rows);
		json_int(out, "next_cursor_offset", (int64_t)result->n_rows);
		json_null(out, "next_page_link");
		json_close(out);
	}
	json_open(out, "stats");
	json_int(out, "elapsed_time_ms", (int64_t)took_ms);
	json_int(out, "throttled_time_micros", 0);
	put_figures(out, result);
	json_close(out);
	json_close(out);
}

void call_query(struct call *call)
{
	auto_json yyjson_doc *doc = call_json(call);
	cleanup(ask_done) struct ask ask = { .packed = buf_make(PACKED_MAX) };
	cleanup(sql_result_done) struct sql_result result = {};
	struct sql_error error = {};
	char id[64];

	if (!doc)
		return;
	call_query_id(call, id);
	call->query_id = id;
	if (read_ask(call, yyjson_doc_get_root(doc), &ask)) {
		int r = sql_run(call->session, &ask.query, &result, &error);

		if (end_turn(call, r, &error)) {
			call->query_id = nullptr;
			return;
		}
		if (r == 0)
			json_int(&call->detail, "rows", (int64_t)result.n_rows);
		if (call->http_status) /* what it would read could not be recorded */
			(void)r;
		else if (r)
			fail_query(call, r, &error);
		else if (ask.initial > 0 && (int64_t)result.n_rows > ask.initial)
			call_fail(
				call, ERROR_NOTIMPLEMENTEDYET, nullptr,
				"The query has %llu rows, more than `max_initial_results`; fetching the rest in pages is not available yet.",
				(unsigned long long)result.n_rows);
		else
			put_result(call, &ask, &result);
	}
	call->query_id = nullptr;
}

void call_query_validate(struct call *call)
{
	static const char *const LISTS[] = { "aliases", "views", "name" };
	auto_json yyjson_doc *doc = call_json(call);
	cleanup(ask_done) struct ask ask = { .packed = buf_make(PACKED_MAX) };
	cleanup(sql_result_done) struct sql_result result = {};
	struct sql_error error = {};
	struct buf *out = &call->out;

	if (!doc || !read_ask(call, yyjson_doc_get_root(doc), &ask))
		return;
	int r = sql_validate(call->session, &ask.query, &result, &error);
	if (end_turn(call, r, &error))
		return;
	if (r) {
		fail_query(call, r, &error);
		return;
	}
	json_open(out, nullptr);
	for (size_t i = 0; i < countof(LISTS); i++) {
		json_open_list(out, LISTS[i]);
		json_close_list(out);
	}
	json_raw(out, "collections", (const char *)result.collections.data, result.collections.len);
	json_raw(out, "parameters", (const char *)result.parameters.data, result.parameters.len);
	json_close(out);
}
