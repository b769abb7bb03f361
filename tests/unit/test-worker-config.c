/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/worker/config.h"
#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

#define SSH_KEY                                                                                \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann"
#define MUST                                                                                          \
	"\"version\":1,\"hostname\":\"redoubt-1\",\"admin\":{\"name\":\"ann\",\"ssh_key\":\"" SSH_KEY \
	"\"}"

static const char FULL[] =
	"{ \"version\": 1, \"hostname\": \"redoubt-1\","
	"  \"admin\": { \"name\": \"ann\", \"email\": \"ann@example.org\", \"ssh_key\": \"" SSH_KEY
	"\" },"
	"  \"network\": { \"address\": \"10.0.0.5/24\", \"gateway\": \"10.0.0.1\", \"dns\": [\"10.0.0.1\"],"
	"                 \"ntp\": [\"10.0.0.1\", \"10.0.0.2\"] },"
	"  \"tls\": { \"names\": [\"redoubt.example.org\", \"10.0.0.5\"] },"
	"  \"ssh\": { \"sources\": [\"10.0.0.0/8\", \"fd00::1\"] },"
	"  \"firewall\": { \"out\": [ { \"to\": \"10.1.2.3\", \"port\": 443, \"protocol\": \"tcp\" } ] },"
	"  \"volumes\": { \"data\": { \"device\": \"/dev/vdb\", \"format\": \"erase-foreign-data\","
	"                              \"key\": \"passphrase\" } } }";

static struct config got;
static char said[CONFIG_ERROR];

static int parse(const char *text)
{
	memset(&got, 0, sizeof(got));
	said[0] = '\0';
	return config_parse(text, strlen(text), &got, said);
}

static bool a_whole_configuration_is_read(void)
{
	char text[CONFIG_NET_TEXT];

	CHECK_EQ(parse(FULL), CONFIG_OK);
	CHECK(strcmp(got.hostname, "redoubt-1") == 0);
	CHECK(strcmp(got.admin_name, "ann") == 0);
	CHECK(strcmp(got.admin_email, "ann@example.org") == 0);
	CHECK(strcmp(got.admin_ssh_key, SSH_KEY) == 0);
	CHECK(got.has_network);
	config_net_text(&got.address, true, text);
	CHECK(strcmp(text, "10.0.0.5/24") == 0);
	CHECK_EQ(got.n_dns, 1u);
	CHECK_EQ(got.n_ntp, 2u);
	CHECK_EQ(got.n_tls_names, 2u);
	CHECK(strcmp(got.tls_name[1], "10.0.0.5") == 0);
	CHECK(got.has_sources);
	config_net_text(&got.source[0], true, text);
	CHECK(strcmp(text, "10.0.0.0/8") == 0);
	config_net_text(&got.source[1], true, text);
	CHECK(strcmp(text, "fd00::1/128") == 0);
	CHECK_EQ(got.n_targets, 1u);
	CHECK_EQ(got.target[0].port, 443);
	CHECK(!got.target[0].udp);
	CHECK(strcmp(got.device, "/dev/vdb") == 0);
	CHECK_EQ((int)got.format, (int)CONFIG_FORMAT_ERASE_FOREIGN_DATA);
	CHECK_EQ((int)got.key, (int)CONFIG_KEY_PASSPHRASE);
	return true;
}

static bool what_is_absent_has_its_default(void)
{
	CHECK_EQ(parse("{" MUST "}"), CONFIG_OK);
	CHECK(!got.has_network);
	CHECK(!got.has_sources);
	CHECK_EQ(got.n_targets, 0u);
	CHECK_EQ(got.n_tls_names, 0u);
	CHECK(got.device[0] == '\0');
	CHECK_EQ((int)got.format, (int)CONFIG_FORMAT_IF_BLANK);
	CHECK_EQ((int)got.key, (int)CONFIG_KEY_TPM);
	return true;
}

