/* SPDX-License-Identifier: Apache-2.0 */

/* dashboard: how the appliance is, at a glance; and what can be done to it as a whole. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "tui/model/client.h"
#include "tui/model/figure.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"
#include "tui/view/box.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/list.h"
#include "tui/view/setup.h"
#include "tui/view/view.h"

constexpr size_t ITEMS_MAX = 48;
constexpr size_t VALUE_MAX = 256;
constexpr size_t NOTICES_SHOWN = 4;
constexpr int TWO_COLUMNS = 76;
constexpr int LABEL_WIDTH = 13;
constexpr int WIDE_VALUE = 34;
constexpr int GAUGE_WIDE = 10;
constexpr int GAUGE_NARROW = 4;
constexpr uint64_t EVENTS = 16;
constexpr uint64_t DAY_US = UINT64_C(86400) * 1000000;

enum tag {
	TAG_STATUS,
	TAG_LEDGER,
	TAG_EVENTS,
	TAG_RECOVERY,
	TAG_CHECKS,
	TAG_CA
};

struct item {
	const char *label;
	char value[VALUE_MAX];
	enum style style;
	uint64_t part, whole; /* whole: draw a gauge */
};

struct dashboard {
	struct rows *status, *ledger;
	struct list events;
	char trouble[REPLY_MESSAGE];	    /* why there is no status */
	char ledger_trouble[REPLY_MESSAGE]; /* why there is no ledger */
	bool asked_setup, asked_key;	    /* the form for it was opened by itself */
	struct item item[ITEMS_MAX];
	size_t n, split, top; /* split: the first item of the second column */
	size_t wide;	      /* items over the whole width, before the first column's */
};

/* --- items ------------------------------------------------------------------------------------- */

[[gnu::format(printf, 4, 5)]] static struct item *add(struct dashboard *board, const char *label,
						      enum style style, const char *format, ...)
{
	static struct item spare; /* written to when there is no room, read by nobody */
	struct item *item = board->n < ITEMS_MAX ? &board->item[board->n++] : &spare;
	va_list args;

	*item = (struct item) { .label = label, .style = style };
	va_start(args, format);
	(void)vsnprintf(item->value, sizeof(item->value), format, args);
	va_end(args);
	return item;
}

static void add_text(struct dashboard *board, const char *label, const char *key)
{
	auto_buf struct buf text = buf_make(65536);

	rows_show(board->status, 0, key, &text);
	const char *value = buf_text(&text);
	if (value && *value)
		(void)add(board, label, STYLE_NORMAL, "%s", value);
}

static void add_flag(struct dashboard *board, const char *label, const char *key)
{
	bool yes = rows_flag(board->status, 0, key);

	(void)add(board, label, yes ? STYLE_GOOD : STYLE_WARN, "%s", yes ? "yes" : "no");
}

/* How much of something is used. */
static void add_usage(struct dashboard *board, const char *label, uint64_t used, uint64_t whole)
{
	char used_text[FIGURE_TEXT];
	char whole_text[FIGURE_TEXT];

	if (whole == 0)
		return;
	figure_bytes(used, used_text);
	figure_bytes(whole, whole_text);
	struct item *item = add(board, label, used / 9 >= whole / 10 ? STYLE_WARN : STYLE_NORMAL,
				"%s of %s", used_text, whole_text);
	item->part = used;
	item->whole = whole;
}

static enum style state_style(const char *state)
{
	return strcmp(state, "ready") == 0    ? STYLE_GOOD
	       : strcmp(state, "failed") == 0 ? STYLE_BAD
					      : STYLE_WARN;
}

static uint64_t less(uint64_t whole, uint64_t rest)
{
	return whole > rest ? whole - rest : 0;
}

