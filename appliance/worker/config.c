/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <yyjson.h>

#include "appliance/worker/nets.h"
#include "appliance/worker/ssh_key.h"
#include "common/names.h"
#include "common/utf8.h"

constexpr size_t FIELD_MAX = 128;

/* Where the reader is, for the messages, and what it fills in. */
struct reading {
	struct config *config;
	char field[FIELD_MAX]; /* "network.dns" */
	char *error;	       /* [CONFIG_ERROR] */
};

struct key {
	const char *name;
	bool required;
	bool (*read)(struct reading *at, yyjson_val *value);
};

/* Say what is wrong with the field at hand. Always false, so that a reader can return it. */
[[gnu::format(printf, 2, 3)]] static bool bad(struct reading *at, const char *format, ...)
{
	char what[CONFIG_ERROR];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	(void)snprintf(at->error, CONFIG_ERROR, "%.*s: %.*s", (int)FIELD_MAX,
		       at->field[0] ? at->field : "configuration",
		       (int)(CONFIG_ERROR - FIELD_MAX - 4), what);
	return false;
}

/* Enter ".name" for messages; returns the length to leave it with. */
static size_t enter(struct reading *at, const char *name, size_t len)
{
	size_t before = strlen(at->field);

	(void)snprintf(at->field + before, FIELD_MAX - before, "%s%.*s", before ? "." : "",
		       (int)len, name);
	return before;
}

static const struct key *find_key(const struct key *keys, size_t n, yyjson_val *name)
{
	for (size_t i = 0; i < n; i++)
		if (yyjson_equals_str(name, keys[i].name))
			return &keys[i];
	return nullptr;
}

/* A name that is not in the table: say so, and which there are. */
static bool unknown_key(struct reading *at, const struct key *keys, size_t n, yyjson_val *name)
{
	char list[CONFIG_ERROR / 2] = "";
	size_t len = 0;
	bool printable = utf8_is_printable(yyjson_get_str(name), yyjson_get_len(name));

	for (size_t i = 0; i < n && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					keys[i].name);
	return bad(at, "there is no key \"%.40s\" here; known are: %s",
		   printable ? yyjson_get_str(name) : "?", list);
}

/* Read an object by its table of at most 32 keys. */
static bool read_object(struct reading *at, yyjson_val *object, const struct key *keys, size_t n)
{
	uint32_t seen = 0;
	size_t i, max;
	yyjson_val *name, *value;

	if (!yyjson_is_obj(object))
		return bad(at, "must be an object, {…}");
	yyjson_obj_foreach(object, i, max, name, value)
	{
		const struct key *key = find_key(keys, n, name);

		if (!key)
			return unknown_key(at, keys, n, name);
		uint32_t bit = 1u << (key - keys);
		size_t before = enter(at, key->name, strlen(key->name));
		if (seen & bit)
			return bad(at, "is given twice; remove one");
		seen |= bit;
		if (!key->read(at, value))
			return false;
		at->field[before] = '\0';
	}
	for (i = 0; i < n; i++) {
		if (!keys[i].required || (seen & (1u << i)))
			continue;
		(void)enter(at, keys[i].name, strlen(keys[i].name));
		return bad(at, "is missing");
	}
	return true;
}

/* Call read for each element of an array of at most max elements. */
static bool read_array(struct reading *at, yyjson_val *array, size_t max,
		       bool (*read)(struct reading *at, yyjson_val *value, size_t index))
{
	size_t i, n;
	yyjson_val *value;

	if (!yyjson_is_arr(array))
		return bad(at, "must be a list, [ … ]");
	if (yyjson_arr_size(array) > max)
		return bad(at, "has %zu entries; at most %zu are allowed", yyjson_arr_size(array),
			   max);
	yyjson_arr_foreach(array, i, n, value)
	{
		size_t before = strlen(at->field);

		(void)snprintf(at->field + before, FIELD_MAX - before, "[%zu]", i);
		if (!read(at, value, i))
			return false;
		at->field[before] = '\0';
	}
	return true;
}

