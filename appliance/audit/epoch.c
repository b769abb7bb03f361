/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/epoch.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/note.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"

static const char TITLE[] = "redoubt.audit/epoch@v1";
constexpr size_t STATEMENT_MAX = 2048;
constexpr size_t BASE64_HASH = 64;

void epoch_path(uint64_t epoch, char ret[EPOCH_PATH_MAX])
{
	(void)snprintf(ret, EPOCH_PATH_MAX, "epoch/%" PRIu64, epoch);
}

int epoch_statement_write(struct buf *out, const struct epoch_statement *statement,
			  const struct secret *private_key)
{
	auto_buf struct buf text = buf_make(STATEMENT_MAX);
	auto_buf struct buf note = buf_make(STATEMENT_MAX);
	char root[BASE64_HASH];

	crypto_base64(statement->root.byte, sizeof(statement->root.byte), root);
	buf_addf(&text, "%s\n%s\n%" PRIu64 "\n%" PRIu64 "\n%s\n", TITLE, statement->previous.name,
		 statement->epoch, statement->size, root);
	note_key_write(&text, &statement->next);
	buf_add_str(&text, "\n");
	int r = buf_error(&text);
	if (r == 0)
		r = note_sign(&note, text.data, text.len, &statement->previous, private_key, 0);
	if (r == 0)
		r = buf_error(&note);
	if (r)
		return r;

	buf_addf(out, "{\"epoch\":%" PRIu64 ",\"previous\":\"", statement->epoch);
	note_key_write(out, &statement->previous);
	buf_add_str(out, "\",\"statement\":");
	buf_add_json(out, (const char *)note.data, note.len);
	buf_add_str(out, "}");
	return 0;
}

bool epoch_is_rotation(const struct entry *entry)
{
	return strcmp(entry->code, ENTRY_ROTATE) == 0 &&
	       strcmp(entry->producer, ENTRY_OWN_PRODUCER) == 0;
}

/* Whether the next line of rest is this text. */
static bool line_is(struct bytes *rest, const char *text)
{
	struct bytes line;

	return note_line(rest, &line) && line.len == strlen(text) &&
	       memcmp(line.data, text, line.len) == 0;
}

/* The next line of rest as a number. Returns whether it is one. */
static bool line_number(struct bytes *rest, uint64_t *ret)
{
	struct bytes line;

	return note_line(rest, &line) && note_number(line, ret);
}

int epoch_statement_read(const struct entry *entry, struct epoch_statement *ret)
{
	const char *previous = entry_detail_text(entry, "previous");
	const char *text = entry_detail_text(entry, "statement");
	struct epoch_statement read = {};
	struct note note;
	struct bytes line;
	size_t len = 0;

	if (!note_key_read(previous, strlen(previous), &read.previous) ||
	    !note_read(text, strlen(text), &note) || note_check(&note, &read.previous) != NOTE_GOOD)
		return EPOCH_MALFORMED;

	struct bytes rest = note.text;
	if (!line_is(&rest, TITLE) || !line_is(&rest, read.previous.name) ||
	    !line_number(&rest, &read.epoch) || !line_number(&rest, &read.size) ||
	    !note_line(&rest, &line) ||
	    !crypto_base64_decode((const char *)line.data, line.len, read.root.byte,
				  sizeof(read.root.byte), &len) ||
	    len != sizeof(read.root.byte) || !note_line(&rest, &line) ||
	    !note_key_read((const char *)line.data, line.len, &read.next) || rest.len != 0)
		return EPOCH_MALFORMED;
	*ret = read;
	return EPOCH_OK;
}