/* "redoubt-front.service=failed" as "front failed": there is little room. */
static void add_unit(struct dashboard *board, const char *unit, const char *state)
{
	static const char PREFIX[] = "redoubt-";
	static const char SUFFIX[] = ".service";
	auto len = (int)(state - unit);

	if (strncmp(unit, PREFIX, sizeof(PREFIX) - 1) == 0) {
		unit += sizeof(PREFIX) - 1;
		len -= (int)sizeof(PREFIX) - 1;
	}
	if (len > (int)sizeof(SUFFIX) - 1 &&
	    strncmp(state - (sizeof(SUFFIX) - 1), SUFFIX, sizeof(SUFFIX) - 1) == 0)
		len -= (int)sizeof(SUFFIX) - 1;
	(void)add(board, "", STYLE_BAD, "%.*s: %s", len, unit, state + 1);
}

static void add_services(struct dashboard *board)
{
	size_t n = rows_list_count(board->status, 0, "units");
	size_t active = 0;

	for (size_t i = 0; i < n; i++) {
		const char *state = strchr(rows_list_item(board->status, 0, "units", i), '=');

		active += state && strcmp(state + 1, "active") == 0;
	}
	if (n > 0)
		(void)add(board, "Services", active == n ? STYLE_GOOD : STYLE_BAD,
			  "%zu of %zu active", active, n);
	for (size_t i = 0; i < n; i++) {
		const char *unit = rows_list_item(board->status, 0, "units", i);
		const char *state = strchr(unit, '=');

		if (state && strcmp(state + 1, "active") != 0)
			add_unit(board, unit, state);
	}
}

static void add_certificate(struct dashboard *board)
{
	const char *expires = rows_text(board->status, 0, "tls_expires");
	uint64_t until = 0;

	add_text(board, "TLS names", "tls_names");
	if (!*expires || !clock_parse(expires, strlen(expires), &until))
		return;
	uint64_t now = clock_wall_us();
	(void)add(board, "TLS until",
		  until <= now		      ? STYLE_BAD
		  : until - now < 14 * DAY_US ? STYLE_WARN
					      : STYLE_NORMAL,
		  "%.10s (%" PRIu64 " days)", expires, until > now ? (until - now) / DAY_US : 0);
}

static void add_machine(struct dashboard *board)
{
	const struct rows *status = board->status;
	char up[FIGURE_TEXT];

	figure_duration(rows_number(status, 0, "uptime_s"), up);
	(void)add(board, "Up for", STYLE_NORMAL, "%s", up);
	add_text(board, "Load", "load");
	uint64_t memory = rows_number(status, 0, "mem_total");
	add_usage(board, "Memory", less(memory, rows_number(status, 0, "mem_available")), memory);
	add_usage(board, "Swap", rows_number(status, 0, "swap_used"),
		  rows_number(status, 0, "swap_total"));
	add_text(board, "Addresses", "addresses");
	add_certificate(board);
	add_services(board);
	add_text(board, "Version", "version");
}

static void add_volume(struct dashboard *board)
{
	const struct rows *status = board->status;
	uint64_t size = rows_number(status, 0, "volume_size");

	add_text(board, "Data volume", "volume_device");
	add_usage(board, "  used", less(size, rows_number(status, 0, "volume_free")), size);
	add_text(board, "  cipher", "volume_cipher");
	add_text(board, "  opened by", "volume_keyslots");
	add_flag(board, "TPM", "tpm");
	add_flag(board, "Secure Boot", "secure_boot");
	if (rows_flag(status, 0, "recovery_key_pending"))
		(void)add(board, "Recovery key", STYLE_WARN, "not taken yet (K takes it)");
	add_text(board, "SSH host key", "ssh_host_key");
}

static void add_ledger(struct dashboard *board)
{
	const struct rows *ledger = board->ledger;
	char time[FIGURE_TEXT];

	if (!ledger) {
		if (*board->ledger_trouble)
			(void)add(board, "Ledger", STYLE_BAD, "%s", board->ledger_trouble);
		return;
	}
	const char *state = rows_text(ledger, 0, "state");
	bool good = strcmp(state, "ok") == 0;
	(void)add(board, "Ledger", good ? STYLE_GOOD : STYLE_BAD, "%s, %" PRIu64 " entries", state,
		  rows_number(ledger, 0, "size"));
	figure_time(rows_text(ledger, 0, "signed_at"), time);
	(void)add(board, "  signed", STYLE_NORMAL, "%" PRIu64 ", %s",
		  rows_number(ledger, 0, "signed_size"), time);
}

