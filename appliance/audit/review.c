/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/review.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/exports.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/reads.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/verify.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/loop.h"
#include "common/proto/audit.h"

constexpr uint64_t US_PER_S = 1'000'000;
constexpr uint64_t LIST_MAX = 500;
constexpr size_t FILTER_MAX = 256;
constexpr unsigned int PAGES_A_SLICE = 4; /* 1,024 entries: some milliseconds */
constexpr size_t QUESTIONS_MAX = 16; /* a person has one or two open; more is somebody hammering */
constexpr size_t BASE64_HASH = 64;
constexpr size_t PROOF_MAX = 64 * 1024;

static const char *const STATES[] = {
	[LEDGER_OK] = "ok",
	[LEDGER_LOW] = "low-space",
	[LEDGER_REFUSING] = "refusing",
	[LEDGER_TAMPERED] = "tampered",
};
static const char *const VERDICTS[] = {
	[VERIFY_VALID] = "valid",	    [VERIFY_CANNOT] = "failed",
	[VERIFY_INVALID] = "invalid",	    [VERIFY_INCOMPLETE] = "incomplete",
	[VERIFY_TAIL] = "valid, with tail",
};

struct question;

/* Do a part of the work. Returns whether there is more to do; without more the call has been answered. */
typedef bool work_fn(struct question *question);

/* A call that is waiting: for accounts to say who may, or for its next slice. */
struct question {
	struct review *review;
	struct question *next;
	struct bus_call *call;
	struct loop_source *slice;
	work_fn *work;
	const char *code; /* of what is read, for the ledger; nullptr: the work records itself */

	uint64_t index; /* List: one past the next entry to look at */
	uint64_t count;
	char filter[FILTER_MAX];
	char person[ACCESS_NAME_MAX]; /* who asks, once accounts has said so */
	const char *from;	      /* Verify: a checkpoint, in the call */
	uint64_t max_age_s;
	bool begun;
	struct ledger_page page;
	struct verify *verify;
};

struct review {
	struct loop *loop;
	struct ledger *ledger;
	struct bus *bus;
	struct exports *exports;
	struct reads *reads;
	struct question *first;
	size_t n;
};

/* Take a question out of the list and free it; its call has been answered. */
static void question_end(struct question *question)
{
	struct review *review = question->review;

	for (struct question **at = &review->first; *at; at = &(*at)->next) {
		if (*at != question)
			continue;
		*at = question->next;
		review->n--;
		break;
	}
	question->slice = loop_source_free(question->slice);
	question->verify = verify_free(question->verify);
	ledger_page_done(&question->page);
	free(question);
}

static int on_slice(void *userdata)
{
	struct question *question = userdata;

	if (question->work(question))
		return loop_defer_again(question->slice);
	question_end(question);
	return 0;
}

void review_tick(struct review *review, uint64_t now_us)
{
	if (review)
		reads_tick(review->reads, now_us);
}

/* Begin the work if the person may. */
static void on_authorized(void *userdata, bool allowed, const char *person)
{
	struct question *question = userdata;

	(void)snprintf(question->person, sizeof(question->person), "%s", person);
	if (allowed && question->code)
		reads_note(question->review->reads, bus_sender(question->call), question->code,
			   question->person);
	if (allowed &&
	    loop_defer(question->review->loop, on_slice, question, &question->slice) == 0)
		return;
	if (allowed)
		bus_fail(question->call, BUS_FAILED, "There is no memory for that now.");
	else
		bus_fail(question->call, BUS_DENIED,
			 "You may not review the ledger; that takes the privilege AUDIT_READ.");
	question_end(question);
}

/* Ask accounts whether the caller may review; then work goes on in slices. */
static struct question *ask(struct review *review, struct bus_call *call, work_fn *work,
			    const char *code)
{
	struct question *question =
		review->n < QUESTIONS_MAX ? calloc(1, sizeof(*question)) : nullptr;

	if (!question) {
		bus_fail(call, BUS_FAILED, "The ledger is busy; try again in a moment.");
		return nullptr;
	}
	question->review = review;
	question->call = call;
	question->work = work;
	question->code = code;
	question->next = review->first;
	question->page.first = LEDGER_NO_PAGE;
	review->first = question;
	review->n++;
	return question;
}

/* Send the question about the privilege; everything the work needs is in place. */
static void send(struct question *question)
{
	if (bus_authorize(question->review->bus, bus_uid(question->call), "AUDIT_READ", "",
			  on_authorized, question) == 0)
		return;
	bus_fail(question->call, BUS_FAILED, "The accounts service cannot be asked now.");
	question_end(question);
}

