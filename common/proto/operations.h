/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * operations: the operations of the HTTPS API, in one table that front routes by, accounts authorises by and
 * engine executes by.
 *
 * Layer 1 (common/proto). Pure data. Source: the Rockset REST API v1.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

/* Numbers travel between processes of one release only; order is free. */
enum operation : uint16_t {
	OP_NONE, /* no such route: authenticated, then 404 */
	OP_ORGANIZATION_GET,
	OP_WORKSPACE_LIST,
	OP_WORKSPACE_CREATE,
	OP_WORKSPACE_GET,
	OP_WORKSPACE_DELETE,
	OP_COLLECTION_LIST_ALL,
	OP_COLLECTION_LIST,
	OP_COLLECTION_CREATE,
	OP_COLLECTION_GET,
	OP_COLLECTION_DELETE,
	OP_OFFSETS_COMMIT,
	OP_DOCUMENTS_ADD,
	OP_DOCUMENTS_PATCH,
	OP_DOCUMENTS_DELETE,
	OP_QUERY,
	OP_QUERY_VALIDATE,
	OP_USER_SELF,
	OP_COLLECTION_ROTATE_KEY,
	OP_COUNT,
};

/* A closed list: Rockset's names for data, our own for the box. Order is free. */
enum privilege : uint8_t {
	PRIVILEGE_NONE, /* needs no privilege beyond being somebody */
	GET_ORG_GLOBAL,
	GET_CURRENT_USER_GLOBAL,
	CREATE_WS_GLOBAL,
	LIST_WS_GLOBAL,
	DELETE_WS,
	LIST_RESOURCES_WS,
	CREATE_COLLECTION_WS,
	DELETE_COLLECTION_WS,
	ROTATE_KEY_WS, /* ours: who has the custody of keys need not be who makes collections */
	WRITE_DATA_WS,
	QUERY_DATA_WS,
	PEOPLE_READ,
	PEOPLE_WRITE,
	OWN_SSH_KEYS,
	API_KEYS_OWN,
	API_KEYS_ALL,
	AUDIT_READ,
	APPLIANCE_READ,
	APPLIANCE_CONTROL,
	RECOVERY_KEY_TAKE,
	CERTIFICATE_WRITE,
	CONFIG_WRITE,
	PRIVILEGE_COUNT,
};
static_assert(PRIVILEGE_COUNT <= 64); /* a set of them is a uint64_t */

enum operation_kind : uint8_t {
	OPERATION_READS,
	OPERATION_WRITES, /* recorded as an intent before and an outcome after */
};

struct operation_info {
	const char *code;	  /* its name in the ledger: "api.documents.add" */
	const char *method;	  /* "POST" */
	const char *path;	  /* "/v1/orgs/self/ws/{workspace}/collections/{collection}/docs" */
	enum privilege privilege; /* asked with the {workspace} of the path as resource */
	enum operation_kind kind;
};

extern const struct operation_info OPERATIONS[OP_COUNT];

/* The name of a privilege, "QUERY_DATA_WS"; "?" outside the list. */
[[nodiscard]] const char *privilege_name(enum privilege privilege);

/* The privilege of that name, or PRIVILEGE_COUNT if there is none. */
[[nodiscard]] enum privilege privilege_find(const char *name);
