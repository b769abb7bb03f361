/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/form.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/text.h"
#include "tui/view/box.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/line.h"
#include "tui/view/view.h"

constexpr int LABEL_WIDTH = 16;
constexpr int NARROW = 56; /* below it labels stand above their fields */

struct value {
	struct line line;
	uint64_t chosen; /* bits */
	size_t here;	 /* the option the cursor is on */
};

struct form {
	const struct form_spec *spec;
	char title[320], subject[256];
	struct value value[FORM_FIELDS_MAX];
	size_t focus; /* spec->n: the button */
	char *option[FORM_OPTIONS_MAX];
	size_t n_options;
	char wrong[REPLY_MESSAGE];
	size_t top; /* the first field shown */
};

static bool is_line(const struct form_field *field)
{
	return field->kind == FORM_LINE || field->kind == FORM_SECRET;
}

static void done(struct form *form)
{
	for (size_t i = 0; i < FORM_FIELDS_MAX; i++)
		line_done(&form->value[i].line);
	for (size_t i = 0; i < form->n_options; i++)
		free(form->option[i]);
	free(form);
}

static int init_field(struct form *form, size_t i, uint64_t chosen)
{
	const struct form_field *field = &form->spec->field[i];

	if (!is_line(field)) {
		form->value[i].chosen = field->kind == FORM_ONE ? 1 : chosen;
		return 0;
	}
	int r = line_init(&form->value[i].line, field->max, field->kind == FORM_SECRET);
	if (r == 0 && field->start)
		line_set(&form->value[i].line, field->start);
	return r;
}

static int open_form(struct view *view, const void *arg)
{
	const struct form_arg *from = arg;
	struct form *form = calloc(1, sizeof(*form));
	int r = 0;
	if (!form)
		return -ENOMEM;

	form->spec = from->spec;
	(void)snprintf(form->subject, sizeof(form->subject), "%s",
		       from->subject ? from->subject : "");
	(void)snprintf(form->title, sizeof(form->title), "%s%s%s", from->spec->title,
		       *form->subject ? " " : "", form->subject);
	for (size_t i = 0; r == 0 && i < from->spec->n; i++)
		r = init_field(form, i, from->chosen);
	for (size_t i = 0; r == 0 && i < from->n_options && i < FORM_OPTIONS_MAX; i++) {
		form->option[i] = strdup(from->option[i]);
		r = form->option[i] ? 0 : -ENOMEM;
		form->n_options += form->option[i] != nullptr;
	}
	if (r) {
		done(form);
		return r;
	}
	view->state = form;
	return 0;
}

static void close_form(struct view *view)
{
	done(view->state);
}

/* --- what the specs ask ------------------------------------------------------------------------ */

const char *form_text(const struct form *form, size_t i)
{
	return form->value[i].line.text;
}

bool form_is_chosen(const struct form *form, size_t i, size_t n)
{
	return form->value[i].chosen & UINT64_C(1) << n;
}

size_t form_options(const struct form *form)
{
	return form->n_options;
}

const char *form_option(const struct form *form, size_t n)
{
	return form->option[n];
}

const char *form_chosen(const struct form *form, size_t i)
{
	for (size_t n = 0; n < form->n_options; n++)
		if (form_is_chosen(form, i, n))
			return form->option[n];
	return "";
}

int form_add_chosen(const struct form *form, size_t i, struct call *call)
{
	int r = 0;

	for (size_t n = 0; r == 0 && n < form->n_options; n++)
		if (form_is_chosen(form, i, n))
			r = call_add_item(call, form->option[n]);
	return r;
}

const char *form_subject(const struct form *form)
{
	return form->subject;
}

/* --- keys -------------------------------------------------------------------------------------- */

/* Say what is wrong with field i. Returns whether anything is. */
static bool is_wrong(struct form *form, size_t i)
{
	const struct form_field *field = &form->spec->field[i];
	const struct line *line = &form->value[i].line;

	if (!is_line(field) || (line->len == 0 && field->is_optional))
		return false;
	if (line->len > 0 && (!field->is_valid || field->is_valid(line->text, line->len)))
		return false;
	(void)snprintf(form->wrong, sizeof(form->wrong), "%s",
		       line->len == 0 ? "Something is needed here." : field->wrong);
	form->focus = i;
	return true;
}

static void submit(struct view *view)
{
	struct form *form = view->state;
	auto_call struct call call = {};
	const char *wrong = "There is not enough memory for this.";

	for (size_t i = 0; i < form->spec->n; i++)
		if (is_wrong(form, i))
			return;
	if (form->spec->make(form, &call, &wrong) == 0)
		view_ask(view, &call, 0, ASK_WAITING);
	else
		(void)snprintf(form->wrong, sizeof(form->wrong), "%s", wrong);
}

static void go_next(struct form *form)
{
	form->focus = (form->focus + 1) % (form->spec->n + 1);
}

static void go_previous(struct form *form)
{
	form->focus = (form->focus + form->spec->n) % (form->spec->n + 1);
}

static bool choice_key(struct form *form, uint32_t key)
{
	struct value *value = &form->value[form->focus];
	bool one = form->spec->field[form->focus].kind == FORM_ONE;
	size_t n = form->n_options;

	if (n == 0)
		return false;
	if (key == KEY_LEFT_ || key == KEY_RIGHT_ || key == 'h' || key == 'l')
		value->here = (value->here + (key == KEY_LEFT_ || key == 'h' ? n - 1 : 1)) % n;
	else if (key != ' ')
		return false;
	if (one)
		value->chosen = UINT64_C(1) << value->here;
	else if (key == ' ')
		value->chosen ^= UINT64_C(1) << value->here;
	return true;
}

