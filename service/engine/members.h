/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * members: which members a request may have. What is mistyped must not be passed over: an option would silently not hold.
 *
 * Layer 7 (service/engine). The lists have what Rockset's clients send, also where it means nothing here; what it would mean and
 * is not there yet is refused by whoever reads the member.
 */

#include <stddef.h>

#include <yyjson.h>

#include "common/base.h"
#include "service/engine/call.h"

/* Whose members are meant. */
enum members : uint8_t {
	MEMBERS_WORKSPACE,
	MEMBERS_COLLECTION,
	MEMBERS_CLUSTERING_KEY,
	MEMBERS_DOCUMENTS,
	MEMBERS_OFFSETS,
	MEMBERS_QUERY,
	MEMBERS_SQL,
	MEMBERS_PARAMETER,
	MEMBERS_COUNT,
};

/* Whether the object has no member but known ones; anything but an object has none. If not, the call has failed and says what was probably meant. */
[[nodiscard]] bool members_known(struct call *call, yyjson_val *object, enum members whose);
