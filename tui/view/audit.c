/* SPDX-License-Identifier: Apache-2.0 */

/* audit: the ledger, newest first, a page at a time, back to its first entry. */

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/box.h"
#include "tui/view/form.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/list.h"
#include "tui/view/view.h"

constexpr uint64_t PAGE = 200;
constexpr size_t FILTER_MAX = 200;

enum tag {
	TAG_LIST,
	TAG_OLDER,
	TAG_ENTRY,
	TAG_PROOF,
	TAG_VERIFY
};

struct audit {
	struct list list;
	char filter[FILTER_MAX + 1]; /* the service applies it, to the whole ledger */
	uint64_t *before;	     /* [n_pages] where each page down to this one begins */
	size_t n_pages, room;
	uint64_t next; /* where the page that was asked for begins */
};

static const struct list_column COLUMNS[] = {
	{ "TIME (UTC)", "time", LIST_TIME, 19, 0 },   { "WHAT", "code", LIST_PLAIN, 16, 2 },
	{ "WHO", "actor", LIST_PLAIN, 10, 2 },	      { "ON", "target", LIST_PLAIN, 10, 3 },
	{ "DECISION", "decision", LIST_STATE, 8, 0 }, { "RESULT", "outcome", LIST_STATE, 7, 0 },
	{ "FROM", "source", LIST_PLAIN, 20, 2 },      {},
};

static void ask_page(struct view *view, uint64_t before, unsigned int tag, enum ask_kind kind)
{
	struct audit *audit = view->state;
	struct call call = { .method = METHOD_AUDIT_LIST,
			     .text = { audit->filter },
			     .number = { before, PAGE } };

	view_ask(view, &call, tag, kind);
}

static uint64_t page_start(const struct audit *audit)
{
	return audit->before[audit->n_pages - 1];
}

/* Only the newest page can change. */
static void audit_refresh(struct view *view)
{
	const struct audit *audit = view->state;

	if (audit->n_pages == 1 || !audit->list.rows)
		ask_page(view, page_start(audit), TAG_LIST, ASK_QUIETLY);
}

static int audit_open(struct view *view, const void *arg)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	auto_free uint64_t *before = malloc(sizeof(*before));
	(void)arg;
	if (!audit || !before) {
		free(audit);
		return -ENOMEM;
	}

	int r = list_init(&audit->list, COLUMNS, "index", "No entry.");
	if (r) {
		free(audit);
		return r;
	}
	*before = UINT64_MAX;
	audit->before = TAKE(before);
	audit->n_pages = audit->room = 1;
	view->state = audit;
	audit_refresh(view);
	return 0;
}

static void audit_close(struct view *view)
{
	struct audit *audit = view->state;

	list_done(&audit->list);
	free(audit->before);
	free(audit);
}

static void audit_draw(struct view *view, struct grid *to, struct area in)
{
	struct audit *audit = view->state;
	const struct rows *rows = audit->list.rows;
	size_t n = rows_count(rows);
	char where[96] = "";

	if (n > 0)
		(void)snprintf(where, sizeof(where), "Entries %" PRIu64 " to %" PRIu64,
			       rows_number(rows, n - 1, "index"), rows_number(rows, 0, "index"));
	int used = grid_text(to, in.x, in.y, in.w, STYLE_HEAD, where);
	if (*audit->filter)
		(void)grid_textf(to, in.x + used, in.y, in.w - used, STYLE_WARN, "  only with: %s",
				 audit->filter);
	list_draw(&audit->list, to, (struct area) { in.x, in.y + 1, in.w, in.h - 1 });
}

/* --- pages and filter -------------------------------------------------------------------------- */

static void go_older(struct view *view)
{
	struct audit *audit = view->state;
	size_t n = rows_count(audit->list.rows);

	if (n < PAGE || rows_number(audit->list.rows, n - 1, "index") == 0) {
		view_say(view, STYLE_NORMAL, "There is nothing older.");
		return;
	}
	audit->next = rows_number(audit->list.rows, n - 1, "index");
	ask_page(view, audit->next, TAG_OLDER, ASK_WAITING);
}

static void go_newer(struct view *view)
{
	struct audit *audit = view->state;

	if (audit->n_pages == 1)
		return;
	audit->n_pages--;
	audit->list.selected = PAGE - 1; /* its oldest, next to where one was */
	ask_page(view, page_start(audit), TAG_LIST, ASK_WAITING);
}

/* A page has come: remember where it begins, and show it from its newest entry. */
static void take_older(struct view *view, struct reply *reply)
{
	struct audit *audit = view->state;

	if (rows_count(reply->rows) == 0) {
		view_say(view, STYLE_NORMAL, "There is nothing older.");
		return;
	}
	if (audit->n_pages == audit->room) {
		uint64_t *more = reallocarray(audit->before, audit->room * 2, sizeof(*more));
		if (!more) {
			view_say(view, STYLE_BAD, "There is not enough memory for this.");
			return;
		}
		audit->before = more;
		audit->room *= 2;
	}
	audit->before[audit->n_pages++] = audit->next;
	audit->list.selected = 0;
	audit->list.top = 0;
	list_take(&audit->list, &reply->rows);
}

