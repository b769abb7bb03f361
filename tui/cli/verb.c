/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cli/verb.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "tui/cli/run.h"
#include "tui/model/method.h"

/* clang-format off */
const struct option OPTIONS[OPTION_ID_COUNT] = {
	[OPTION_JSON]    = { "--json",    nullptr, "print JSON instead of a table" },
	[OPTION_HELP]    = { "--help",    nullptr, "say what this does, and do nothing" },
	[OPTION_ROLE]    = { "--role",    "ROLE",  "a role; may be given again for another" },
	[OPTION_EXPIRES] = { "--expires", "TIME",  "RFC 3339 time or `never`; in 90 days if not given" },
	[OPTION_ALL]     = { "--all",     nullptr, "everybody's, not only your own" },
	[OPTION_OWNER]   = { "--owner",   "NAME",  "another person's key, not your own" },
	[OPTION_COUNT]   = { "--count",   "N",     "at most N entries (1 to 500; 50 if not given)" },
	[OPTION_FILTER]  = { "--filter",  "TEXT",  "only entries in which this text stands" },
	[OPTION_BEFORE]  = { "--before",  "INDEX", "only entries older than this index" },
	[OPTION_VKEY]    = { "--vkey",    "KEY",   "the ledger's public key, as `audit status` prints it" },
	[OPTION_FROM]    = { "--from",    "FROM",  "a file with a checkpoint kept elsewhere; of an export, how many entries you have" },
	[OPTION_MAX_AGE] = { "--max-age", "AGE",   "the last checkpoint is not older than this, such as `2h` (s, m, h, d)" },
	[OPTION_CURRENT] = { "--current", nullptr, "read the recovery key of now from standard input" },
};

