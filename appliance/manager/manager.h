/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * manager: the appliance's state, from the first job of the boot to "ready" and back.
 *
 * Layer 2 (appliance/manager). Asks the worker for BOOT, watches the units that the open volume
 * starts, tells front and the bus, and looks again when disks or user data turn up.
 * methods.c is the bus's half of it.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/bus/bus.h"
#include "appliance/manager/front_link.h"
#include "appliance/manager/ledger.h"
#include "appliance/manager/worker_link.h"
#include "common/base.h"
#include "common/loop.h"
#include "common/proto/execute.h"
#include "common/proto/job.h"

constexpr size_t MANAGER_TEXT = 512;
constexpr size_t MANAGER_UNITS = 13;
constexpr size_t MANAGER_RECORDED = 32;
constexpr size_t MANAGER_NOTICES = 8; /* of the worker */
constexpr size_t MANAGER_NOTICE = 256;
constexpr size_t MANAGER_EVENTS = 4;
constexpr size_t MANAGER_EVENT = 512;

/* What JOB_VOLUME_STATUS said last. */
struct manager_details {
	char volume_device[128];
	char volume_cipher[64];
	char keyslot[8][64];
	size_t n_keyslots;
	char tls_name[16][256];
	size_t n_tls_names;
	char tls_expires[32];
	char ca_fingerprint[96];
	char ssh_host_key[96];
	bool recovery_key_pending;
	char notice[MANAGER_NOTICES][MANAGER_NOTICE]; /* what an admin should look at */
	size_t n_notices;
	char event[MANAGER_EVENTS][MANAGER_EVENT]; /* for the ledger, each once: "CODE TEXT" */
	size_t n_events;
	bool config_trial; /* a change of the configuration waits to be confirmed */
};

struct manager {
	struct loop *loop;
	struct bus *bus;
	struct worker_link *worker;
	struct front_link *front;
	struct ledger *ledger;
	struct loop_source *tick;
	enum state state;
	char text[MANAGER_TEXT];
	char *provision; /* the configuration typed on the console, until the volume is open */
	bool opening;	 /* a job that may open the volume is under way */
	bool open;	 /* the volume is open; the units decide */
	uint64_t surroundings; /* when the last BOOT was asked for */
	uint64_t open_since_us;
	uint64_t keys_wait_since_us; /* since when only redoubt-keys is missing; 0: it is not */
	char unit_state[MANAGER_UNITS][24];
	size_t units_asked; /* answers of this round still to come */
	uint64_t units_round, units_asked_us;
	struct manager_details details;
	uint64_t recorded
		[MANAGER_RECORDED]; /* hashes of the worker's events that are in the ledger */
	size_t n_recorded;
	struct loop_source
		*trial;	     /* until an unconfirmed configuration is taken back, or nullptr */
	uint64_t details_us; /* when they were asked for */
	uint32_t tty_uid;    /* of redoubt-tty, or UINT32_MAX */
};

struct manager_unit {
	const char *name;
	bool required; /* ready needs it to be active */
	const char
		*notice; /* not shown as a service; this is said when it has failed. Or nullptr */
};

/* The units that are shown, and which of them "ready" needs. [MANAGER_UNITS] */
extern const struct manager_unit MANAGER_UNIT[MANAGER_UNITS];

/* Whether what is missing is redoubt-keys, and nothing that it waits for: its master key may be locked. */
[[nodiscard]] bool manager_waits_for_keys(const char state[MANAGER_UNITS][24]);

/* What a job that was to open the volume makes of the state. The text goes along as it is. */
[[nodiscard]] enum state manager_state_after(enum job_outcome outcome);

/*
 * What the units make of the state once the volume is open.
 *
 * state  [MANAGER_UNITS][24] ActiveState texts, in the order of MANAGER_UNIT
 * text   set: why it is not ready, or ""
 */
[[nodiscard]] enum state manager_state_of_units(const char state[MANAGER_UNITS][24],
						char text[MANAGER_TEXT]);

/* Start: connect everything and ask for BOOT. Returns 0 or -errno. */
[[nodiscard]] int manager_start(struct manager *manager, struct loop *loop);

/* Stop and free what the manager owns. */
void manager_done(struct manager *manager);

/* Set state and text; tell bus and front if they are new. */
void manager_set(struct manager *manager, enum state state, const char *text);

/*
 * Take over the outcome of PROVISION or UNLOCK (BOOT does it by itself).
 *
 * config  what was typed, kept until the volume is open; or nullptr
 */
void manager_opened(struct manager *manager, const struct job_done *done, const char *config);

/* Ask the worker for the details that only root can read. */
void manager_refresh_details(struct manager *manager);

/* Read what JOB_VOLUME_STATUS returned. Returns whether it was well-formed; *ret is set only then. */
[[nodiscard]] bool manager_details_read(const char *json, size_t len, struct manager_details *ret);