/* Put an entry's fields into the row that has been begun. */
static void put_entry(struct bus_call *call, const struct entry *entry)
{
	auto_buf struct buf detail = buf_make(AUDIT_DETAIL_MAX * 2);
	char action[sizeof(((struct audit_event *)nullptr)->code)];
	const char *text;

	entry_action(entry, action, sizeof(action));
	entry_detail(entry, &detail);
	text = buf_text(&detail);
	bus_put_number(call, "index", entry->index);
	bus_put_str(call, "time", entry->time);
	bus_put_str(call, "code", entry->code);
	bus_put_str(call, "actor", entry->actor);
	bus_put_str(call, "action", action);
	bus_put_str(call, "target", entry->target);
	bus_put_str(call, "decision", entry->decision);
	bus_put_str(call, "outcome", entry->outcome);
	bus_put_str(call, "source", entry->source);
	bus_put_str(call, "producer", entry->producer);
	bus_put_str(call, "detail", text ? text : "");
}

/* Answer for a page that could not be read. */
static void fail_page(struct bus_call *call, int r, uint64_t index)
{
	if (r == LEDGER_NO_ENTRY)
		bus_fail(call, BUS_NOT_FOUND, "There is no entry %llu.", (unsigned long long)index);
	else
		bus_fail(call, BUS_FAILED, "Entry %llu could not be read: %s.",
			 (unsigned long long)index,
			 r < 0 ? strerrordesc_np(-r) : "a file of the ledger is damaged");
}

/* Whether the list is to have an entry. */
static bool is_wanted(const struct question *question, const struct entry *entry)
{
	if (strcmp(question->filter, "-reads") == 0)
		return !reads_are(entry);
	return entry_matches(entry, question->filter);
}

/* Look at entry index - 1 and list it if the filter lets it through. Returns 0, LEDGER_* or -errno. */
static int list_one(struct question *question)
{
	struct ledger_page *page = &question->page;
	auto_entry struct entry entry = {};
	uint64_t index = question->index - 1;
	int r = 0;

	if (page->first == LEDGER_NO_PAGE || index < page->first || index >= page->first + page->n)
		r = ledger_page_read(question->review->ledger, index, page);
	if (r)
		return r;
	struct bytes text = page->entry[index - page->first];
	r = entry_read(text.data, text.len, &entry);
	if (r)
		return r > 0 ? LEDGER_DAMAGED : r;
	question->index--;
	if (!is_wanted(question, &entry))
		return 0;
	question->count--;
	bus_row_begin(question->call);
	put_entry(question->call, &entry);
	bus_row_end(question->call);
	return 0;
}

static bool work_list(struct question *question)
{
	struct ledger_status status;
	int r = 0;

	if (!question->begun) {
		ledger_status(question->review->ledger, &status);
		if (question->index > status.size)
			question->index = status.size;
		bus_rows_begin(question->call);
		question->begun = true;
	}
	/* The entries of a page in memory may have moved since the last slice. */
	question->page.first = LEDGER_NO_PAGE;
	for (unsigned int i = 0; r == 0 && i < PAGES_A_SLICE * TILE_WIDTH; i++) {
		if (question->index == 0 || question->count == 0) {
			bus_rows_end(question->call);
			bus_reply(question->call);
			return false;
		}
		r = list_one(question);
	}
	if (r)
		fail_page(question->call, r, question->index - 1);
	return r == 0;
}

static void on_list(struct bus_call *call, void *service)
{
	uint64_t before = bus_arg_number(call);
	uint64_t count = bus_arg_number(call);
	const char *filter = bus_arg_str(call);

	if (count == 0 || count > LIST_MAX || strlen(filter) >= FILTER_MAX) {
		bus_fail(
			call, BUS_INVALID,
			"One to %llu entries at once, and a filter of less than %zu bytes, please.",
			(unsigned long long)LIST_MAX, FILTER_MAX);
		return;
	}

	struct question *question = ask(service, call, work_list, "audit.list");
	if (!question)
		return;
	question->index = before;
	question->count = count;
	(void)snprintf(question->filter, sizeof(question->filter), "%s", filter);
	send(question);
}

