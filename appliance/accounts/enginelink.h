/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * enginelink: has engine end the queries of who may ask no more. If engine cannot be told, what was decided stands all the
 * same: each request is asked for here anew, and what runs ends at its deadline.
 *
 * Layer 2 (appliance/accounts).
 */

#include <stdint.h>

#include "common/base.h"

struct accounts;

/* End all queries of an API key; key_id are its first 10 characters. */
void enginelink_end_key(const char *key_id);

/* End all queries of a person's API keys. */
void enginelink_end_person(const char *person);

/*
 * End the queries of keys that have expired since the last call.
 *
 * since_us  wall time of the last call
 *
 * Cost: all keys.
 */
void enginelink_end_expired(struct accounts *accounts, uint64_t since_us, uint64_t now_us);
