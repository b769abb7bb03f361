/* SPDX-License-Identifier: Apache-2.0 */
#include "service/tls/throwaway.h"

#include <errno.h>
#include <stddef.h>

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/types.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base.h"

constexpr long LASTS_S = 24L * 60 * 60;
constexpr long SKEW_S = 60L * 60; /* clients' clocks, and ours before the time service has run */

static X509 *x509_free(X509 *cert)
{
	X509_free(cert);
	return nullptr;
}
CLEANUP_FN(X509, x509_free)

static EVP_PKEY *key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
	return nullptr;
}
CLEANUP_FN(EVP_PKEY, key_free)

static X509_EXTENSION *extension_free(X509_EXTENSION *extension)
{
	X509_EXTENSION_free(extension);
	return nullptr;
}
CLEANUP_FN(X509_EXTENSION, extension_free)

/* Add one extension to the certificate. */
static bool add_extension(X509 *cert, int nid, const char *value)
{
	cleanup(extension_free_at) X509_EXTENSION *extension =
		X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);

	return extension && X509_add_ext(cert, extension, -1) == 1;
}

/* Fill in subject, times, serial number, extensions. */
static bool fill(X509 *cert, EVP_PKEY *key)
{
	static const unsigned char NAME[] = "redoubt, not ready";
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), 1) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -SKEW_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), LASTS_S) &&
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, NAME, -1, -1, 0) ==
		       1 &&
	       X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_subject_alt_name, "DNS:redoubt.invalid");
}

int throwaway_make(X509 **ret_cert, EVP_PKEY **ret_key)
{
	cleanup(key_free_at) EVP_PKEY *key = EVP_EC_gen("P-256");
	cleanup(x509_free_at) X509 *cert = X509_new();

	if (!key || !cert || !fill(cert, key) || X509_sign(cert, key, EVP_sha256()) == 0)
		return -EIO;
	*ret_cert = TAKE(cert);
	*ret_key = TAKE(key);
	return 0;
}
