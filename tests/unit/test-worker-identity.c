/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/config.h"
#include "appliance/worker/era.h"
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

/* A clock that says now, on a volume last used at seen. */
static struct era at(uint64_t now_s, uint64_t seen_s)
{
	struct era era;

	era_judge(now_s, 0, seen_s, false, &era);
	return era;
}

static int certificates_at(uint64_t now_s, uint64_t seen_s)
{
	struct era era = at(now_s, seen_s);

	return identity_certificates(state, &config, &era);
}

static bool valid_at(const char *file, uint64_t time_s)
{
	auto_buf struct buf pem = buf_make(CERT_PEM_MAX);
	uint64_t valid_s[2];

	return files_read(state, file, &pem) == 0 && cert_validity(pem.data, pem.len, valid_s) &&
	       valid_s[0] <= time_s && time_s < valid_s[1];
}

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
	CHECK_EQ(certificates_at(NOW_S, 0), 0);
	uint64_t first = end_of_certificate();
	CHECK(first > NOW_S + 89 * DAY_S && first <= NOW_S + 90 * DAY_S);
	CHECK_EQ(certificates_at(NOW_S + 59 * DAY_S, 0), 0);
	CHECK_EQ(end_of_certificate(), first);
	CHECK_EQ(certificates_at(NOW_S + 61 * DAY_S, 0), 0);
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
	CHECK_EQ(certificates_at(NOW_S, 0), 0);
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

static void start_anew(void)
{
	static const char *const FILES[] = { "tls/cert.pem", "tls/key.pem", "ca/ca.pem",
					     "ca/key.pem" };

	for (size_t i = 0; i < countof(FILES); i++)
		(void)unlinkat(state, FILES[i], 0);
}

static bool a_clock_that_cannot_be_right_is_told(void)
{
	struct era era;

	era_judge(NOW_S, NOW_S - DAY_S, 0, false, &era);
	CHECK(!era.doubtful);
	era_judge(NOW_S, NOW_S + DAY_S, 0, false, &era);
	CHECK(era.doubtful && strstr(era.text, "before this image was built"));
	era_judge(NOW_S, NOW_S - DAY_S, NOW_S + DAY_S, false, &era);
	CHECK(era.doubtful && strstr(era.text, "before the last time seen"));
	era_judge(NOW_S, NOW_S - 5000 * DAY_S, NOW_S - DAY_S, false, &era);
	CHECK(!era.doubtful);
	era_judge(NOW_S + 13 * 365 * DAY_S, NOW_S - DAY_S, NOW_S, false, &era);
	CHECK(era.doubtful && strstr(era.text, "more than 400 days after"));
	era_judge(NOW_S + 13 * 365 * DAY_S, NOW_S - DAY_S, NOW_S, true, &era);
	CHECK(!era.doubtful); /* NTP says so */
	era_judge(1000, 0, 0, false, &era);
	CHECK(!era.doubtful); /* nothing to go by */
	return true;
}

static bool one_boot_in_the_future_breaks_nothing_for_long(void)
{
	constexpr uint64_t LATER_S = NOW_S + 13 * 365 * DAY_S;

	start_anew(); /* a first boot in 2039, of an image that was built now */
	CHECK_EQ(certificates_at(LATER_S, NOW_S), 0);
	CHECK(valid_at("ca/ca.pem", NOW_S) && valid_at("ca/ca.pem", LATER_S));
	CHECK(valid_at("tls/cert.pem", NOW_S) && valid_at("tls/cert.pem", LATER_S));
	CHECK_EQ(certificates_at(NOW_S + DAY_S, NOW_S), 0); /* the clock is right again */
	CHECK(valid_at("tls/cert.pem", NOW_S + DAY_S));
	CHECK(!valid_at("tls/cert.pem", NOW_S + 92 * DAY_S)); /* and it is short again */
	uint64_t end_s = end_of_certificate();
	CHECK_EQ(certificates_at(LATER_S, NOW_S + DAY_S), 0); /* in the future once more */
	CHECK(valid_at("tls/cert.pem", NOW_S + DAY_S) && valid_at("tls/cert.pem", LATER_S));
	CHECK(end_of_certificate() > end_s);
	return true;
}

static bool a_certificate_of_a_future_that_nobody_doubted_is_replaced(void)
{
	start_anew();
	CHECK_EQ(certificates_at(NOW_S, 0), 0);
	CHECK_EQ(certificates_at(NOW_S + 300 * DAY_S, NOW_S), 0); /* might well be */
	CHECK(!valid_at("tls/cert.pem", NOW_S));
	CHECK_EQ(certificates_at(NOW_S, 0), 0); /* it was not: NTP has set the clock */
	CHECK(valid_at("tls/cert.pem", NOW_S));
	return true;
}

static bool a_clock_in_the_past_does_not_end_a_good_certificate(void)
{
	start_anew();
	CHECK_EQ(certificates_at(NOW_S, 0), 0);
	CHECK_EQ(certificates_at(NOW_S - 2000 * DAY_S, NOW_S), 0);
	CHECK(valid_at("tls/cert.pem", NOW_S) && valid_at("tls/cert.pem", NOW_S - 2000 * DAY_S));
	CHECK_EQ(certificates_at(NOW_S + DAY_S, NOW_S), 0);
	CHECK(!valid_at("tls/cert.pem", NOW_S - DAY_S));
	return true;
}

static bool it_is_renewed_when_asked_unless_somebody_brought_it(void)
{
	auto_buf struct buf before = buf_make(CERT_PEM_MAX), after = buf_make(CERT_PEM_MAX);
	auto_buf struct buf key = {}, chain = {};
	struct era era = at(NOW_S, 0);
	char text[IDENTITY_TEXT];

	CHECK_EQ(identity_certificates(state, &config, &era), 0);
	CHECK_EQ(files_read(state, "tls/cert.pem", &before), 0);
	CHECK_EQ(identity_renew(state, &config, &era), 0);
	CHECK_EQ(files_read(state, "tls/cert.pem", &after), 0);
	CHECK(before.len != after.len || memcmp(before.data, after.data, after.len) != 0);
	CHECK(brought("redoubt.example.org", &key, &chain));
	CHECK_EQ(identity_install(state, &config, buf_text(&chain), buf_text(&key), NOW_S, text),
		 0);
	CHECK_EQ(identity_renew(state, &config, &era), IDENTITY_REFUSED);
	CHECK_EQ(end_of_certificate(), NOW_S + 10 * DAY_S);
	return true;
}

static bool the_last_time_seen_is_kept(void)
{
	struct era era = at(NOW_S, 0), got;

	CHECK_EQ(era_keep(state, &era), 0);
	era_look(state, &got);
	CHECK_EQ(got.floor_s, NOW_S);
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
	RUN(a_clock_that_cannot_be_right_is_told);
	RUN(one_boot_in_the_future_breaks_nothing_for_long);
	RUN(a_certificate_of_a_future_that_nobody_doubted_is_replaced);
	RUN(a_clock_in_the_past_does_not_end_a_good_certificate);
	RUN(it_is_renewed_when_asked_unless_somebody_brought_it);
	RUN(the_last_time_seen_is_kept);
	RUN(the_grant_key_is_made_once);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) == 0 ? tap_done() : 99; /* NOLINT: a test's own folder */
}
