/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/crypto/crypto.h"

constexpr int SERIAL_BITS = 159; /* RFC 5280 section 4.1.2.2: positive, at most 20 bytes */

static void pkey_free_at(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void x509_free_at(X509 **cert)
{
	X509_free(*cert);
}

static void bio_free_at(BIO **bio)
{
	(void)BIO_free(*bio);
}

/* Never ask anybody for a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *userdata)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)userdata;
	return -1;
}

/* The next certificate in the text, or nullptr. */
static X509 *read_cert(BIO *in)
{
	X509 *cert = PEM_read_bio_X509(in, nullptr, no_passphrase, nullptr);

	ERR_clear_error();
	return cert;
}

/* The first certificate in the text, or nullptr. */
static X509 *first_cert(const void *pem, size_t len)
{
	cleanup(bio_free_at) BIO *in =
		len <= CERT_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : nullptr;

	return in ? read_cert(in) : nullptr;
}

static EVP_PKEY *read_key(const void *pem, size_t len)
{
	cleanup(bio_free_at) BIO *in =
		len <= CERT_PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : nullptr;
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, nullptr, no_passphrase, nullptr) : nullptr;

	ERR_clear_error();
	return key;
}

/* Append what a memory BIO holds. */
static int take_text(BIO *from, struct buf *ret)
{
	char *data = nullptr;
	long len = BIO_get_mem_data(from, &data);

	if (len <= 0)
		return -EIO;
	buf_add(ret, data, (size_t)len);
	return buf_error(ret);
}

static int write_cert(X509 *cert, struct buf *ret)
{
	cleanup(bio_free_at) BIO *out = BIO_new(BIO_s_mem());

	return out && PEM_write_bio_X509(out, cert) == 1 ? take_text(out, ret) : -EIO;
}

static int write_key(EVP_PKEY *key, struct buf *ret)
{
	cleanup(bio_free_at) BIO *out = BIO_new(BIO_s_secmem());

	return out && PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr,
						    nullptr) == 1
		       ? take_text(out, ret)
		       : -EIO;
}

static bool set_serial(X509 *cert)
{
	BIGNUM *number = BN_new();
	bool good = number &&
		    BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));

	BN_free(number);
	return good;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
	bool good = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

/* A certificate without names and signature yet, for a new key. */
static bool begin(const char *common_name, const uint64_t valid_s[static 2], EVP_PKEY *key,
		  X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	       ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)valid_s[0]) &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)valid_s[1]) &&
	       X509_set_pubkey(cert, key) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

int cert_make_ca(const char *name, uint64_t from_s, unsigned int days, struct buf *ret_key,
		 struct buf *ret_cert)
{
	cleanup(pkey_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
	cleanup(x509_free_at) X509 *cert = X509_new();
	const uint64_t valid_s[2] = { from_s, from_s + (uint64_t)days * 86400 };

	if (!key || !cert)
		return -ENOMEM;
	if (!begin(name, valid_s, key, cert) ||
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
	    !add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
	    !add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !add_extension(cert, cert, NID_subject_key_identifier, "hash") ||
	    X509_sign(cert, key, EVP_sha256()) == 0)
		return -EIO;

	int r = write_key(key, ret_key);
	return r ? r : write_cert(cert, ret_cert);
}

static bool is_address(const char *name)
{
	unsigned char room[16];

	return inet_pton(AF_INET, name, room) == 1 || inet_pton(AF_INET6, name, room) == 1;
}

/* The first label, at most what a common name may hold: 64 characters. */
static void common_name(const char *name, char ret[65])
{
	(void)snprintf(ret, 65, "%.64s", name);
}

static bool add_names(X509 *cert, X509 *issuer, const char *const *name, size_t n)
{
	struct buf text = buf_make(CERT_PEM_MAX);

	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "%s%s:%s", i ? "," : "", is_address(name[i]) ? "IP" : "DNS",
			 name[i]);
	const char *value = buf_text(&text);
	bool good = value && add_extension(cert, issuer, NID_subject_alt_name, value);
	buf_done(&text);
	return good;
}

