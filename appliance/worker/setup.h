/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * setup: what happens between the volume's mounting and the daemons' start.
 *
 * Layer 2 (appliance/worker). A table of steps, each of which does nothing if its work is done:
 * run at every boot, it also mends what is missing. Until its last step has marked the volume
 * complete, no daemon has started and a first boot that is cut short starts again from nothing.
 * Source: docs/architecture.md section 4.
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t SETUP_TEXT = 512;

/*
 * Make the folders and give them to their owners. A unit of its own, because changing owners and
 * touching the disk are two rights that one process need not have.
 *
 * text  set on failure
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int setup_folders(char text[SETUP_TEXT]);

/*
 * Set the volume up, once its folders are there: configuration, keys, certificates, swap.
 *
 * text  set on failure: which step, and what to do if anything can be done
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int setup(char text[SETUP_TEXT]);

/* Issue the server's certificate anew if it is ours and ends within 30 days or lacks a name. Returns as setup(). */
[[nodiscard]] int setup_renew(char text[SETUP_TEXT]);
