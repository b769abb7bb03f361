/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * stored: the configuration on the volume, the one that the launcher gives at a boot, and which holds.
 *
 * Layer 2 (appliance/worker). config/config.json is in force. The first one is taken from outside,
 * on a volume that was just made; from then on what the launcher gives is only compared, unless an
 * admin has unpinned the configuration (config/unpinned). config/previous.json is the one before
 * the last change; config/trial means that the change has not been confirmed yet.
 * Trust: what the launcher gives is untrusted input, at every boot.
 */

#include <stddef.h>

#include "appliance/worker/config.h"
#include "common/base.h"
#include "common/buf.h"

constexpr size_t STORED_SHA = 65;

/* What the launcher gave at this boot, against what is stored. */
enum stored_offer {
	OFFER_NONE,
	OFFER_SAME, /* it means the same, if not byte by byte */
	OFFER_DIFFERS,
	OFFER_INVALID,
};

struct stored {
	struct buf text;       /* as it is stored; empty: nothing is */
	struct buf offer_text; /* as it was given */
	struct config config;  /* of text, if sound */
	struct config offered; /* of offer_text, if the offer is SAME or DIFFERS */
	bool sound;	       /* the stored one can be read */
	bool pinned, trial;
	enum stored_offer offer;
	char sha256[STORED_SHA], offer_sha256[STORED_SHA]; /* of the bytes; "" if there are none */
	char why[CONFIG_ERROR];				   /* what is wrong with the stored one */
	char offer_why[CONFIG_ERROR];			   /* what is wrong with the offer */
};

/* Free; nullptr is a no-op. Always returns nullptr. */
struct stored *stored_free(struct stored *stored);
CLEANUP_FN(struct stored, stored_free)

/*
 * Look at what is stored and what was given.
 *
 * state  folder descriptor of the state folder
 *
 * Returns 0, also if nothing is stored, or -errno.
 */
[[nodiscard]] int stored_look(int state, struct stored **ret);

/*
 * Store a configuration that has been parsed; the one that was in force becomes previous.json.
 *
 * trial  it is taken back, at the next boot at the latest, unless stored_confirm() is called
 *
 * Returns 0 or -errno; what was in force stays on anything but 0.
 */
[[nodiscard]] int stored_write(int state, const struct buf *text, bool trial);

/* Put previous.json in the place of config.json, and that one in its. Returns 0, -ENOENT or another -errno. */
[[nodiscard]] int stored_swap(int state);

/* The last change stays. Returns 0 or -errno. */
[[nodiscard]] int stored_confirm(int state);

/* Whether what the launcher gives replaces what is stored: no, if pinned. Returns 0 or -errno. */
[[nodiscard]] int stored_pin(int state, bool pin);

/*
 * At a boot, with the volume open: decide which configuration holds, store it, put it into force.
 *
 * config  set to it
 * text    [room] set with -EBADMSG: what is wrong with the only one there is
 *
 * Returns 0, -ENOENT (there is none), -EBADMSG or another -errno.
 */
[[nodiscard]] int stored_settle(int state, struct config *config, char *text, size_t room);
