/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/http/host.h"

/* Chunk extensions and trailers, which nobody looks at, may not go on for ever. */
constexpr size_t IGNORED_MAX = 4096;

/* The head's text: names, values and the target, each with a NUL. */
constexpr size_t TEXT_MAX = REQUEST_HEAD_MAX + REQUEST_HEADERS_MAX * 2 + 1;

enum phase : uint8_t {
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_DONE,
	PHASE_BROKEN,
};

/* Where a header's name and value start in the text. */
struct header {
	uint32_t name;
	uint32_t value;
};

struct request {
	llhttp_t parser;
	enum phase phase;
	bool has_body, expects_continue, keep_alive;
	struct request_refusal refusal;
	size_t head_len; /* bytes of the head that have come */
	size_t ignored;	 /* bytes of chunk extensions and trailers */
	size_t n_headers;
	struct header headers[REQUEST_HEADERS_MAX];
	struct buf text; /* starts with the target */
	struct buf body;
};

static const struct request_refusal MALFORMED = { 400, "The request is not well-formed HTTP/1.1." };
static const struct request_refusal BODY_TOO_LONG = { 413, "The request body is too long." };
static const struct request_refusal HEAD_TOO_LONG = { 431, "The request head is too long." };
static const struct request_refusal TARGET_TOO_LONG = { 414, "The request target is too long." };

/* Remember why, and stop the parser. */
static int refuse(struct request *request, struct request_refusal refusal)
{
	request->refusal = refusal;
	return HPE_USER;
}

/* Append; what does not fit is refused, and what finds no memory stops the parser too. */
static int add(struct request *request, struct buf *to, const char *at, size_t len,
	       struct request_refusal too_long)
{
	buf_add(to, at, len);
	if (buf_error(to) == -EMSGSIZE)
		return refuse(request, too_long);
	return buf_error(to) ? HPE_USER : 0;
}

/* Append to the head's text. */
static int add_text(struct request *request, const char *at, size_t len)
{
	return add(request, &request->text, at, len, HEAD_TOO_LONG);
}

/* Count bytes that are read past. */
static int ignore(llhttp_t *parser, const char *at, size_t len)
{
	struct request *request = parser->data;

	(void)at;
	request->ignored += len;
	return request->ignored > IGNORED_MAX ? refuse(request, MALFORMED) : 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
	struct request *request = parser->data;

	for (size_t i = 0; i < len; i++)
		if (at[i] < '!' || at[i] > '~')
			return refuse(request, MALFORMED);
	if (request->text.len + len > REQUEST_TARGET_MAX)
		return refuse(request, TARGET_TOO_LONG);
	return add_text(request, at, len);
}

static int on_url_complete(llhttp_t *parser)
{
	return add_text(parser->data, "", 1);
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct request *request = parser->data;

	if (request->phase != PHASE_HEAD)
		return ignore(parser, at, len);

	/* A name that comes in pieces is one header: the last one has no value yet. */
	struct header *last =
		request->n_headers ? &request->headers[request->n_headers - 1] : nullptr;
	if (!last || last->value != 0) {
		if (request->n_headers == REQUEST_HEADERS_MAX)
			return refuse(request,
				      (struct request_refusal) { 431, "Too many headers." });
		request->headers[request->n_headers++] =
			(struct header) { .name = (uint32_t)request->text.len };
	}
	for (size_t i = 0; i < len; i++) {
		char lower = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] | 0x20 : at[i]);
		int r = add_text(request, &lower, 1);

		if (r)
			return r;
	}
	return 0;
}

static int on_header_field_complete(llhttp_t *parser)
{
	struct request *request = parser->data;

	if (request->phase != PHASE_HEAD)
		return 0;
	int r = add_text(request, "", 1);
	request->headers[request->n_headers - 1].value = (uint32_t)request->text.len;
	return r;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct request *request = parser->data;

	return request->phase == PHASE_HEAD ? add_text(request, at, len) : ignore(parser, at, len);
}

static int on_header_value_complete(llhttp_t *parser)
{
	struct request *request = parser->data;
	struct buf *text = &request->text;

	if (request->phase != PHASE_HEAD)
		return 0;
	uint32_t start = request->headers[request->n_headers - 1].value;
	while (text->len > start && strchr(" \t", text->data[text->len - 1]))
		text->len--; /* the blanks behind a value are not part of it (RFC 9112 section 5) */
	return add_text(request, "", 1);
}