int cert_make_server(const struct cert_issuer *issuer, const char *const *name, size_t n,
		     const uint64_t valid_s[static 2], struct buf *ret_key, struct buf *ret_chain)
{
	cleanup(pkey_free_at) EVP_PKEY *ca_key = read_key(issuer->key, issuer->key_len);
	cleanup(x509_free_at) X509 *ca = first_cert(issuer->cert, issuer->cert_len);
	cleanup(pkey_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
	cleanup(x509_free_at) X509 *cert = X509_new();
	char cn[65];

	if (!ca_key || !ca || X509_check_private_key(ca, ca_key) != 1)
		return -EINVAL;
	if (!key || !cert)
		return -ENOMEM;
	common_name(name[0], cn);
	if (!begin(cn, valid_s, key, cert) ||
	    X509_set_issuer_name(cert, X509_get_subject_name(ca)) != 1 ||
	    !add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE") ||
	    !add_extension(cert, ca, NID_key_usage, "critical,digitalSignature") ||
	    !add_extension(cert, ca, NID_ext_key_usage, "serverAuth") ||
	    !add_extension(cert, ca, NID_subject_key_identifier, "hash") ||
	    !add_extension(cert, ca, NID_authority_key_identifier, "keyid:always") ||
	    !add_names(cert, ca, name, n) || X509_sign(cert, ca_key, EVP_sha256()) == 0)
		return -EIO;

	int r = write_key(key, ret_key);
	if (r == 0)
		r = write_cert(cert, ret_chain);
	return r ? r : write_cert(ca, ret_chain);
}

/* Say why it is refused. */
static int refuse(char text[CERT_TEXT], const char *why)
{
	(void)snprintf(text, CERT_TEXT, "%s", why);
	return CERT_REFUSED;
}

/* Check the server's own certificate. */
static int check_leaf(X509 *leaf, EVP_PKEY *key, time_t now, char text[CERT_TEXT])
{
	if (X509_check_private_key(leaf, key) != 1)
		return refuse(text,
			      "the key does not belong to the first certificate; give the server's "
			      "certificate first and its key");
	if (X509_cmp_time(X509_get0_notBefore(leaf), &now) >= 0)
		return refuse(text,
			      "the certificate is not valid yet; check the clock of this machine "
			      "and of the one that issued it");
	if (X509_cmp_time(X509_get0_notAfter(leaf), &now) <= 0)
		return refuse(text, "the certificate has expired; get a new one");
	if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
		return refuse(text,
			      "the certificate is not for servers (extended key usage serverAuth)");
	if (X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1) < 0)
		return refuse(text,
			      "the certificate has no names (subjectAltName); clients would refuse "
			      "it");
	if (EVP_PKEY_get_security_bits(key) < 112)
		return refuse(text, "the key is too weak; use EC P-256 or RSA from 2048 bits");
	return CERT_OK;
}

/* Check that each certificate that follows signed the one before. */
static int check_chain(BIO *in, X509 *leaf, char text[CERT_TEXT])
{
	cleanup(x509_free_at) X509 *below = nullptr;

	for (size_t n = 1;; n++) {
		cleanup(x509_free_at) X509 *above = read_cert(in);

		if (!above)
			return CERT_OK;
		if (n == CERT_CHAIN_MAX)
			return refuse(text, "the chain is longer than 8 certificates");
		if (X509_check_issued(above, below ? below : leaf) != X509_V_OK ||
		    X509_verify(below ? below : leaf, X509_get0_pubkey(above)) != 1) {
			ERR_clear_error();
			return refuse(text,
				      "the chain is out of order: each certificate must be signed "
				      "by the one that follows it");
		}
		X509_free(below);
		below = TAKE(above);
	}
}