/* What an admin should look at, each on a line of its own below the state. */
static void add_notices(struct dashboard *board)
{
	size_t n = rows_list_count(board->status, 0, "notices");

	for (size_t i = 0; i < n && i < NOTICES_SHOWN; i++)
		(void)add(board, "Look at", STYLE_WARN, "%s",
			  rows_list_item(board->status, 0, "notices", i));
}

static void make_items(struct dashboard *board)
{
	const char *state = rows_text(board->status, 0, "state");
	const char *text = rows_text(board->status, 0, "state_text");

	board->n = 0;
	board->wide = 1;
	if (board->status) {
		(void)add(board, "State", state_style(state), "%s%s%s", state, *text ? ": " : "",
			  text);
		add_notices(board);
		board->wide = board->n;
		add_machine(board);
	} else if (*board->trouble) {
		(void)add(board, "State", STYLE_BAD, "%s", board->trouble);
	}
	board->split = board->n;
	if (board->status)
		add_volume(board);
	add_ledger(board);
}

/* --- the picture ------------------------------------------------------------------------------- */

static void draw_item(const struct item *item, struct grid *to, struct area in)
{
	int x = in.x + LABEL_WIDTH;
	int w = in.w - LABEL_WIDTH;

	(void)grid_text(to, in.x, in.y, LABEL_WIDTH - 1, STYLE_DIM, item->label);
	int gauge = w >= WIDE_VALUE ? GAUGE_WIDE : GAUGE_NARROW;
	if (item->whole && w > gauge + (int)text_width(item->value)) {
		grid_gauge(to, x, in.y, gauge, item->part, item->whole);
		x += gauge + 1;
		w -= gauge + 1;
	}
	(void)grid_text(to, x, in.y, w, item->style, item->value);
}

static void draw_items(const struct dashboard *board, struct grid *to, struct area in, size_t from,
		       size_t end)
{
	for (int y = 0; y < in.h && from < end; y++, from++)
		draw_item(&board->item[from], to, (struct area) { in.x, in.y + y, in.w, 1 });
}

static void draw(struct view *view, struct grid *to, struct area in)
{
	struct dashboard *board = view->state;
	size_t second = board->n - board->split;

	if (in.w < TWO_COLUMNS || !board->status) {
		size_t most = board->n > (size_t)in.h ? board->n - (size_t)in.h : 0;

		if (board->top > most)
			board->top = most;
		draw_items(board, to, in, board->top, board->n);
		grid_cursor(to, in.x, in.y);
		return;
	}

	/* State and notices over the whole width: their texts may be long. */
	int left = in.w / 2, wide = (int)board->wide;
	size_t right = board->wide + second;
	auto lines = (int)(board->split > right ? board->split : right);
	draw_items(board, to, (struct area) { in.x, in.y, in.w, wide }, 0, board->wide);
	draw_items(board, to, (struct area) { in.x, in.y + wide, left - 1, in.h - wide },
		   board->wide, board->split);
	draw_items(board, to, (struct area) { in.x + left, in.y + wide, in.w - left, in.h - wide },
		   board->split, board->n);
	grid_cursor(to, in.x, in.y);
	if (board->events.rows && in.h - lines > 3) {
		int x = to->cursor_x;
		int y = to->cursor_y;

		list_draw(&board->events, to,
			  (struct area) { in.x, in.y + lines + 1, in.w, in.h - lines - 1 });
		grid_cursor(to, x, y); /* the eye belongs on the state */
	}
}

/* --- questions and answers --------------------------------------------------------------------- */

