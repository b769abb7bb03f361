/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * form: a box of fields to fill in, and the call that is made of them.
 *
 * Layer 3 (tui/view). A form is a table of fields and two functions.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/view/view.h"

struct form;

enum form_kind {
	FORM_LINE,
	FORM_SECRET, /* a line that is not shown */
	FORM_ONE,    /* one of the options */
	FORM_MANY,   /* any of the options */
};

struct form_field {
	const char *label, *hint;
	enum form_kind kind;
	size_t max;	   /* bytes of a line */
	const char *start; /* what stands there at first; nullptr: nothing */
	bool (*is_valid)(const char *text, size_t len); /* nullptr: anything is */
	const char *wrong;				/* what to say if it is not valid */
	bool is_optional;				/* may be empty */
};

struct form_spec {
	const char *title;
	const struct form_field *field;
	size_t n;
	const char *submit; /* on the button */
	const char *done;   /* what to say when it worked */

	/* Make the call. Returns 0, -ENOMEM, or 1 with *ret_wrong set to what is wrong. */
	int (*make)(const struct form *form, struct call *ret, const char **ret_wrong);
	/* Take a good answer; the form is closed next. nullptr: nothing to take. */
	void (*answered)(struct view *view, struct reply *reply);
};

constexpr size_t FORM_FIELDS_MAX = 10;
constexpr size_t FORM_OPTIONS_MAX = 64; /* bits of one number */

struct form_arg {
	const struct form_spec *spec;
	const char *subject;	   /* whom it is about, behind the title; copied; nullptr: nobody */
	const char *const *option; /* [n_options] for FORM_ONE and FORM_MANY; copied */
	size_t n_options;
	uint64_t chosen; /* options that are marked at first, as bits */
};

/* Open a form over a view. */
void form_open(struct app *app, const struct form_arg *arg);

/* The text of field i, a line. */
[[nodiscard]] const char *form_text(const struct form *form, size_t i);

/* Whether option n of field i is marked. */
[[nodiscard]] bool form_is_chosen(const struct form *form, size_t i, size_t n);

/* The options, as many as there were. */
[[nodiscard]] size_t form_options(const struct form *form);

/* Option n's text. */
[[nodiscard]] const char *form_option(const struct form *form, size_t n);

/* The marked option of a FORM_ONE; "" if there are none. */
[[nodiscard]] const char *form_chosen(const struct form *form, size_t i);

/* Add the marked options of field i to the call's list. Returns 0 or -ENOMEM. */
[[nodiscard]] int form_add_chosen(const struct form *form, size_t i, struct call *call);

/* The subject; "" if there is none. */
[[nodiscard]] const char *form_subject(const struct form *form);
