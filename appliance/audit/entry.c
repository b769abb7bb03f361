/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/proto/audit.h"

static const char *const DECISIONS[] = {
	[AUDIT_NO_DECISION] = "none",
	[AUDIT_ALLOW] = "allow",
	[AUDIT_DENY] = "deny",
};
static const char *const OUTCOMES[] = {
	[AUDIT_INTENT] = "intent",
	[AUDIT_DONE] = "done",
	[AUDIT_FAILED] = "failed",
};
static_assert(countof(DECISIONS) == AUDIT_DECISION_COUNT);
static_assert(countof(OUTCOMES) == AUDIT_OUTCOME_COUNT);

static yyjson_doc *doc_free(yyjson_doc *doc)
{
	yyjson_doc_free(doc);
	return nullptr;
}
CLEANUP_FN(yyjson_doc, doc_free)

/* Append ,"detail":{…}; nothing for an event without. Returns 0, ENTRY_BAD_DETAIL or -ENOMEM. */
static int write_detail(struct buf *out, const char *detail)
{
	yyjson_read_err error = {};
	size_t len = 0;

	if (detail[0] == '\0')
		return 0;

	cleanup(doc_free_at) yyjson_doc *doc =
		yyjson_read_opts((char *)(uintptr_t)detail, strlen(detail), 0, nullptr, &error);
	if (!doc)
		return error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? -ENOMEM
									 : ENTRY_BAD_DETAIL;
	if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		return ENTRY_BAD_DETAIL;

	auto_free char *text = yyjson_write(doc, 0, &len);
	if (!text)
		return -ENOMEM;
	buf_add_str(out, ",\"detail\":");
	buf_add(out, text, len);
	return 0;
}

/* Append ,"name":"text". */
static void write_field(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	buf_add_json(out, text, strlen(text));
}

int entry_write(struct buf *out, const struct entry_stamp *stamp, const struct audit_event *event)
{
	size_t start = out->len;
	char time[CLOCK_TEXT];

	clock_text_us(stamp->time_us, time);
	buf_addf(out,
		 "{\"v\":1,\"index\":%" PRIu64
		 ",\"time\":\"%s\",\"boot\":\"%s\",\"mono_us\":%" PRIu64,
		 stamp->index, time, stamp->boot, stamp->mono_us);
	write_field(out, "producer", stamp->producer);
	write_field(out, "code", event->code);
	write_field(out, "actor_kind", event->actor_kind);
	write_field(out, "actor", event->actor);
	write_field(out, "source", event->source);
	write_field(out, "target", event->target);
	write_field(out, "decision", DECISIONS[event->decision]);
	write_field(out, "outcome", stamp->unknown ? "unknown" : OUTCOMES[event->outcome]);
	if (event->intent != AUDIT_NO_INTENT)
		buf_addf(out, ",\"intent\":%" PRIu64, event->intent);
	write_field(out, "request_id", event->request_id);

	int r = write_detail(out, event->detail);
	buf_add_str(out, "}");
	if (r == 0)
		r = buf_error(out);
	if (r)
		out->len = start;
	return r;
}

int entry_read(const void *data, size_t len, struct entry *ret)
{
	yyjson_read_err error = {};
	struct entry entry = { .intent = AUDIT_NO_INTENT };
	const struct {
		const char *name, **at;
	} FIELDS[] = {
		{ "time", &entry.time },
		{ "boot", &entry.boot },
		{ "producer", &entry.producer },
		{ "code", &entry.code },
		{ "actor_kind", &entry.actor_kind },
		{ "actor", &entry.actor },
		{ "source", &entry.source },
		{ "target", &entry.target },
		{ "decision", &entry.decision },
		{ "outcome", &entry.outcome },
		{ "request_id", &entry.request_id },
	};

	cleanup(doc_free_at) yyjson_doc *doc =
		yyjson_read_opts((char *)(uintptr_t)data, len, 0, nullptr, &error);
	if (!doc)
		return error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? -ENOMEM
									 : ENTRY_MALFORMED;

	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *index = yyjson_obj_get(root, "index");
	yyjson_val *intent = yyjson_obj_get(root, "intent");
	if (!yyjson_is_uint(index) || (intent && !yyjson_is_uint(intent)) ||
	    yyjson_get_uint(yyjson_obj_get(root, "v")) != 1)
		return ENTRY_MALFORMED;
	for (size_t i = 0; i < countof(FIELDS); i++) {
		const char *text = yyjson_get_str(yyjson_obj_get(root, FIELDS[i].name));

		*FIELDS[i].at = text ? text : "";
	}
	if (entry.time[0] == '\0' || entry.producer[0] == '\0' || entry.code[0] == '\0')
		return ENTRY_MALFORMED;
	entry.index = yyjson_get_uint(index);
	if (intent)
		entry.intent = yyjson_get_uint(intent);
	entry.doc = TAKE(doc);
	*ret = entry;
	return 0;
}

void entry_done(struct entry *entry)
{
	yyjson_doc_free(entry->doc);
	*entry = (struct entry) {};
}

/* The entry's detail, or nullptr. */
static yyjson_val *detail_of(const struct entry *entry)
{
	return yyjson_obj_get(yyjson_doc_get_root(entry->doc), "detail");
}

void entry_detail(const struct entry *entry, struct buf *out)
{
	yyjson_val *detail = detail_of(entry);
	size_t len = 0;

	if (!detail)
		return;

	auto_free char *text = yyjson_val_write(detail, 0, &len);
	if (text)
		buf_add(out, text, len);
	else
		out->error = out->error ? out->error : -ENOMEM;
}

const char *entry_detail_text(const struct entry *entry, const char *name)
{
	const char *text = yyjson_get_str(yyjson_obj_get(detail_of(entry), name));

	return text ? text : "";
}

void entry_action(const struct entry *entry, char *ret, size_t room)
{
	const char *dot = strchr(entry->code, '.');
	const char *from = dot ? dot + 1 : entry->code;
	size_t i = 0;

	for (; from[i] && i + 1 < room; i++)
		ret[i] = from[i] == '.' || from[i] == '-' ? ' ' : from[i];
	ret[i] = '\0';
}

bool entry_matches(const struct entry *entry, const char *text)
{
	char action[sizeof(((struct audit_event *)nullptr)->code)];
	const char *const fields[] = { entry->actor,  entry->code,     entry->target,
				       entry->source, entry->decision, entry->outcome };

	entry_action(entry, action, sizeof(action));
	bool found = strcasestr(action, text);
	for (size_t i = 0; !found && i < countof(fields); i++)
		found = strcasestr(fields[i], text);
	return found;
}
