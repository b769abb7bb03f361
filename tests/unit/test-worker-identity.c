/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/config.h"
#include "appliance/worker/files.h"
#include "appliance/worker/identity.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/cert.h"
#include "tests/lib/tap.h"

constexpr uint64_t NOW_S = 1'795'000'000;
constexpr uint64_t DAY_S = 86'400;

static char folder[] = "/tmp/redoubt-identity-XXXXXX";
static int state = -1;
static struct config config;

static uint64_t end_of_certificate(void)
{
	auto_buf struct buf pem = buf_make(CERT_PEM_MAX), names = buf_make(1024);
	char fingerprint[65];
	uint64_t end_s = 0;

	if (files_read(state, "tls/cert.pem", &pem) ||
	    !cert_describe(pem.data, pem.len, &end_s, fingerprint, &names))
		return 0;
	return end_s;
}

static bool it_is_renewed_thirty_days_before_its_end_and_not_earlier(void)
{
	CHECK_EQ(identity_certificates(state, &config, NOW_S), 0);
	uint64_t first = end_of_certificate();
	CHECK(first > NOW_S + 89 * DAY_S && first <= NOW_S + 90 * DAY_S);
	CHECK_EQ(identity_certificates(state, &config, NOW_S + 59 * DAY_S), 0);
	CHECK_EQ(end_of_certificate(), first);
	CHECK_EQ(identity_certificates(state, &config, NOW_S + 61 * DAY_S), 0);
	CHECK(end_of_certificate() > first);
	return true;
}

/* A CA of somebody else's and a certificate by it. */
static bool brought(const char *name, struct buf *key, struct buf *chain)
{
	auto_buf struct buf ca_key = buf_make(CERT_PEM_MAX), ca = buf_make(CERT_PEM_MAX);
	const char *const names[] = { name };
	const uint64_t valid_s[2] = { NOW_S - DAY_S, NOW_S + 10 * DAY_S };

	*key = buf_make(CERT_PEM_MAX);
	*chain = buf_make(CERT_PEM_MAX);
	CHECK_EQ(cert_make_ca("Somebody", NOW_S - DAY_S, 100, &ca_key, &ca), 0);
	const struct cert_issuer issuer = { ca_key.data, ca_key.len, ca.data, ca.len };
	CHECK_EQ(cert_make_server(&issuer, names, 1, valid_s, key, chain), 0);
	return true;
}

static bool one_that_is_brought_is_installed_and_then_left_alone(void)
{
	auto_buf struct buf key = {}, chain = {};
	char text[IDENTITY_TEXT] = "";

	CHECK(brought("redoubt.example.org", &key, &chain));
	CHECK_EQ(identity_install(state, &config, buf_text(&chain), buf_text(&key), NOW_S, text),
		 0);
	CHECK_EQ(end_of_certificate(), NOW_S + 10 * DAY_S);
	CHECK_EQ(identity_certificates(state, &config, NOW_S), 0);
	CHECK_EQ(end_of_certificate(), NOW_S + 10 * DAY_S);
	return true;
}

static bool one_for_another_name_is_refused_and_nothing_changes(void)
{
	auto_buf struct buf key = {}, chain = {};
	char text[IDENTITY_TEXT] = "";
	uint64_t before = end_of_certificate();

	CHECK(brought("elsewhere.example.org", &key, &chain));
	CHECK_EQ(identity_install(state, &config, buf_text(&chain), buf_text(&key), NOW_S, text),
		 IDENTITY_REFUSED);
	CHECK(strstr(text, "redoubt.example.org"));
	CHECK_EQ(end_of_certificate(), before);
	return true;
}

static bool the_grant_key_is_made_once(void)
{
	auto_buf struct buf first = buf_make(100), second = buf_make(100);

	CHECK_EQ(identity_grant_key(state), 0);
	CHECK_EQ(files_read(state, "keys/grant", &first), 0);
	CHECK_EQ(identity_grant_key(state), 0);
	CHECK_EQ(files_read(state, "keys/grant", &second), 0);
	CHECK_EQ(first.len, 64u);
	CHECK(memcmp(first.data, second.data, 64) == 0);
	return true;
}

int main(void)
{
	static const char *const FOLDERS[] = { "tls", "ca", "keys" };
	char command[128];

	if (!mkdtemp(folder) || files_open_folder(folder, &state))
		return 99;
	for (size_t i = 0; i < countof(FOLDERS); i++)
		if (mkdirat(state, FOLDERS[i], 0700) < 0)
			return 99;
	(void)snprintf(config.hostname, sizeof(config.hostname), "box");
	(void)snprintf(config.tls_name[0], sizeof(config.tls_name[0]), "redoubt.example.org");
	config.n_tls_names = 1;
	RUN(it_is_renewed_thirty_days_before_its_end_and_not_earlier);
	RUN(one_that_is_brought_is_installed_and_then_left_alone);
	RUN(one_for_another_name_is_refused_and_nothing_changes);
	RUN(the_grant_key_is_made_once);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? tap_done() : 99; /* NOLINT: a test's own folder */
}
