/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * people: what accounts asks redoubt-userdb to tell the system's name service.
 *
 * Layer 1 (common/proto). Encoders and decoders; a decoder checks every length and text. What a record may say is
 * checked by redoubt-userdb: everything else of a user record is not accounts' to choose.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/names.h"

enum : uint16_t {
	PEOPLE_WISH = 0x0901, /* accounts → userdb: all people there are, people_one_write() each */
	PEOPLE_TAKEN =
		0x0902, /* userdb → accounts: u32, how many were refused; the others hold now */
	PEOPLE_FAILED = 0x0903, /* userdb → accounts: empty; not all could be written, ask again */
};

constexpr size_t PEOPLE_MAX = 1000;	     /* of one wish: they fit into one frame */
constexpr uint32_t PEOPLE_UID_FIRST = 20000; /* above all system users, below systemd's ranges */
constexpr uint32_t PEOPLE_UID_LAST = 59999;  /* systemd's own start at 60001 */

struct people_one {
	char name[NAME_PERSON_MAX + 1];
	uint32_t uid;
	bool locked;
};

/* Append one. A wish is so many of them, one after the other; a failure sticks to out. */
void people_one_write(struct buf *out, const struct people_one *one);

/* Decode the next of a wish. Returns whether it was well-formed; in is at its end after the last. */
[[nodiscard]] bool people_one_read(struct reader *in, struct people_one *ret);