static bool each_mistake_is_named_with_its_field(void)
{
	static const struct {
		const char *text, *field;
	} CASES[] = {
		{ "", "configuration" },
		{ "{", "configuration" },
		{ "[]", "configuration: must be an object" },
		{ "{}", "version: is missing" },
		{ "{" MUST "} x", "configuration: is not JSON" },
		{ "{" MUST ",\"colour\":1}", "there is no key \"colour\"" },
		{ "{" MUST ",\"hostname\":\"b\"}", "hostname: is given twice" },
		{ "{" MUST ",\"tls\":{\"names\":[\"a\"],\"name\":1}}",
		  "tls: there is no key \"name\"" },
		{ "{" MUST ",\"tls\":{}}", "tls.names: is missing" },
		{ "{" MUST ",\"tls\":{\"names\":[\"a\",\"b c\"]}}", "tls.names[1]: " },
		{ "{" MUST ",\"tls\":{\"names\":\"a\"}}", "tls.names: must be a list" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5\"}}", "network.address: " },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/33\"}}", "network.address: " },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/24\",\"gateway\":\"fe80::1\"}}",
		  "network.gateway: must be of the same kind" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.1.1\"}}",
		  "network.gateway: is not in the address's network" },
		{ "{" MUST ",\"network\":{\"gateway\":\"10.0.1.1\",\"address\":\"10.0.0.5/24\"}}",
		  "network.gateway: is not in the address's network" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.5\"}}",
		  "network.gateway: is the machine's own address" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/24\",\"gateway\":\"10.0.0.255\"}}",
		  "network.gateway: is not a machine's address" },
		{ "{" MUST
		  ",\"network\":{\"address\":\"fd00::5/64\",\"gateway\":\"fd00:0:0:1::1\"}}",
		  "network.gateway: is not in the address's network" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.0/24\"}}",
		  "network.address: is the network's own address" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.255/24\"}}",
		  "network.address: is the network's broadcast address" },
		{ "{" MUST ",\"network\":{\"address\":\"fd00::/64\"}}",
		  "network.address: is the network's own address" },
		{ "{" MUST ",\"network\":{\"address\":\"127.0.0.1/8\"}}",
		  "network.address: is no machine's address" },
		{ "{" MUST ",\"network\":{\"address\":\"224.0.0.1/24\"}}",
		  "network.address: is no machine's address" },
		{ "{" MUST ",\"network\":{\"address\":\"::1/64\"}}",
		  "network.address: is no machine's address" },
		{ "{" MUST ",\"ssh\":{\"sources\":[\"10.1.2.3/8\"]}}",
		  "ssh.sources[0]: has bits set behind its prefix; the network is \"10.0.0.0/8\"" },
		{ "{" MUST
		  ",\"firewall\":{\"out\":[{\"to\":\"fd00::1/64\",\"port\":1,\"protocol\":\"tcp\"}]}}",
		  "firewall.out[0].to: has bits set behind its prefix; the network is \"fd00::/64\"" },
		{ "{" MUST ",\"network\":{\"address\":\"10.0.0.5/24\",\"dns\":[1]}}",
		  "network.dns[0]: " },
		{ "{" MUST ",\"ssh\":{\"sources\":[\"10.0.0.0/8\",\"any\"]}}", "ssh.sources[1]: " },
		{ "{" MUST ",\"ssh\":{\"sources\":[\"10.0.0.0/8; drop\"]}}", "ssh.sources[0]: " },
		{ "{" MUST
		  ",\"firewall\":{\"out\":[{\"to\":\"10.1.2.3\",\"port\":0,\"protocol\":\"tcp\"}]}}",
		  "firewall.out[0].port: " },
		{ "{" MUST
		  ",\"firewall\":{\"out\":[{\"to\":\"10.1.2.3\",\"port\":65536,\"protocol\":\"tcp\"}]}}",
		  "firewall.out[0].port: " },
		{ "{" MUST
		  ",\"firewall\":{\"out\":[{\"to\":\"10.1.2.3\",\"port\":1,\"protocol\":\"icmp\"}]}}",
		  "firewall.out[0].protocol: " },
		{ "{" MUST ",\"firewall\":{\"out\":[{\"to\":\"10.1.2.3\",\"port\":1}]}}",
		  "firewall.out[0].protocol: is missing" },
		{ "{" MUST ",\"volumes\":{\"data\":{\"device\":\"/etc/passwd\"}}}",
		  "volumes.data.device: " },
		{ "{" MUST ",\"volumes\":{\"data\":{\"device\":\"/dev/../etc\"}}}",
		  "volumes.data.device: " },
		{ "{" MUST ",\"volumes\":{\"data\":{\"device\":\"/dev/v db\"}}}",
		  "volumes.data.device: " },
		{ "{" MUST ",\"volumes\":{\"data\":{\"format\":\"yes\"}}}",
		  "volumes.data.format: " },
		{ "{" MUST ",\"volumes\":{\"data\":{\"key\":1}}}", "volumes.data.key: " },
		{ "{\"version\":2}", "version: must be 1" },
		{ "{\"version\":\"1\"}", "version: must be 1" },
		{ "{\"version\":1,\"hostname\":\"-a\"}", "hostname: " },
		{ "{\"version\":1,\"hostname\":\"a\\u0000b\"}", "hostname: has a NUL" },
		{ "{\"version\":1,\"hostname\":\"a\",\"admin\":{\"name\":\"root\"}}",
		  "admin.name: " },
		{ "{\"version\":1,\"hostname\":\"a\",\"admin\":{\"name\":\"ann\",\"email\":\"x\"}}",
		  "admin.email: " },
		{ "{\"version\":1,\"hostname\":\"a\",\"admin\":{\"name\":\"ann\",\"ssh_key\":\"ssh-dss AAAA\"}}",
		  "admin.ssh_key: " },
		{ "{\"version\":1,\"hostname\":\"a\",\"admin\":{\"name\":\"ann\"}}",
		  "admin.ssh_key: is missing" },
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		int r = parse(CASES[i].text);

		if (r != CONFIG_INVALID || !strstr(said, CASES[i].field))
			printf("# %s: \"%s\", want \"%s\"\n", CASES[i].text, said, CASES[i].field);
		CHECK_EQ(r, CONFIG_INVALID);
		CHECK(strstr(said, CASES[i].field));
		CHECK(got.hostname[0] == '\0'); /* nothing is handed out */
	}
	return true;
}

