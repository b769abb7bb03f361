/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * missing: the operations of the Rockset REST API v1 that are not there yet, so that who asks for one is told its name.
 *
 * Layer 3 (service/front). Pure data. An operation that is made leaves this table for common/proto/operations.
 * Source: the Rockset REST API v1; the last six are asked for by an older client and by scrapers of metrics only.
 */

#include <stddef.h>

constexpr size_t MISSING_COUNT = 88;

struct missing {
	const char *method; /* "PUT" */
	const char *path;   /* with parameters in braces */
	const char *name;   /* as the clients call it: "updateCollection" */
};

extern const struct missing MISSING[MISSING_COUNT];