static const struct list_column EVENT_COLUMNS[] = {
	{ "LAST EVENTS (UTC)", "time", LIST_TIME, 19, 0 },
	{ "WHAT", "code", LIST_PLAIN, 16, 2 },
	{ "WHO", "actor", LIST_PLAIN, 10, 2 },
	{ "ON", "target", LIST_PLAIN, 10, 3 },
	{ "DECISION", "decision", LIST_STATE, 8, 0 },
	{},
};

static void refresh(struct view *view)
{
	static char no_reads[] = "-reads"; /* this very screen reads, again and again */

	view_ask(view, &(struct call) { .method = METHOD_STATUS }, TAG_STATUS, ASK_QUIETLY);
	view_ask(view, &(struct call) { .method = METHOD_AUDIT_STATUS }, TAG_LEDGER, ASK_QUIETLY);
	if (view_may(view, "AUDIT_READ"))
		view_ask(view,
			 &(struct call) { .method = METHOD_AUDIT_LIST,
					  .number = { UINT64_MAX, EVENTS },
					  .text = { no_reads } },
			 TAG_EVENTS, ASK_QUIETLY);
}

static int open_board(struct view *view, const void *arg)
{
	struct dashboard *board = calloc(1, sizeof(*board));
	(void)arg;
	if (!board)
		return -ENOMEM;

	int r = list_init(&board->events, EVENT_COLUMNS, "index", "");
	if (r) {
		free(board);
		return r;
	}
	board->events.selected = LIST_NONE; /* nothing here is to be chosen */
	view->state = board;
	refresh(view);
	return 0;
}

static void close_board(struct view *view)
{
	struct dashboard *board = view->state;

	board->status = rows_free(board->status);
	board->ledger = rows_free(board->ledger);
	list_done(&board->events);
	free(board);
}

/* Who stands at a machine that waits for them is shown the form, once, without looking for a key. */
static void offer_forms(struct view *view)
{
	struct dashboard *board = view->state;
	const char *state = rows_text(board->status, 0, "state");

	if (!view_is_local(view))
		return;
	if (strcmp(state, "unconfigured") == 0 && !board->asked_setup) {
		board->asked_setup = true;
		setup_first(view);
	}
	if (strcmp(state, "locked") == 0 && !board->asked_key) {
		board->asked_key = true;
		setup_unlock(view);
	}
}

static void take_status(struct view *view, struct reply *reply)
{
	struct dashboard *board = view->state;

	if (reply->result != RESULT_OK) { /* what was true two seconds ago may be so no longer */
		board->status = rows_free(board->status);
		(void)snprintf(board->trouble, sizeof(board->trouble), "%s", reply->message);
		return;
	}
	(void)rows_free(board->status);
	board->status = TAKE(reply->rows);
	view_note_hostname(view, rows_text(board->status, 0, "hostname"));
	offer_forms(view);
}

static void take_ledger(struct view *view, struct reply *reply)
{
	struct dashboard *board = view->state;

	board->ledger = rows_free(board->ledger);
	if (reply->result == RESULT_OK)
		board->ledger = TAKE(reply->rows);
	else
		(void)snprintf(board->ledger_trouble, sizeof(board->ledger_trouble), "%s",
			       reply->message);
}

static void take_events(struct view *view, struct reply *reply)
{
	struct dashboard *board = view->state;

	if (reply->result != RESULT_OK)
		return; /* the ledger's own line says why */
	(void)rows_free(board->events.rows);
	board->events.rows = TAKE(reply->rows);
}

static void take_recovery(struct view *view, struct reply *reply)
{
	if (reply->result != RESULT_OK) {
		view_say_failed(view, reply);
		return;
	}
	setup_confirm_key(view); /* below the key: what is seen next */
	box_reveal(
		view->app,
		&(struct box_secret) {
			.title = "The recovery key of the data volume",
			.note = "It opens the volume when the TPM cannot. Write it down and keep it "
				"apart from the machine. It is erased here once you have typed its "
				"last group back.",
			.key = "text",
			.rows = &reply->rows });
}

