/* SPDX-License-Identifier: Apache-2.0 */

/* The whole Rockset REST API v1, once more: each operation is there, or its client is told by name that it is not. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/proto/operations.h"
#include "service/front/missing.h"
#include "service/front/routes.h"
#include "service/http/target.h"
#include "tests/lib/tap.h"

/* clang-format off */
static const struct {
	const char *method, *path, *name; /* ~ is /v1/orgs/self */
} API[] = {
	{ "GET", "~", "getOrganization" },
	{ "GET", "~/ws", "listWorkspaces" },
	{ "POST", "~/ws", "createWorkspace" },
	{ "GET", "~/ws/x", "getWorkspace" },
	{ "DELETE", "~/ws/x", "deleteWorkspace" },
	{ "GET", "~/collections", "listCollections" },
	{ "GET", "~/ws/x/collections", "workspaceCollections" },
	{ "POST", "~/ws/x/collections", "createCollection" },
	{ "GET", "~/ws/x/collections/x", "getCollection" },
	{ "PUT", "~/ws/x/collections/x", "updateCollection" },
	{ "DELETE", "~/ws/x/collections/x", "deleteCollection" },
	{ "POST", "~/ws/x/collections/x/offsets/commit", "getCollectionOffsets" },
	{ "POST", "~/ws/x/collections/x/docs", "addDocuments" },
	{ "PATCH", "~/ws/x/collections/x/docs", "patchDocuments" },
	{ "DELETE", "~/ws/x/collections/x/docs", "deleteDocuments" },
	{ "GET", "~/queries", "listActiveQueries" },
	{ "POST", "~/queries", "query" },
	{ "POST", "~/queries/validations", "validate" },
	{ "GET", "~/queries/x", "getQuery" },
	{ "DELETE", "~/queries/x", "cancelQuery" },
	{ "GET", "~/queries/x/pages", "getQueryResults" },
	{ "POST", "~/users/self/apikeys", "createApiKey" },
	{ "GET", "~/users/x/apikeys", "listApiKeys" },
	{ "GET", "~/users/x/apikeys/x", "getApiKey" },
	{ "POST", "~/users/x/apikeys/x", "updateApiKey" },
	{ "DELETE", "~/users/x/apikeys/x", "deleteApiKey" },
	{ "GET", "~/users", "listUsers" },
	{ "POST", "~/users", "createUser" },
	{ "GET", "~/users/self", "getCurrentUser" },
	{ "GET", "~/users/self/preferences", "listUnsubscribePreferences" },
	{ "POST", "~/users/self/preferences", "updateUnsubscribePreferences" },
	{ "GET", "~/users/x", "getUser" },
	{ "POST", "~/users/x", "updateUser" },
	{ "DELETE", "~/users/x", "deleteUser" },
	{ "GET", "~/roles", "listRoles" },
	{ "POST", "~/roles", "createRole" },
	{ "GET", "~/roles/x", "getRole" },
	{ "POST", "~/roles/x", "updateRole" },
	{ "DELETE", "~/roles/x", "deleteRole" },
	{ "GET", "~/lambdas", "listAllQueryLambdas" },
	{ "GET", "~/ws/x/lambdas", "listQueryLambdasInWorkspace" },
	{ "POST", "~/ws/x/lambdas", "createQueryLambda" },
	{ "DELETE", "~/ws/x/lambdas/x", "deleteQueryLambda" },
	{ "GET", "~/ws/x/lambdas/x/tags", "listQueryLambdaTags" },
	{ "POST", "~/ws/x/lambdas/x/tags", "createQueryLambdaTag" },
	{ "GET", "~/ws/x/lambdas/x/tags/x", "getQueryLambdaTagVersion" },
	{ "POST", "~/ws/x/lambdas/x/tags/x", "executeQueryLambdaByTag" },
	{ "DELETE", "~/ws/x/lambdas/x/tags/x", "deleteQueryLambdaTag" },
	{ "DELETE", "~/ws/x/lambdas/x/version/x", "deleteQueryLambdaVersion" },
	{ "GET", "~/ws/x/lambdas/x/versions", "listQueryLambdaVersions" },
	{ "POST", "~/ws/x/lambdas/x/versions", "updateQueryLambda" },
	{ "GET", "~/ws/x/lambdas/x/versions/x", "getQueryLambdaVersion" },
	{ "POST", "~/ws/x/lambdas/x/versions/x", "executeQueryLambda" },
	{ "POST", "/v1/public/shared_lambdas/x", "executePublicQueryLambdaWithParams" },
	{ "GET", "~/views", "listViews" },
	{ "GET", "~/ws/x/views", "workspaceViews" },
	{ "POST", "~/ws/x/views", "createView" },
	{ "GET", "~/ws/x/views/x", "getView" },
	{ "POST", "~/ws/x/views/x", "updateView" },
	{ "DELETE", "~/ws/x/views/x", "deleteView" },
	{ "GET", "~/aliases", "listAliases" },
	{ "GET", "~/ws/x/aliases", "workspaceAliases" },
	{ "POST", "~/ws/x/aliases", "createAlias" },
	{ "GET", "~/ws/x/aliases/x", "getAlias" },
	{ "POST", "~/ws/x/aliases/x", "updateAlias" },
	{ "DELETE", "~/ws/x/aliases/x", "deleteAlias" },
	{ "GET", "~/virtualinstances", "listVirtualInstances" },
	{ "POST", "~/virtualinstances", "createVirtualInstance" },
	{ "GET", "~/virtualinstances/x", "getVirtualInstance" },
	{ "POST", "~/virtualinstances/x", "setVirtualInstance" },
	{ "DELETE", "~/virtualinstances/x", "deleteVirtualInstance" },
	{ "GET", "~/virtualinstances/x/mounts", "listCollectionMounts" },
	{ "POST", "~/virtualinstances/x/mounts", "mountCollection" },
	{ "GET", "~/virtualinstances/x/mounts/x", "getCollectionMount" },
	{ "DELETE", "~/virtualinstances/x/mounts/x", "unmountCollection" },
	{ "POST", "~/virtualinstances/x/mounts/x/offsets/commit", "getMountOffsets" },
	{ "GET", "~/virtualinstances/x/queries", "getVirtualInstanceQueries" },
	{ "POST", "~/virtualinstances/x/queries", "queryVirtualInstance" },
	{ "POST", "~/virtualinstances/x/resume", "resumeVirtualInstance" },
	{ "POST", "~/virtualinstances/x/suspend", "suspendVirtualInstance" },
	{ "GET", "~/lambdas/scheduled_lambdas", "listOrgScheduledLambdas" },
	{ "POST", "~/ws/x/scheduled_lambdas", "createScheduledLambda" },
	{ "GET", "~/ws/x/scheduled_lambdas/x", "getScheduledLambda" },
	{ "POST", "~/ws/x/scheduled_lambdas/x", "updateScheduledLambda" },
	{ "DELETE", "~/ws/x/scheduled_lambdas/x", "deleteScheduledLambda" },
	{ "GET", "~/deploymentsettings", "getDeploymentSettings" },
	{ "PUT", "~/deploymentsettings", "updateDeploymentSettings" },
	{ "GET", "~/ws/x/collections/x/sources", "listCollectionSources" },
	{ "POST", "~/ws/x/collections/x/sources", "createSource" },
	{ "GET", "~/ws/x/collections/x/sources/x", "getSource" },
	{ "PUT", "~/ws/x/collections/x/sources/x", "updateSource" },
	{ "DELETE", "~/ws/x/collections/x/sources/x", "deleteSource" },
	{ "POST", "~/ws/x/collections/x/sources/x/resume", "resumeSource" },
	{ "POST", "~/ws/x/collections/x/sources/x/suspend", "suspendSource" },
	{ "GET", "~/integrations", "listIntegrations" },
	{ "POST", "~/integrations", "createIntegration" },
	{ "GET", "~/integrations/x", "getIntegration" },
	{ "PUT", "~/integrations/x", "updateIntegration" },
	{ "DELETE", "~/integrations/x", "deleteIntegration" },
};
/* clang-format on */

