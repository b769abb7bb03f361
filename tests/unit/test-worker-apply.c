/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/config.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"

static struct config config;

static struct config_net net(const char *text)
{
	struct config_net ret = {};

	if (!config_net_parse(text, strlen(text), true, &ret))
		abort();
	return ret;
}

static bool is(void (*write)(const struct config *, struct buf *), const char *want)
{
	auto_buf struct buf got = buf_make(1 << 16);

	write(&config, &got);
	const char *text = buf_text(&got);
	if (!text || strcmp(text, want) != 0)
		printf("# got: %s\n", text ? text : "nothing");
	return text && strcmp(text, want) == 0;
}

static bool without_a_word_about_it_the_network_is_dhcp(void)
{
	memset(&config, 0, sizeof(config));
	CHECK(is(apply_network_text, "[Match]\nType=ether\n\n[Network]\nLLMNR=no\nMulticastDNS=no\n"
				     "DHCP=yes\n\n[DHCPv4]\nUseHostname=no\nUseNTP=yes\n"));
	return true;
}

static bool a_static_network_is_written_out(void)
{
	memset(&config, 0, sizeof(config));
	config.has_network = true;
	config.address = net("10.0.0.5/24");
	config.gateway = net("10.0.0.1");
	config.dns[0] = net("10.0.0.2");
	config.n_dns = 1;
	config.ntp[0] = net("10.0.0.3");
	config.n_ntp = 1;
	CHECK(is(
		apply_network_text,
		"[Match]\nType=ether\n\n[Network]\nLLMNR=no\nMulticastDNS=no\nDHCP=no\n"
		"IPv6AcceptRA=no\nAddress=10.0.0.5/24\nGateway=10.0.0.1\nDNS=10.0.0.2\nNTP=10.0.0.3\n"));
	return true;
}

static bool without_sources_everybody_may_reach_ssh(void)
{
	memset(&config, 0, sizeof(config));
	CHECK(is(
		apply_firewall_text,
		"flush set inet redoubt ssh_sources4\nadd element inet redoubt ssh_sources4 { 0.0.0.0/0 }\n"
		"flush set inet redoubt ssh_sources6\nadd element inet redoubt ssh_sources6 { ::/0 }\n"
		"flush set inet redoubt out_tcp4\nflush set inet redoubt out_tcp6\n"
		"flush set inet redoubt out_udp4\nflush set inet redoubt out_udp6\n"));
	return true;
}

static bool an_empty_list_of_sources_is_nobody(void)
{
	memset(&config, 0, sizeof(config));
	config.has_sources = true;
	CHECK(is(apply_firewall_text,
		 "flush set inet redoubt ssh_sources4\nflush set inet redoubt ssh_sources6\n"
		 "flush set inet redoubt out_tcp4\nflush set inet redoubt out_tcp6\n"
		 "flush set inet redoubt out_udp4\nflush set inet redoubt out_udp6\n"));
	return true;
}

static bool targets_go_to_the_set_of_their_kind_once(void)
{
	memset(&config, 0, sizeof(config));
	config.has_sources = true;
	config.source[0] = net("fd00::/8");
	config.n_sources = 1;
	config.target[0] = (struct config_target) { net("10.1.2.3"), 443, false };
	config.target[1] = config.target[0];
	config.target[2] = (struct config_target) { net("fd00::1"), 53, true };
	config.target[3] = (struct config_target) { net("10.9.0.0/16"), 80, false };
	config.n_targets = 4;
	CHECK(is(
		apply_firewall_text,
		"flush set inet redoubt ssh_sources4\n"
		"flush set inet redoubt ssh_sources6\nadd element inet redoubt ssh_sources6 { fd00::/8 }\n"
		"flush set inet redoubt out_tcp4\n"
		"add element inet redoubt out_tcp4 { 10.9.0.0/16 . 80, 10.1.2.3 . 443 }\n"
		"flush set inet redoubt out_tcp6\nflush set inet redoubt out_udp4\n"
		"flush set inet redoubt out_udp6\nadd element inet redoubt out_udp6 { fd00::1 . 53 }\n"));
	return true;
}

static bool overlapping_and_repeated_networks_are_merged(void)
{
	memset(&config, 0, sizeof(config));
	config.has_sources = true;
	config.source[0] = net("10.0.0.128/25");
	config.source[1] = net("10.0.0.0/25");
	config.source[2] = net("10.0.0.7");
	config.n_sources = 3;
	config.target[0] = (struct config_target) { net("10.1.2.3"), 443, false };
	config.target[1] = (struct config_target) { net("10.0.0.0/8"), 443, false };
	config.target[2] = (struct config_target) { net("10.1.2.3"), 80, false };
	config.target[3] = (struct config_target) { net("10.1.2.3"), 443, true };
	config.target[4] = (struct config_target) { net("10.1.0.0/16"), 443, false };
	config.n_targets = 5;
	CHECK(is(
		apply_firewall_text,
		"flush set inet redoubt ssh_sources4\nadd element inet redoubt ssh_sources4 { 10.0.0.0/24 }\n"
		"flush set inet redoubt ssh_sources6\n"
		"flush set inet redoubt out_tcp4\n"
		"add element inet redoubt out_tcp4 { 10.1.2.3 . 80, 10.0.0.0/8 . 443 }\n"
		"flush set inet redoubt out_tcp6\n"
		"flush set inet redoubt out_udp4\nadd element inet redoubt out_udp4 { 10.1.2.3 . 443 }\n"
		"flush set inet redoubt out_udp6\n"));
	return true;
}

static bool the_files_are_written_where_the_units_watch(void)
{
	static const char *const FILES[] = { "firewall/sets.nft", "network/hostname",
					     "network/10-redoubt.network" };
	char folder[] = "/tmp/redoubt-apply-XXXXXX", path[128], command[128];

	CHECK(mkdtemp(folder));
	(void)setenv("REDOUBT_RUN", folder, true);
	(void)setenv("REDOUBT_STATE", folder, true);
	memset(&config, 0, sizeof(config));
	(void)snprintf(config.hostname, sizeof(config.hostname), "box");
	CHECK_EQ(apply(&config), 0);
	for (size_t i = 0; i < countof(FILES); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, FILES[i]);
		CHECK_EQ(access(path, R_OK), 0);
	}
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK_EQ(system(command), 0); /* NOLINT: a test's own folder */
	return true;
}

int main(void)
{
	RUN(without_a_word_about_it_the_network_is_dhcp);
	RUN(a_static_network_is_written_out);
	RUN(without_sources_everybody_may_reach_ssh);
	RUN(an_empty_list_of_sources_is_nobody);
	RUN(targets_go_to_the_set_of_their_kind_once);
	RUN(overlapping_and_repeated_networks_are_merged);
	RUN(the_files_are_written_where_the_units_watch);
	return tap_done();
}