static bool every_cut_is_refused(void)
{
	for (size_t len = 0; len < sizeof(FULL) - 1; len++)
		CHECK_EQ(config_parse(FULL, len, &got, said), CONFIG_INVALID);
	return true;
}

static bool more_than_sixteen_kib_is_refused(void)
{
	auto_free char *text = malloc(CONFIG_MAX + 2);

	CHECK(text);
	memset(text, ' ', CONFIG_MAX + 2);
	memcpy(text, FULL, sizeof(FULL) - 1);
	CHECK_EQ(config_parse(text, CONFIG_MAX, &got, said), CONFIG_OK);
	CHECK_EQ(config_parse(text, CONFIG_MAX + 1, &got, said), CONFIG_INVALID);
	CHECK(strstr(said, "too long"));
	return true;
}

static bool more_entries_than_allowed_are_refused(void)
{
	char text[4096];
	int len = snprintf(text, sizeof(text), "{" MUST ",\"ssh\":{\"sources\":[\"10.0.0.0\"");

	for (size_t i = 1; i < CONFIG_SOURCES_MAX; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",\"10.0.0.%zu\"", i);
	(void)snprintf(text + len, sizeof(text) - (size_t)len, "]}}");
	CHECK_EQ(parse(text), CONFIG_OK);
	(void)snprintf(text + len, sizeof(text) - (size_t)len, ",\"10.9.9.9\"]}}");
	CHECK_EQ(parse(text), CONFIG_INVALID);
	CHECK(strstr(said, "at most 64"));
	return true;
}

static bool networks_that_work_are_taken(void)
{
	static const char *const GOOD[] = {
		"{\"address\":\"10.0.0.0/31\",\"gateway\":\"10.0.0.1\"}",
		"{\"address\":\"10.0.0.5/32\"}",
		"{\"address\":\"fd00::5/64\",\"gateway\":\"fe80::1\"}",
		"{\"address\":\"fd00::5/64\",\"gateway\":\"fd00::1\"}",
		"{\"address\":\"fd00::5/128\",\"gateway\":\"fe80::1\"}",
		"{\"gateway\":\"10.0.255.254\",\"address\":\"10.0.0.5/16\",\"dns\":[\"192.0.2.1\"]}",
	};
	char text[1024];

	for (size_t i = 0; i < countof(GOOD); i++) {
		(void)snprintf(text, sizeof(text), "{" MUST ",\"network\":%s}", GOOD[i]);
		int r = parse(text);
		if (r)
			printf("# %s: %s\n", GOOD[i], said);
		CHECK_EQ(r, CONFIG_OK);
	}
	return true;
}

static bool addresses_are_read_strictly(void)
{
	static const char *const GOOD[] = { "0.0.0.0/0", "10.0.0.1", "10.0.0.0/8", "::/0",
					    "fe80::1/64" };
	static const char *const BAD[] = {
		"",	   "10.0.0",   "10.0.0.1/",  "10.0.0.1/33", "10.0.0.1/8x", "10.0.0.1/+8",
		"::1/129", "::1/1000", "10.0.0.256", " 10.0.0.1",   "10.0.0.1 ",   "localhost"
	};
	struct config_net net;

	for (size_t i = 0; i < countof(GOOD); i++)
		CHECK(config_net_parse(GOOD[i], strlen(GOOD[i]), true, &net));
	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!config_net_parse(BAD[i], strlen(BAD[i]), true, &net));
	CHECK(!config_net_parse("10.0.0.0/8", 10, false, &net));
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		fault_at(n);
		int r = config_parse(FULL, strlen(FULL), &got, said);

		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

int main(void)
{
	RUN(a_whole_configuration_is_read);
	RUN(what_is_absent_has_its_default);
	RUN(each_mistake_is_named_with_its_field);
	RUN(every_cut_is_refused);
	RUN(more_than_sixteen_kib_is_refused);
	RUN(more_entries_than_allowed_are_refused);
	RUN(networks_that_work_are_taken);
	RUN(addresses_are_read_strictly);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
