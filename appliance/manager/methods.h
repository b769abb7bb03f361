/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * methods: org.redoubt.Appliance1, a table of methods with who may call each and when.
 *
 * Layer 2 (appliance/manager). Source: docs/architecture.md section 6.
 */

#include "appliance/bus/bus.h"
#include "common/base.h"

struct manager;

/* Offer the methods on the bus. Returns 0 or -ENOMEM; *ret is set only on success. */
[[nodiscard]] int methods_offer(struct manager *manager, struct bus **ret);
