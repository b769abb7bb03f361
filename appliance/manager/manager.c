/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/manager.h"

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/manager/figures.h"
#include "appliance/manager/methods.h"
#include "common/clock.h"
#include "common/log.h"

constexpr uint64_t TICK_WAITING_US = 500'000;
constexpr uint64_t TICK_READY_US = 5'000'000;
constexpr uint64_t ROUND_MAX_US = 10'000'000;	  /* twice what the bus waits for an answer */
constexpr uint64_t KEYS_PATIENCE_US = 40'000'000; /* for redoubt-keys; it tries again every 15 s */
static const char KEYS_UNIT[] = "redoubt-keys.service";
constexpr uint64_t PATIENCE_US = 300'000'000; /* for the units, once the volume is open */
constexpr uint64_t TRIAL_US = 300'000'000;    /* to confirm a change of the configuration */
constexpr uint64_t TRIAL_AGAIN_US = 30'000'000;
constexpr uint64_t DETAILS_US = 600'000'000; /* what only root can read may have changed */

const struct manager_unit MANAGER_UNIT[MANAGER_UNITS] = {
	{ "var-lib-redoubt.mount", true, nullptr },
	{ "redoubt-folders.service", true, nullptr },
	{ "redoubt-setup.service", true, nullptr },
	{ "redoubt-audit.service", true, nullptr },
	{ "redoubt-keys.service", true, nullptr },
	{ "redoubt-accounts.service", true, nullptr },
	{ "redoubt-engine.service", true, nullptr },
	{ "redoubt-front.service", false, nullptr },
	{ "ssh.service", false, nullptr },
	{ "redoubt-firewall.service", true, nullptr },
	{ "redoubt-firewall-sets.service", true, nullptr },
	{ "systemd-timesyncd.service", false, nullptr },
	{ "redoubt-firewall-change.service", false,
	  "the firewall did not take the last change of its lists; those before it hold" },
};

enum state manager_state_after(enum job_outcome outcome)
{
	static const enum state AFTER[] = {
		[JOB_OK] = STATE_STARTING, /* until the units are there */
		[JOB_NEEDS_CONFIG] = STATE_UNCONFIGURED,
		[JOB_LOCKED] = STATE_LOCKED,
		[JOB_FOREIGN_DATA] = STATE_FOREIGN_DATA,
		[JOB_NO_DISK] = STATE_FAILED,
		[JOB_REFUSED] =
			STATE_UNCONFIGURED, /* what is there is no configuration: ask for one */
		[JOB_FAULT] = STATE_FAILED,
	};
	static_assert(countof(AFTER) == JOB_OUTCOME_COUNT);

	return AFTER[outcome];
}

enum state manager_state_of_units(const char state[MANAGER_UNITS][24], char text[MANAGER_TEXT])
{
	const char *missing = nullptr;

	text[0] = '\0';
	for (size_t i = 0; i < MANAGER_UNITS; i++) {
		if (!MANAGER_UNIT[i].required || strcmp(state[i], "active") == 0)
			continue;
		if (strcmp(state[i], "failed") == 0) {
			(void)snprintf(
				text, MANAGER_TEXT,
				"%s has failed; restart the appliance, and look into the journal if "
				"it happens again",
				MANAGER_UNIT[i].name);
			return STATE_FAILED;
		}
		if (!missing)
			missing = MANAGER_UNIT[i].name;
	}
	if (!missing)
		return STATE_READY;
	(void)snprintf(text, MANAGER_TEXT, "the data volume is open; waiting for %s", missing);
	return STATE_STARTING;
}

bool manager_waits_for_keys(const char state[MANAGER_UNITS][24])
{
	for (size_t i = 0; i < MANAGER_UNITS; i++) {
		bool active = strcmp(state[i], "active") == 0;

		if (strcmp(MANAGER_UNIT[i].name, KEYS_UNIT) == 0)
			return !active;
		if (MANAGER_UNIT[i].required && !active)
			return false;
	}
	return false;
}

