/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * status: what the method Status says, figure by figure.
 *
 * Layer 2 (appliance/manager).
 */

#include "appliance/bus/bus.h"
#include "appliance/manager/manager.h"

/* Add the entries of the one row; the caller begins and ends it. */
void status_put(struct bus_call *call, const struct manager *manager);

/* Add what JOB_CONFIG_READ says of the stored configuration, from its JSON. */
void status_put_config(struct bus_call *call, const char *json);
