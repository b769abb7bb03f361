/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/manager.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

static void copy_text(yyjson_val *object, const char *key, char *ret, size_t room)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));

	(void)snprintf(ret, room, "%s", text ? text : "");
}

/* Copy an array of texts into max slots of room bytes each; returns how many. */
static size_t copy_list(yyjson_val *array, char *ret, size_t max, size_t room)
{
	size_t i, n, count = 0;
	yyjson_val *value;

	yyjson_arr_foreach(array, i, n, value)
	{
		if (count < max && yyjson_is_str(value))
			(void)snprintf(ret + room * count++, room, "%s", yyjson_get_str(value));
	}
	return count;
}

bool manager_details_read(const char *json, size_t len, struct manager_details *ret)
{
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)json, len, 0, nullptr, nullptr);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_val *volume = yyjson_obj_get(root, "volume");

	if (!yyjson_is_obj(root) || !yyjson_is_obj(volume)) {
		yyjson_doc_free(doc);
		return false;
	}
	*ret = (struct manager_details) {};
	copy_text(volume, "device", ret->volume_device, sizeof(ret->volume_device));
	copy_text(volume, "cipher", ret->volume_cipher, sizeof(ret->volume_cipher));
	ret->n_keyslots = copy_list(yyjson_obj_get(volume, "keyslots"), ret->keyslot[0],
				    countof(ret->keyslot), sizeof(ret->keyslot[0]));
	ret->n_tls_names = copy_list(yyjson_obj_get(root, "tls_names"), ret->tls_name[0],
				     countof(ret->tls_name), sizeof(ret->tls_name[0]));
	copy_text(root, "tls_expires", ret->tls_expires, sizeof(ret->tls_expires));
	copy_text(root, "ca_fingerprint", ret->ca_fingerprint, sizeof(ret->ca_fingerprint));
	copy_text(root, "ssh_host_key", ret->ssh_host_key, sizeof(ret->ssh_host_key));
	ret->n_notices = copy_list(yyjson_obj_get(root, "notices"), ret->notice[0],
				   countof(ret->notice), sizeof(ret->notice[0]));
	ret->n_events = copy_list(yyjson_obj_get(root, "events"), ret->event[0],
				  countof(ret->event), sizeof(ret->event[0]));
	ret->config_trial = yyjson_get_bool(yyjson_obj_get(root, "config_trial"));
	ret->recovery_key_pending = yyjson_get_bool(yyjson_obj_get(root, "recovery_key_pending"));
	yyjson_doc_free(doc);
	return true;
}
