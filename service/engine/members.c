/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/members.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "service/engine/call.h"

constexpr size_t NAME_MAX_LEN = 40; /* longer names are not compared for likeness */
constexpr size_t LIKE = 2;	    /* letters that may differ */

/* clang-format off */
static const struct {
	const char *whose; /* "" : the request's own */
	const char *const *name; /* up to nullptr */
} KNOWN[MEMBERS_COUNT] = {
	[MEMBERS_WORKSPACE] = { "", (const char *const[]) { "name", "description", nullptr } },
	[MEMBERS_COLLECTION] = { "", (const char *const[]) {
		"name", "description", "retention_secs", "clustering_key", "storage_compression_type",
		"field_mapping_query", "field_mappings", "sources", "event_time_info",
		"source_download_soft_limit_bytes", "insert_only", "enable_exactly_once_writes",
		"ingest_virtual_instance_id", "field_schemas", "field_partitions", nullptr } },
	[MEMBERS_CLUSTERING_KEY] = { " in `clustering_key`", (const char *const[]) { "field_name", "type", "keys", nullptr } },
	[MEMBERS_DOCUMENTS] = { "", (const char *const[]) { "data", nullptr } },
	[MEMBERS_OFFSETS] = { "", (const char *const[]) { "name", nullptr } },
	[MEMBERS_QUERY] = { "", (const char *const[]) {
		"sql", "async", "async_options", "debug_threshold_ms", "max_initial_results", "timeout_ms",
		"generate_warnings", "profiling_enabled", "paginate", "initial_paginate_response_doc_count", nullptr } },
	[MEMBERS_SQL] = { " in `sql`", (const char *const[]) {
		"query", "parameters", "default_row_limit", "generate_warnings", "profiling_enabled",
		"initial_paginate_response_doc_count", nullptr } },
	[MEMBERS_PARAMETER] = { " in `parameters`", (const char *const[]) { "name", "type", "value", nullptr } },
};
/* clang-format on */

/* How many letters must be put in, taken out or changed to make b of a. Source: Wagner and Fischer, 1974, two rows at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t before = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t changed = before + (a[i - 1] != b[j - 1]);
			size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			before = row[j];
			row[j] = changed < shorter ? changed : shorter;
		}
	}
	return row[n];
}

/* The known name that is most like this one, or nullptr if none is. */
static const char *like(const char *const *known, const char *name)
{
	const char *best = nullptr;
	size_t least = LIKE + 1;

	if (!name || strlen(name) > NAME_MAX_LEN)
		return nullptr;
	for (; *known; known++) {
		size_t away = strlen(*known) <= NAME_MAX_LEN ? distance(name, *known) : least;

		if (away < least && away < strlen(*known)) {
			least = away;
			best = *known;
		}
	}
	return best;
}

static bool is_known(const char *const *known, yyjson_val *name)
{
	for (; *known; known++)
		if (yyjson_equals_str(name, *known))
			return true;
	return false;
}

bool members_known(struct call *call, yyjson_val *object, enum members whose)
{
	const char *const *known = KNOWN[whose].name;
	yyjson_val *name, *value;
	size_t i, max;

	yyjson_obj_foreach(object, i, max, name, value)
	{
		if (is_known(known, name))
			continue;
		const char *text = yyjson_get_str(name), *meant = like(known, text);
		if (meant)
			call_fail(call, ERROR_INVALIDINPUT, nullptr,
				  "`%.100s`%s is not known; did you mean `%s`?", text,
				  KNOWN[whose].whose, meant);
		else
			call_fail(call, ERROR_INVALIDINPUT, nullptr, "`%.100s`%s is not known.",
				  text, KNOWN[whose].whose);
		return false;
	}
	return true;
}