void manager_set(struct manager *manager, enum state state, const char *text)
{
	if (manager->state == state && strcmp(manager->text, text) == 0)
		return;
	if (manager->state != state)
		log_event(LOG_NOTICE, EVENT_PROVISION, 0, state_name(state),
			  text[0] ? text : nullptr);
	manager->state = state;
	(void)snprintf(manager->text, sizeof(manager->text), "%s", text);
	front_link_tell(manager->front, state, text);
	if (manager->bus)
		bus_changed(manager->bus);
	char line[MANAGER_TEXT + 32];
	(void)snprintf(line, sizeof(line), "%s%s%s", state_name(state), text[0] ? ": " : "", text);
	loop_status(line);
}

static void on_progress(void *userdata, const struct job_progress *progress)
{
	struct manager *manager = userdata;

	if (manager->opening)
		manager_set(manager, STATE_STARTING, progress->text);
}

/* Append one of the worker's findings, "CODE TEXT", unless it has been. */
static void record_finding(struct manager *manager, const char *finding)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	char code[64];
	size_t len = strcspn(finding, " ");

	for (const char *at = finding; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	for (size_t i = 0; i < manager->n_recorded && i < MANAGER_RECORDED; i++)
		if (manager->recorded[i] == hash)
			return;
	(void)snprintf(code, sizeof(code), "%.*s", (int)len, finding);
	const struct ledger_event event = {
		.code = code,
		.person = "",
		.target = "appliance",
		.text = finding + len + (finding[len] == ' '),
		.outcome = AUDIT_DONE,
		.intent = AUDIT_NO_INTENT,
	};
	if (ledger_record(manager->ledger, &event, nullptr) != LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "not in the ledger",
			  code); /* the next round tries again */
	else
		manager->recorded[manager->n_recorded++ % MANAGER_RECORDED] = hash;
}

static void on_taken_back(void *userdata, const struct job_done *done)
{
	struct manager *manager = userdata;
	const struct ledger_event event = {
		.code = "appliance.config.taken-back",
		.person = "",
		.target = "appliance",
		.text = done->text,
		.outcome = done->outcome == JOB_OK ? AUDIT_DONE : AUDIT_FAILED,
		.intent = AUDIT_NO_INTENT,
	};

	if (ledger_record(manager->ledger, &event, nullptr) != LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "not in the ledger", event.code);
	manager_refresh_details(manager);
}

/* Nobody has confirmed the change in time: perhaps nobody can reach the appliance any more. */
static int on_trial_over(void *userdata)
{
	struct manager *manager = userdata;
	int r = worker_link_submit(manager->worker, JOB_CONFIG_CHANGE, "rollback-trial", "",
				   on_taken_back, manager);

	if (r)
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, r,
			  "the change of the configuration is not taken back yet", nullptr);
	return loop_timer_again(manager->trial, TRIAL_AGAIN_US); /* freed once it has worked */
}

/* Start the clock of an unconfirmed change, or stop it. */
static void watch_trial(struct manager *manager)
{
	if (!manager->details.config_trial)
		manager->trial = loop_source_free(manager->trial);
	else if (!manager->trial &&
		 loop_timer(manager->loop, TRIAL_US, on_trial_over, manager, &manager->trial))
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, -ENOMEM,
			  "the change of the configuration is not taken back by itself", nullptr);
}

static void on_details(void *userdata, const struct job_done *done)
{
	struct manager *manager = userdata;

	if (done->outcome == JOB_OK &&
	    manager_details_read(done->data, strlen(done->data), &manager->details)) {
		for (size_t i = 0; i < manager->details.n_events; i++)
			record_finding(manager, manager->details.event[i]);
		watch_trial(manager);
		bus_changed(manager->bus);
	}
}

void manager_refresh_details(struct manager *manager)
{
	manager->details_us = clock_mono_us();
	int r = worker_link_submit(manager->worker, JOB_VOLUME_STATUS, "", "", on_details, manager);

	if (r)
		log_event(LOG_WARNING, EVENT_REQUEST_FAILED, r,
			  "the volume's details are not read anew", nullptr);
}

