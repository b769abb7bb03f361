/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* console-fixture: an app without a bus: what it asks is written down, the test answers. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/app.h"
#include "tui/view/grid.h"
#include "tui/view/key.h"

constexpr uint64_t FIXTURE_S_US = 1000000;

/* The last question of each method. */
struct asked {
	uint64_t id; /* 0: none since the last answer */
	char text[4][1024];
	char list[256]; /* joined by ',' */
	uint64_t number[2];
};

static struct fixture {
	struct app *app;
	struct grid grid;
	uint64_t now_us;
	struct asked asked[METHOD_COUNT];
	size_t cancelled;
	char shown[65536];
} at;

static int fixture_send(void *userdata, const struct call *call, uint64_t id)
{
	struct asked *asked = &at.asked[call->method];
	(void)userdata;

	*asked = (struct asked) { .id = id, .number = { call->number[0], call->number[1] } };
	for (size_t i = 0; i < CALL_TEXTS; i++)
		if (call->text[i])
			(void)snprintf(asked->text[i], sizeof(asked->text[i]), "%s", call->text[i]);
	for (size_t i = 0; i < call->n_list; i++) {
		strncat(asked->list, i ? "," : "", sizeof(asked->list) - strlen(asked->list) - 1);
		strncat(asked->list, call->list[i], sizeof(asked->list) - strlen(asked->list) - 1);
	}
	return 0;
}

static void fixture_cancel(void *userdata, uint64_t id)
{
	(void)userdata;
	(void)id;
	at.cancelled++;
}

static inline int fixture_open(int width, int height, bool is_local, bool utf8)
{
	struct app_setup setup = { .link = { fixture_send, fixture_cancel, nullptr },
				   .is_local = is_local,
				   .fingerprint = "SHA256:abc",
				   .terminal = "pts/0",
				   .now_us = 1000 * FIXTURE_S_US };

	at = (struct fixture) { .now_us = setup.now_us, .grid = { .utf8 = utf8 } };
	int r = grid_resize(&at.grid, width, height);
	return r ? r : app_new(&setup, &at.app);
}

static inline void fixture_done(void)
{
	at.app = app_free(at.app);
	grid_done(&at.grid);
}

/* What the screen shows now. */
static inline const char *shown(void)
{
	auto_buf struct buf out = buf_make(sizeof(at.shown));

	app_draw(at.app, &at.grid);
	grid_dump(&at.grid, &out);
	const char *text = buf_text(&out);
	(void)snprintf(at.shown, sizeof(at.shown), "%s", text ? text : "");
	return at.shown;
}

static inline bool has(const char *text)
{
	return strstr(shown(), text) != nullptr;
}

static inline void press(uint32_t key)
{
	app_key(at.app, key, at.now_us);
}

static inline void type(const char *text)
{
	for (; *text; text++)
		press((uint32_t)(uint8_t)*text);
}

static inline void wait_us(uint64_t us)
{
	at.now_us += us;
	app_tick(at.app, at.now_us);
}

static inline bool was_asked(enum method_id method)
{
	return at.asked[method].id != 0;
}

/* Answer the last question of a method; rows are given away. */
static inline void answer(enum method_id method, struct rows *rows)
{
	struct reply reply = { .rows = rows };
	uint64_t id = at.asked[method].id;

	at.asked[method].id = 0;
	app_reply(at.app, id, &reply);
}

static inline void refuse(enum method_id method, enum result result, const char *message)
{
	struct reply reply = { .result = result };
	uint64_t id = at.asked[method].id;

	(void)snprintf(reply.message, sizeof(reply.message), "%s", message);
	at.asked[method].id = 0;
	app_reply(at.app, id, &reply);
}

/*
 * Make rows of a text: one record a line, values separated by '|', each "key=text", "key#number",
 * "key?1" or "key*item,item".
 */
static inline struct rows *rows_of(const char *text)
{
	auto_free char *copy = strdup(text);
	struct rows *rows = nullptr;
	char *line_state = nullptr;
	char *value_state = nullptr;
	char *item_state = nullptr;

	if (!copy || rows_new(&rows) != 0)
		return nullptr;
	for (char *line = strtok_r(copy, "\n", &line_state); line;
	     line = strtok_r(nullptr, "\n", &line_state)) {
		int r = rows_add_row(rows);

		for (char *value = strtok_r(line, "|", &value_state); value && r == 0;
		     value = strtok_r(nullptr, "|", &value_state)) {
			size_t key = strcspn(value, "=#?*");
			char kind = value[key];

			value[key] = '\0';
			const char *rest = value + key + 1;
			if (kind == '=')
				r = rows_add_text(rows, value, rest);
			else if (kind == '#')
				r = rows_add_number(rows, value, strtoull(rest, nullptr, 10));
			else if (kind == '?')
				r = rows_add_flag(rows, value, *rest == '1');
			else
				r = rows_add_list(rows, value);
			for (char *item = kind == '*' ? strtok_r(value + key + 1, ",", &item_state)
						      : nullptr;
			     item && r == 0; item = strtok_r(nullptr, ",", &item_state))
				r = rows_add_item(rows, item);
		}
		if (r)
			return rows_free(rows);
	}
	return rows;
}