static int make_filter(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_AUDIT_LIST;
	ret->number[0] = UINT64_MAX;
	ret->number[1] = PAGE;
	return call_set_text(ret, 0, form_text(form, 0));
}

static void take_filter(struct view *view, struct reply *reply);

static const struct form_field FILTER_FIELDS[] = {
	{ .label = "Text",
	  .hint = "In who, what, on, decision or result. Empty: show all.",
	  .max = FILTER_MAX,
	  .is_optional = true },
};

static const struct form_spec FILTER_FORM = {
	.title = "Show only entries with",
	.field = FILTER_FIELDS,
	.n = countof(FILTER_FIELDS),
	.submit = "Show",
	.done = "",
	.make = make_filter,
	.answered = take_filter,
};

static void ask_filter(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &FILTER_FORM });
}

static void take_filter(struct view *view, struct reply *reply)
{
	struct audit *audit = view_below(view)->state;

	(void)snprintf(audit->filter, sizeof(audit->filter), "%s", form_text(view->state, 0));
	audit->n_pages = 1;
	audit->list.selected = 0;
	audit->list.top = 0;
	list_take(&audit->list, &reply->rows);
}

static bool audit_key(struct view *view, uint32_t key)
{
	struct audit *audit = view->state;
	bool down = key == KEY_PAGE_DOWN || key == KEY_DOWN_ || key == 'j' || key == KEY_CTRL('d');
	bool up = key == KEY_PAGE_UP || key == KEY_UP_ || key == 'k' || key == KEY_CTRL('u');
	size_t at = audit->list.selected;

	if (key == '/' || view_is_waiting(view))
		return key != '/'; /* the table opens the form */
	if (!list_key(&audit->list, key))
		return false;
	if (down && at == audit->list.selected && rows_count(audit->list.rows) == PAGE)
		go_older(view);
	else if (up && at == audit->list.selected)
		go_newer(view);
	return true;
}

/* --- one entry, and the whole ------------------------------------------------------------------ */

static void show_entry(struct view *view)
{
	const struct audit *audit = view->state;
	size_t i = list_selected(&audit->list);

	if (i == LIST_NONE)
		return;
	view_ask(view,
		 &(struct call) { .method = METHOD_AUDIT_GET,
				  .number = { rows_number(audit->list.rows, i, "index") } },
		 TAG_ENTRY, ASK_WAITING);
}

static void show_proof(struct view *view)
{
	const struct audit *audit = view->state;
	size_t i = list_selected(&audit->list);

	if (i == LIST_NONE)
		return;
	view_ask(view,
		 &(struct call) { .method = METHOD_AUDIT_PROOF,
				  .number = { rows_number(audit->list.rows, i, "index") } },
		 TAG_PROOF, ASK_WAITING);
}

static void verify(struct view *view)
{
	view_ask(view, &(struct call) { .method = METHOD_AUDIT_VERIFY }, TAG_VERIFY, ASK_WAITING);
}

/* All values of a record, one a line. */
static void show_record(struct view *view, const char *title, const struct rows *rows)
{
	auto_buf struct buf text = buf_make(1u << 20);

	for (size_t j = 0; rows_count(rows) && j < rows_fields(rows, 0); j++) {
		const char *key = rows_key(rows, 0, j);

		buf_addf(&text, "%-10s ", key);
		rows_show(rows, 0, key, &text);
		buf_add_str(&text, "\n");
	}
	const char *shown = buf_text(&text);
	box_pager(view->app, title, shown ? shown : "It is too long to show.");
}

static void audit_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	struct audit *audit = view->state;

	if (reply->result != RESULT_OK) {
		view_say_failed(view, reply);
		return;
	}
	switch ((enum tag)tag) {
	case TAG_LIST:
		list_take(&audit->list, &reply->rows);
		return;
	case TAG_OLDER:
		take_older(view, reply);
		return;
	case TAG_ENTRY:
		show_record(view, "Ledger entry", reply->rows);
		return;
	case TAG_PROOF:
		box_pager(view->app, "Proof that the entry is in the ledger",
			  rows_text(reply->rows, 0, "text"));
		return;
	case TAG_VERIFY:
		show_record(view, "The whole ledger", reply->rows);
		return;
	}
}

static const struct view_key KEYS[] = {
	{ KEY_ENTER_, "Enter", "Show", nullptr, show_entry },
	{ '/', "/", "Filter", nullptr, ask_filter },
	{ 'v', "v", "Verify", nullptr, verify },
	{ 'p', "p", "Proof", nullptr, show_proof },
	{ ']', "]", "Older", nullptr, go_older },
	{ '[', "[", "Newer", nullptr, go_newer },
	{},
};

const struct view_ops VIEW_AUDIT = {
	.title = "Audit",
	.services = 1u << SERVICE_AUDIT,
	.keys = KEYS,
	.open = audit_open,
	.close = audit_close,
	.draw = audit_draw,
	.key = audit_key,
	.reply = audit_reply,
	.refresh = audit_refresh,
};
