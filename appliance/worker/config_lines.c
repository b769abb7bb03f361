/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/config_lines.h"

#include <stddef.h>
#include <string.h>

#include "appliance/worker/nets.h"

constexpr size_t LINES_MAX = 64 * 1024;

static void add_nets(const char *key, const struct config_net *net, size_t n, bool prefix,
		     struct buf *ret)
{
	char text[CONFIG_NET_TEXT];

	for (size_t i = 0; i < n; i++) {
		config_net_text(&net[i], prefix, text);
		buf_addf(ret, "%s %s\n", key, text);
	}
}

static void add_network(const struct config *config, struct buf *ret)
{
	if (!config->has_network) {
		buf_add_str(ret, "network DHCP\n");
		return;
	}
	add_nets("network.address", &config->address, 1, true, ret);
	add_nets("network.gateway", &config->gateway, config->gateway.family ? 1 : 0, false, ret);
	add_nets("network.dns", config->dns, config->n_dns, false, ret);
	add_nets("network.ntp", config->ntp, config->n_ntp, false, ret);
}

static void add_targets(const struct config *config, struct buf *ret)
{
	char text[CONFIG_NET_TEXT];

	for (size_t i = 0; i < config->n_targets; i++) {
		const struct config_target *target = &config->target[i];

		config_net_text(&target->to, true, text);
		buf_addf(ret, "firewall.out %s %s %u\n", target->udp ? "udp" : "tcp", text,
			 target->port);
	}
}

void config_lines(const struct config *config, struct buf *ret)
{
	buf_addf(ret, "hostname %s\nadmin.name %s\n", config->hostname, config->admin_name);
	if (config->admin_email[0])
		buf_addf(ret, "admin.email %s\n", config->admin_email);
	buf_addf(ret, "admin.ssh_key %s\n", config->admin_ssh_key);
	add_network(config, ret);
	for (size_t i = 0; i < config->n_tls_names; i++)
		buf_addf(ret, "tls.names %s\n", config->tls_name[i]);
	if (!config->has_sources)
		buf_add_str(ret, "ssh.sources any\n");
	else if (config->n_sources == 0)
		buf_add_str(ret, "ssh.sources none\n");
	add_nets("ssh.sources", config->source, config->n_sources, true, ret);
	add_targets(config, ret);
	if (config->device[0])
		buf_addf(ret, "volumes.data.device %s\n", config->device);
	buf_addf(ret, "volumes.data.format %s\nvolumes.data.key %s\n",
		 config->format == CONFIG_FORMAT_IF_BLANK ? "if-blank" : "erase-foreign-data",
		 config->key == CONFIG_KEY_TPM ? "tpm" : "passphrase");
}

/* Whether a text has a whole line of len bytes. */
static bool has_line(const char *text, const char *line, size_t len)
{
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") == len && memcmp(text, line, len) == 0)
			return true;
	return false;
}

/* Append what one text has and the other has not. */
static void add_missing(const char *of, const char *in, char sign, struct buf *ret)
{
	for (; *of; of += strcspn(of, "\n") + 1) {
		size_t len = strcspn(of, "\n");

		if (!has_line(in, of, len))
			buf_addf(ret, "%c %.*s\n", sign, (int)len, of);
	}
}

int config_diff(const struct config *from, const struct config *to, struct buf *ret)
{
	auto_buf struct buf before = buf_make(LINES_MAX), after = buf_make(LINES_MAX);

	config_lines(from, &before);
	config_lines(to, &after);
	const char *a = buf_text(&before), *b = buf_text(&after);
	if (!a || !b)
		return -ENOMEM;
	add_missing(a, b, '-', ret);
	add_missing(b, a, '+', ret);
	return buf_error(ret);
}