static const struct column STATUS_COLUMNS[] = {
	{ "hostname", "Host", FORM_PLAIN }, { "state", "State", FORM_PLAIN }, { "state_text", "", FORM_PLAIN }, { "notices", "Look at", FORM_PLAIN }, { "version", "Version", FORM_PLAIN },
	{ "addresses", "Addresses", FORM_PLAIN }, { "uptime_s", "Up for", FORM_SECONDS }, { "load", "Load", FORM_PLAIN },
	{ "mem_total", "Memory", FORM_BYTES }, { "mem_available", "  available", FORM_BYTES },
	{ "volume_device", "Data volume", FORM_PLAIN }, { "volume_cipher", "  cipher", FORM_PLAIN },
	{ "volume_keyslots", "  key slots", FORM_PLAIN }, { "volume_size", "  size", FORM_BYTES },
	{ "volume_free", "  free", FORM_BYTES }, { "swap_total", "Swap", FORM_BYTES },
	{ "swap_used", "  used", FORM_BYTES }, { "tpm", "TPM", FORM_PLAIN }, { "secure_boot", "Secure Boot", FORM_PLAIN },
	{ "units", "Services", FORM_PLAIN }, { "tls_names", "TLS names", FORM_PLAIN }, { "tls_expires", "  expires", FORM_TIME },
	{ "ca_fingerprint", "  CA", FORM_PLAIN }, { "ssh_host_key", "SSH host key", FORM_PLAIN },
	{ "recovery_key_pending", "Recovery key to take", FORM_PLAIN }, {}
};
static const struct column WHO_COLUMNS[] = {
	{ "name", "Name", FORM_PLAIN }, { "email", "E-mail", FORM_PLAIN }, { "roles", "Roles", FORM_PLAIN }, { "privileges", "Privileges", FORM_PLAIN }, {}
};
static const struct column PEOPLE_COLUMNS[] = {
	{ "name", "NAME", FORM_PLAIN }, { "email", "E-MAIL", FORM_PLAIN }, { "roles", "ROLES", FORM_PLAIN }, { "state", "STATE", FORM_PLAIN },
	{ "ssh_keys", "SSH", FORM_PLAIN }, { "api_keys", "API", FORM_PLAIN }, { "last_login", "LAST SIGN-IN", FORM_TIME }, {}
};
static const struct column SSH_KEY_COLUMNS[] = {
	{ "person", "PERSON", FORM_PLAIN }, { "type", "TYPE", FORM_PLAIN }, { "fingerprint", "FINGERPRINT", FORM_PLAIN }, { "comment", "COMMENT", FORM_PLAIN },
	{ "last_used", "LAST USED", FORM_TIME }, {}
};
static const struct column SSH_KEY_ADDED_COLUMNS[] = { { "type", "Type", FORM_PLAIN }, { "fingerprint", "Fingerprint", FORM_PLAIN }, {} };
static const struct column API_KEY_COLUMNS[] = {
	{ "id", "ID", FORM_PLAIN }, { "name", "NAME", FORM_PLAIN }, { "owner", "OWNER", FORM_PLAIN }, { "role", "ROLE", FORM_PLAIN }, { "state", "STATE", FORM_PLAIN },
	{ "expires", "EXPIRES", FORM_TIME }, { "last_used", "LAST USED", FORM_TIME }, {}
};
static const struct column API_KEY_MADE_COLUMNS[] = {
	{ "key", "Key (shown only now)", FORM_PLAIN }, { "name", "Name", FORM_PLAIN }, { "role", "Role", FORM_PLAIN }, { "expires", "Expires", FORM_TIME }, {}
};
static const struct column ROLE_COLUMNS[] = {
	{ "name", "ROLE", FORM_PLAIN }, { "description", "DESCRIPTION", FORM_PLAIN }, { "privileges", "PRIVILEGES", FORM_PLAIN }, {}
};
static const struct column AUDIT_COLUMNS[] = {
	{ "index", "INDEX", FORM_PLAIN }, { "time", "TIME", FORM_TIME }, { "actor", "WHO", FORM_PLAIN }, { "code", "WHAT", FORM_PLAIN },
	{ "target", "ON", FORM_PLAIN }, { "decision", "DECISION", FORM_PLAIN }, { "outcome", "OUTCOME", FORM_PLAIN }, { "source", "FROM", FORM_PLAIN }, {}
};
static const struct column AUDIT_ENTRY_COLUMNS[] = {
	{ "index", "Index", FORM_PLAIN }, { "time", "Time", FORM_PLAIN }, { "code", "Code", FORM_PLAIN }, { "actor", "Who", FORM_PLAIN }, { "target", "On", FORM_PLAIN },
	{ "decision", "Decision", FORM_PLAIN }, { "outcome", "Outcome", FORM_PLAIN }, { "source", "From", FORM_PLAIN }, { "producer", "Recorded by", FORM_PLAIN },
	{ "detail", "Detail", FORM_PLAIN }, { "leaf_hash", "Leaf hash", FORM_PLAIN }, { "entry", "Entry", FORM_PLAIN }, {}
};
static const struct column AUDIT_STATUS_COLUMNS[] = {
	{ "state", "State", FORM_PLAIN }, { "size", "Entries", FORM_PLAIN }, { "signed_size", "Signed up to", FORM_PLAIN }, { "signed_at", "Signed at", FORM_TIME },
	{ "root", "Root", FORM_PLAIN }, { "origin", "Origin", FORM_PLAIN }, { "vkey", "Public key", FORM_PLAIN }, {}
};
static const struct column VERDICT_COLUMNS[] = {
	{ "verdict", "Verdict", FORM_PLAIN }, { "message", "", FORM_PLAIN }, { "entries", "Entries", FORM_PLAIN }, { "promised", "  of", FORM_PLAIN }, { "checkpoints", "Checkpoints", FORM_PLAIN },
	{ "tail", "Not signed yet", FORM_PLAIN }, {}
};
static const struct column QUERY_COLUMNS[] = {
	{ "id", "ID", FORM_PLAIN }, { "person", "WHO", FORM_PLAIN }, { "key", "KEY", FORM_PLAIN }, { "state", "STATE", FORM_PLAIN },
	{ "age_s", "FOR", FORM_SECONDS }, { "cpu_ms", "CPU MS", FORM_PLAIN }, { "text", "QUERY", FORM_PLAIN }, {}
};
static const struct column CONFIG_COLUMNS[] = {
	{ "sha256", "SHA-256", FORM_PLAIN }, { "pinned", "Pinned", FORM_PLAIN }, { "unconfirmed", "To be confirmed", FORM_PLAIN },
	{ "offer", "The launcher's", FORM_PLAIN }, { "offer_sha256", "  SHA-256", FORM_PLAIN }, { "offer_why", "  is invalid", FORM_PLAIN }, {}
};
static const struct column CONTROL_COLUMNS[] = {
	{ "id", "ID", FORM_PLAIN }, { "result", "RESULT", FORM_PLAIN }, { "title", "TITLE", FORM_PLAIN }, { "detail", "DETAIL", FORM_PLAIN }, {}
};

