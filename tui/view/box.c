/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/box.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/model/text.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/line.h"
#include "tui/view/view.h"

constexpr size_t TITLE_MAX = 128;
constexpr size_t WORD_MAX = 300; /* a host name is 253 */

struct area box_area(struct area in, int w, int h)
{
	w = w < in.w ? w : in.w;
	h = h < in.h ? h : in.h;
	return (struct area) { in.x + (in.w - w) / 2, in.y + (in.h - h) / 2, w, h };
}

static void copy(char *to, size_t room, const char *from)
{
	strncpy(to, from, room - 1);
	to[room - 1] = '\0';
}

/* --- wrapped text ------------------------------------------------------------------------------ */

/* Bytes of text[len] that fit into w columns: at least one character. */
static size_t fitting(const char *text, size_t len, int w)
{
	int used = 0;
	size_t i = 0;

	while (i < len) {
		struct glyph next = text_next(text + i, len - i);

		used += next.raw ? 4 * (int)next.len : text_rune_width(next.rune);
		if (used > w && i > 0)
			break;
		i += next.len;
	}
	return i;
}

/* The next wrapped line: its length; *ret_skip is how far the one after it is. */
static size_t wrapped(const char *text, int w, size_t *ret_skip)
{
	size_t line = strcspn(text, "\n");
	size_t n = fitting(text, line, w);

	*ret_skip = n == line ? n + (text[n] == '\n') : n;
	for (size_t i = n; n < line && i > n / 2; i--) { /* rather break at a blank */
		if (text[i] != ' ')
			continue;
		*ret_skip = i + 1;
		return i;
	}
	return n;
}

/* Draw lines of a wrapped text from number `top` on. Returns how many there are in all. */
static size_t draw_wrapped(struct grid *to, struct area in, const char *text, size_t top)
{
	size_t line = 0;

	for (size_t skip = 0; *text; text += skip, line++) {
		size_t len = wrapped(text, in.w, &skip);
		auto_buf struct buf part = buf_make(len + 1);

		if (line < top || line - top >= (size_t)(in.h > 0 ? in.h : 0))
			continue;
		buf_add(&part, text, len);
		const char *shown = buf_text(&part);
		(void)grid_text(to, in.x, in.y + (int)(line - top), in.w, STYLE_NORMAL,
				shown ? shown : "");
	}
	return line;
}

/* --- pager ------------------------------------------------------------------------------------- */

struct pager {
	char title[TITLE_MAX];
	char *text;
	size_t top, lines, page;
};

struct pager_arg {
	const char *title, *text;
};

static int pager_open(struct view *view, const void *arg)
{
	const struct pager_arg *from = arg;
	struct pager *pager = calloc(1, sizeof(*pager));
	auto_free char *text = strdup(from->text);
	if (!pager || !text) {
		free(pager);
		return -ENOMEM;
	}

	copy(pager->title, sizeof(pager->title), from->title);
	pager->text = TAKE(text);
	pager->page = 1;
	view->state = pager;
	return 0;
}

static void pager_close(struct view *view)
{
	struct pager *pager = view->state;

	explicit_bzero(pager->text, strlen(pager->text));
	free(pager->text);
	free(pager);
}

static void pager_draw(struct view *view, struct grid *to, struct area in)
{
	struct pager *pager = view->state;
	struct area box = in;
	struct area body = { box.x + 2, box.y + 1, box.w - 4, box.h - 2 };

	grid_box(to, box, pager->title);
	pager->page = (size_t)(body.h > 0 ? body.h : 1);
	pager->lines = draw_wrapped(to, body, pager->text, pager->top);
	if (pager->top + pager->page < pager->lines)
		(void)grid_text(to, box.x + box.w - 9, box.y + box.h - 1, 8, STYLE_HEAD, " more ");
	grid_cursor(to, body.x, body.y);
}

static const struct {
	uint32_t key;
	int lines, pages, ends; /* how far it goes */
} PAGER_KEYS[] = {
	{ KEY_UP_, -1, 0, 0 },
	{ 'k', -1, 0, 0 },
	{ KEY_DOWN_, 1, 0, 0 },
	{ 'j', 1, 0, 0 },
	{ ' ', 0, 1, 0 },
	{ KEY_PAGE_DOWN, 0, 1, 0 },
	{ KEY_PAGE_UP, 0, -1, 0 },
	{ 'g', 0, 0, -1 },
	{ KEY_HOME_, 0, 0, -1 },
	{ 'G', 0, 0, 1 },
	{ KEY_END_, 0, 0, 1 },
	{ KEY_CTRL('d'), 0, 1, 0 },
	{ KEY_CTRL('u'), 0, -1, 0 },
};

