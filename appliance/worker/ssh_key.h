/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ssh_key: whether a line is an SSH public key that the appliance will accept.
 *
 * Layer 2 (appliance/worker). Looks at form, type and size only, so that a first configuration with
 * a useless key is refused before a disk is formatted; accounts judges the key for good (libssh).
 * Source: RFC 4253 section 6.6, RFC 8709.
 */

#include <stddef.h>

/*
 * Check one line "type base64 [comment]".
 *
 * line  [len] untrusted
 *
 * Returns nullptr if it is a key of an accepted type and size, or one constant sentence that says
 * what is wrong and how to mend it.
 */
[[nodiscard]] const char *ssh_key_wrong(const char *line, size_t len);