#define BIT(option) (1u << (option))
const struct verb VERBS[] = {
	{ "status", "", "how the appliance is doing", 0, 0, 0,
	  INPUT_NONE, METHOD_STATUS, "", nullptr, STATUS_COLUMNS, run_record },
	{ "whoami", "", "who you are here and what you may do", 0, 0, 0,
	  INPUT_NONE, METHOD_WHO_AM_I, "", nullptr, WHO_COLUMNS, run_record },
	{ "person list", "", "list the people", 0, 0, 0,
	  INPUT_NONE, METHOD_LIST_PEOPLE, "", nullptr, PEOPLE_COLUMNS, run_list },
	{ "person add", "NAME EMAIL", "add a person", BIT(OPTION_ROLE), 2, 2,
	  INPUT_NONE, METHOD_ADD_PERSON, "01R", nullptr, nullptr, run_change },
	{ "person role", "NAME ROLE...", "give a person exactly these roles", 0, 2, 17,
	  INPUT_NONE, METHOD_SET_ROLES, "0+", nullptr, nullptr, run_change },
	{ "person suspend", "NAME", "let a person do nothing until resumed", 0, 1, 1,
	  INPUT_NONE, METHOD_SET_STATE, "0=", "suspended", nullptr, run_change },
	{ "person resume", "NAME", "let a suspended person in again", 0, 1, 1,
	  INPUT_NONE, METHOD_SET_STATE, "0=", "active", nullptr, run_change },
	{ "person remove", "NAME", "remove a person with all keys", 0, 1, 1,
	  INPUT_NONE, METHOD_REMOVE_PERSON, "0", nullptr, nullptr, run_change },
	{ "ssh-key list", "[PERSON]", "list a person's SSH keys, or your own", 0, 0, 1,
	  INPUT_NONE, METHOD_LIST_SSH_KEYS, "0", nullptr, SSH_KEY_COLUMNS, run_list },
	{ "ssh-key add", "[PERSON] [KEY]", "add an SSH public key, given here or on standard input", 0, 0, 32,
	  INPUT_KEY_LINE, METHOD_ADD_SSH_KEY, "pi", nullptr, SSH_KEY_ADDED_COLUMNS, run_record },
	{ "ssh-key remove", "[PERSON] FINGERPRINT", "remove an SSH key", 0, 1, 2,
	  INPUT_NONE, METHOD_REMOVE_SSH_KEY, "pl", nullptr, nullptr, run_change },
	{ "key list", "", "list your API keys", BIT(OPTION_ALL) | BIT(OPTION_OWNER), 0, 0,
	  INPUT_NONE, METHOD_LIST_API_KEYS, "o", nullptr, API_KEY_COLUMNS, run_list },
	{ "key create", "NAME", "make an API key and show it, once", BIT(OPTION_ROLE) | BIT(OPTION_EXPIRES), 1, 1,
	  INPUT_NONE, METHOD_CREATE_API_KEY, "0re", nullptr, API_KEY_MADE_COLUMNS, run_record },
	{ "key suspend", "NAME", "refuse an API key until resumed", BIT(OPTION_OWNER), 1, 1,
	  INPUT_NONE, METHOD_SET_API_KEY_STATE, "o0=", "SUSPENDED", nullptr, run_change },
	{ "key resume", "NAME", "accept a suspended API key again", BIT(OPTION_OWNER), 1, 1,
	  INPUT_NONE, METHOD_SET_API_KEY_STATE, "o0=", "ACTIVE", nullptr, run_change },
	{ "key delete", "NAME", "delete an API key for good", BIT(OPTION_OWNER), 1, 1,
	  INPUT_NONE, METHOD_DELETE_API_KEY, "o0", nullptr, nullptr, run_change },
	{ "query list", "", "list your queries that run or wait", BIT(OPTION_ALL), 0, 0,
	  INPUT_NONE, METHOD_LIST_QUERIES, "o", nullptr, QUERY_COLUMNS, run_list },
	{ "query kill", "ID", "end a query of yours that runs or waits", BIT(OPTION_ALL), 1, 1,
	  INPUT_NONE, METHOD_KILL_QUERY, "on", nullptr, nullptr, run_change },
	{ "role list", "", "list the roles and what they allow", 0, 0, 0,
	  INPUT_NONE, METHOD_LIST_ROLES, "", nullptr, ROLE_COLUMNS, run_list },
	{ "audit list", "", "list ledger entries, newest first",
	  BIT(OPTION_COUNT) | BIT(OPTION_FILTER) | BIT(OPTION_BEFORE), 0, 0,
	  INPUT_NONE, METHOD_AUDIT_LIST, "bcf", nullptr, AUDIT_COLUMNS, run_list },
	{ "audit show", "INDEX", "show one ledger entry in full", 0, 1, 1,
	  INPUT_NONE, METHOD_AUDIT_GET, "n", nullptr, AUDIT_ENTRY_COLUMNS, run_record },
	{ "audit proof", "INDEX", "print the proof that an entry is in the ledger", 0, 1, 1,
	  INPUT_NONE, METHOD_AUDIT_PROOF, "n", "proof", nullptr, run_text },
	{ "audit status", "", "the ledger's size, last checkpoint and public key", 0, 0, 0,
	  INPUT_NONE, METHOD_AUDIT_STATUS, "", nullptr, AUDIT_STATUS_COLUMNS, run_record },
	{ "audit verify", "[DIR|FILE.tar]", "verify the ledger: on the appliance, or a copy of it offline",
	  BIT(OPTION_VKEY) | BIT(OPTION_FROM) | BIT(OPTION_MAX_AGE), 0, 1,
	  INPUT_CHECKPOINT, METHOD_AUDIT_VERIFY, "ia", nullptr, VERDICT_COLUMNS, run_verify },
	{ "audit export", "", "write the ledger as a tar to standard output, to keep it elsewhere", BIT(OPTION_FROM), 0, 0,
	  INPUT_NONE, METHOD_AUDIT_EXPORT, "N", nullptr, nullptr, run_export },
	{ "certificate ca", "", "print the certificate of the appliance's own CA", 0, 0, 0,
	  INPUT_NONE, METHOD_CA_CERTIFICATE, "", "pem", nullptr, run_text },
	{ "certificate install", "", "install the chain and key (PEM) from standard input", 0, 0, 0,
	  INPUT_PEM, METHOD_INSTALL_CERTIFICATE, "iI", "message", nullptr, run_text },
	{ "certificate renew", "", "make the appliance's own certificate anew, by the clock as it is now", 0, 0, 0,
	  INPUT_NONE, METHOD_RENEW_CERTIFICATE, "", "message", nullptr, run_text },
	{ "config status", "", "which configuration holds, and what the launcher gives", 0, 0, 0,
	  INPUT_NONE, METHOD_CONFIG_STATUS, "", nullptr, CONFIG_COLUMNS, run_record },
	{ "config show", "", "print the configuration that holds, as JSON", 0, 0, 0,
	  INPUT_NONE, METHOD_SHOW_CONFIG, "", "config", nullptr, run_text },
	{ "config diff", "", "what the launcher's configuration would change", 0, 0, 0,
	  INPUT_NONE, METHOD_DIFF_CONFIG, "", "diff", nullptr, run_text },
	{ "config accept", "SHA256", "take the launcher's configuration that has this hash", 0, 1, 1,
	  INPUT_NONE, METHOD_ACCEPT_CONFIG, "0", "message", nullptr, run_text },
	{ "config pin", "", "take what the launcher gives only when accepted (the default)", 0, 0, 0,
	  INPUT_NONE, METHOD_PIN_CONFIG, "", "message", nullptr, run_text },
	{ "config unpin", "", "let the launcher replace the configuration at each boot", 0, 0, 0,
	  INPUT_NONE, METHOD_UNPIN_CONFIG, "", "message", nullptr, run_text },
	{ "config set", "SETTING VALUE...", "change hostname, tls-names, dns, ntp or ssh-sources", 0, 2, 33,
	  INPUT_NONE, METHOD_SET_CONFIG, "0+", "message", nullptr, run_text },
	{ "config edit", "", "replace the configuration by the JSON from standard input", 0, 0, 0,
	  INPUT_JSON, METHOD_EDIT_CONFIG, "i", "message", nullptr, run_text },
	{ "config confirm", "", "keep a change that would be taken back after five minutes", 0, 0, 0,
	  INPUT_NONE, METHOD_CONFIRM_CONFIG, "", "message", nullptr, run_text },
	{ "config rollback", "", "go back to the configuration before the last change", 0, 0, 0,
	  INPUT_NONE, METHOD_ROLLBACK_CONFIG, "", "message", nullptr, run_text },
	{ "recovery-key take", "", "show the recovery key that waits to be confirmed", 0, 0, 0,
	  INPUT_NONE, METHOD_TAKE_RECOVERY_KEY, "", "recovery_key", nullptr, run_text },
	{ "recovery-key confirm", "GROUP", "erase it here: its last group shows that you have it", 0, 1, 1,
	  INPUT_NONE, METHOD_CONFIRM_RECOVERY_KEY, "0", "message", nullptr, run_text },
	{ "recovery-key new", "", "make a new recovery key; the old one ends when it is confirmed",
	  BIT(OPTION_CURRENT), 0, 0,
	  INPUT_CURRENT_KEY, METHOD_NEW_RECOVERY_KEY, "i", "recovery_key", nullptr, run_text },
	{ "tpm bind", "", "give the volume's key to this TPM; the recovery key from standard input", 0, 0, 0,
	  INPUT_SECRET, METHOD_BIND_TPM, "i", "message", nullptr, run_text },
	{ "hardening check", "", "run every hardening check", 0, 0, 0,
	  INPUT_NONE, METHOD_CHECK_HARDENING, "", nullptr, CONTROL_COLUMNS, run_checks },
	{ "power off", "", "shut the appliance down", 0, 0, 0,
	  INPUT_NONE, METHOD_POWER_OFF, "", nullptr, nullptr, run_change },
	{ "power reboot", "", "restart the appliance", 0, 0, 0,
	  INPUT_NONE, METHOD_REBOOT, "", nullptr, nullptr, run_change },
	{ "unlock", "", "open the data volume with the recovery key from standard input", 0, 0, 0,
	  INPUT_SECRET, METHOD_UNLOCK, "i", "message", nullptr, run_text },
};
const size_t VERBS_COUNT = countof(VERBS);
/* clang-format on */

const struct verb *verb_find(char *const *word, size_t n, size_t *ret_words)
{
	for (size_t i = 0; i < countof(VERBS); i++) {
		const char *second = strchr(VERBS[i].name, ' ');
		size_t first_len =
			second ? (size_t)(second - VERBS[i].name) : strlen(VERBS[i].name);

		if (n == 0 || strlen(word[0]) != first_len ||
		    strncmp(word[0], VERBS[i].name, first_len) != 0)
			continue;
		if (second && (n < 2 || strcmp(word[1], second + 1) != 0))
			continue;
		*ret_words = second ? 2 : 1;
		return &VERBS[i];
	}
	return nullptr;
}
