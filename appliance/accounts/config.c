/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/config.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yyjson.h>

#include "appliance/accounts/sshkey.h"
#include "common/base.h"
#include "common/names.h"

static yyjson_doc *doc_free(yyjson_doc *doc)
{
	yyjson_doc_free(doc);
	return nullptr;
}
CLEANUP_FN(yyjson_doc, doc_free)

/* Refuse, and say why. */
static int refuse(const char **ret_reason, const char *reason)
{
	*ret_reason = reason;
	return CONFIG_INVALID;
}

/* Whether every key of the object is in the list and stands there once. */
static bool only_known(yyjson_val *object)
{
	static const char *const KEYS[] = { "name", "email", "ssh_key" };
	unsigned int seen = 0;
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);

	for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
		unsigned int i = 0;

		while (i < countof(KEYS) && !yyjson_equals_str(key, KEYS[i]))
			i++;
		if (i == countof(KEYS) || seen >> i & 1)
			return false;
		seen |= 1u << i;
	}
	return true;
}

/* The text of a member, or "" if it is absent or not a text. */
static const char *member(yyjson_val *object, const char *name, size_t *ret_len)
{
	yyjson_val *value = yyjson_obj_get(object, name);
	const char *text = yyjson_get_str(value);

	*ret_len = text ? yyjson_get_len(value) : 0;
	return text ? text : "";
}

static int read_admin(yyjson_val *admin, struct config_admin *ret, const char **ret_reason)
{
	size_t name_len, email_len, key_len;
	const char *name = member(admin, "name", &name_len);
	const char *email = member(admin, "email", &email_len);
	const char *line = member(admin, "ssh_key", &key_len);

	if (!yyjson_is_obj(admin))
		return refuse(ret_reason, "\"admin\" is missing or not an object");
	if (!only_known(admin))
		return refuse(ret_reason, "\"admin\" has a member that is not known, or one twice");
	if (!name_is_person(name, name_len))
		return refuse(ret_reason, "\"admin.name\" is missing or cannot be a person's name");
	if (yyjson_obj_get(admin, "email") && !name_is_email(email, email_len))
		return refuse(ret_reason, "\"admin.email\" is not an e-mail address");
	if (key_len == 0)
		return refuse(ret_reason, "\"admin.ssh_key\" is missing");

	int r = sshkey_parse(line, key_len, &ret->key);
	if (r > 0)
		return refuse(ret_reason, sshkey_reason(r));
	if (r < 0)
		return r;
	memcpy(ret->name, name, name_len);
	memcpy(ret->email, email, email_len);
	return 0;
}

int config_admin(const char *json, size_t len, struct config_admin *ret, const char **ret_reason)
{
	struct config_admin admin = {};

	if (len > CONFIG_MAX)
		return refuse(ret_reason, "the configuration is longer than 16 KiB");

	yyjson_read_err error = {};
	cleanup(doc_free_at) yyjson_doc *doc =
		yyjson_read_opts((char *)(uintptr_t)json, len, YYJSON_READ_NOFLAG, nullptr, &error);
	if (!doc)
		return error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION
			       ? -ENOMEM
			       : refuse(ret_reason, "the configuration is not JSON");

	int r = read_admin(yyjson_obj_get(yyjson_doc_get_root(doc), "admin"), &admin, ret_reason);
	if (r == 0)
		*ret = admin;
	return r;
}