/* Look a path up; ~ at its start is /v1/orgs/self. */
static enum route_result find(const struct routes *routes, const char *method, const char *path,
			      struct route *ret)
{
	static char text[4096];
	struct target target;
	bool self = path[0] == '~';

	(void)snprintf(text, sizeof(text), "%s%s", self ? "/v1/orgs/self" : "", path + self);
	if (target_parse(text, &target))
		return ROUTE_NO_PATH;
	return routes_find(routes, method, &target, ret);
}

static bool each_operation_is_there_or_said_by_name_to_be_missing(void)
{
	cleanup(routes_free_at) struct routes *routes = nullptr;
	size_t there = 0;

	static_assert(countof(API) == 99);
	CHECK_EQ(routes_new(&routes), 0);
	for (size_t i = 0; i < countof(API); i++) {
		struct route route;
		enum route_result r = find(routes, API[i].method, API[i].path, &route);
		bool good = r == ROUTE_FOUND ||
			    (r == ROUTE_MISSING && strcmp(route.missing, API[i].name) == 0 &&
			     route.op == OP_NONE);

		if (!good)
			printf("# %s %s (%s)\n", API[i].method, API[i].path, API[i].name);
		CHECK(good);
		there += r == ROUTE_FOUND;
	}
	CHECK_EQ(there, 17);
	return true;
}

static bool what_is_there_is_not_said_to_be_missing(void)
{
	for (size_t i = 0; i < MISSING_COUNT; i++)
		for (size_t op = OP_NONE + 1; op < OP_COUNT; op++)
			CHECK(strcmp(MISSING[i].method, OPERATIONS[op].method) != 0 ||
			      strcmp(MISSING[i].path, OPERATIONS[op].path) != 0);
	return true;
}

static bool a_user_named_self_is_nobody_else(void)
{
	cleanup(routes_free_at) struct routes *routes = nullptr;
	struct route route;

	CHECK_EQ(routes_new(&routes), 0);
	CHECK_EQ(find(routes, "GET", "~/users/self", &route), ROUTE_FOUND);
	CHECK_EQ(route.op, OP_USER_SELF);
	CHECK_EQ(find(routes, "GET", "~/users/ann%40example.org", &route), ROUTE_MISSING);
	CHECK(strcmp(route.missing, "getUser") == 0);
	CHECK_EQ(find(routes, "GET", "~/queries/f94b:yfw9yhr:0", &route), ROUTE_MISSING);
	CHECK(strcmp(route.missing, "getQuery") == 0);
	return true;
}

int main(void)
{
	RUN(each_operation_is_there_or_said_by_name_to_be_missing);
	RUN(what_is_there_is_not_said_to_be_missing);
	RUN(a_user_named_self_is_nobody_else);
	return tap_done();
}
