/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/cert.h"
#include "tests/lib/tap.h"

constexpr uint64_t NOW_S = 1'795'000'000; /* 2026-11-18 */
constexpr uint64_t DAY_S = 86'400;

static struct buf ca_key, ca, key, chain, other_key, other_chain;
static char text[CERT_TEXT];

static int make_server(uint64_t from_s, uint64_t to_s, struct buf *ret_key, struct buf *ret_chain)
{
	static const char *const NAMES[] = { "redoubt.example.org", "10.0.0.5", "::1" };
	const struct cert_issuer issuer = { ca_key.data, ca_key.len, ca.data, ca.len };
	const uint64_t valid_s[2] = { from_s, to_s };

	*ret_key = buf_make(CERT_PEM_MAX);
	*ret_chain = buf_make(CERT_PEM_MAX);
	return cert_make_server(&issuer, NAMES, countof(NAMES), valid_s, ret_key, ret_chain);
}

static int check(const struct buf *the_chain, const struct buf *the_key, uint64_t now_s)
{
	return cert_check(the_chain->data, the_chain->len, the_key->data, the_key->len, now_s,
			  text);
}

static bool a_ca_and_a_server_certificate_are_made(void)
{
	ca_key = buf_make(CERT_PEM_MAX);
	ca = buf_make(CERT_PEM_MAX);
	CHECK_EQ(cert_make_ca("Redoubt CA of box", NOW_S, 3650, &ca_key, &ca), 0);
	CHECK_EQ(make_server(NOW_S, NOW_S + 90 * DAY_S, &key, &chain), 0);
	CHECK_EQ(make_server(NOW_S, NOW_S + 90 * DAY_S, &other_key, &other_chain), 0);
	CHECK(cert_is_issued_by(chain.data, chain.len, ca.data, ca.len));
	CHECK(!cert_is_issued_by(ca.data, ca.len, chain.data, chain.len));
	CHECK(cert_has_key(chain.data, chain.len, key.data, key.len));
	CHECK(!cert_has_key(chain.data, chain.len, other_key.data, other_key.len));
	return true;
}

static bool names_are_matched_as_clients_do(void)
{
	CHECK(cert_has_name(chain.data, chain.len, "redoubt.example.org"));
	CHECK(cert_has_name(chain.data, chain.len, "REDOUBT.example.org"));
	CHECK(cert_has_name(chain.data, chain.len, "10.0.0.5"));
	CHECK(cert_has_name(chain.data, chain.len, "::1"));
	CHECK(!cert_has_name(chain.data, chain.len, "example.org"));
	CHECK(!cert_has_name(chain.data, chain.len, "10.0.0.6"));
	return true;
}

static bool it_is_described(void)
{
	auto_buf struct buf names = buf_make(1024);
	char fingerprint[65];
	uint64_t end_s = 0;

	CHECK(cert_describe(chain.data, chain.len, &end_s, fingerprint, &names));
	CHECK_EQ(end_s, NOW_S + 90 * DAY_S);
	CHECK_EQ(strlen(fingerprint), 64u);
	CHECK(strcmp(buf_text(&names), "redoubt.example.org 10.0.0.5 ::1") == 0);
	CHECK(!cert_describe("x", 1, &end_s, fingerprint, &names));
	return true;
}

static bool a_good_pair_passes(void)
{
	CHECK_EQ(check(&chain, &key, NOW_S + DAY_S), CERT_OK);
	CHECK(text[0] == '\0');
	return true;
}

static bool each_fault_of_a_pair_is_named(void)
{
	CHECK_EQ(check(&chain, &other_key, NOW_S + DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "does not belong"));
	CHECK_EQ(check(&chain, &key, NOW_S + 91 * DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "expired"));
	CHECK_EQ(check(&chain, &key, NOW_S - DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "not valid yet"));
	CHECK_EQ(check(&key, &key, NOW_S + DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "chain is not PEM"));
	CHECK_EQ(check(&chain, &chain, NOW_S + DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "key is not PEM"));
	CHECK_EQ(check(&ca, &ca_key, NOW_S + DAY_S), CERT_REFUSED); /* a CA is no server */
	return true;
}

static bool a_chain_out_of_order_is_refused(void)
{
	auto_buf struct buf mixed = buf_make(CERT_PEM_MAX);

	buf_add(&mixed, chain.data, chain.len);
	buf_add(&mixed, other_chain.data, other_chain.len);
	CHECK_EQ(check(&mixed, &key, NOW_S + DAY_S), CERT_REFUSED);
	CHECK(strstr(text, "out of order"));
	return true;
}

static bool every_cut_is_refused_or_passes_without_its_last_certificates(void)
{
	/* Up to the end of the first certificate nothing may pass. */
	const char *end = strstr(buf_text(&chain), "-----END CERTIFICATE-----");
	size_t first = (size_t)(end - (const char *)chain.data);

	for (size_t len = 0; len < first; len += 7)
		CHECK_EQ(cert_check(chain.data, len, key.data, key.len, NOW_S + DAY_S, text),
			 CERT_REFUSED);
	return true;
}

int main(void)
{
	RUN(a_ca_and_a_server_certificate_are_made);
	RUN(names_are_matched_as_clients_do);
	RUN(it_is_described);
	RUN(a_good_pair_passes);
	RUN(each_fault_of_a_pair_is_named);
	RUN(a_chain_out_of_order_is_refused);
	RUN(every_cut_is_refused_or_passes_without_its_last_certificates);
	buf_done(&ca_key);
	buf_done(&ca);
	buf_done(&key);
	buf_done(&chain);
	buf_done(&other_key);
	buf_done(&other_chain);
	return tap_done();
}