/* Copy a text of less than room bytes without NUL in it. */
static bool read_text(struct reading *at, yyjson_val *value, char *ret, size_t room)
{
	if (!yyjson_is_str(value))
		return bad(at, "must be a text in quotes");
	size_t len = yyjson_get_len(value);
	if (len == 0)
		return bad(at, "is empty");
	if (len >= room)
		return bad(at, "is longer than %zu characters", room - 1);
	if (strlen(yyjson_get_str(value)) != len)
		return bad(at, "has a NUL character in it");
	memcpy(ret, yyjson_get_str(value), len + 1);
	return true;
}

static bool read_version(struct reading *at, yyjson_val *value)
{
	return (yyjson_is_uint(value) && yyjson_get_uint(value) == 1) ||
	       bad(at, "must be 1, the only version this release knows");
}

static bool read_hostname(struct reading *at, yyjson_val *value)
{
	/* sethostname(2) takes 64 bytes; a longer name would be cut. */
	if (!read_text(at, value, at->config->hostname, 65))
		return false;
	return name_is_host(at->config->hostname, strlen(at->config->hostname)) ||
	       bad(at, "must be a host name: letters, digits and -, parts joined by dots");
}

static bool read_admin_name(struct reading *at, yyjson_val *value)
{
	char *name = at->config->admin_name;

	if (!read_text(at, value, name, sizeof(at->config->admin_name)))
		return false;
	return name_is_person(name, strlen(name)) ||
	       bad(at, "must begin with a lower-case letter, hold only a-z 0-9 - _, and not be a "
		       "name the system uses (root, redoubt-…)");
}

static bool read_admin_email(struct reading *at, yyjson_val *value)
{
	char *email = at->config->admin_email;

	if (!read_text(at, value, email, sizeof(at->config->admin_email)))
		return false;
	return name_is_email(email, strlen(email)) || bad(at, "must look like name@example.org");
}

static bool read_admin_key(struct reading *at, yyjson_val *value)
{
	char *key = at->config->admin_ssh_key;

	if (!read_text(at, value, key, sizeof(at->config->admin_ssh_key)))
		return false;
	const char *wrong = ssh_key_wrong(key, strlen(key));
	return !wrong || bad(at, "%s", wrong);
}

static const struct key ADMIN[] = {
	{ "name", true, read_admin_name },
	{ "email", false, read_admin_email },
	{ "ssh_key", true, read_admin_key },
};

static bool read_admin(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, ADMIN, countof(ADMIN));
}

static uint8_t longest_prefix(int family)
{
	return family == AF_INET ? 32 : 128;
}

bool config_net_parse(const char *text, size_t len, bool prefix_allowed, struct config_net *ret)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash ? (size_t)(slash - text) : len;
	struct config_net net = {};

	if (address_len >= sizeof(address) || memchr(text, '\0', len) || (slash && !prefix_allowed))
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	net.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(net.family, address, net.address) != 1)
		return false;
	net.prefix = longest_prefix(net.family);
	if (slash) {
		unsigned int prefix = 0;
		size_t digits = len - address_len - 1;

		if (digits < 1 || digits > 3)
			return false;
		for (size_t i = 0; i < digits; i++) {
			if (slash[1 + i] < '0' || slash[1 + i] > '9')
				return false;
			prefix = prefix * 10 + (unsigned int)(slash[1 + i] - '0');
		}
		if (prefix > net.prefix)
			return false;
		net.prefix = (uint8_t)prefix;
	}
	*ret = net;
	return true;
}

