/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "appliance/manager/figures.h"

static void put_units(struct bus_call *call, const struct manager *manager)
{
	char text[MANAGER_UNITS][64];
	const char *unit[MANAGER_UNITS];
	size_t n = 0;

	for (size_t i = 0; i < MANAGER_UNITS; i++) {
		if (MANAGER_UNIT[i].notice)
			continue;
		(void)snprintf(text[n], sizeof(text[n]), "%.36s=%.24s", MANAGER_UNIT[i].name,
			       manager->unit_state[i][0] ? manager->unit_state[i] : "unknown");
		unit[n] = text[n];
		n++;
	}
	bus_put_strv(call, "units", unit, n);
}

/* What an admin should look at: units that failed, then what the worker found. */
static void put_notices(struct bus_call *call, const struct manager *manager)
{
	const char *notice[MANAGER_UNITS + MANAGER_NOTICES];
	size_t n = 0;

	for (size_t i = 0; i < MANAGER_UNITS; i++)
		if (MANAGER_UNIT[i].notice && strcmp(manager->unit_state[i], "failed") == 0)
			notice[n++] = MANAGER_UNIT[i].notice;
	for (size_t i = 0; i < manager->details.n_notices; i++)
		notice[n++] = manager->details.notice[i];
	bus_put_strv(call, "notices", notice, n);
}

static void put_details(struct bus_call *call, const struct manager_details *details)
{
	const char *slot[countof(details->keyslot)], *name[countof(details->tls_name)];

	for (size_t i = 0; i < details->n_keyslots; i++)
		slot[i] = details->keyslot[i];
	for (size_t i = 0; i < details->n_tls_names; i++)
		name[i] = details->tls_name[i];
	bus_put_str(call, "volume_device", details->volume_device);
	bus_put_str(call, "volume_cipher", details->volume_cipher);
	bus_put_strv(call, "volume_keyslots", slot, details->n_keyslots);
	bus_put_strv(call, "tls_names", name, details->n_tls_names);
	bus_put_str(call, "tls_expires", details->tls_expires);
	bus_put_str(call, "ssh_host_key", details->ssh_host_key);
	bus_put_str(call, "ca_fingerprint", details->ca_fingerprint);
	bus_put_bool(call, "recovery_key_pending", details->recovery_key_pending);
}

static void put_figures(struct bus_call *call, const struct figures *figures)
{
	const char *address[FIGURES_ADDRESSES_MAX];

	for (size_t i = 0; i < figures->n_addresses; i++)
		address[i] = figures->address[i];
	bus_put_str(call, "hostname", figures->hostname);
	bus_put_str(call, "version", figures->version);
	bus_put_strv(call, "addresses", address, figures->n_addresses);
	bus_put_number(call, "uptime_s", figures->uptime_s);
	bus_put_str(call, "load", figures->load);
	bus_put_number(call, "mem_total", figures->mem_total);
	bus_put_number(call, "mem_available", figures->mem_available);
	bus_put_number(call, "volume_size", figures->volume_size);
	bus_put_number(call, "volume_free", figures->volume_free);
	bus_put_number(call, "swap_total", figures->swap_total);
	bus_put_number(call, "swap_used", figures->swap_used);
	bus_put_bool(call, "tpm", figures->tpm);
	bus_put_bool(call, "secure_boot", figures->secure_boot);
}

void status_put(struct bus_call *call, const struct manager *manager)
{
	struct figures figures;

	figures_read(&figures);
	bus_put_str(call, "state", state_name(manager->state));
	bus_put_str(call, "state_text", manager->text);
	put_figures(call, &figures);
	put_details(call, &manager->details);
	put_units(call, manager);
	put_notices(call, manager);
}

void status_put_config(struct bus_call *call, const char *json)
{
	static const char *const TEXTS[] = { "sha256", "offer", "offer_sha256", "offer_why" };
	static const char *const FLAGS[] = { "pinned", "unconfirmed" };
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc =
		yyjson_read_opts((char *)(uintptr_t)json, strlen(json), 0, nullptr, nullptr);
	yyjson_val *root = yyjson_doc_get_root(doc);

	for (size_t i = 0; i < countof(TEXTS); i++) {
		const char *text = yyjson_get_str(yyjson_obj_get(root, TEXTS[i]));

		bus_put_str(call, TEXTS[i], text ? text : "");
	}
	for (size_t i = 0; i < countof(FLAGS); i++)
		bus_put_bool(call, FLAGS[i], yyjson_get_bool(yyjson_obj_get(root, FLAGS[i])));
	yyjson_doc_free(doc);
}