static bool pager_key(struct view *view, uint32_t key)
{
	struct pager *pager = view->state;
	size_t last = pager->lines > pager->page ? pager->lines - pager->page : 0;

	if (key == KEY_ENTER_) {
		view_close(view);
		return true;
	}
	for (size_t i = 0; i < countof(PAGER_KEYS); i++) {
		if (PAGER_KEYS[i].key != key)
			continue;
		/* Texts are far below 2^31 lines: they come over the bus or from us. */
		auto to = (long)pager->top + PAGER_KEYS[i].lines +
			  PAGER_KEYS[i].pages * (long)pager->page +
			  PAGER_KEYS[i].ends * (long)pager->lines;
		pager->top = to < 0 ? 0 : (size_t)to > last ? last : (size_t)to;
		return true;
	}
	return false;
}

static void no_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	(void)view;
	(void)tag;
	(void)reply;
}

static const struct view_key PAGER_TABLE[] = { { KEY_PAGE_DOWN, "PgDn", "More", nullptr, nullptr },
					       {} };

const struct view_ops VIEW_PAGER = {
	.title = "Text",
	.is_box = true,
	.keys = PAGER_TABLE,
	.open = pager_open,
	.close = pager_close,
	.draw = pager_draw,
	.key = pager_key,
	.reply = no_reply,
};

void box_pager(struct app *app, const char *title, const char *text)
{
	view_open(app, &VIEW_PAGER, &(struct pager_arg) { title, text });
}

void box_help(struct view *view)
{
	auto_buf struct buf text = buf_make(16384);

	for (const struct view_key *row = view->ops->keys; row && row->key; row++)
		if (row->name && (!row->privilege || view_may(view, row->privilege)))
			buf_addf(&text, "%-12s %s\n", row->name, row->label);
	buf_add_str(&text, "\n"
			   "F2 to F5     the screens; 2 to 5 do the same\n"
			   "arrows, hjkl move; g and G go to the first and last\n"
			   "PgUp PgDn    move by a page\n"
			   "/            filter; n and N go to the next and previous\n"
			   "Tab          next field of a form; Space marks\n"
			   "Enter        open, or go on\n"
			   "Esc, q       back\n"
			   "Ctrl-L       draw everything anew\n"
			   "F10, Ctrl-C  leave\n"
			   "\n"
			   "All of it can be done by command, too: ssh HOST help\n");
	const char *help = buf_text(&text);
	box_pager(view->app, view->ops->title, help ? help : "");
}

/* --- question ---------------------------------------------------------------------------------- */

struct question {
	char title[TITLE_MAX];
	char text[1024];
	char word[WORD_MAX];
	struct line typed;
	struct call call;
	const char *done, *wrong;
};

static int question_open(struct view *view, const void *arg)
{
	const struct box_question *from = arg;
	struct question *question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;

	int r = line_init(&question->typed, WORD_MAX - 1, false);
	if (r) {
		free(question);
		return r;
	}
	copy(question->title, sizeof(question->title), from->title);
	copy(question->text, sizeof(question->text), from->text);
	copy(question->word, sizeof(question->word), from->word ? from->word : "");
	question->done = from->done;
	question->call = *from->call;
	*from->call = (struct call) {};
	view->state = question;
	return 0;
}

static void question_close(struct view *view)
{
	struct question *question = view->state;

	line_done(&question->typed);
	call_done(&question->call);
	free(question);
}

static void question_draw(struct view *view, struct grid *to, struct area in)
{
	struct question *question = view->state;
	struct area box = box_area(in, 64, 9);
	struct area body = { box.x + 2, box.y + 1, box.w - 4, box.h - 4 };
	int y = box.y + box.h - 2;

	grid_box(to, box, question->title);
	(void)draw_wrapped(to, body, question->text, 0);
	if (question->wrong)
		(void)grid_text(to, body.x, y - 1, body.w, STYLE_BAD, question->wrong);
	if (*question->word) {
		int used = grid_text(to, body.x, y, body.w, STYLE_HEAD, "Name: ");

		line_draw(&question->typed, to, body.x + used, y, body.w - used, true);
		return;
	}
	int used = grid_text(to, body.x, y, body.w, STYLE_HEAD, "y: yes   n: no ");
	grid_cursor(to, body.x + used, y);
}