static void record_opening(struct manager *manager, const char *code, const struct job_done *done)
{
	const struct ledger_event event = {
		.code = code,
		.person = strcmp(code, "appliance.boot") == 0 ? "" : "console",
		.target = "volume",
		.text = done->text,
		.outcome = done->outcome == JOB_OK ? AUDIT_DONE : AUDIT_FAILED,
		.intent = AUDIT_NO_INTENT,
	};

	if (ledger_record(manager->ledger, &event, nullptr) != LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "not in the ledger", code);
}

void manager_opened(struct manager *manager, const struct job_done *done, const char *config)
{
	if (config && config != manager->provision) {
		free(manager->provision);
		manager->provision = strdup(config);
	}
	manager->opening = false;
	manager->open = done->outcome == JOB_OK;
	if (manager->open) {
		free(manager->provision);
		manager->provision = nullptr;
		manager->open_since_us = clock_mono_us();
		manager->keys_wait_since_us = 0;
	}
	manager_set(manager, manager_state_after(done->outcome), done->text);
	(void)loop_timer_again(manager->tick, 0);
}

static void on_boot(void *userdata, const struct job_done *done)
{
	struct manager *manager = userdata;

	record_opening(manager, manager->provision ? "appliance.provision" : "appliance.boot",
		       done);
	manager_opened(manager, done, nullptr);
}

/* Ask for the job that opens the volume: with what was typed on the console, if anything was. */
static int ask_for_boot(struct manager *manager)
{
	const char *config = manager->provision;
	int r = worker_link_submit(manager->worker, config ? JOB_PROVISION : JOB_BOOT,
				   config ? config : "", "", on_boot, manager);

	manager->surroundings = figures_surroundings();
	manager->opening = r == 0;
	return r;
}

/* Whether the keyring has been shut for so long that a person must be asked: see manager_waits_for_keys(). */
static bool is_keyring_locked(struct manager *manager)
{
	uint64_t now = clock_mono_us();

	if (!manager_waits_for_keys(manager->unit_state)) {
		manager->keys_wait_since_us = 0;
		return false;
	}
	if (manager->keys_wait_since_us == 0)
		manager->keys_wait_since_us = now;
	return now - manager->keys_wait_since_us > KEYS_PATIENCE_US;
}

/* The units' states are all there: decide. */
static void judge_units(struct manager *manager)
{
	char text[MANAGER_TEXT];
	enum state state = manager_state_of_units(manager->unit_state, text);
	bool was_ready = manager->state == STATE_READY;

	if (!manager->open)
		return;
	if (state == STATE_READY && !was_ready && ledger_open(manager->ledger) != LEDGER_OK) {
		manager_set(manager, STATE_STARTING,
			    "the ledger does not take the events of the boot");
		return;
	}
	if (state != STATE_READY && !was_ready && is_keyring_locked(manager)) {
		manager_set(manager, STATE_LOCKED,
			    "the data volume is open, but the collections' keys are not: type the "
			    "recovery key on the console");
		return;
	}
	if (state == STATE_STARTING && was_ready)
		return; /* one of them restarts: front answers for the moment by itself */
	if (state == STATE_STARTING && clock_mono_us() - manager->open_since_us > PATIENCE_US)
		state = STATE_FAILED;
	manager_set(manager, state, text);
	if (state == STATE_READY && !was_ready)
		manager_refresh_details(manager);
}

/* One answer; the question's number is the unit's: see ask_units(). */
struct unit_question {
	struct manager *manager;
	uint64_t round;
	size_t unit;
};

/* A unit has failed just now: journal and ledger. */
static void record_failed_unit(struct manager *manager, const char *unit)
{
	const struct ledger_event event = {
		.code = "appliance.unit-failed",
		.person = "",
		.target = unit,
		.text = "",
		.outcome = AUDIT_FAILED,
		.intent = AUDIT_NO_INTENT,
	};

	log_event(LOG_ERR, EVENT_PROVISION, 0, "a unit has failed", unit);
	if (ledger_record(manager->ledger, &event, nullptr) != LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "not in the ledger", event.code);
}