static bool work_get(struct question *question)
{
	auto_entry struct entry entry = {};
	auto_buf struct buf text = buf_make(TILE_ENTRY_MAX);
	char hex[2 * CRYPTO_HASH + 1];
	struct merkle_hash leaf;

	int r = ledger_page_read(question->review->ledger, question->index, &question->page);
	if (r == 0) {
		struct bytes bytes = question->page.entry[question->index - question->page.first];

		buf_add(&text, bytes.data, bytes.len);
		r = entry_read(bytes.data, bytes.len, &entry)
			    ? LEDGER_DAMAGED
			    : merkle_leaf(bytes.data, bytes.len, &leaf);
	}
	if (r || !buf_text(&text)) {
		fail_page(question->call, r ? r : -ENOMEM, question->index);
		return false;
	}
	crypto_hex(leaf.byte, sizeof(leaf.byte), hex);
	bus_row_begin(question->call);
	put_entry(question->call, &entry);
	bus_put_str(question->call, "entry", buf_text(&text));
	bus_put_str(question->call, "leaf_hash", hex);
	bus_row_end(question->call);
	bus_reply(question->call);
	return false;
}

static void on_get(struct bus_call *call, void *service)
{
	uint64_t index = bus_arg_number(call);
	struct question *question = ask(service, call, work_get, "audit.show");

	if (!question)
		return;
	question->index = index;
	send(question);
}

static bool work_proof(struct question *question)
{
	struct ledger *ledger = question->review->ledger;
	auto_buf struct buf out = buf_make(PROOF_MAX);
	struct ledger_status status;
	int r = 0;

	ledger_status(ledger, &status);
	if (question->index >= status.signed_size && question->index < status.size)
		r = ledger_publish(ledger);
	if (r == 0)
		r = ledger_proof(ledger, question->index, &out);
	if (r) {
		fail_page(question->call, r, question->index);
		return false;
	}
	bus_answer_str(question->call, buf_text(&out));
	bus_reply(question->call);
	return false;
}

static void on_proof(struct bus_call *call, void *service)
{
	uint64_t index = bus_arg_number(call);
	struct question *question = ask(service, call, work_proof, "audit.proof");

	if (!question)
		return;
	question->index = index;
	send(question);
}

/* Answer with what verifying has found. */
static void answer_verify(struct question *question)
{
	struct verify_report report;

	verify_result(question->verify, &report);
	bus_row_begin(question->call);
	bus_put_str(question->call, "verdict", VERDICTS[report.verdict]);
	bus_put_number(question->call, "entries", report.entries);
	bus_put_number(question->call, "checkpoints", report.checkpoints);
	bus_put_number(question->call, "tail", report.tail);
	bus_put_str(question->call, "message", report.message);
	bus_row_end(question->call);
	bus_reply(question->call);
}

static bool work_verify(struct question *question)
{
	struct ledger *ledger = question->review->ledger;

	if (!question->begun) {
		auto_buf struct buf vkey = buf_make(FILTER_MAX);
		struct ledger_status status;

		ledger_status(ledger, &status);
		note_key_write(&vkey, &status.genesis);
		const char *text = buf_text(&vkey);
		struct verify_options options = {
			.vkey = text ? text : "",
			.from = question->from[0] ? question->from : nullptr,
			.from_len = strlen(question->from),
			.max_age_s = question->max_age_s,
			.now_s = clock_wall_us() / US_PER_S,
		};
		question->begun = true;
		if (verify_new(ledger_folder(ledger), &options, &question->verify)) {
			bus_fail(question->call, BUS_FAILED, "There is no memory for that now.");
			return false;
		}
	}
	for (unsigned int i = 0; i < PAGES_A_SLICE; i++) {
		if (verify_step(question->verify) == VERIFY_MORE)
			continue;
		answer_verify(question);
		return false;
	}
	return true;
}

static void on_verify(struct bus_call *call, void *service)
{
	const char *from = bus_arg_str(call);
	uint64_t max_age_s = bus_arg_number(call);
	struct question *question = ask(service, call, work_verify, "audit.verify");

	if (!question)
		return;
	question->from = from;
	question->max_age_s = max_age_s;
	send(question);
}

/* Say why there is no export, or no entry about it. */
static void fail_export(struct bus_call *call, int r)
{
	static const struct {
		enum bus_error error;
		const char *sentence;
	} WHY[] = {
		[EXPORTS_BUSY] = { BUS_FAILED,
				   "Four copies are being made already; try again when one is done." },
		[EXPORTS_BEYOND] = { BUS_INVALID,
				     "The ledger has fewer entries than you say you have: it has gone back, or the number is wrong." },
		[EXPORTS_UNRECORDED] = { BUS_AUDIT_UNAVAILABLE,
					 "The ledger does not record that it is copied, so it was not." },
		[EXPORTS_NOT_FINISHED] = { BUS_NOT_FOUND,
					   "No copy of that size has been taken to its end by you." },
	};

	if (r > 0)
		bus_fail(call, WHY[r].error, "%s", WHY[r].sentence);
	else
		bus_fail(call, BUS_FAILED, "The ledger could not be copied: %s.",
			 strerrordesc_np(-r));
}

