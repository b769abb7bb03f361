/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * verb: everything `redoubt` can do, as one table.
 *
 * Layer 3 (tui/cli). The parser, the help, the completion and the man page all follow this table;
 * tests/tui checks the last two against it.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tui/model/method.h"

struct client;
struct request;

enum option_id {
	OPTION_JSON,
	OPTION_HELP,
	OPTION_ROLE,
	OPTION_EXPIRES,
	OPTION_ALL,
	OPTION_OWNER,
	OPTION_COUNT,
	OPTION_FILTER,
	OPTION_BEFORE,
	OPTION_VKEY,
	OPTION_FROM,
	OPTION_MAX_AGE,
	OPTION_CURRENT,
	OPTION_ID_COUNT
};

struct option {
	const char *name;  /* "--role" */
	const char *value; /* what stands after it; nullptr: nothing */
	const char *help;
};
extern const struct option OPTIONS[OPTION_ID_COUNT];

enum form {
	FORM_PLAIN,
	FORM_BYTES,
	FORM_SECONDS,
	FORM_TIME
};

struct column {
	const char *key, *title; /* the last of an array has a nullptr key */
	enum form form;
};

/* What a verb reads from standard input. */
enum input {
	INPUT_NONE,
	INPUT_KEY_LINE,
	INPUT_SECRET,
	INPUT_PEM,
	INPUT_JSON,
	INPUT_CHECKPOINT, /* of the file that --from names, if it does; "-" is standard input */
	INPUT_CURRENT_KEY /* a secret, if --current was given */
};

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_DENIED = 3,
	EXIT_NOT_FOUND = 4,
};

struct verb {
	const char *name; /* one or two words */
	const char *args; /* for people: "NAME EMAIL" */
	const char *help; /* one line */
	uint32_t options; /* bits of option_id beyond --json and --help */
	uint8_t min, max; /* arguments */
	enum input input;
	enum method_id method;
	const char *fill; /* where each argument of the method comes from; request.h */
	const char *constant;
	const struct column *columns; /* of what is printed for people */
	int (*run)(struct client *client, const struct request *request);
};
extern const struct verb VERBS[];
extern const size_t VERBS_COUNT;

/*
 * Find the verb that a command line begins with.
 *
 * word       [n] of the command line
 * ret_words  set to how many words the verb took, 1 or 2, if there is one
 *
 * Returns the verb, or nullptr.
 */
[[nodiscard]] const struct verb *verb_find(char *const *word, size_t n, size_t *ret_words);
