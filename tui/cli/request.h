/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * request: a command line, understood; and the question to the services that follows from it.
 *
 * Layer 3 (tui/cli).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/cli/verb.h"

constexpr size_t REQUEST_ARGS_MAX = 32;
constexpr size_t REQUEST_ROLES_MAX = 16;
constexpr size_t REQUEST_INPUT_MAX = 256u << 10; /* a certificate chain and its key */

struct request {
	const struct verb *verb;
	const char *arg[REQUEST_ARGS_MAX];
	size_t n_args;
	const char *role[REQUEST_ROLES_MAX];
	size_t n_roles;
	const char *value[OPTION_ID_COUNT]; /* of the options given; "" for one without a value */
	uint64_t count, before;
	uint64_t from;	    /* of an export's --from */
	uint64_t max_age_s; /* of --max-age; 0: any */
	struct buf input;   /* NUL-terminated by request_input() */
	char *private_key;  /* the part of a PEM input that is the key; else nullptr */
};

enum {
	REQUEST_OK = 0,
	REQUEST_WRONG, /* the text says what is wrong, for people */
};

/*
 * Understand the words after the program's name.
 *
 * word  [n] borrowed; the request points into them
 * ret   set only on success, or with REQUEST_WRONG its verb if that much is known
 * why   [why_room] set only with REQUEST_WRONG
 *
 * Returns 0 or REQUEST_WRONG.
 */
[[nodiscard]] int request_parse(char *const *word, size_t n, struct request *ret, char *why,
				size_t why_room);

/*
 * Read what the verb wants: from fd, its standard input, or from the file that an option names. Where that is a secret and fd a terminal, what is
 * typed is not shown.
 *
 * Returns 0, REQUEST_WRONG (too long, empty, or no key in it), or -errno of open(2) or read(2).
 */
[[nodiscard]] int request_input(struct request *request, int fd, char *why, size_t why_room);

/*
 * Make the question. Each letter of verb->fill is one argument: 0-9 an argument of the command line; n the
 * first as a number; l the last; p the person in front of the others, or ""; + all from the second on; r the
 * first role; R all roles; e --expires; o --owner, * with --all; b --before; c --count; f --filter;
 * a --max-age; N --from as a number;
 * = the verb's constant; i the input; I the private key in it.
 *
 * Returns 0, REQUEST_WRONG, or -ENOMEM.
 */
[[nodiscard]] int request_call(const struct request *request, struct call *ret);

/* Wipe the input. */
void request_done(struct request *request);
