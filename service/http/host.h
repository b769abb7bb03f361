/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * host: the Host header: is it a host, and which without its port.
 *
 * Layer 2 (service/http). Pure functions over (pointer, length). Source: RFC 9110 section 7.2,
 * RFC 3986 section 3.2.2.
 */

#include <stddef.h>

/* Whether text[len] is a host name, an IPv4 address or an [IPv6 address], perhaps with :port. */
[[nodiscard]] bool host_is_valid(const char *text, size_t len);

/* The length of a valid Host header's value without its port. */
[[nodiscard]] size_t host_len(const char *text, size_t len);