const char *request_header(const struct request *request, const char *name)
{
	const char *text = (const char *)request->text.data;

	for (size_t i = 0; i < request->n_headers; i++)
		if (strcmp(text + request->headers[i].name, name) == 0)
			return text + request->headers[i].value;
	return nullptr;
}

/* How many headers of this name there are. */
static size_t count_headers(const struct request *request, const char *name)
{
	const char *text = (const char *)request->text.data;
	size_t n = 0;

	for (size_t i = 0; i < request->n_headers; i++)
		n += strcmp(text + request->headers[i].name, name) == 0;
	return n;
}

static bool is_http(const struct request *request, unsigned int minor)
{
	return request->parser.http_major == 1 && request->parser.http_minor == minor;
}

static bool version_is_wrong(const struct request *request)
{
	return !is_http(request, 0) && !is_http(request, 1);
}

static bool host_is_wrong(const struct request *request)
{
	const char *host = request_header(request, "host");

	return host ? !host_is_valid(host, strlen(host)) : is_http(request, 1);
}

/* Two of them could be read in two ways. */
static bool header_is_repeated(const struct request *request)
{
	static const char *const ONCE[] = { "host",	     "content-length", "transfer-encoding",
					    "authorization", "expect",	       "content-encoding" };

	for (size_t i = 0; i < countof(ONCE); i++)
		if (count_headers(request, ONCE[i]) > 1)
			return true;
	return false;
}

/* A message has a length or is chunked, not both (RFC 9112 section 6.1: a smuggler's favourite). */
static bool length_is_ambiguous(const struct request *request)
{
	return request_header(request, "transfer-encoding") &&
	       (request_header(request, "content-length") || is_http(request, 0));
}

static bool transfer_is_unknown(const struct request *request)
{
	const char *coding = request_header(request, "transfer-encoding");

	return coding && strcasecmp(coding, "chunked") != 0;
}

static bool content_is_encoded(const struct request *request)
{
	const char *coding = request_header(request, "content-encoding");

	return coding && strcasecmp(coding, "identity") != 0;
}

static bool expectation_is_unknown(const struct request *request)
{
	const char *expect = request_header(request, "expect");

	return expect && strcasecmp(expect, "100-continue") != 0;
}

static bool method_is_connect(const struct request *request)
{
	return request->parser.method == HTTP_CONNECT;
}

static bool body_is_too_long(const struct request *request)
{
	return request->parser.content_length > request->body.max;
}

