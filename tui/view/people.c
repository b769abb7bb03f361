/* SPDX-License-Identifier: Apache-2.0 */

/* people: who may sign in, what they may do, and the SSH keys they do it with. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/names.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/box.h"
#include "tui/view/form.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"
#include "tui/view/list.h"
#include "tui/view/view.h"

constexpr size_t KEY_LINE_MAX = 16384; /* what accounts takes */

enum tag {
	TAG_LIST,
	TAG_CHANGE
};

/* --- forms ------------------------------------------------------------------------------------- */

static const char NO_ROLE[] = "Mark at least one role with Space.";

static int make_person(const struct form *form, struct call *ret, const char **ret_wrong)
{
	ret->method = METHOD_ADD_PERSON;
	int r = call_set_text(ret, 0, form_text(form, 0));
	if (r == 0)
		r = call_set_text(ret, 1, form_text(form, 1));
	if (r == 0)
		r = form_add_chosen(form, 2, ret);
	if (r == 0 && ret->n_list == 0) {
		*ret_wrong = NO_ROLE;
		return 1;
	}
	return r;
}

static const struct form_field PERSON_FIELDS[] = {
	{ .label = "Name",
	  .hint = "The user name for ssh: a-z, 0-9, - and _.",
	  .max = NAME_PERSON_MAX,
	  .is_valid = name_is_person,
	  .wrong = "A name starts with a-z, has a-z 0-9 - _, and is not one the system uses." },
	{ .label = "E-mail",
	  .hint = "Where to reach the person.",
	  .max = NAME_EMAIL_MAX,
	  .is_valid = name_is_email,
	  .wrong = "This is no e-mail address." },
	{ .label = "Roles", .hint = "Left and Right move, Space marks.", .kind = FORM_MANY },
};

static const struct form_spec PERSON_FORM = {
	.title = "Add a person",
	.field = PERSON_FIELDS,
	.n = countof(PERSON_FIELDS),
	.submit = "Add",
	.done = "Added. Enter on the person adds an SSH key to sign in with.",
	.make = make_person,
};

static int make_roles(const struct form *form, struct call *ret, const char **ret_wrong)
{
	ret->method = METHOD_SET_ROLES;
	int r = call_set_text(ret, 0, form_subject(form));
	if (r == 0)
		r = form_add_chosen(form, 0, ret);
	if (r == 0 && ret->n_list == 0) {
		*ret_wrong = NO_ROLE;
		return 1;
	}
	return r;
}

static const struct form_field ROLES_FIELDS[] = {
	{ .label = "Roles", .hint = "Left and Right move, Space marks.", .kind = FORM_MANY },
};

static const struct form_spec ROLES_FORM = {
	.title = "Roles of",
	.field = ROLES_FIELDS,
	.n = countof(ROLES_FIELDS),
	.submit = "Set",
	.done = "The roles are set, and count from now on.",
	.make = make_roles,
};

static int make_ssh_key(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_ADD_SSH_KEY;
	int r = call_set_text(ret, 0, form_subject(form));
	return r ? r : call_set_text(ret, 1, form_text(form, 0));
}

static const struct form_field SSH_KEY_FIELDS[] = {
	{ .label = "Public key",
	  .hint = "Paste the line from the .pub file: ssh-ed25519 AAAA...",
	  .max = KEY_LINE_MAX },
};

static const struct form_spec SSH_KEY_FORM = {
	.title = "Add an SSH key",
	.field = SSH_KEY_FIELDS,
	.n = countof(SSH_KEY_FIELDS),
	.submit = "Add",
	.done = "The key is added and can be used at once.",
	.make = make_ssh_key,
};

/* --- people ------------------------------------------------------------------------------------ */

static const struct list_column COLUMNS[] = {
	{ "NAME", "name", LIST_PLAIN, 12, 1 },
	{ "ROLES", "roles", LIST_PLAIN, 12, 2 },
	{ "STATE", "state", LIST_STATE, 9, 0 },
	{ "SSH", "ssh_keys", LIST_PLAIN, 3, 0 },
	{ "API", "api_keys", LIST_PLAIN, 3, 0 },
	{ "LAST SIGN-IN", "last_login", LIST_TIME, 19, 0 },
	{ "E-MAIL", "email", LIST_PLAIN, 16, 2 },
	{},
};

