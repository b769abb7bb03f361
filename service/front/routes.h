/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * routes: which operation a method and a path mean.
 *
 * Layer 3 (service/front). Made once from the table of operations. A literal segment goes before
 * a parameter, so that "/users/self" is not a user named self.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/proto/operations.h"
#include "service/http/target.h"

constexpr size_t ROUTE_PARAMETER_MAX = 2048; /* NAME_RESOURCE_MAX; a longer one matches nothing */
constexpr size_t ROUTE_ALLOW_MAX = 64;	     /* "GET, POST, PATCH, DELETE, PUT" and its NUL */

struct routes;

enum route_result {
	ROUTE_FOUND = 0,
	ROUTE_MISSING,	 /* an operation of Rockset's that is not there yet */
	ROUTE_NO_PATH,	 /* nothing has this path */
	ROUTE_NO_METHOD, /* something has, but not with this method */
};

struct route {
	enum operation op;	     /* OP_NONE unless ROUTE_FOUND */
	const char *missing;	     /* its name if ROUTE_MISSING, else nullptr */
	const char *workspace;	     /* borrowed from the target; "" if the path has none */
	const char *collection;	     /* borrowed from the target; "" if the path has none */
	char allow[ROUTE_ALLOW_MAX]; /* the methods there are; "" unless ROUTE_NO_METHOD */
};

/*
 * Make the matcher from OPERATIONS and MISSING.
 *
 * Returns 0, -ENOMEM, or -EINVAL if the table has a path it cannot hold. *ret is set only on
 * success.
 */
[[nodiscard]] int routes_new(struct routes **ret);

/* Free. nullptr is a no-op. Always returns nullptr. */
struct routes *routes_free(struct routes *routes);
CLEANUP_FN(struct routes, routes_free)

/*
 * Find the operation.
 *
 * ret  always set
 *
 * Cost: one pass over both tables, about a hundred comparisons of short texts.
 */
[[nodiscard]] enum route_result routes_find(const struct routes *routes, const char *method,
					    const struct target *target, struct route *ret);
