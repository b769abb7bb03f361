/* SPDX-License-Identifier: Apache-2.0 */
#include "service/api/error.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"

constexpr size_t MESSAGE_MAX = 2048; /* bytes of the message that go out */

#define TYPE(type, status, text) [ERROR_##type] = { #type, status, text }

/* clang-format off */
static const struct {
	const char *name;
	uint16_t status;
	const char *text; /* when the caller has nothing better to say */
} TYPES[ERROR_TYPE_COUNT] = {
	TYPE(AUTHEXCEPTION,           401, "The API key is missing or not valid."),
	TYPE(VERSIONEXCEPTION,        400, "This version of the API is not supported."),
	TYPE(INTERNALERROR,           500, "The request failed by a fault of the server."),
	TYPE(INVALIDINPUT,            400, "The request is not valid."),
	TYPE(NOTIMPLEMENTEDYET,       501, "This operation is not implemented."),
	TYPE(RESOURCEEXCEEDED,        429, "A limit of the server is reached."),
	TYPE(ALREADYEXISTS,           409, "The resource exists already."),
	TYPE(METHODNOTALLOWED,        405, "This method is not allowed here."),
	TYPE(NOTACCEPTABLE,           406, "The server answers in application/json only."),
	TYPE(UNSUPPORTEDMEDIATYPE,    415, "The server takes application/json only."),
	TYPE(NOTFOUND,                404, "There is nothing here."),
	TYPE(DEPENDENTRESOURCES,      409, "Other resources depend on this one."),
	TYPE(QUERY_ERROR,             400, "The query is not valid."),
	TYPE(NOT_READY,               503, "The service is not ready."),
	TYPE(FORBIDDEN,               403, "This is not allowed to the API key or its owner."),
	TYPE(QUERY_TIMEOUT,           408, "The request took too long."),
	TYPE(CONNECTION_ERROR,        502, "The connection was lost."),
	TYPE(CONTENTTOOLARGE,         413, "The request is too large."),
	TYPE(CREATING,                503, "The resource is still being made."),
	TYPE(BADREQUEST,              400, "The request is not well-formed."),
	TYPE(SERVICEUNAVAILABLE,      503, "The service is not available."),
	TYPE(CONFLICT,                409, "The request conflicts with the present state."),
	TYPE(RATELIMITEXCEEDED,       429, "Too many requests."),
	TYPE(QUERY_CANCELLED,         400, "The query was cancelled."),
	TYPE(CLIENT_CONNECTION_ERROR, 400, "The client closed the connection."),
};
/* clang-format on */

/* Append ,"name": and a string, or null for nullptr. */
static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	if (text)
		buf_add_json(out, text, strlen(text));
	else
		buf_add_str(out, "null");
}

/* Append ,"name": and a number, or null for 0. */
static void add_number(struct buf *out, const char *name, uint32_t number)
{
	if (number > 0)
		buf_addf(out, ",\"%s\":%u", name, number);
	else
		buf_addf(out, ",\"%s\":null", name);
}

void error_write(struct buf *out, const struct error *error)
{
	enum error_type type = error->type < ERROR_TYPE_COUNT ? error->type : ERROR_INTERNALERROR;
	const char *message = error->message ? error->message : TYPES[type].text;

	buf_add_str(out, "{\"message\":");
	buf_add_json(out, message, strnlen(message, MESSAGE_MAX));
	add_text(out, "message_key", error->message_key);
	add_text(out, "type", error_name(type));
	add_number(out, "line", error->line);
	add_number(out, "column", error->column);
	add_text(out, "trace_id", error->request_id ? error->request_id : "");
	add_text(out, "error_id", error->error_id);
	add_text(out, "query_id", error->query_id);
	if (error->hint && error->hint[0])
		add_text(out, "hint", error->hint);
	buf_add_str(out, ",\"internal_errors\":null}");
}

uint16_t error_status(enum error_type type)
{
	return type < ERROR_TYPE_COUNT ? TYPES[type].status : TYPES[ERROR_INTERNALERROR].status;
}

const char *error_name(enum error_type type)
{
	return type < ERROR_TYPE_COUNT ? TYPES[type].name : TYPES[ERROR_INTERNALERROR].name;
}

enum error_type error_find(const char *name)
{
	for (size_t i = 0; i < countof(TYPES); i++)
		if (strcmp(TYPES[i].name, name) == 0)
			return (enum error_type)i;
	return ERROR_TYPE_COUNT;
}
