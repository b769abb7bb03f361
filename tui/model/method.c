/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/method.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/decode.h"

const struct service_name SERVICES[SERVICE_COUNT] = {
	[SERVICE_ACCOUNTS] = { "org.redoubt.Accounts1", "/org/redoubt/Accounts1",
			       "the accounts service" },
	[SERVICE_AUDIT] = { "org.redoubt.Audit1", "/org/redoubt/Audit1", "the audit service" },
	[SERVICE_APPLIANCE] = { "org.redoubt.Appliance1", "/org/redoubt/Appliance1",
				"the appliance service" },
};

constexpr uint32_t SOON = 25; /* an answer from memory or one small transaction */
constexpr uint32_t MINUTES =
	600; /* formatting a volume, deriving a key, reading the whole ledger */

/* clang-format off */
const struct method METHODS[METHOD_COUNT] = {
	[METHOD_WHO_AM_I]            = { SERVICE_ACCOUNTS,  "WhoAmI",             "",     REPLY_RECORD,  SOON },
	[METHOD_SESSION_OPEN]        = { SERVICE_ACCOUNTS,  "SessionOpen",        "ssss", REPLY_RECORD,  SOON },
	[METHOD_SESSION_CLOSE]       = { SERVICE_ACCOUNTS,  "SessionClose",       "",     REPLY_NOTHING, 3 },
	[METHOD_SESSION_LOCK]        = { SERVICE_ACCOUNTS,  "SessionLock",        "",     REPLY_NOTHING, SOON },
	[METHOD_LIST_PEOPLE]         = { SERVICE_ACCOUNTS,  "ListPeople",         "",     REPLY_LIST,    SOON },
	[METHOD_ADD_PERSON]          = { SERVICE_ACCOUNTS,  "AddPerson",          "ssA",  REPLY_NOTHING, SOON },
	[METHOD_SET_ROLES]           = { SERVICE_ACCOUNTS,  "SetRoles",           "sA",   REPLY_NOTHING, SOON },
	[METHOD_SET_STATE]           = { SERVICE_ACCOUNTS,  "SetState",           "ss",   REPLY_NOTHING, SOON },
	[METHOD_REMOVE_PERSON]       = { SERVICE_ACCOUNTS,  "RemovePerson",       "s",    REPLY_NOTHING, SOON },
	[METHOD_LIST_SSH_KEYS]       = { SERVICE_ACCOUNTS,  "ListSshKeys",        "s",    REPLY_LIST,    SOON },
	[METHOD_ADD_SSH_KEY]         = { SERVICE_ACCOUNTS,  "AddSshKey",          "ss",   REPLY_RECORD,  SOON },
	[METHOD_REMOVE_SSH_KEY]      = { SERVICE_ACCOUNTS,  "RemoveSshKey",       "ss",   REPLY_NOTHING, SOON },
	[METHOD_LIST_ROLES]          = { SERVICE_ACCOUNTS,  "ListRoles",          "",     REPLY_LIST,    SOON },
	[METHOD_LIST_API_KEYS]       = { SERVICE_ACCOUNTS,  "ListApiKeys",        "s",    REPLY_LIST,    SOON },
	[METHOD_CREATE_API_KEY]      = { SERVICE_ACCOUNTS,  "CreateApiKey",       "sss",  REPLY_RECORD,  SOON },
	[METHOD_SET_API_KEY_STATE]   = { SERVICE_ACCOUNTS,  "SetApiKeyState",     "sss",  REPLY_NOTHING, SOON },
	[METHOD_DELETE_API_KEY]      = { SERVICE_ACCOUNTS,  "DeleteApiKey",       "ss",   REPLY_NOTHING, SOON },
	[METHOD_AUDIT_STATUS]        = { SERVICE_AUDIT,     "Status",             "",     REPLY_RECORD,  SOON },
	[METHOD_AUDIT_LIST]          = { SERVICE_AUDIT,     "List",               "tus",  REPLY_LIST,    60 },
	[METHOD_AUDIT_GET]           = { SERVICE_AUDIT,     "Get",                "t",    REPLY_RECORD,  SOON },
	[METHOD_AUDIT_PROOF]         = { SERVICE_AUDIT,     "Proof",              "t",    REPLY_TEXT,    60 },
	[METHOD_AUDIT_VERIFY]        = { SERVICE_AUDIT,     "Verify",             "st",   REPLY_RECORD,  MINUTES },
	[METHOD_AUDIT_EXPORT]        = { SERVICE_AUDIT,     "Export",             "t",    REPLY_RECORD,  60 },
	[METHOD_AUDIT_MARK_EXPORTED] = { SERVICE_AUDIT,     "MarkExported",       "t",    REPLY_NOTHING, SOON },
	[METHOD_STATUS]              = { SERVICE_APPLIANCE, "Status",             "",     REPLY_RECORD,  SOON },
	[METHOD_PROVISION]           = { SERVICE_APPLIANCE, "Provision",          "s",    REPLY_TEXT,    MINUTES },
	[METHOD_UNLOCK]              = { SERVICE_APPLIANCE, "Unlock",             "s",    REPLY_TEXT,    MINUTES },
	[METHOD_TAKE_RECOVERY_KEY]   = { SERVICE_APPLIANCE, "TakeRecoveryKey",    "",     REPLY_TEXT,    MINUTES },
	[METHOD_CA_CERTIFICATE]      = { SERVICE_APPLIANCE, "CaCertificate",      "",     REPLY_TEXT,    SOON },
	[METHOD_INSTALL_CERTIFICATE] = { SERVICE_APPLIANCE, "InstallCertificate", "ss",   REPLY_TEXT,    60 },
	[METHOD_CHECK_HARDENING]     = { SERVICE_APPLIANCE, "CheckHardening",     "",     REPLY_LIST,    MINUTES },
	[METHOD_RENEW_CERTIFICATE]   = { SERVICE_APPLIANCE, "RenewCertificate",   "",     REPLY_TEXT,    60 },
	[METHOD_SHOW_CONFIG]         = { SERVICE_APPLIANCE, "ShowConfig",         "",     REPLY_TEXT,    SOON },
	[METHOD_DIFF_CONFIG]         = { SERVICE_APPLIANCE, "DiffConfig",         "",     REPLY_TEXT,    SOON },
	[METHOD_CONFIG_STATUS]       = { SERVICE_APPLIANCE, "ConfigStatus",       "",     REPLY_RECORD,  SOON },
	[METHOD_ACCEPT_CONFIG]       = { SERVICE_APPLIANCE, "AcceptConfig",       "s",    REPLY_TEXT,    60 },
	[METHOD_PIN_CONFIG]          = { SERVICE_APPLIANCE, "PinConfig",          "",     REPLY_TEXT,    SOON },
	[METHOD_UNPIN_CONFIG]        = { SERVICE_APPLIANCE, "UnpinConfig",        "",     REPLY_TEXT,    SOON },
	[METHOD_EDIT_CONFIG]         = { SERVICE_APPLIANCE, "EditConfig",         "s",    REPLY_TEXT,    60 },
	[METHOD_SET_CONFIG]          = { SERVICE_APPLIANCE, "SetConfig",          "sA",   REPLY_TEXT,    60 },
	[METHOD_CONFIRM_CONFIG]      = { SERVICE_APPLIANCE, "ConfirmConfig",      "",     REPLY_TEXT,    SOON },
	[METHOD_ROLLBACK_CONFIG]     = { SERVICE_APPLIANCE, "RollbackConfig",     "",     REPLY_TEXT,    60 },
	[METHOD_POWER_OFF]           = { SERVICE_APPLIANCE, "PowerOff",           "",     REPLY_NOTHING, SOON },
	[METHOD_REBOOT]              = { SERVICE_APPLIANCE, "Reboot",             "",     REPLY_NOTHING, SOON },
	[METHOD_LIST_QUERIES]        = { SERVICE_APPLIANCE, "ListQueries",        "s",    REPLY_LIST,    SOON },
	[METHOD_KILL_QUERY]          = { SERVICE_APPLIANCE, "KillQuery",          "st",   REPLY_NOTHING, SOON },
	[METHOD_CONFIRM_RECOVERY_KEY] = { SERVICE_APPLIANCE, "ConfirmRecoveryKey", "s",   REPLY_TEXT,    MINUTES },
	[METHOD_NEW_RECOVERY_KEY]    = { SERVICE_APPLIANCE, "NewRecoveryKey",     "s",    REPLY_TEXT,    MINUTES },
	[METHOD_BIND_TPM]            = { SERVICE_APPLIANCE, "BindTpm",            "s",    REPLY_TEXT,    MINUTES },
};
/* clang-format on */

static char *wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	return nullptr;
}

int call_set_text(struct call *call, size_t i, const char *text)
{
	char *copy = strdup(text);
	if (!copy)
		return -ENOMEM;

	wipe(call->text[i]);
	call->text[i] = copy;
	return 0;
}

int call_add_item(struct call *call, const char *text)
{
	auto_free char *copy = strdup(text);
	char **list = reallocarray(call->list, call->n_list + 1, sizeof(*list));

	if (list)
		call->list = list;
	if (!list || !copy)
		return -ENOMEM;
	list[call->n_list++] = TAKE(copy);
	return 0;
}

void call_done(struct call *call)
{
	for (size_t i = 0; i < CALL_TEXTS; i++)
		call->text[i] = wipe(call->text[i]);
	for (size_t i = 0; i < call->n_list; i++)
		free(call->list[i]);
	free(call->list);
	*call = (struct call) {};
}