void config_net_text(const struct config_net *net, bool with_prefix, char ret[CONFIG_NET_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(net->family, net->address, address, sizeof(address));
	if (with_prefix)
		(void)snprintf(ret, CONFIG_NET_TEXT, "%s/%u", address, net->prefix);
	else
		(void)snprintf(ret, CONFIG_NET_TEXT, "%s", address);
}

/* Read an address or network in quotes. */
static bool read_net(struct reading *at, yyjson_val *value, bool prefix, struct config_net *ret)
{
	if (yyjson_is_str(value) &&
	    config_net_parse(yyjson_get_str(value), yyjson_get_len(value), prefix, ret))
		return true;
	return bad(at, prefix ? "must be an address or network such as \"10.0.0.0/8\""
			      : "must be an address such as \"10.0.0.1\"");
}

static bool read_address(struct reading *at, yyjson_val *value)
{
	const char *text = yyjson_get_str(value);

	if (!text || !strchr(text, '/'))
		return bad(at, "must be an address with the network's prefix length, such as "
			       "\"10.0.0.5/24\"");
	if (!read_net(at, value, true, &at->config->address))
		return false;
	const char *wrong = nets_host_wrong(&at->config->address);
	return !wrong || bad(at, "%s", wrong);
}

static bool read_gateway(struct reading *at, yyjson_val *value)
{
	return read_net(at, value, false, &at->config->gateway);
}

static bool read_dns_entry(struct reading *at, yyjson_val *value, size_t index)
{
	at->config->n_dns = index + 1;
	return read_net(at, value, false, &at->config->dns[index]);
}

static bool read_dns(struct reading *at, yyjson_val *value)
{
	return read_array(at, value, CONFIG_SERVERS_MAX, read_dns_entry);
}

static bool read_ntp_entry(struct reading *at, yyjson_val *value, size_t index)
{
	at->config->n_ntp = index + 1;
	return read_net(at, value, false, &at->config->ntp[index]);
}

static bool read_ntp(struct reading *at, yyjson_val *value)
{
	return read_array(at, value, CONFIG_SERVERS_MAX, read_ntp_entry);
}

static const struct key NETWORK[] = {
	{ "address", true, read_address },
	{ "gateway", false, read_gateway },
	{ "dns", false, read_dns },
	{ "ntp", false, read_ntp },
};

static bool read_network(struct reading *at, yyjson_val *value)
{
	if (!read_object(at, value, NETWORK, countof(NETWORK)))
		return false;
	if (at->config->gateway.family) {
		const char *wrong = nets_gateway_wrong(&at->config->address, &at->config->gateway);

		(void)enter(at, "gateway", strlen("gateway"));
		if (wrong)
			return bad(at, "%s", wrong);
		at->field[strlen(at->field) - strlen(".gateway")] = '\0';
	}
	at->config->has_network = true;
	return true;
}

static bool read_tls_name(struct reading *at, yyjson_val *value, size_t index)
{
	char *name = at->config->tls_name[index];
	struct config_net net;

	if (!read_text(at, value, name, NAME_HOST_MAX + 1))
		return false;
	at->config->n_tls_names = index + 1;
	return config_net_parse(name, strlen(name), false, &net) ||
	       name_is_host(name, strlen(name)) || bad(at, "must be a host name or an address");
}

static bool read_tls_names(struct reading *at, yyjson_val *value)
{
	return read_array(at, value, CONFIG_TLS_NAMES_MAX, read_tls_name);
}

static const struct key TLS[] = { { "names", true, read_tls_names } };

static bool read_tls(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, TLS, countof(TLS));
}

/* Read a network whose address has no bits behind the prefix: "10.0.0.5/8" is a typing error of one kind or another. */
static bool read_range(struct reading *at, yyjson_val *value, struct config_net *ret)
{
	char text[CONFIG_NET_TEXT];

	if (!read_net(at, value, true, ret))
		return false;
	if (!nets_mask(ret))
		return true;
	config_net_text(ret, true, text);
	return bad(at, "has bits set behind its prefix; the network is \"%s\"", text);
}

static bool read_source(struct reading *at, yyjson_val *value, size_t index)
{
	struct config_net *net = &at->config->source[index];

	at->config->n_sources = index + 1;
	return read_range(at, value, net);
}

static bool read_sources(struct reading *at, yyjson_val *value)
{
	at->config->has_sources = true;
	return read_array(at, value, CONFIG_SOURCES_MAX, read_source);
}

static const struct key SSH[] = { { "sources", true, read_sources } };

static bool read_ssh(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, SSH, countof(SSH));
}

static struct config_target *last_target(struct reading *at)
{
	return &at->config->target[at->config->n_targets - 1];
}

static bool read_to(struct reading *at, yyjson_val *value)
{
	return read_range(at, value, &last_target(at)->to);
}

static bool read_port(struct reading *at, yyjson_val *value)
{
	if (!yyjson_is_uint(value) || yyjson_get_uint(value) < 1 ||
	    yyjson_get_uint(value) > UINT16_MAX)
		return bad(at, "must be a number from 1 to 65535");
	last_target(at)->port = (uint16_t)yyjson_get_uint(value);
	return true;
}

