/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * setup: the forms that change the state of the whole machine: first configuration, unlocking, power.
 *
 * Layer 3 (tui/view).
 */

#include "tui/view/form.h"
#include "tui/view/view.h"

/* Open the form for the first configuration; for state `unconfigured`, on the machine's own console. */
void setup_first(struct view *view);

/* Open the form for the recovery key; for state `locked`, on the machine's own console. */
void setup_unlock(struct view *view);

/* Open the form by which a person says that they have the recovery key. */
void setup_confirm_key(struct view *view);

/* Open the form that gives the volume's key to this machine's TPM. */
void setup_bind_tpm(struct view *view);

/* Open the form for restart and power off, which wants the host name typed. */
void setup_power(struct view *view);

/*
 * Make the configuration (docs/architecture.md, section 4) out of the first form's fields.
 *
 * text     [SETUP_FIELDS] in the form's order; "" for what was left empty
 * ret_json the configuration as JSON
 */
enum setup_field {
	SETUP_HOST,
	SETUP_NAME,
	SETUP_EMAIL,
	SETUP_SSH_KEY,
	SETUP_ADDRESS,
	SETUP_GATEWAY,
	SETUP_DNS,
	SETUP_FIELDS
};

/* See above. A failure sticks to out. */
void setup_json(const char *const text[SETUP_FIELDS], struct buf *out);
