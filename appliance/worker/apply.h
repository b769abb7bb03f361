/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * apply: turn a configuration into the machine's host name, network and firewall sets.
 *
 * Layer 2 (appliance/worker). The worker has no network: it writes files, and units that watch
 * them (redoubt-network.path, redoubt-firewall-change.path) put them into force.
 * Source: systemd.network(5), nft(8), hardening/firewall.nft.
 */

#include "appliance/worker/config.h"
#include "common/buf.h"

/* Append the systemd.network(5) file. */
void apply_network_text(const struct config *config, struct buf *ret);

/* Append the nft(8) script that fills the sets of hardening/firewall.nft, in one transaction. */
void apply_firewall_text(const struct config *config, struct buf *ret);

/*
 * Write the files: firewall/sets.nft, network/hostname and network/10-redoubt.network below the run folder.
 *
 * Returns 0, -ENOMEM or another -errno.
 */
[[nodiscard]] int apply(const struct config *config);

/*
 * The same with nothing but address and gateway of a configuration: what a launcher may set on a machine
 * whose volume has a configuration of its own, until that is open. The firewall's sets are empty.
 */
[[nodiscard]] int apply_reach(const struct config *config);

/* Name the host by network/hostname. Returns 0, -ENOENT (no such file), -EBADMSG (no host name) or another -errno. */
[[nodiscard]] int apply_hostname(void);
