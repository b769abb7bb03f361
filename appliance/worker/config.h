/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * config: the appliance's first configuration, JSON of at most 16 KiB, read into a struct.
 *
 * Layer 2 (appliance/worker). A pure function over (pointer, length): nothing is asked of the
 * machine. Unknown and repeated keys are refused, so that a typing error cannot silently be a default.
 * Trust: the text is untrusted input; what comes out is bounded, well-formed and canonical.
 * Source: docs/architecture.md section 4.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/names.h"

constexpr size_t CONFIG_MAX = 16 * 1024; /* EC2's limit of user data */
constexpr size_t CONFIG_ERROR = 400;
constexpr size_t CONFIG_SSH_KEY_MAX = 8 * 1024; /* OpenSSH's longest line: auth.c */
constexpr size_t CONFIG_SERVERS_MAX = 4;
constexpr size_t CONFIG_TLS_NAMES_MAX = 16;
constexpr size_t CONFIG_SOURCES_MAX = 64;
constexpr size_t CONFIG_TARGETS_MAX = 32;
constexpr size_t CONFIG_DEVICE_MAX = 128;

enum {
	CONFIG_OK = 0,
	CONFIG_INVALID, /* the text says which field, what is wrong and how to mend it */
};

/* An IPv4 or IPv6 network; a single address has the longest prefix. */
struct config_net {
	int family; /* AF_INET or AF_INET6 */
	uint8_t address[16];
	uint8_t prefix;
};

struct config_target {
	struct config_net to;
	uint16_t port; /* 1 to 65535 */
	bool udp;      /* else TCP */
};

enum config_format {
	CONFIG_FORMAT_IF_BLANK,
	CONFIG_FORMAT_ERASE_FOREIGN_DATA,
};

enum config_key {
	CONFIG_KEY_TPM,
	CONFIG_KEY_PASSPHRASE, /* the recovery key, typed on the console at each boot */
};

struct config {
	char hostname[NAME_HOST_MAX + 1];
	char admin_name[NAME_PERSON_MAX + 1];
	char admin_email[NAME_EMAIL_MAX + 1]; /* or "" */
	char admin_ssh_key[CONFIG_SSH_KEY_MAX];
	bool has_network; /* false: DHCP; the next four are unset */
	struct config_net address;
	struct config_net gateway; /* family 0 if there is none */
	struct config_net dns[CONFIG_SERVERS_MAX];
	struct config_net ntp[CONFIG_SERVERS_MAX];
	size_t n_dns, n_ntp;
	char tls_name[CONFIG_TLS_NAMES_MAX][NAME_HOST_MAX + 1]; /* host names or addresses */
	size_t n_tls_names;
	bool has_sources; /* false: SSH from anywhere */
	struct config_net source[CONFIG_SOURCES_MAX];
	size_t n_sources;
	struct config_target target[CONFIG_TARGETS_MAX];
	size_t n_targets;
	char device[CONFIG_DEVICE_MAX]; /* below /dev/, or "" */
	enum config_format format;
	enum config_key key;
};

/*
 * Check and read a configuration.
 *
 * text   [len] untrusted
 * ret    set only on success
 * error  set only with CONFIG_INVALID: one sentence for people
 *
 * Returns 0, CONFIG_INVALID or -ENOMEM.
 */
[[nodiscard]] int config_parse(const char *text, size_t len, struct config *ret,
			       char error[CONFIG_ERROR]);

constexpr size_t CONFIG_NET_TEXT = 64;

/* Write "10.0.0.0/8", or without the prefix if with_prefix is false. */
void config_net_text(const struct config_net *net, bool with_prefix, char ret[CONFIG_NET_TEXT]);

/* Read an address ("10.0.0.5", "fe80::1") or, if prefix_allowed, a network ("10.0.0.0/8"). Returns whether it is one. */
[[nodiscard]] bool config_net_parse(const char *text, size_t len, bool prefix_allowed,
				    struct config_net *ret);