static void take_checks(struct view *view, struct reply *reply)
{
	auto_buf struct buf text = buf_make(1u << 20);
	const struct rows *rows = reply->rows;

	if (reply->result != RESULT_OK) {
		view_say_failed(view, reply);
		return;
	}
	for (size_t i = 0; i < rows_count(rows); i++)
		buf_addf(&text, "%-5s %s  %s%s%s\n", rows_text(rows, i, "result"),
			 rows_text(rows, i, "id"), rows_text(rows, i, "title"),
			 *rows_text(rows, i, "detail") ? ": " : "", rows_text(rows, i, "detail"));
	const char *shown = buf_text(&text);
	box_pager(view->app, "Hardening checks", shown ? shown : "It is too long to show.");
}

static void take_ca(struct view *view, struct reply *reply)
{
	if (reply->result == RESULT_OK)
		box_pager(view->app, "Certificate of the appliance's own CA",
			  rows_text(reply->rows, 0, "text"));
	else
		view_say_failed(view, reply);
}

static void take_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	static void (*const TAKES[])(struct view *, struct reply *) = {
		[TAG_STATUS] = take_status, [TAG_LEDGER] = take_ledger,
		[TAG_EVENTS] = take_events, [TAG_RECOVERY] = take_recovery,
		[TAG_CHECKS] = take_checks, [TAG_CA] = take_ca,
	};

	TAKES[tag](view, reply);
	make_items(view->state);
}

/* --- keys -------------------------------------------------------------------------------------- */

static void take_key(struct view *view)
{
	struct dashboard *board = view->state;

	if (board->status && !rows_flag(board->status, 0, "recovery_key_pending")) {
		auto_call struct call call = { .method = METHOD_NEW_RECOVERY_KEY };

		box_ask(view->app,
			&(struct box_question) {
				.title = "Make a new recovery key",
				.text = "Somebody has the recovery key. Type new to make "
					"another one; the one of now opens until the new "
					"one is confirmed.",
				.word = "new",
				.call = &call,
				.done = "A new recovery key is made: K shows it." });
		return;
	}
	view_ask(view, &(struct call) { .method = METHOD_TAKE_RECOVERY_KEY }, TAG_RECOVERY,
		 ASK_WAITING);
}

static void check_hardening(struct view *view)
{
	view_ask(view, &(struct call) { .method = METHOD_CHECK_HARDENING }, TAG_CHECKS,
		 ASK_WAITING);
}

static void show_ca(struct view *view)
{
	view_ask(view, &(struct call) { .method = METHOD_CA_CERTIFICATE }, TAG_CA, ASK_WAITING);
}

static bool scroll_key(struct view *view, uint32_t key)
{
	struct dashboard *board = view->state;
	bool down = key == KEY_DOWN_ || key == 'j';

	if (!down && key != KEY_UP_ && key != 'k')
		return false;
	if (down)
		board->top++; /* draw bounds it */
	else if (board->top > 0)
		board->top--;
	return true;
}

static const struct view_key KEYS[] = {
	{ 's', "s", "Set up", VIEW_LOCAL, setup_first },
	{ 'u', "u", "Unlock", VIEW_LOCAL, setup_unlock },
	{ 'p', "p", "Power", "APPLIANCE_CONTROL", setup_power },
	{ 'K', "K", "Recovery key", "RECOVERY_KEY_TAKE", take_key },
	{ 'b', "b", "Bind TPM", VIEW_LOCAL, setup_bind_tpm },
	{ 'b', "b", "Bind TPM", "RECOVERY_KEY_TAKE", setup_bind_tpm },
	{ 't', "t", "Hardening", "APPLIANCE_READ", check_hardening },
	{ 'c', "c", "CA", "APPLIANCE_READ", show_ca },
	{},
};

const struct view_ops VIEW_DASHBOARD = {
	.title = "Dashboard",
	.services = 1u << SERVICE_APPLIANCE | 1u << SERVICE_AUDIT,
	.keys = KEYS,
	.open = open_board,
	.close = close_board,
	.draw = draw,
	.key = scroll_key,
	.reply = take_reply,
	.refresh = refresh,
};
