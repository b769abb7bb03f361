/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * error: the one shape in which the HTTPS API reports that something did not work.
 *
 * Layer 2 (service/api). Uses common/ only; used by service/front and service/engine.
 * Pure functions, safe from any thread. Source: the Rockset REST API v1, ErrorModel; the list of
 * types is closed, because its clients refuse any other.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"

enum error_type : uint8_t {
	ERROR_AUTHEXCEPTION,
	ERROR_VERSIONEXCEPTION,
	ERROR_INTERNALERROR,
	ERROR_INVALIDINPUT,
	ERROR_NOTIMPLEMENTEDYET,
	ERROR_RESOURCEEXCEEDED,
	ERROR_ALREADYEXISTS,
	ERROR_METHODNOTALLOWED,
	ERROR_NOTACCEPTABLE,
	ERROR_UNSUPPORTEDMEDIATYPE,
	ERROR_NOTFOUND,
	ERROR_DEPENDENTRESOURCES,
	ERROR_QUERY_ERROR,
	ERROR_NOT_READY,
	ERROR_FORBIDDEN,
	ERROR_QUERY_TIMEOUT,
	ERROR_CONNECTION_ERROR,
	ERROR_CONTENTTOOLARGE,
	ERROR_CREATING,
	ERROR_BADREQUEST,
	ERROR_SERVICEUNAVAILABLE,
	ERROR_CONFLICT,
	ERROR_RATELIMITEXCEEDED,
	ERROR_QUERY_CANCELLED,
	ERROR_CLIENT_CONNECTION_ERROR,
	ERROR_TYPE_COUNT,
};

/* Longer than any body that error_write() makes of texts within its own limits. */
constexpr size_t ERROR_BODY_MAX = 16 * 1024;

/* What is reported. Every text is borrowed; nullptr becomes null in the JSON. */
struct error {
	enum error_type type;
	const char *message; /* for people; cut at 2048 bytes; nullptr: the type's own sentence */
	const char *message_key; /* "COLLECTION_DOES_NOT_EXIST", or nullptr */
	uint32_t line, column;	 /* in the query, from 1; 0: null */
	const char *request_id;	 /* goes out as trace_id; nullptr: "" */
	const char *error_id;	 /* "function_not_found", or nullptr */
	const char *query_id;	 /* or nullptr */
	const char *hint; /* how to mend it; Redoubt's own: nullptr or "" leaves the member out */
};

/* Append the error as JSON, followed by no newline. A failure to append sticks to out. */
void error_write(struct buf *out, const struct error *error);

/* The HTTP status that goes with a type, 400 to 503; 500 outside the list. */
[[nodiscard]] uint16_t error_status(enum error_type type);

/* The name of a type as it goes over the wire, "NOTFOUND"; "INTERNALERROR" outside the list. */
[[nodiscard]] const char *error_name(enum error_type type);

/* The type of that name; ERROR_TYPE_COUNT if there is none. */
[[nodiscard]] enum error_type error_find(const char *name);
