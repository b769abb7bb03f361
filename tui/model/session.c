/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/session.h"

#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base.h"
#include "common/crypto/crypto.h"

constexpr size_t AUTH_FILE_MAX = 32768;
constexpr size_t BLOB_MAX = 4096; /* an RSA key of 16384 bits has 2 KiB */

/* Source: ssh-keygen(1): SHA-256 of the key blob in base64 without padding. */
void session_fingerprint(const char *text, size_t len, char ret[SESSION_TEXT])
{
	static const char METHOD[] = "publickey ";
	uint8_t blob[BLOB_MAX];
	uint8_t digest[CRYPTO_HASH];
	char base64[CRYPTO_HASH * 2];
	size_t blob_len = 0;

	ret[0] = '\0';
	if (len <= sizeof(METHOD) - 1 || memcmp(text, METHOD, sizeof(METHOD) - 1) != 0)
		return;
	text += sizeof(METHOD) - 1;
	len -= sizeof(METHOD) - 1;

	const char *blank = memchr(text, ' ', len);
	if (!blank)
		return;
	len -= (size_t)(blank + 1 - text);
	text = blank + 1;
	const char *end = memchr(text, '\n', len);
	len = end ? (size_t)(end - text) : len;
	if (!crypto_base64_decode(text, len, blob, sizeof(blob), &blob_len) ||
	    crypto_sha256(blob, blob_len, digest) != 0)
		return;
	crypto_base64(digest, sizeof(digest), base64);
	(void)snprintf(ret, SESSION_TEXT, "SHA256:%.*s", (int)strcspn(base64, "="), base64);
}

static void find_fingerprint(char ret[SESSION_TEXT])
{
	const char *path = getenv("SSH_USER_AUTH");
	auto_free char *text = malloc(AUTH_FILE_MAX);
	auto_close int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (!text || fd < 0)
		return;
	ssize_t len = read(fd, text, AUTH_FILE_MAX);
	if (len > 0)
		session_fingerprint(text, (size_t)len, ret);
}

static void find_terminal(char ret[SESSION_TEXT])
{
	static const char DEV[] = "/dev/";
	const char *name = ttyname(STDIN_FILENO);

	if (!name)
		return;
	if (strncmp(name, DEV, sizeof(DEV) - 1) == 0)
		name += sizeof(DEV) - 1;
	(void)snprintf(ret, SESSION_TEXT, "%s", name);
}

/*
 * sshd passes no locale on, so its absence says nothing: nearly every terminal of today is UTF-8, but
 * those whose name says otherwise.
 */
static bool find_locale(void)
{
	static const char *const OLD[] = { "vt", "dumb", "ansi", "cons" };
	const char *term = getenv("TERM");
	bool said = getenv("LC_ALL") || getenv("LC_CTYPE") || getenv("LANG");

	if (said)
		return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	for (size_t i = 0; term && i < countof(OLD); i++)
		if (strncmp(term, OLD[i], strlen(OLD[i])) == 0)
			return false;
	return setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
}

static void find_connection(char ret[SESSION_TEXT])
{
	const char *text = getenv("SSH_CONNECTION");

	if (text && strlen(text) < SESSION_TEXT)
		(void)snprintf(ret, SESSION_TEXT, "%s", text);
}

void session_find_origin(struct session *ret)
{
	const struct passwd *who = getpwuid(getuid());

	*ret = (struct session) {};
	ret->is_local = who && strcmp(who->pw_name, "redoubt-tty") == 0;
	find_fingerprint(ret->fingerprint);
	find_terminal(ret->terminal);
	find_connection(ret->connection);
}

void session_find(struct session *ret)
{
	session_find_origin(ret);
	ret->utf8 = find_locale();
}