static void enter(struct view *view)
{
	struct form *form = view->state;

	if (form->focus + 1 >= form->spec->n) /* the last field, or the button */
		submit(view);
	else if (!is_wrong(form, form->focus))
		go_next(form);
}

static bool form_key(struct view *view, uint32_t key)
{
	struct form *form = view->state;

	if (view_is_waiting(view) || key == KEY_ESCAPE_)
		return key != KEY_ESCAPE_;
	form->wrong[0] = '\0';
	if (key == KEY_ENTER_)
		enter(view);
	else if (key == KEY_TAB_ || key == KEY_DOWN_)
		go_next(form);
	else if (key == KEY_BACK_TAB || key == KEY_UP_)
		go_previous(form);
	else if (form->focus == form->spec->n)
		return key < KEY_SPECIAL && key >= ' ';
	else if (is_line(&form->spec->field[form->focus]))
		return line_key(&form->value[form->focus].line, key);
	else
		return choice_key(form, key) || (key < KEY_SPECIAL && key >= ' ');
	return true;
}

static void reply_to_form(struct view *view, unsigned int tag, struct reply *reply)
{
	struct form *form = view->state;

	(void)tag;
	if (reply->result != RESULT_OK) {
		(void)snprintf(form->wrong, sizeof(form->wrong), "%s", reply->message);
		return;
	}
	view_say(view, STYLE_GOOD, form->spec->done);
	view_close(view);
	if (form->spec->answered)
		form->spec->answered(view, reply);
	view_refresh_all(view);
}

/* --- the picture ------------------------------------------------------------------------------- */

static void draw_choices(const struct form *form, size_t i, struct grid *to, struct area in,
			 bool focused)
{
	static const char *const MARKS[][2] = {
		[FORM_ONE] = { "( )", "(*)" }, [FORM_MANY] = { "[ ]", "[x]" }
	};
	const struct value *value = &form->value[i];
	size_t first = 0;
	int x = in.x;

	/* Begin so that the one the cursor is on is seen. */
	for (int width = 0; first < value->here; first++) {
		width = 0;
		for (size_t n = first; n <= value->here; n++)
			width += (int)text_width(form->option[n]) + 5;
		if (width <= in.w + 1)
			break;
	}
	for (size_t n = first; n < form->n_options && x < in.x + in.w; n++) {
		if (focused && n == value->here)
			grid_cursor(to, x + 1, in.y);
		x += grid_textf(to, x, in.y, in.x + in.w - x,
				focused && n == value->here ? STYLE_SELECTED : STYLE_NORMAL,
				"%s %s",
				MARKS[form->spec->field[i].kind][form_is_chosen(form, i, n)],
				form->option[n]);
		x++;
	}
}

static void draw_field(const struct form *form, size_t i, struct grid *to, struct area in,
		       bool narrow)
{
	const struct form_field *field = &form->spec->field[i];
	bool focused = i == form->focus;
	struct area at = narrow ? (struct area) { in.x, in.y + 1, in.w, 1 }
				: (struct area) { in.x + LABEL_WIDTH, in.y, in.w - LABEL_WIDTH, 1 };

	(void)grid_text(to, in.x, in.y, narrow ? in.w : LABEL_WIDTH - 1,
			focused ? STYLE_HEAD : STYLE_NORMAL, field->label);
	if (is_line(field))
		line_draw(&form->value[i].line, to, at.x, at.y, at.w, focused);
	else
		draw_choices(form, i, to, at, focused);
}

static void draw_button(const struct form *form, struct grid *to, int x, int y, int w)
{
	bool focused = form->focus == form->spec->n;

	(void)grid_textf(to, x, y, w, focused ? STYLE_SELECTED : STYLE_HEAD, "[ %s ]",
			 form->spec->submit);
	if (focused)
		grid_cursor(to, x + 2, y);
}

static void draw_form(struct view *view, struct grid *to, struct area in)
{
	struct form *form = view->state;
	bool narrow = in.w < NARROW;
	int lines = narrow ? 2 : 1;
	struct area box = box_area(in, 76, (int)form->spec->n * lines + 5);
	struct area body = { box.x + 2, box.y + 1, box.w - 4, box.h - 2 };
	auto page = (size_t)((body.h - 2) / lines > 0 ? (body.h - 2) / lines : 1);
	size_t here = form->focus < form->spec->n ? form->focus : form->spec->n - 1;

	grid_box(to, box, form->title);
	if (form->top > here)
		form->top = here;
	if (here >= form->top + page)
		form->top = here - page + 1;
	for (size_t i = form->top; i < form->spec->n && i < form->top + page; i++)
		draw_field(form, i, to,
			   (struct area) { body.x, body.y + (int)(i - form->top) * lines, body.w,
					   lines },
			   narrow);

	const char *hint = form->focus < form->spec->n ? form->spec->field[form->focus].hint : "";
	(void)grid_text(to, body.x, body.y + body.h - 2, body.w,
			*form->wrong ? STYLE_BAD : STYLE_DIM, *form->wrong ? form->wrong : hint);
	draw_button(form, to, body.x, body.y + body.h - 1, body.w);
}

static const struct view_key KEYS[] = {
	{ KEY_ENTER_, "Enter", "Go on", nullptr, nullptr },
	{ KEY_TAB_, "Tab", "Next field", nullptr, nullptr },
	{},
};

static const struct view_ops VIEW_FORM = {
	.title = "Form",
	.is_box = true,
	.takes_text = true,
	.keys = KEYS,
	.open = open_form,
	.close = close_form,
	.draw = draw_form,
	.key = form_key,
	.reply = reply_to_form,
};

void form_open(struct app *app, const struct form_arg *arg)
{
	view_open(app, &VIEW_FORM, arg);
}
