/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * entry: one entry of the ledger: made from a producer's event, read back for review and verification.
 *
 * Layer 2 (appliance/audit). Entries read back are untrusted input.
 * Format: FORMAT.md section 1.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/audit.h"

constexpr size_t ENTRY_BOOT_ID = 37; /* a UUID's text with its NUL */
constexpr char ENTRY_OWN_PRODUCER[] = "audit";
constexpr char ENTRY_ROTATE[] = "epoch.rotate";

enum {
	ENTRY_OK = 0,
	ENTRY_BAD_DETAIL, /* the event's detail is not a JSON object */
	ENTRY_MALFORMED,  /* not an entry of ours */
};

/* What the ledger itself knows about an entry. */
struct entry_stamp {
	uint64_t index;
	uint64_t time_us; /* wall clock */
	uint64_t mono_us;
	const char *boot;     /* boot id */
	const char *producer; /* who sent it, by the socket it came in on */
	bool unknown; /* an outcome that will never be known: written instead of the event's */
};

/*
 * Append an event as an entry's JSON.
 *
 * Returns 0, ENTRY_BAD_DETAIL, or -ENOMEM, -EMSGSIZE; out is unchanged unless 0.
 */
[[nodiscard]] int entry_write(struct buf *out, const struct entry_stamp *stamp,
			      const struct audit_event *event);

struct yyjson_doc;

/* An entry read back; the texts live until entry_done(). A field that is absent is "". */
struct entry {
	struct yyjson_doc *doc;
	uint64_t index;
	uint64_t intent; /* AUDIT_NO_INTENT if it is no outcome */
	const char *time, *boot, *producer, *code, *actor_kind, *actor, *source, *target, *decision,
		*outcome, *request_id;
};

/*
 * Read an entry.
 *
 * data  [len] untrusted
 * ret   set only on success; free with entry_done()
 *
 * Returns 0, ENTRY_MALFORMED or -ENOMEM.
 */
[[nodiscard]] int entry_read(const void *data, size_t len, struct entry *ret);

/* Free what entry_read() made; an empty entry is a no-op. */
void entry_done(struct entry *entry);
#define auto_entry cleanup(entry_done)

/* Append the entry's detail as JSON; nothing if it has none. A failure sticks to out. */
void entry_detail(const struct entry *entry, struct buf *out);

/* The text field name of the entry's detail; borrowed; "" if there is none. */
[[nodiscard]] const char *entry_detail_text(const struct entry *entry, const char *name);

/* What a person reads for the action: the code without its first word, "documents add". Written to ret[room]. */
void entry_action(const struct entry *entry, char *ret, size_t room);

/* Whether text is in the actor, code, action, source, target, decision or outcome, case apart; "" is in all. */
[[nodiscard]] bool entry_matches(const struct entry *entry, const char *text);
