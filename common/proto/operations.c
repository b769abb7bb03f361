/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/operations.h"

#include <stddef.h>
#include <string.h>

#include "common/base.h"

#define SELF	    "/v1/orgs/self"
#define WS	    SELF "/ws/{workspace}"
#define COLLECTIONS WS "/collections"
#define COLLECTION  COLLECTIONS "/{collection}"
#define DOCS	    COLLECTION "/docs"

/* clang-format off */
const struct operation_info OPERATIONS[OP_COUNT] = {
	[OP_NONE]                  = { "api.unknown",               "",       "",                           PRIVILEGE_NONE,          OPERATION_READS },
	[OP_ORGANIZATION_GET]      = { "api.organization.get",      "GET",    SELF,                         GET_ORG_GLOBAL,          OPERATION_READS },
	[OP_WORKSPACE_LIST]        = { "api.workspace.list",        "GET",    SELF "/ws",                   LIST_WS_GLOBAL,          OPERATION_READS },
	[OP_WORKSPACE_CREATE]      = { "api.workspace.create",      "POST",   SELF "/ws",                   CREATE_WS_GLOBAL,        OPERATION_WRITES },
	[OP_WORKSPACE_GET]         = { "api.workspace.get",         "GET",    WS,                           LIST_RESOURCES_WS,       OPERATION_READS },
	[OP_WORKSPACE_DELETE]      = { "api.workspace.delete",      "DELETE", WS,                           DELETE_WS,               OPERATION_WRITES },
	[OP_COLLECTION_LIST_ALL]   = { "api.collection.list",       "GET",    SELF "/collections",          LIST_RESOURCES_WS,       OPERATION_READS },
	[OP_COLLECTION_LIST]       = { "api.collection.list",       "GET",    COLLECTIONS,                  LIST_RESOURCES_WS,       OPERATION_READS },
	[OP_COLLECTION_CREATE]     = { "api.collection.create",     "POST",   COLLECTIONS,                  CREATE_COLLECTION_WS,    OPERATION_WRITES },
	[OP_COLLECTION_GET]        = { "api.collection.get",        "GET",    COLLECTION,                   LIST_RESOURCES_WS,       OPERATION_READS },
	[OP_COLLECTION_DELETE]     = { "api.collection.delete",     "DELETE", COLLECTION,                   DELETE_COLLECTION_WS,    OPERATION_WRITES },
	[OP_COLLECTION_ROTATE_KEY] = { "api.collection.rotate_key", "POST",   COLLECTION "/rotate_key",     ROTATE_KEY_WS,           OPERATION_WRITES },
	[OP_OFFSETS_COMMIT]        = { "api.offsets.commit",        "POST",   COLLECTION "/offsets/commit", LIST_RESOURCES_WS,       OPERATION_READS },
	[OP_DOCUMENTS_ADD]         = { "api.documents.add",         "POST",   DOCS,                         WRITE_DATA_WS,           OPERATION_WRITES },
	[OP_DOCUMENTS_PATCH]       = { "api.documents.patch",       "PATCH",  DOCS,                         WRITE_DATA_WS,           OPERATION_WRITES },
	[OP_DOCUMENTS_DELETE]      = { "api.documents.delete",      "DELETE", DOCS,                         WRITE_DATA_WS,           OPERATION_WRITES },
	[OP_QUERY]                 = { "api.query",                 "POST",   SELF "/queries",              QUERY_DATA_WS,           OPERATION_READS },
	[OP_QUERY_VALIDATE]        = { "api.query.validate",        "POST",   SELF "/queries/validations",  QUERY_DATA_WS,           OPERATION_READS },
	[OP_USER_SELF]             = { "api.user.self",             "GET",    SELF "/users/self",           GET_CURRENT_USER_GLOBAL, OPERATION_READS },
};
/* clang-format on */

#define NAMED(privilege) [privilege] = #privilege
static const char *const NAMES[PRIVILEGE_COUNT] = {
	NAMED(PRIVILEGE_NONE),	  NAMED(GET_ORG_GLOBAL),       NAMED(GET_CURRENT_USER_GLOBAL),
	NAMED(CREATE_WS_GLOBAL),  NAMED(LIST_WS_GLOBAL),       NAMED(DELETE_WS),
	NAMED(LIST_RESOURCES_WS), NAMED(CREATE_COLLECTION_WS), NAMED(DELETE_COLLECTION_WS),
	NAMED(ROTATE_KEY_WS),	  NAMED(WRITE_DATA_WS),	       NAMED(QUERY_DATA_WS),
	NAMED(PEOPLE_READ),	  NAMED(PEOPLE_WRITE),	       NAMED(OWN_SSH_KEYS),
	NAMED(API_KEYS_OWN),	  NAMED(API_KEYS_ALL),	       NAMED(AUDIT_READ),
	NAMED(APPLIANCE_READ),	  NAMED(APPLIANCE_CONTROL),    NAMED(RECOVERY_KEY_TAKE),
	NAMED(CERTIFICATE_WRITE), NAMED(CONFIG_WRITE),
};

const char *privilege_name(enum privilege privilege)
{
	return privilege < PRIVILEGE_COUNT && NAMES[privilege] ? NAMES[privilege] : "?";
}

enum privilege privilege_find(const char *name)
{
	for (size_t i = 0; i < countof(NAMES); i++)
		if (NAMES[i] && strcmp(NAMES[i], name) == 0)
			return (enum privilege)i;
	return PRIVILEGE_COUNT;
}