static int new_list(struct view *view, const struct list_column *columns, const char *identity,
		    const char *empty)
{
	struct list *list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;

	int r = list_init(list, columns, identity, empty);
	if (r) {
		free(list);
		return r;
	}
	view->state = list;
	return 0;
}

static void people_refresh(struct view *view)
{
	view_ask(view, &(struct call) { .method = METHOD_LIST_PEOPLE }, TAG_LIST, ASK_QUIETLY);
}

static int people_open(struct view *view, const void *arg)
{
	(void)arg;
	int r = new_list(view, COLUMNS, "name", "Nobody yet.");
	if (r == 0)
		people_refresh(view);
	return r;
}

static void list_close(struct view *view)
{
	list_done(view->state);
	free(view->state);
}

static void people_draw(struct view *view, struct grid *to, struct area in)
{
	list_draw(view->state, to, in);
}

static bool people_key(struct view *view, uint32_t key)
{
	return list_key(view->state, key);
}

static void list_reply(struct view *view, unsigned int tag, struct reply *reply)
{
	if (reply->result != RESULT_OK) {
		view_say_failed(view, reply);
		return;
	}
	if (tag == TAG_LIST)
		list_take(view->state, &reply->rows);
	else
		view_refresh_all(view);
}

static const char *selected(struct view *view)
{
	return list_selected_text(view->state, "name");
}

static void people_add(struct view *view)
{
	size_t n = 0;
	const char *const *roles = view_roles(view, &n);

	form_open(view->app,
		  &(struct form_arg) { .spec = &PERSON_FORM, .option = roles, .n_options = n });
}

static void people_roles(struct view *view)
{
	const struct list *list = view->state;
	size_t n = 0;
	const char *const *roles = view_roles(view, &n);
	uint64_t chosen = 0;

	if (list_selected(list) == LIST_NONE)
		return;
	for (size_t i = 0; i < n && i < FORM_OPTIONS_MAX; i++)
		if (rows_list_has(list->rows, list_selected(list), "roles", roles[i]))
			chosen |= UINT64_C(1) << i;
	form_open(view->app, &(struct form_arg) { .spec = &ROLES_FORM,
						  .subject = selected(view),
						  .option = roles,
						  .n_options = n,
						  .chosen = chosen });
}

/* Suspending takes a person's access away at once, so it is asked about; resuming is not. */
static void people_suspend(struct view *view)
{
	bool active = strcmp(list_selected_text(view->state, "state"), "active") == 0;
	auto_call struct call call = { .method = METHOD_SET_STATE };
	char text[256];

	if (!*selected(view) || call_set_text(&call, 0, selected(view)) != 0 ||
	    call_set_text(&call, 1, active ? "suspended" : "active") != 0)
		return;
	if (!active) {
		view_ask(view, &call, TAG_CHANGE, ASK_WAITING);
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "Suspend %s? SSH keys and API keys stop working at once, until resumed.",
		       selected(view));
	box_ask(view->app,
		&(struct box_question) {
			.title = "Suspend", .text = text, .call = &call, .done = "Suspended." });
}

static void people_remove(struct view *view)
{
	const struct list *list = view->state;
	size_t i = list_selected(list);
	auto_call struct call call = { .method = METHOD_REMOVE_PERSON };
	char text[512];

	if (i == LIST_NONE || call_set_text(&call, 0, selected(view)) != 0)
		return;
	(void)snprintf(text, sizeof(text),
		       "Remove %s for good? %llu SSH keys and %llu API keys stop working at once. "
		       "What the person did stays in the ledger.\n\nType the name to agree.",
		       selected(view), (unsigned long long)rows_number(list->rows, i, "ssh_keys"),
		       (unsigned long long)rows_number(list->rows, i, "api_keys"));
	box_ask(view->app, &(struct box_question) { .title = "Remove a person",
						    .text = text,
						    .word = selected(view),
						    .call = &call,
						    .done = "Removed." });
}

static void people_keys(struct view *view)
{
	if (*selected(view))
		view_open(view->app, &VIEW_SSH_KEYS, selected(view));
}

static void own_keys(struct view *view)
{
	view_open(view->app, &VIEW_SSH_KEYS, "");
}