static bool read_protocol(struct reading *at, yyjson_val *value)
{
	last_target(at)->udp = yyjson_equals_str(value, "udp");
	return last_target(at)->udp || yyjson_equals_str(value, "tcp") ||
	       bad(at, "must be \"tcp\" or \"udp\"");
}

static const struct key TARGET[] = {
	{ "to", true, read_to },
	{ "port", true, read_port },
	{ "protocol", true, read_protocol },
};

static bool read_target(struct reading *at, yyjson_val *value, size_t index)
{
	at->config->n_targets = index + 1;
	return read_object(at, value, TARGET, countof(TARGET));
}

static bool read_out(struct reading *at, yyjson_val *value)
{
	return read_array(at, value, CONFIG_TARGETS_MAX, read_target);
}

static const struct key FIREWALL[] = { { "out", true, read_out } };

static bool read_firewall(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, FIREWALL, countof(FIREWALL));
}

/* Below /dev/, made of plain names: nothing leads out of it again. */
static bool read_device(struct reading *at, yyjson_val *value)
{
	static const char SAFE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "/-_.:+";
	char *device = at->config->device;

	if (!read_text(at, value, device, sizeof(at->config->device)))
		return false;
	return (strncmp(device, "/dev/", 5) == 0 && device[5] && !strstr(device, "..") &&
		strspn(device, SAFE) == strlen(device)) ||
	       bad(at, "must be a device such as \"/dev/vdb\" or \"/dev/disk/by-id/…\"");
}

static bool read_format(struct reading *at, yyjson_val *value)
{
	bool erase = yyjson_equals_str(value, "erase-foreign-data");

	at->config->format = erase ? CONFIG_FORMAT_ERASE_FOREIGN_DATA : CONFIG_FORMAT_IF_BLANK;
	return erase || yyjson_equals_str(value, "if-blank") ||
	       bad(at, "must be \"if-blank\" or \"erase-foreign-data\"");
}

static bool read_key(struct reading *at, yyjson_val *value)
{
	bool passphrase = yyjson_equals_str(value, "passphrase");

	at->config->key = passphrase ? CONFIG_KEY_PASSPHRASE : CONFIG_KEY_TPM;
	return passphrase || yyjson_equals_str(value, "tpm") ||
	       bad(at, "must be \"tpm\" or \"passphrase\"");
}

static const struct key DATA[] = {
	{ "device", false, read_device },
	{ "format", false, read_format },
	{ "key", false, read_key },
};

static bool read_data(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, DATA, countof(DATA));
}

static const struct key VOLUMES[] = { { "data", true, read_data } };

static bool read_volumes(struct reading *at, yyjson_val *value)
{
	return read_object(at, value, VOLUMES, countof(VOLUMES));
}

static const struct key TOP[] = {
	{ "version", true, read_version },    { "hostname", true, read_hostname },
	{ "admin", true, read_admin },	      { "network", false, read_network },
	{ "tls", false, read_tls },	      { "ssh", false, read_ssh },
	{ "firewall", false, read_firewall }, { "volumes", false, read_volumes },
};

int config_parse(const char *text, size_t len, struct config *ret, char error[CONFIG_ERROR])
{
	cleanup(free_at) struct config *config = calloc(1, sizeof(*config));
	struct reading at = { .config = config, .error = error };
	yyjson_read_err fault;

	if (!config)
		return -ENOMEM;
	if (len == 0 || len > CONFIG_MAX) {
		(void)bad(&at, "is %s; 1 to %zu bytes of JSON are expected",
			  len ? "too long" : "empty", CONFIG_MAX);
		return CONFIG_INVALID;
	}
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text, len, 0, nullptr, &fault);
	if (!doc && fault.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return -ENOMEM;
	if (!doc) {
		(void)bad(&at, "is not JSON: %s at byte %zu", fault.msg, fault.pos);
		return CONFIG_INVALID;
	}
	bool good = read_object(&at, yyjson_doc_get_root(doc), TOP, countof(TOP));
	yyjson_doc_free(doc);
	if (!good)
		return CONFIG_INVALID;
	*ret = *config;
	return 0;
}
