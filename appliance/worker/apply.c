/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/apply.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "appliance/worker/nets.h"
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

/* Append merged networks as nft(8) prints them, each with " . PORT" if it has one. */
static void add_elements(const struct config_net *net, size_t n, unsigned int port, struct buf *ret)
{
	char text[CONFIG_NET_TEXT];

	for (size_t i = 0; i < n; i++) {
		bool host = net[i].prefix == (net[i].family == AF_INET ? 32 : 128);

		config_net_text(&net[i], !host, text);
		buf_addf(ret, "%s%s", ret->len ? ", " : "", text);
		if (port)
			buf_addf(ret, " . %u", port);
	}
}

static void add_sources(const struct config *config, int family, const char *set, struct buf *ret)
{
	struct config_net net[CONFIG_SOURCES_MAX] = { { .family = family } }; /* anybody: /0 */
	struct buf elements = buf_make(TEXT_MAX);
	size_t n = config->has_sources ? 0 : 1;

	for (size_t i = 0; i < config->n_sources; i++)
		if (config->source[i].family == family)
			net[n++] = config->source[i];
	add_elements(net, nets_merge(net, n), 0, &elements);
	fill_set(set, &elements, ret);
	buf_done(&elements);
}

/* The targets of one set: family and protocol. */
struct kind {
	int family;
	bool udp;
	const char *set;
};

static bool is_of(const struct config_target *target, const struct kind *kind)
{
	return target->to.family == kind->family && target->udp == kind->udp;
}

/* The lowest port of a set's targets above a port, or 0. */
static unsigned int next_port(const struct config *config, const struct kind *kind,
			      unsigned int above)
{
	unsigned int lowest = 0;

	for (size_t i = 0; i < config->n_targets; i++) {
		unsigned int port = config->target[i].port;

		if (is_of(&config->target[i], kind) && port > above &&
		    (lowest == 0 || port < lowest))
			lowest = port;
	}
	return lowest;
}

/* One set, port by port: elements of different ports cannot overlap. */
static void add_targets(const struct config *config, const struct kind *kind, struct buf *ret)
{
	struct config_net net[CONFIG_TARGETS_MAX];
	struct buf elements = buf_make(TEXT_MAX);

	for (unsigned int port = 0; (port = next_port(config, kind, port)) != 0;) {
		size_t n = 0;

		for (size_t i = 0; i < config->n_targets; i++)
			if (is_of(&config->target[i], kind) && config->target[i].port == port)
				net[n++] = config->target[i].to;
		add_elements(net, nets_merge(net, n), port, &elements);
	}
	fill_set(kind->set, &elements, ret);
	buf_done(&elements);
}

void apply_firewall_text(const struct config *config, struct buf *ret)
{
	static const struct kind TARGETS[] = {
		{ AF_INET, false, "out_tcp4" },
		{ AF_INET6, false, "out_tcp6" },
		{ AF_INET, true, "out_udp4" },
		{ AF_INET6, true, "out_udp6" },
	};

	add_sources(config, AF_INET, "ssh_sources4", ret);
	add_sources(config, AF_INET6, "ssh_sources6", ret);
	for (size_t i = 0; i < countof(TARGETS); i++)
		add_targets(config, &TARGETS[i], ret);
}

/* Whether a file holds this already; then it is left alone, so that nobody is woken. */
static bool holds(int dir, const char *name, const struct buf *text)
{
	auto_buf struct buf had = buf_make(TEXT_MAX);

	return files_read(dir, name, &had) == 0 && had.len == text->len &&
	       memcmp(had.data, text->data, text->len) == 0;
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
	if (r || holds(dir, name, text))
		return r;
	return files_write(dir, name, text->data, text->len, mode);
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

int apply_reach(const struct config *config)
{
	auto_free struct config *reach = calloc(1, sizeof(*reach));

	if (!reach)
		return -ENOMEM;
	(void)snprintf(reach->hostname, sizeof(reach->hostname), "localhost");
	reach->has_network = config->has_network;
	reach->address = config->address;
	reach->gateway = config->gateway;
	reach->has_sources = true; /* and none */
	return apply(reach);
}
