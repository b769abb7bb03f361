/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/app.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t OPEN_MAX = 32;

/* Questions under way. */
static struct {
	uint64_t id;
	enum method_id method;
} asked[OPEN_MAX];

static int send_call(void *userdata, const struct call *call, uint64_t id)
{
	(void)userdata;
	for (size_t i = 0; i < OPEN_MAX; i++) {
		if (asked[i].id)
			continue;
		asked[i].id = id;
		asked[i].method = call->method;
		return 0;
	}
	return -1;
}

static void cancel_call(void *userdata, uint64_t id)
{
	(void)userdata;
	for (size_t i = 0; i < OPEN_MAX; i++)
		if (asked[i].id == id)
			asked[i].id = 0;
}

/* Rows with a little of what every view looks for, and of what it does not. */
static struct rows *some_rows(uint8_t how)
{
	static const char *const KEYS[] = { "name",  "email", "state",	"owner",
					    "key",   "text",  "code",	"actor",
					    "time",  "id",    "result", "hostname",
					    "title", "load",  "target", "verdict" };
	static const char *const VALUES[] = { "",
					      "ann",
					      "active",
					      "ready",
					      "unconfigured",
					      "locked",
					      "\x1b[2J",
					      "中文中文中文中文中文",
					      "\xff",
					      "2026-11-24T00:00:00Z" };
	struct rows *rows = nullptr;
	size_t n = how & 0x80 ? 200 : how & 7;
	int r = rows_new(&rows);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = rows_add_row(rows);
		for (size_t j = 0; r == 0 && j < countof(KEYS); j++)
			r = rows_add_text(rows, KEYS[j], VALUES[(how + i + j) % countof(VALUES)]);
		if (r == 0)
			r = rows_add_number(rows, "index", 1000 - i);
		if (r == 0)
			r = rows_add_number(rows, "mem_total", UINT64_MAX);
		if (r == 0)
			r = rows_add_list(rows, how & 8 ? "privileges" : "units");
		for (size_t j = 0; r == 0 && j < 3; j++)
			r = rows_add_item(rows, j == 0	 ? "PEOPLE_WRITE"
						: j == 1 ? "APPLIANCE_CONTROL"
							 : "redoubt-front.service=failed");
	}
	return r ? rows_free(rows) : rows;
}

static void answer(struct app *app, uint8_t which, uint8_t how)
{
	size_t i = which % OPEN_MAX;
	uint64_t id = asked[i].id;
	struct reply reply = {};

	asked[i].id = 0;
	if (how == 0xFF || !(reply.rows = some_rows(how))) {
		reply.result = RESULT_DENIED;
		(void)snprintf(reply.message, sizeof(reply.message), "No \x1b[2J.");
	}
	app_reply(app, id, &reply);
}

/* Whether the picture is sound: no control character, no half of a wide one alone, a cursor inside. */
static void check(const struct grid *grid)
{
	if (grid->cursor_x < 0 || grid->cursor_x >= grid->width || grid->cursor_y < 0 ||
	    grid->cursor_y >= grid->height)
		abort();
	for (int y = 0; y < grid->height; y++) {
		for (int x = 0; x < grid->width; x++) {
			const struct cell *cell = grid_at(grid, x, y);

			if (cell->rune < 0x20 || cell->rune == 0x7F ||
			    (cell->rune >= 0x80 && cell->rune < 0xA0))
				abort();
			if (cell->width == 2 &&
			    (x + 1 >= grid->width || grid_at(grid, x + 1, y)->width != 0))
				abort();
			if (cell->width == 0 && (x == 0 || grid_at(grid, x - 1, y)->width != 2))
				abort();
		}
	}
}

/* Any keys, answers, sizes and pauses in any order: nothing breaks. Two bytes a step. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct app_setup setup = { .link = { send_call, cancel_call, nullptr },
				   .is_local = size > 0 && data[0] & 1,
				   .fingerprint = "",
				   .terminal = "" };
	struct grid grid = { .utf8 = size > 0 && data[0] & 2 };
	struct app *app = nullptr;
	uint64_t now_us = 0;

	(void)setlocale(LC_ALL, "C.UTF-8");
	memset(asked, 0, sizeof(asked));
	if (size > 4096 || grid_resize(&grid, 80, 24) != 0 || app_new(&setup, &app) != 0)
		return 0;
	for (size_t i = 1; i + 1 < size && !app_has_ended(app); i += 2) {
		uint8_t op = data[i] >> 5;
		uint8_t value = data[i + 1];

		if (op <= 2)
			app_key(app, value & 0x80 ? KEY_SPECIAL + (value & 0x1F) : value, now_us);
		else if (op == 3)
			app_key(app, value | KEY_PASTED, now_us);
		else if (op == 4 || op == 5)
			answer(app, data[i] & 0x1F, value);
		else if (op == 6)
			app_tick(app, now_us += (uint64_t)value * 500'000);
		else if (grid_resize(&grid, value, data[i] & 0x1F) != 0)
			break;
		app_draw(app, &grid);
		check(&grid);
	}
	app = app_free(app);
	grid_done(&grid);
	return 0;
}