static const struct view_key PEOPLE_KEYS[] = {
	{ KEY_ENTER_, "Enter", "SSH keys", "PEOPLE_READ", people_keys },
	{ 'a', "a", "Add", "PEOPLE_WRITE", people_add },
	{ 'r', "r", "Roles", "PEOPLE_WRITE", people_roles },
	{ 's', "s", "Suspend/resume", "PEOPLE_WRITE", people_suspend },
	{ 'x', "x", "Remove", "PEOPLE_WRITE", people_remove },
	{ 'o', "o", "My keys", nullptr, own_keys },
	{},
};

const struct view_ops VIEW_PEOPLE = {
	.title = "People",
	.services = 1u << SERVICE_ACCOUNTS,
	.keys = PEOPLE_KEYS,
	.open = people_open,
	.close = list_close,
	.draw = people_draw,
	.key = people_key,
	.reply = list_reply,
	.refresh = people_refresh,
};

/* --- one person's SSH keys --------------------------------------------------------------------- */

struct ssh_keys {
	struct list list; /* first: what treats a list treats this */
	char person[NAME_PERSON_MAX + 1];
};

static const struct list_column KEY_COLUMNS[] = {
	{ "FINGERPRINT", "fingerprint", LIST_PLAIN, 20, 3 },
	{ "COMMENT", "comment", LIST_PLAIN, 12, 1 },
	{ "TYPE", "type", LIST_PLAIN, 11, 0 },
	{ "LAST USED", "last_used", LIST_TIME, 19, 0 },
	{},
};

static void keys_refresh(struct view *view)
{
	struct ssh_keys *keys = view->state;
	struct call call = { .method = METHOD_LIST_SSH_KEYS, .text = { keys->person } };

	view_ask(view, &call, TAG_LIST, ASK_QUIETLY);
}

static int keys_open(struct view *view, const void *arg)
{
	struct ssh_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;

	int r = list_init(&keys->list, KEY_COLUMNS, "fingerprint",
			  "No SSH key yet: nobody can sign in as this person.");
	if (r) {
		free(keys);
		return r;
	}
	(void)snprintf(keys->person, sizeof(keys->person), "%s", (const char *)arg);
	view->state = keys;
	keys_refresh(view);
	return 0;
}

static void keys_draw(struct view *view, struct grid *to, struct area in)
{
	struct ssh_keys *keys = view->state;

	(void)grid_textf(to, in.x, in.y, in.w, STYLE_HEAD, "SSH keys of %s",
			 *keys->person ? keys->person : view_person(view));
	list_draw(&keys->list, to, (struct area) { in.x, in.y + 1, in.w, in.h - 1 });
}

static void keys_add(struct view *view)
{
	struct ssh_keys *keys = view->state;

	form_open(view->app, &(struct form_arg) { .spec = &SSH_KEY_FORM, .subject = keys->person });
}

static void keys_remove(struct view *view)
{
	struct ssh_keys *keys = view->state;
	const char *fingerprint = list_selected_text(&keys->list, "fingerprint");
	auto_call struct call call = { .method = METHOD_REMOVE_SSH_KEY };
	char text[512];

	if (!*fingerprint || call_set_text(&call, 0, keys->person) != 0 ||
	    call_set_text(&call, 1, fingerprint) != 0)
		return;
	(void)snprintf(text, sizeof(text),
		       "Remove the key %s (%s)? Nobody can sign in with it from now on.",
		       fingerprint, list_selected_text(&keys->list, "comment"));
	box_ask(view->app, &(struct box_question) { .title = "Remove an SSH key",
						    .text = text,
						    .call = &call,
						    .done = "Removed." });
}

static const struct view_key SSH_KEYS_KEYS[] = {
	{ 'a', "a", "Add a key", nullptr, keys_add },
	{ 'x', "x", "Remove", nullptr, keys_remove },
	{},
};

const struct view_ops VIEW_SSH_KEYS = {
	.title = "SSH keys",
	.services = 1u << SERVICE_ACCOUNTS,
	.keys = SSH_KEYS_KEYS,
	.open = keys_open,
	.close = list_close,
	.draw = keys_draw,
	.key = people_key,
	.reply = list_reply,
	.refresh = keys_refresh,
};
