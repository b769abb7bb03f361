/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * keeper: the store's own thread.
 *
 * Layer 4 (service/store). Started by store_start_keeper(). Looks once a second, and at once when writers wait, what keep.h has to do.
 */

#include "common/base.h"
#include "service/store/internal.h"

/* End it and wait for that; harmless if there is none. */
void keeper_stop(struct store *store);