static bool question_key(struct view *view, uint32_t key)
{
	struct question *question = view->state;
	bool typed = *question->word != '\0';

	if (view_is_waiting(view))
		return true;
	question->wrong = nullptr;
	if (!typed && (key == 'n' || key == 'N')) {
		view_close(view);
		return true;
	}
	if (typed ? key == KEY_ENTER_ : key == 'y' || key == 'Y') {
		if (typed && strcmp(question->typed.text, question->word) != 0)
			question->wrong = "That is another name.";
		else
			view_ask(view, &question->call, 0, ASK_WAITING);
		return true;
	}
	return typed && line_key(&question->typed, key);
}

static void question_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	struct question *question = view->state;

	(void)tag;
	if (reply->result == RESULT_OK)
		view_say(view, STYLE_GOOD, question->done);
	else
		view_say_failed(view, reply);
	view_close(view);
	view_refresh_all(view);
}

static const struct view_key QUESTION_KEYS[] = { { KEY_ENTER_, "Enter", "Do it", nullptr, nullptr },
						 {} };

static const struct view_ops VIEW_QUESTION = {
	.title = "Question",
	.is_box = true,
	.takes_text = true,
	.keys = QUESTION_KEYS,
	.open = question_open,
	.close = question_close,
	.draw = question_draw,
	.key = question_key,
	.reply = question_reply,
};

void box_ask(struct app *app, const struct box_question *question)
{
	view_open(app, &VIEW_QUESTION, question);
	call_done(question->call); /* empty by now, unless the box could not be opened */
}

/* --- secret ------------------------------------------------------------------------------------ */

struct secret_box {
	const char *title, *note, *key;
	struct rows *rows;
};

static int secret_open(struct view *view, const void *arg)
{
	const struct box_secret *from = arg;
	struct secret_box *box = calloc(1, sizeof(*box));
	if (!box)
		return -ENOMEM;

	*box = (struct secret_box) { from->title, from->note, from->key, TAKE(*from->rows) };
	view->state = box;
	return 0;
}

static void secret_close(struct view *view)
{
	struct secret_box *box = view->state;

	box->rows = rows_free(box->rows); /* wipes */
	free(box);
}

static void secret_draw(struct view *view, struct grid *to, struct area in)
{
	struct secret_box *secret = view->state;
	struct area box = box_area(in, 72, 9);
	struct area body = { box.x + 2, box.y + 1, box.w - 4, box.h - 2 };
	int note_lines = body.h > 4 ? body.h - 4 : 0;

	grid_box(to, box, secret->title);
	(void)draw_wrapped(to, (struct area) { body.x, body.y, body.w, body.h - note_lines - 1 },
			   rows_text(secret->rows, 0, secret->key), 0);
	(void)draw_wrapped(
		to, (struct area) { body.x, body.y + body.h - note_lines - 1, body.w, note_lines },
		secret->note, 0);
	(void)grid_text(to, body.x, body.y + body.h - 1, body.w, STYLE_HEAD,
			"Enter: I have it; take it away");
	grid_cursor(to, body.x, body.y);
}

static bool secret_key(struct view *view, uint32_t key)
{
	if (key == KEY_ENTER_)
		view_close(view);
	return true; /* nothing else: it is shown only once, no slip of a finger may end that */
}

static const struct view_key SECRET_KEYS[] = {
	{ KEY_ENTER_, "Enter", "I have it", nullptr, nullptr }, {}
};

static const struct view_ops VIEW_SECRET = {
	.title = "Shown once",
	.is_box = true,
	.stays = true,
	.takes_text = true,
	.keys = SECRET_KEYS,
	.open = secret_open,
	.close = secret_close,
	.draw = secret_draw,
	.key = secret_key,
	.reply = no_reply,
};

void box_reveal(struct app *app, const struct box_secret *secret)
{
	view_open(app, &VIEW_SECRET, secret);
	*secret->rows = rows_free(*secret->rows);
}