static void on_unit(void *userdata, const char *active_state)
{
	auto_free struct unit_question *question = userdata;
	struct manager *manager = question->manager;
	char *kept = manager->unit_state[question->unit];

	if (question->round != manager->units_round)
		return; /* the bus was away meanwhile, and the round was given up */
	if (strcmp(kept, active_state) != 0) {
		if (strcmp(active_state, "failed") == 0)
			record_failed_unit(manager, MANAGER_UNIT[question->unit].name);
		(void)snprintf(kept, sizeof(manager->unit_state[0]), "%s", active_state);
		bus_changed(manager->bus);
	}
	manager->units_asked--;
	if (manager->units_asked == 0)
		judge_units(manager);
}

static void ask_units(struct manager *manager)
{
	if (manager->units_asked > 0 && clock_mono_us() - manager->units_asked_us < ROUND_MAX_US)
		return; /* the last round is not over */
	manager->units_asked = 0;
	manager->units_asked_us = clock_mono_us();
	manager->units_round++;
	for (size_t i = 0; i < MANAGER_UNITS; i++) {
		auto_free struct unit_question *question = malloc(sizeof(*question));

		if (!question)
			return;
		*question = (struct unit_question) { manager, manager->units_round, i };
		if (bus_unit_state(manager->bus, MANAGER_UNIT[i].name, on_unit, question) != 0)
			return; /* no bus yet; the next tick asks again */
		question = nullptr;
		manager->units_asked++;
	}
}

/* A disk was plugged in or user data came: what did not work may work now. */
static void look_again(struct manager *manager)
{
	if (manager->open || manager->opening || manager->surroundings == figures_surroundings())
		return;
	log_event(LOG_NOTICE, EVENT_PROVISION, 0, "disks or user data have changed, looking again",
		  nullptr);
	int r = ask_for_boot(manager);
	if (r)
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, r, "no job could be asked for", nullptr);
}

static int on_tick(void *userdata)
{
	struct manager *manager = userdata;

	ask_units(manager);
	look_again(manager);
	if (manager->state == STATE_READY && clock_mono_us() - manager->details_us > DETAILS_US)
		manager_refresh_details(manager);
	ledger_tick(manager->ledger, clock_mono_us());
	return loop_timer_again(manager->tick,
				manager->state == STATE_READY ? TICK_READY_US : TICK_WAITING_US);
}

static uint32_t find_tty_uid(void)
{
	char room[1024];
	struct passwd entry, *found = nullptr;

	(void)getpwnam_r("redoubt-tty", &entry, room, sizeof(room), &found);
	return found ? found->pw_uid : UINT32_MAX;
}

int manager_start(struct manager *manager, struct loop *loop)
{
	manager->loop = loop;
	manager->state = STATE_STARTING;
	manager->tty_uid = find_tty_uid();
	(void)snprintf(manager->text, sizeof(manager->text), "the appliance is starting");

	int r = ledger_new(&manager->ledger);
	if (r == 0)
		r = front_link_new(loop, &manager->front);
	if (r == 0)
		r = worker_link_new(loop, on_progress, manager, &manager->worker);
	if (r == 0)
		r = methods_offer(manager, &manager->bus);
	if (r == 0)
		r = loop_timer(loop, TICK_WAITING_US, on_tick, manager, &manager->tick);
	if (r == 0)
		r = ask_for_boot(manager);
	if (r == 0)
		front_link_tell(manager->front, manager->state, manager->text);
	return r;
}

void manager_done(struct manager *manager)
{
	manager->tick = loop_source_free(manager->tick);
	manager->trial = loop_source_free(manager->trial);
	manager->worker = worker_link_free(manager->worker);
	manager->front = front_link_free(manager->front);
	manager->bus = bus_free(manager->bus);
	manager->ledger = ledger_free(manager->ledger);
	free(manager->provision);
	manager->provision = nullptr;
}
