/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/apply.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "common/names.h"

constexpr size_t TEXT_MAX = 64 * 1024;

static void add_servers(const char *key, const struct config_net *server, size_t n, struct buf *ret)
{
	char text[CONFIG_NET_TEXT];

	for (size_t i = 0; i < n; i++) {
		config_net_text(&server[i], false, text);
		buf_addf(ret, "%s=%s\n", key, text);
	}
}

void apply_network_text(const struct config *config, struct buf *ret)
{
	char text[CONFIG_NET_TEXT];

	buf_add_str(ret, "[Match]\nType=ether\n\n[Network]\nLLMNR=no\nMulticastDNS=no\n");
	if (!config->has_network) {
		buf_add_str(ret, "DHCP=yes\n\n[DHCPv4]\nUseHostname=no\nUseNTP=yes\n");
		return;
	}
	config_net_text(&config->address, true, text);
	buf_addf(ret, "DHCP=no\nIPv6AcceptRA=no\nAddress=%s\n", text);
	if (config->gateway.family) {
		config_net_text(&config->gateway, false, text);
		buf_addf(ret, "Gateway=%s\n", text);
	}
	add_servers("DNS", config->dns, config->n_dns, ret);
	add_servers("NTP", config->ntp, config->n_ntp, ret);
}

/* Empty a set and add these elements. */
static void fill_set(const char *set, struct buf *elements, struct buf *ret)
{
	const char *text = buf_text(elements);

	buf_addf(ret, "flush set inet redoubt %s\n", set);
	if (!text)
		ret->error = buf_error(elements);
	else if (text[0])
		buf_addf(ret, "add element inet redoubt %s { %s }\n", set, text);
	buf_clear(elements);
}

static void add_sources(const struct config *config, int family, const char *set, const char *any,
			struct buf *ret)
{
	struct buf elements = buf_make(TEXT_MAX);
	char text[CONFIG_NET_TEXT];

	if (!config->has_sources)
		buf_add_str(&elements, any);
	for (size_t i = 0; i < config->n_sources; i++) {
		if (config->source[i].family != family)
			continue;
		config_net_text(&config->source[i], true, text);
		buf_addf(&elements, "%s%s", elements.len ? ", " : "", text);
	}
	fill_set(set, &elements, ret);
	buf_done(&elements);
}

static bool same_target(const struct config_target *a, const struct config_target *b)
{
	return a->port == b->port && a->udp == b->udp && a->to.family == b->to.family &&
	       a->to.prefix == b->to.prefix && memcmp(a->to.address, b->to.address, 16) == 0;
}

static void add_targets(const struct config *config, int family, bool udp, const char *set,
			struct buf *ret)
{
	struct buf elements = buf_make(TEXT_MAX);
	char text[CONFIG_NET_TEXT];

	for (size_t i = 0; i < config->n_targets; i++) {
		const struct config_target *target = &config->target[i];
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || same_target(target, &config->target[k]);
		if (target->to.family != family || target->udp != udp || again)
			continue;
		config_net_text(&target->to, true, text);
		buf_addf(&elements, "%s%s . %u", elements.len ? ", " : "", text, target->port);
	}
	fill_set(set, &elements, ret);
	buf_done(&elements);
}

void apply_firewall_text(const struct config *config, struct buf *ret)
{
	add_sources(config, AF_INET, "ssh_sources4", "0.0.0.0/0", ret);
	add_sources(config, AF_INET6, "ssh_sources6", "::/0", ret);
	add_targets(config, AF_INET, false, "out_tcp4", ret);
	add_targets(config, AF_INET6, false, "out_tcp6", ret);
	add_targets(config, AF_INET, true, "out_udp4", ret);
	add_targets(config, AF_INET6, true, "out_udp6", ret);
}

/* Write one file into a folder below the run folder, which it makes. */
static int write_file(const char *folder, const char *name, struct buf *text, mode_t mode)
{
	char path[256];

	if (buf_error(text))
		return buf_error(text);
	(void)snprintf(path, sizeof(path), "%s/%s", files_run(), folder);
	int r = files_folder(path, nullptr, 0755);
	auto_close int dir = -1;
	if (r == 0)
		r = files_open_folder(path, &dir);
	return r ? r : files_write(dir, name, text->data, text->len, mode);
}

int apply(const struct config *config)
{
	auto_buf struct buf text = buf_make(TEXT_MAX);

	apply_firewall_text(config, &text);
	int r = write_file("firewall", "sets.nft", &text, 0600);
	if (r)
		return r;
	buf_clear(&text);
	buf_addf(&text, "%s\n", config->hostname);
	r = write_file("network", "hostname", &text, 0644);
	if (r)
		return r;
	/* Last, because it is the file that is waited for. */
	buf_clear(&text);
	apply_network_text(config, &text);
	return write_file("network", "10-redoubt.network", &text, 0644);
}

int apply_hostname(void)
{
	auto_buf struct buf text = buf_make(NAME_HOST_MAX + 2);
	auto_close int dir = -1;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/network", files_run());
	int r = files_open_folder(path, &dir);
	if (r == 0)
		r = files_read(dir, "hostname", &text);
	if (r)
		return r;
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (!name_is_host((const char *)text.data, text.len))
		return -EBADMSG;
	return sethostname((const char *)text.data, text.len) < 0 ? neg_errno() : 0;
}