static bool work_export(struct question *question)
{
	struct bus_call *call = question->call;
	auto_close int fd = -1;
	uint64_t size = 0;

	int r = exports_begin(question->review->exports, bus_sender(call), question->person,
			      question->index, &fd, &size);
	if (r) {
		fail_export(call, r);
		return false;
	}
	bus_answer_fd(call, fd);
	bus_row_begin(call);
	bus_put_number(call, "from", question->index);
	bus_put_number(call, "size", size);
	bus_row_end(call);
	bus_reply(call);
	return false;
}

static void on_export(struct bus_call *call, void *service)
{
	uint64_t from = bus_arg_number(call);
	struct question *question = ask(service, call, work_export, nullptr);

	if (!question)
		return;
	question->index = from;
	send(question);
}

static bool work_mark_exported(struct question *question)
{
	int r = exports_mark(question->review->exports, bus_sender(question->call),
			     question->person, question->index);

	if (r)
		fail_export(question->call, r);
	else
		bus_reply(question->call);
	return false;
}

static void on_mark_exported(struct bus_call *call, void *service)
{
	uint64_t size = bus_arg_number(call);
	struct question *question = ask(service, call, work_mark_exported, nullptr);

	if (!question)
		return;
	question->index = size;
	send(question);
}

static void on_status(struct bus_call *call, void *service)
{
	struct review *review = service;
	auto_buf struct buf vkey = buf_make(FILTER_MAX);
	char root[BASE64_HASH], time[CLOCK_TEXT];
	struct ledger_status status;

	ledger_status(review->ledger, &status);
	note_key_write(&vkey, &status.genesis);
	const char *text = buf_text(&vkey);
	crypto_base64(status.root.byte, sizeof(status.root.byte), root);
	clock_text_s(status.signed_time_s * US_PER_S, time);
	bus_row_begin(call);
	bus_put_number(call, "size", status.size);
	bus_put_str(call, "root", root);
	bus_put_number(call, "signed_size", status.signed_size);
	bus_put_str(call, "signed_at", time);
	bus_put_str(call, "origin", status.genesis.name);
	bus_put_str(call, "vkey", text ? text : "");
	bus_put_str(call, "state", STATES[ledger_state(review->ledger)]);
	bus_put_str(call, "message", ledger_why(review->ledger));
	bus_put_number(call, "epoch", status.epoch);
	bus_row_end(call);
	bus_reply(call);
}

static const struct bus_method METHODS[] = {
	{ "Status", "", "a{sv}", on_status },
	{ "List", "tus", "aa{sv}", on_list },
	{ "Get", "t", "a{sv}", on_get },
	{ "Proof", "t", "s", on_proof },
	{ "Verify", "st", "a{sv}", on_verify },
	{ "Export", "t", "ha{sv}", on_export },
	{ "MarkExported", "t", "", on_mark_exported },
};

int review_new(struct loop *loop, struct ledger *ledger, exports_record_fn *record, void *userdata,
	       struct review **ret)
{
	cleanup(review_free_at) struct review *review = calloc(1, sizeof(*review));

	if (!review)
		return -ENOMEM;
	review->loop = loop;
	review->ledger = ledger;
	int r = reads_new(record, userdata, &review->reads);
	if (r)
		return r;
	r = exports_new(loop, ledger, record, userdata, &review->exports);
	if (r)
		return r;
	r = bus_new(loop, "org.redoubt.Audit1", "/org/redoubt/Audit1", METHODS, countof(METHODS),
		    review, &review->bus);
	if (r)
		return r;
	*ret = TAKE(review);
	return 0;
}

struct review *review_free(struct review *review)
{
	if (!review)
		return nullptr;
	for (struct question *at = review->first; at; at = at->next)
		bus_fail(at->call, BUS_FAILED, "The ledger's service is stopping.");
	review->bus = bus_free(review->bus); /* no answer comes any more */
	while (review->first)
		question_end(review->first);
	review->exports = exports_free(review->exports);
	review->reads = reads_free(review->reads);
	free(review);
	return nullptr;
}

void review_changed(struct review *review)
{
	if (review && review->bus)
		bus_changed(review->bus);
}
