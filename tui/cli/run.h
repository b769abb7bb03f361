/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * run: what the verbs do, in a few shapes: ask, then print.
 *
 * Layer 3 (tui/cli). Each returns the program's exit code.
 */

#include "common/base.h"

struct client;
struct request;

/* Ask and print a list. */
[[nodiscard]] int run_list(struct client *client, const struct request *request);

/* Ask and print one record. */
[[nodiscard]] int run_record(struct client *client, const struct request *request);

/* Ask and print one text; in JSON under the verb's constant as its name. */
[[nodiscard]] int run_text(struct client *client, const struct request *request);

/* Change something; nothing is printed when it worked, {} in JSON. */
[[nodiscard]] int run_change(struct client *client, const struct request *request);

/* Ask for the hardening checks; EXIT_FAILED if one of them failed. */
[[nodiscard]] int run_checks(struct client *client, const struct request *request);

/*
 * Verify the ledger: have the service do it (EXIT_FAILED unless what is signed is valid), or read the folder
 * given (the exit code is enum verify_verdict).
 */
[[nodiscard]] int run_verify(struct client *client, const struct request *request);

/* Copy the ledger, as a tar, to standard output; when all has been written, have the ledger say so. */
[[nodiscard]] int run_export(struct client *client, const struct request *request);