/* What a whole head must not be, in the order in which it is said. */
static const struct {
	bool (*applies)(const struct request *request);
	struct request_refusal refusal;
} OBJECTIONS[] = {
	{ version_is_wrong, { 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here." } },
	{ header_is_repeated, { 400, "A header that may come once came twice." } },
	{ host_is_wrong, { 400, "The Host header is missing or not a host name." } },
	{ length_is_ambiguous, { 400, "The length of the request body is ambiguous." } },
	{ transfer_is_unknown, { 501, "The only transfer coding taken is chunked." } },
	{ content_is_encoded, { 415, "Encoded request bodies are not taken." } },
	{ expectation_is_unknown, { 417, "The only expectation met is 100-continue." } },
	{ method_is_connect, { 501, "This is not a proxy." } },
	{ body_is_too_long, { 413, "The request body is too long." } },
};

static int on_headers_complete(llhttp_t *parser)
{
	struct request *request = parser->data;
	bool chunked = parser->flags & F_CHUNKED;

	for (size_t i = 0; i < countof(OBJECTIONS); i++)
		if (OBJECTIONS[i].applies(request))
			return refuse(request, OBJECTIONS[i].refusal);

	parser->upgrade = 0; /* an offer that nobody has to take up (RFC 9110 section 7.8) */
	request->has_body = chunked || parser->content_length > 0;
	request->expects_continue =
		request->has_body && is_http(request, 1) && request_header(request, "expect");
	request->keep_alive = llhttp_should_keep_alive(parser);
	request->phase = PHASE_BODY;
	return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct request *request = parser->data;

	return add(request, &request->body, at, len, BODY_TOO_LONG);
}

static int on_message_complete(llhttp_t *parser)
{
	struct request *request = parser->data;

	request->phase = PHASE_DONE;
	return HPE_PAUSED;
}

static const llhttp_settings_t SETTINGS = {
	.on_url = on_url,
	.on_url_complete = on_url_complete,
	.on_header_field = on_header_field,
	.on_header_field_complete = on_header_field_complete,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_chunk_extension_name = ignore,
	.on_chunk_extension_value = ignore,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

int request_new(size_t body_max, struct request **ret)
{
	cleanup(request_free_at) struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return -ENOMEM;
	request->text = buf_make(TEXT_MAX);
	request->body = buf_make(body_max);

	/* The whole text at once: growing would leave copies of the key behind in freed memory. */
	if (!buf_reserve(&request->text, TEXT_MAX))
		return -ENOMEM;
	llhttp_init(&request->parser, HTTP_REQUEST, &SETTINGS);
	request->parser.data = request;
	*ret = TAKE(request);
	return 0;
}

struct request *request_free(struct request *request)
{
	if (!request)
		return nullptr;
	if (request->text.data)
		explicit_bzero(request->text.data, request->text.len);
	buf_done(&request->text);
	buf_done(&request->body);
	free(request);
	return nullptr;
}

void request_reset(struct request *request)
{
	explicit_bzero(request->text.data, request->text.len);
	buf_clear(&request->text);
	buf_done(&request->body);
	llhttp_init(&request->parser, HTTP_REQUEST, &SETTINGS);
	request->parser.data = request;
	request->phase = PHASE_HEAD;
	request->has_body = request->expects_continue = request->keep_alive = false;
	request->refusal = (struct request_refusal) {};
	request->head_len = request->ignored = request->n_headers = 0;
}

/* What the parser's stop means. */
static int stopped(struct request *request)
{
	if (buf_error(&request->text) == -ENOMEM || buf_error(&request->body) == -ENOMEM)
		return -ENOMEM;
	if (request->refusal.status == 0)
		request->refusal = MALFORMED;
	request->phase = PHASE_BROKEN;
	return REQUEST_REFUSED;
}

int request_feed(struct request *request, const void *data, size_t len, size_t *ret_used)
{
	const char *at = len > 0 ? data : "";
	bool in_head = request->phase == PHASE_HEAD;
	size_t take = len;

	*ret_used = 0;
	if (request->phase == PHASE_DONE)
		return REQUEST_DONE;
	if (request->phase == PHASE_BROKEN)
		return REQUEST_REFUSED;
	if (in_head && take > REQUEST_HEAD_MAX - request->head_len)
		take = REQUEST_HEAD_MAX - request->head_len;

	if (request->phase == PHASE_BODY && llhttp_get_errno(&request->parser) == HPE_PAUSED)
		llhttp_resume(&request->parser);
	llhttp_errno_t error = llhttp_execute(&request->parser, at, take);
	if (error != HPE_OK && error != HPE_PAUSED)
		return stopped(request);

	*ret_used =
		error == HPE_PAUSED ? (size_t)(llhttp_get_error_pos(&request->parser) - at) : take;
	request->head_len += in_head ? *ret_used : 0;
	if (request->phase == PHASE_DONE)
		return REQUEST_DONE;
	if (in_head && request->phase == PHASE_BODY)
		return REQUEST_HEAD;
	if (in_head && request->head_len == REQUEST_HEAD_MAX) {
		(void)refuse(request, HEAD_TOO_LONG);
		return stopped(request);
	}
	return REQUEST_MORE;
}

struct request_refusal request_refusal(const struct request *request)
{
	return request->refusal;
}

const char *request_method(const struct request *request)
{
	return llhttp_method_name((llhttp_method_t)request->parser.method);
}

char *request_target(struct request *request)
{
	return (char *)request->text.data;
}

bool request_has_body(const struct request *request)
{
	return request->has_body;
}

bool request_expects_continue(const struct request *request)
{
	return request->expects_continue;
}

bool request_keep_alive(const struct request *request)
{
	return request->keep_alive;
}

struct buf *request_body(struct request *request)
{
	return &request->body;
}
