/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * app: the console as a whole, without a terminal and without a bus: keys, answers and time go in;
 * questions and a picture come out.
 *
 * Layer 3 (tui/view). Pure but for its memory: tests drive it as tui/console does.
 */

#include <stdint.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/view/grid.h"

struct app;

/* What the app needs from outside. An answer must not come before send returns. */
struct app_link {
	/* Put a question. Returns 0, or -errno if no answer will come. */
	int (*send)(void *userdata, const struct call *call, uint64_t id);
	void (*cancel)(void *userdata, uint64_t id);
	void *userdata;
};

struct app_setup {
	struct app_link link;
	bool is_local;		 /* the machine's own console */
	const char *fingerprint; /* of the SSH key that signed in, or "" */
	const char *terminal;	 /* "pts/0" */
	const char
		*connection; /* as sshd names it in SSH_CONNECTION, or ""; nullptr counts as "" */
	uint64_t now_us;
};

/* Make the app, open its first view and put its first questions. Returns 0 or -ENOMEM. */
[[nodiscard]] int app_new(const struct app_setup *setup, struct app **ret);

/* Close all views, wipe and free. Always returns nullptr. */
struct app *app_free(struct app *app);
CLEANUP_FN(struct app, app_free)

/* A key was pressed. */
void app_key(struct app *app, uint32_t key, uint64_t now_us);

/* An answer came. Its rows are taken or freed. */
void app_reply(struct app *app, uint64_t id, struct reply *reply);

/* A service says that something changed. */
void app_changed(struct app *app, enum service service);

/* Time has passed: refreshes, the idle lock, the line that says how long one has waited. */
void app_tick(struct app *app, uint64_t now_us);

/* Draw everything. */
void app_draw(struct app *app, struct grid *to);

/* Whether something has changed since the last app_draw(). */
[[nodiscard]] bool app_is_dirty(const struct app *app);

/* Whether the person has left. */
[[nodiscard]] bool app_has_ended(const struct app *app);