static inline struct rows *one_text(const char *text)
{
	struct rows *rows = nullptr;

	if (rows_new(&rows) == 0 && rows_add_row(rows) == 0 &&
	    rows_add_text(rows, "text", text) == 0)
		return rows;
	return rows_free(rows);
}

static const char ADMIN[] =
	"name=ann|email=ann@example.org|roles*admin|uid#20000|privileges*PEOPLE_READ,PEOPLE_WRITE,"
	"OWN_SSH_KEYS,API_KEYS_OWN,API_KEYS_ALL,AUDIT_READ,APPLIANCE_READ,APPLIANCE_CONTROL,"
	"RECOVERY_KEY_TAKE,CERTIFICATE_WRITE";
static const char MEMBER[] =
	"name=ben|roles*member|uid#20001|privileges*OWN_SSH_KEYS,API_KEYS_OWN,APPLIANCE_READ";

static const char STATUS[] =
	"state=ready|state_text=everything is running|hostname=redoubt-1|version=0.1|"
	"addresses*10.0.0.5,fe80::1|uptime_s#93784|load=0.10 0.05 0.01|mem_total#2147483648|"
	"mem_available#1610612736|volume_device=/dev/vdb|volume_cipher=aes-xts-plain64 512|"
	"volume_keyslots*recovery key,TPM|volume_size#8589934592|volume_free#6442450944|"
	"swap_total#1073741824|swap_used#0|tpm?1|secure_boot?1|"
	"units*redoubt-front.service=active,redoubt-engine.service=failed,ssh.service=active|"
	"tls_names*redoubt.example.org|ssh_host_key=SHA256:hosthosthosthosthosthosthosthosthosthosthos|"
	"recovery_key_pending?1";
static const char LEDGER[] =
	"size#1042|signed_size#1040|signed_at=2026-11-24T04:15:16Z|state=ok|vkey=k";
static const char EVENTS[] =
	"index#1041|time=2026-11-24T04:15:17.5Z|code=session.open|actor=ann|target=|decision=allow|"
	"outcome=done|source=pts/0\n"
	"index#1040|time=2026-11-24T04:15:16Z|code=api.query|actor=ann/rdt_abcdef|target=commons.movies|"
	"decision=deny|outcome=failed|source=10.0.0.9:5000";
static const char PEOPLE[] =
	"name=ann|email=ann@example.org|roles*admin|uid#20000|state=active|ssh_keys#1|api_keys#2|"
	"last_login=2026-11-24T04:15:16Z\n"
	"name=ben|email=ben@example.org|roles*member,read-only|uid#20001|state=suspended|ssh_keys#0|"
	"api_keys#0|last_login=";
static const char KEYS[] =
	"id=rdt_abcdef|name=loader|owner=ann|role=member|state=ACTIVE|expires=2027-02-22T04:15:17Z|"
	"last_used=2026-11-24T04:00:00Z\n"
	"id=rdt_ghijkl|name=reports|owner=ann|role=read-only|state=SUSPENDED|expires=never|last_used=";
static const char ROLES[] = "name=admin|description=All\nname=member|description=Data\n"
			    "name=read-only|description=Reads\nname=local-console|description=Tty";

/* Answer what every console asks first. */
static inline void sign_in(const char *who)
{
	answer(METHOD_WHO_AM_I, rows_of(who));
	answer(METHOD_LIST_ROLES, rows_of(ROLES));
	answer(METHOD_SESSION_OPEN,
	       rows_of("last_login=2026-11-23T08:00:00Z|last_source=10.0.0.9"));
	answer(METHOD_STATUS, rows_of(STATUS));
	answer(METHOD_AUDIT_STATUS, rows_of(LEDGER));
	if (was_asked(METHOD_AUDIT_LIST))
		answer(METHOD_AUDIT_LIST, rows_of(EVENTS));
}
