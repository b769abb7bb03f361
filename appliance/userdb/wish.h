/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * wish: which of the people that accounts names may become users of the system.
 *
 * Layer 2 (appliance/userdb). Trust: a wish is untrusted; accounts may be in anybody's hands.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/proto/people.h"

enum wish_fault {
	WISH_FITS,
	WISH_NAME,	 /* no person can be called so */
	WISH_SYSTEM,	 /* a user of the system is */
	WISH_UID,	 /* outside the people's range */
	WISH_NAME_TWICE, /* another record has it */
	WISH_UID_TWICE,
	WISH_TOO_MANY,
	WISH_FAULT_COUNT,
};

/* What is wrong, as a sentence for the log. */
[[nodiscard]] const char *wish_fault_text(enum wish_fault fault);

/* The people who are let through. */
struct wish {
	struct people_one one[PEOPLE_MAX];
	size_t n;
};

/*
 * Let one more through, if it may be.
 *
 * system  names of the system's users, each between two line ends
 *
 * Returns WISH_FITS and the wish has it, or why not and the wish is as before.
 */
[[nodiscard]] enum wish_fault wish_add(struct wish *wish, const struct people_one *one,
				       const char *system);

/* Whether the wish has a person of that name, or of that uid if it is digits. */
[[nodiscard]] bool wish_has(const struct wish *wish, const char *name_or_uid);

/*
 * Read the names of the users in a passwd(5) file, as wish_add() wants them.
 *
 * Returns 0, -ENOMEM or another -errno of fopen(3).
 */
[[nodiscard]] int wish_system_names(const char *path, struct buf *ret);
