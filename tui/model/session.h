/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * session: how somebody came to be here: by which SSH key, on which terminal, from which locale.
 *
 * Layer 2 (tui/model).
 */

#include <stddef.h>

#include "common/base.h"

constexpr size_t SESSION_TEXT = 128;

struct session {
	bool is_local; /* the machine's own console: runs as the user redoubt-tty */
	bool utf8;
	char fingerprint[SESSION_TEXT]; /* "SHA256:…", or "" if sshd did not say */
	char terminal[SESSION_TEXT];	/* "pts/0", or "" */
	char connection[SESSION_TEXT];	/* 'ADDRESS PORT ADDRESS PORT', the client first, or "" */
};

/* Find out. Nothing here fails: what cannot be known stays empty. Sets the locale. */
void session_find(struct session *ret);

/* The same but for the locale, which is left alone. */
void session_find_origin(struct session *ret);

/*
 * Work out the fingerprint of the key named by a line of the file in $SSH_USER_AUTH: "publickey TYPE BASE64".
 *
 * text  [len] untrusted
 * ret   set to "" if there is no such line
 */
void session_fingerprint(const char *text, size_t len, char ret[SESSION_TEXT]);