int cert_check(const void *chain, size_t chain_len, const void *key, size_t key_len, uint64_t now_s,
	       char text[CERT_TEXT])
{
	cleanup(bio_free_at) BIO *in =
		chain_len <= CERT_PEM_MAX ? BIO_new_mem_buf(chain, (int)chain_len) : nullptr;
	cleanup(x509_free_at) X509 *leaf = in ? read_cert(in) : nullptr;
	cleanup(pkey_free_at) EVP_PKEY *private_key = read_key(key, key_len);

	text[0] = '\0';
	if (!leaf)
		return refuse(text, "the chain is not PEM (-----BEGIN CERTIFICATE-----)");
	if (!private_key)
		return refuse(text, "the key is not PEM, or has a passphrase; give it without one");

	int r = check_leaf(leaf, private_key, (time_t)now_s, text);
	return r ? r : check_chain(in, leaf, text);
}

bool cert_has_name(const void *pem, size_t len, const char *name)
{
	cleanup(x509_free_at) X509 *cert = first_cert(pem, len);

	if (!cert)
		return false;
	return is_address(name) ? X509_check_ip_asc(cert, name, 0) == 1
				: X509_check_host(cert, name, 0, 0, nullptr) == 1;
}

bool cert_has_key(const void *pem, size_t len, const void *key, size_t key_len)
{
	cleanup(x509_free_at) X509 *cert = first_cert(pem, len);
	cleanup(pkey_free_at) EVP_PKEY *private_key = read_key(key, key_len);
	bool good = cert && private_key && X509_check_private_key(cert, private_key) == 1;

	ERR_clear_error();
	return good;
}

bool cert_is_issued_by(const void *pem, size_t len, const void *ca, size_t ca_len)
{
	cleanup(x509_free_at) X509 *cert = first_cert(pem, len);
	cleanup(x509_free_at) X509 *issuer = first_cert(ca, ca_len);
	bool good = cert && issuer && X509_check_issued(issuer, cert) == X509_V_OK &&
		    X509_verify(cert, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return good;
}

/* Append one name, after a blank if it is not the first. */
static void add_name(const GENERAL_NAME *name, struct buf *ret)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *blank = ret->len ? " " : "";

	if (name->type == GEN_DNS) {
		buf_addf(ret, "%s%.*s", blank, ASN1_STRING_length(name->d.dNSName),
			 (const char *)ASN1_STRING_get0_data(name->d.dNSName));
		return;
	}
	if (name->type != GEN_IPADD)
		return;
	int len = ASN1_STRING_length(name->d.iPAddress);
	if (len == 4 || len == 16)
		(void)inet_ntop(len == 4 ? AF_INET : AF_INET6,
				ASN1_STRING_get0_data(name->d.iPAddress), address, sizeof(address));
	buf_addf(ret, "%s%s", blank, address);
}

bool cert_describe(const void *pem, size_t len, uint64_t *ret_end_s,
		   char ret_fingerprint[static 65], struct buf *ret_names)
{
	cleanup(x509_free_at) X509 *cert = first_cert(pem, len);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;
	struct tm end = {};

	if (!cert || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1 ||
	    X509_digest(cert, EVP_sha256(), digest, &digest_len) != 1 || digest_len != 32)
		return false;
	*ret_end_s = (uint64_t)timegm(&end);
	crypto_hex(digest, digest_len, ret_fingerprint);

	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_name(sk_GENERAL_NAME_value(names, i), ret_names);
	GENERAL_NAMES_free(names);
	return true;
}

bool cert_validity(const void *pem, size_t len, uint64_t ret_s[static 2])
{
	cleanup(x509_free_at) X509 *cert = first_cert(pem, len);
	struct tm start = {}, end = {};

	if (!cert || ASN1_TIME_to_tm(X509_get0_notBefore(cert), &start) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) != 1)
		return false;
	ret_s[0] = (uint64_t)timegm(&start);
	ret_s[1] = (uint64_t)timegm(&end);
	return true;
}
