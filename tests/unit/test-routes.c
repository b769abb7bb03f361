/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/routes.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/proto/operations.h"
#include "service/http/target.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* Look a path up. */
static enum route_result find(const char *method, const char *path, struct route *ret)
{
	static char text[4096];
	cleanup(routes_free_at) struct routes *routes = nullptr;
	struct target target;

	(void)snprintf(text, sizeof(text), "%s", path);
	if (routes_new(&routes) || target_parse(text, &target))
		return -1;
	return routes_find(routes, method, &target, ret);
}

/* The path of an operation with "my.ws" and "my-coll" for its parameters. */
static void example(const char *pattern, char *ret, size_t room)
{
	size_t len = 0;

	while (*pattern && len + 16 < room) {
		bool workspace = strncmp(pattern, "{workspace}", 11) == 0;
		bool collection = strncmp(pattern, "{collection}", 12) == 0;

		if (workspace || collection) {
			const char *value = workspace ? "my.ws" : "my-coll";

			memcpy(ret + len, value, strlen(value));
			len += strlen(value);
			pattern += workspace ? 11 : 12;
		} else {
			ret[len++] = *pattern++;
		}
	}
	ret[len] = '\0';
}

static bool every_operation_of_the_table_is_found(void)
{
	for (size_t i = OP_NONE + 1; i < OP_COUNT; i++) {
		char path[256];
		struct route route;

		example(OPERATIONS[i].path, path, sizeof(path));
		enum route_result r = find(OPERATIONS[i].method, path, &route);
		if (r != ROUTE_FOUND || route.op != i)
			printf("# %s %s\n", OPERATIONS[i].method, path);
		CHECK_EQ(r, ROUTE_FOUND);
		CHECK_EQ((size_t)route.op, i);
		CHECK(strcmp(route.workspace,
			     strstr(OPERATIONS[i].path, "{workspace}") ? "my.ws" : "") == 0);
		CHECK(strcmp(route.collection,
			     strstr(OPERATIONS[i].path, "{collection}") ? "my-coll" : "") == 0);
	}
	return true;
}

static bool another_method_is_told_which_there_are(void)
{
	struct route route;

	CHECK_EQ(find("PUT", "/v1/orgs/self/ws", &route), ROUTE_NO_METHOD);
	CHECK_EQ(route.op, OP_NONE);
	CHECK(strcmp(route.allow, "GET, POST") == 0);
	CHECK(strcmp(route.workspace, "") == 0);
	CHECK_EQ(find("GET", "/v1/orgs/self/ws/a/collections/b/docs", &route), ROUTE_NO_METHOD);
	CHECK(strcmp(route.allow, "POST, PATCH, DELETE") == 0);
	CHECK_EQ(find("HEAD", "/v1/orgs/self", &route), ROUTE_NO_METHOD);
	CHECK_EQ(find("get", "/v1/orgs/self", &route), ROUTE_NO_METHOD);
	return true;
}

static bool other_paths_are_nobodys(void)
{
	static const char *const PATHS[] = {
		"/",
		"/v1",
		"/v1/orgs",
		"/v1/orgs/other",
		"/v2/orgs/self",
		"/v1/orgs/self/x",
		"/V1/orgs/self",
		"/v1/orgs/self/ws/a/b",
		"/v1/orgs/self/ws/a/collections/b/c",
		"/v1/orgs/self/ws/a/collections/b/docs/c",
		"/v1/orgs/%7bworkspace%7d",
	};

	for (size_t i = 0; i < countof(PATHS); i++) {
		struct route route;

		CHECK_EQ(find("GET", PATHS[i], &route), ROUTE_NO_PATH);
		CHECK_EQ(route.op, OP_NONE);
		CHECK(strcmp(route.workspace, "") == 0 && strcmp(route.allow, "") == 0);
	}
	return true;
}

static bool a_parameter_has_a_longest_length(void)
{
	static char path[4096];
	struct route route;

	for (size_t len = ROUTE_PARAMETER_MAX; len <= ROUTE_PARAMETER_MAX + 1; len++) {
		int at = snprintf(path, sizeof(path), "/v1/orgs/self/ws/");

		memset(path + at, 'a', len);
		path[(size_t)at + len] = '\0';
		CHECK_EQ(find("GET", path, &route),
			 len == ROUTE_PARAMETER_MAX ? ROUTE_FOUND : ROUTE_NO_PATH);
	}
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(routes_free_at) struct routes *routes = nullptr;

		fault_at(n);
		int r = routes_new(&routes);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!routes);
	}
}

int main(void)
{
	RUN(every_operation_of_the_table_is_found);
	RUN(another_method_is_told_which_there_are);
	RUN(other_paths_are_nobodys);
	RUN(a_parameter_has_a_longest_length);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
