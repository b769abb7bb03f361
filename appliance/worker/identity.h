/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * identity: the keys that make this appliance itself: CA, server certificate, SSH host key, grant key.
 *
 * Layer 2 (appliance/worker). Files below the state folder, see docs/architecture.md section 4.
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/worker/config.h"
#include "appliance/worker/era.h"
#include "common/base.h"

enum {
	IDENTITY_OK = 0,
	IDENTITY_REFUSED, /* the text says what is wrong with what was brought */
};

constexpr size_t IDENTITY_TEXT = 400;
constexpr unsigned int IDENTITY_CA_DAYS = 3650;
constexpr unsigned int IDENTITY_SERVER_DAYS = 90;
constexpr unsigned int IDENTITY_RENEW_DAYS = 30;   /* before the end */
constexpr unsigned int IDENTITY_DOUBTFUL_DAYS = 7; /* with a clock that cannot be right */

/* Make the grant key if it is not there. state: folder descriptor. Returns 0 or -errno. */
[[nodiscard]] int identity_grant_key(int state);

/* Make the SSH host key if it is not there. path: the state folder. Returns 0 or -errno. */
[[nodiscard]] int identity_ssh_host_key(const char *path);

/*
 * Make the CA if it is not there, and the server's certificate if it is not there, or is ours and
 * ends soon, is not valid yet, or lacks a name of the configuration. One that was installed is left alone.
 * With a doubtful clock it is made for every time that it may be.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int identity_certificates(int state, const struct config *config,
					const struct era *era);

/* Make the server's certificate anew whatever it is like. Returns 0, IDENTITY_REFUSED (it was installed) or -errno. */
[[nodiscard]] int identity_renew(int state, const struct config *config, const struct era *era);

/*
 * Install a chain and key that somebody brings, after checking them.
 *
 * Returns 0, IDENTITY_REFUSED or -errno; nothing is changed on anything but 0.
 */
[[nodiscard]] int identity_install(int state, const struct config *config, const char *chain,
				   const char *key, uint64_t now_s, char text[IDENTITY_TEXT]);
