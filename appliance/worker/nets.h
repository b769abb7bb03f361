/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * nets: lists of networks in their one canonical form, in which no two overlap.
 *
 * Layer 2 (appliance/worker). Two networks are nested or have nothing in common, so a list is merged
 * by leaving out what lies in another one and putting two halves together. The firewall refuses
 * overlapping elements, and a list in canonical form can be compared with what is in force.
 */

#include <stddef.h>

#include "appliance/worker/config.h"
#include "common/base.h"

/* Whether every address of inner is one of outer. Another family's never is. */
[[nodiscard]] bool nets_contains(const struct config_net *outer, const struct config_net *inner);

/* Clear the bits behind the prefix. Returns whether any was set. */
[[nodiscard]] bool nets_mask(struct config_net *net);

/*
 * Merge a list of networks of one family in place: sorted by address, none overlaps another, two
 * halves of a network are that network.
 *
 * net  [n] without bits behind their prefixes
 *
 * Returns how many are left. They cover the same addresses as before. Cost: n log n.
 */
[[nodiscard]] size_t nets_merge(struct config_net *net, size_t n);

/* Say why a machine cannot have this address in this network, or nullptr: "is the network's own address …". */
[[nodiscard]] const char *nets_host_wrong(const struct config_net *host);

/* Say why a machine cannot reach others by this gateway, or nullptr. host: its own address with the network's prefix. */
[[nodiscard]] const char *nets_gateway_wrong(const struct config_net *host,
					     const struct config_net *gateway);
